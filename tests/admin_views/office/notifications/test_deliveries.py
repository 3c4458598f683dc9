"""Messages that could not be delivered: how they are listed, and sent again."""

from __future__ import annotations

import sqlalchemy as sa

from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Delivery
from clearance.models.enums import DeliveryStatus, Role
from tests.support.office_people import Office


def given_up(office: Office) -> list[int]:
    office.request()
    with office.app.app_context():
        rows = db.session.scalars(sa.select(Delivery).order_by(Delivery.id)).all()
        rows[0].status = DeliveryStatus.GIVEN_UP
        rows[0].attempts = 30
        rows[0].last_error = "refused"
        db.session.commit()
        return [row.id for row in rows]


def test_what_was_given_up_is_sent_again_and_nothing_else(office: Office) -> None:
    ids = given_up(office)
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get("/office/deliveries/")
    page = browser.submit(page, {"rowid": ids}, form="#bulk", press="action=send_again")
    assert "1 message will be sent again." in page.text
    assert "still being sent" in page.text
    with office.app.app_context():
        row = db.session.get_one(Delivery, ids[0])
        assert (row.status, row.attempts) == (DeliveryStatus.QUEUED, 0)
    assert office.kinds("office:delivery") == ["office:delivery:sent_again"]


def test_the_list_of_deliveries_shows_no_address_and_no_text_in_full(office: Office) -> None:
    ids = given_up(office)
    with office.app.app_context():
        address, body = db.session.execute(
            sa.select(Delivery.address, Delivery.body).where(Delivery.id == ids[0])
        ).one()
    page = office.staff(Role.ADMINISTRATOR).get("/office/deliveries/?flt0_status=given_up")
    assert "refused" in page.text
    assert address not in page.text
    assert body[:40] not in page.text


def test_managers_send_nothing_again(office: Office) -> None:
    ids = given_up(office)
    manager = office.staff(Role.MANAGER)
    assert manager.get("/office/deliveries/").soup.select("[name=rowid]") == []
    manager.post(
        "/office/deliveries/action/", {"action": "send_again", "rowid": str(ids[0])}, status=404
    )


def test_the_office_is_warned_of_an_old_outbox(office: Office) -> None:
    office.request()
    browser = office.staff(Role.ADMINISTRATOR)
    assert "Messages are delayed" not in browser.get("/office/").text
    with office.app.app_context():
        db.session.execute(
            sa.update(Delivery).values(created_at=utc_now().replace(year=utc_now().year - 1))
        )
        db.session.commit()
    assert "Messages are delayed" in browser.get("/office/").text
