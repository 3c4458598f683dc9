"""Staff, users, organisations, deliveries and the trail, as administrators keep and read them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
import sqlalchemy as sa

from clearance.auth.sessions import active_sessions
from clearance.core import audit
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.values import mask_civil_id
from clearance.models import AccessEvent, Delivery, Event, Invitation, Notice, User
from clearance.models.enums import DeliveryStatus, Role, Status
from clearance.notifications import inbox
from tests.support import factories
from tests.support.office_people import Office
from tests.support.pages import Page

STAFF = "/office/staff/"


def kinds(office: Office, prefix: str) -> list[str]:
    with office.app.app_context():
        found = db.session.scalars(
            sa.select(Event.kind).where(Event.kind.startswith(prefix)).order_by(Event.id)
        )
        return list(found)


# Staff


def invite(office: Office, values: dict[str, str], **more: Any) -> Page:
    browser = office.staff(Role.ADMINISTRATOR)
    return browser.submit(browser.get(f"{STAFF}invite"), values, form="#invitation", **more)


def test_an_invitation_goes_out_once_and_can_be_withdrawn(office: Office) -> None:
    browser = office.staff(Role.ADMINISTRATOR)
    form = browser.get(f"{STAFF}invite")
    for _ in range(2):
        page = browser.submit(
            form, {"email": "New@Example.com", "role": "reviewer"}, form="#invitation"
        )
    assert "new@example.com" in page.soup.select_one("#invitations").get_text()
    with office.app.app_context():
        assert len(db.session.scalars(sa.select(Invitation)).all()) == 1
        assert db.session.scalars(sa.select(Delivery.address)).all() == ["new@example.com"]
    page = browser.submit(page, form="#invitations form")
    assert page.soup.select_one("#invitations") is None
    assert kinds(office, "staff:") == ["staff:user:invited", "staff:invitation:withdrawn"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "nobody", "role": "reviewer"}, "email"),
        ({"email": "", "role": "reviewer"}, "email"),
        ({"email": "a@example.com", "role": ""}, "role"),
        ({"email": "a@example.com", "role": "agent"}, "role"),
    ],
)
def test_a_wrong_invitation_is_told_beside_its_field(
    office: Office, values: dict[str, str], field: str
) -> None:
    page = invite(office, values, status=400)
    assert page.error_of(field)
    assert kinds(office, "staff:") == []


def test_who_is_a_user_already_is_not_invited(office: Office) -> None:
    office.person("Known", email="known@example.com")
    page = invite(office, {"email": "known@example.com", "role": "manager"}, status=409)
    assert "belongs to a user already" in page.error_of("email")


def test_a_disabled_reviewer_is_out_at_once_and_can_come_back(office: Office) -> None:
    reviewer = office.person("Huda")
    theirs = office.browser(reviewer)
    theirs.get("/office/")
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get(f"{STAFF}details/?id={reviewer}")
    page = browser.submit(page, form=f"form[action$='{reviewer}/disable']")
    assert "Disabled" in page.text
    assert theirs.http.get("/office/").status_code == 302
    with office.app.app_context():
        assert db.session.get_one(User, reviewer).is_active is False
        assert active_sessions(reviewer, utc_now()) == []
    browser.submit(page, form=f"form[action$='{reviewer}/enable']")
    assert kinds(office, "staff:user") == ["staff:user:disabled", "staff:user:enabled"]


def test_administrators_cannot_shut_themselves_or_the_last_one_out(office: Office) -> None:
    me = office.person("me", Role.ADMINISTRATOR)
    browser = office.browser(me)
    assert browser.get(f"{STAFF}details/?id={me}").soup.select_one("#access") is None
    page = browser.post(f"{STAFF}{me}/disable", {}, status=409)
    assert "This is your own account" in page.text
    with office.app.app_context():
        assert db.session.get_one(User, me).is_active


def test_a_new_role_counts_at_once_and_the_person_is_told(office: Office) -> None:
    reviewer = office.person("Huda", language="en")
    theirs = office.browser(reviewer)
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get(browser.get(f"{STAFF}details/?id={reviewer}").link("Change the role"))
    assert "reviewer" not in [each["value"] for each in page.soup.select("#role option")]
    assert browser.submit(page, {"role": ""}, form="#role-form", status=400).error_of("role")
    changed = browser.submit(page, {"role": "manager"}, form="#role-form")
    assert "The role was changed" in changed.text
    assert theirs.http.get("/office/").status_code == 302
    late = browser.submit(page, {"role": "administrator"}, form="#role-form", status=409)
    assert "changed meanwhile" in late.text
    with office.app.app_context():
        assert db.session.get_one(User, reviewer).role == Role.MANAGER
        notice = db.session.scalars(sa.select(Notice).where(Notice.user_id == reviewer)).one()
        assert "Your role now: Manager." in inbox.text_of(notice, "en")[1]
    assert kinds(office, "staff:") == ["staff:role:changed"]


def test_managers_find_what_somebody_who_reviews_no_more_still_has(office: Office) -> None:
    gone = office.person("Huda")
    request_id = office.request(Status.UNDER_REVIEW, reviewer=gone)
    with office.app.app_context():
        db.session.get_one(User, gone).role = Role.MANAGER
        db.session.commit()
    manager = office.staff(Role.MANAGER)
    page = manager.get(manager.get("/office/").link("Huda Alsabah (left)"))
    assert office.read(request_id, lambda req: req.number) in page.text


def test_only_administrators_change_staff(office: Office) -> None:
    reviewer = office.person("Huda")
    manager = office.staff(Role.MANAGER)
    assert manager.get(f"{STAFF}details/?id={reviewer}").soup.select("main form") == []
    manager.get(f"{STAFF}invite", status=404)
    for place in ("disable", "enable", "role", "sessions/end", "sessions/1/end"):
        manager.post(f"{STAFF}{reviewer}/{place}", {}, status=404)
    manager.post(f"{STAFF}invitations/1/withdraw", {}, status=404)


def test_agents_are_no_staff_and_staff_no_users(office: Office) -> None:
    agent, reviewer = office.agent(), office.person("Huda")
    browser = office.staff(Role.ADMINISTRATOR)
    browser.get(f"{STAFF}details/?id={agent}", status=404)
    browser.post(f"{STAFF}{agent}/disable", {}, status=404)
    browser.get(f"/office/users/details/?id={reviewer}", status=404)
    with office.app.app_context():
        assert db.session.get_one(User, agent).is_active


# Users and organisations


def test_sessions_of_anybody_are_seen_and_ended_one_by_one_or_together(office: Office) -> None:
    agent = office.agent()
    first, second, third = (office.browser(agent) for _number in range(3))
    browser = office.staff(Role.ADMINISTRATOR)
    with office.app.app_context():
        newest = active_sessions(agent, utc_now())[0].id
    page = browser.get(f"/office/users/details/?id={agent}")
    page = browser.submit(page, form=f"#sessions form[action$='/sessions/{newest}/end']")
    assert [each.http.get("/my/").status_code for each in (first, second, third)] == [200, 200, 302]
    browser.post(f"/office/users/{agent}/sessions/{newest}/end", {}, status=404)
    browser.submit(page, form="#sessions form[action$='/sessions/end']")
    assert [each.http.get("/my/").status_code for each in (first, second)] == [302, 302]
    assert kinds(office, "account:session") == ["account:session:ended", "account:sessions:ended"]


def test_users_are_found_by_name_mail_and_number_and_listed_masked(office: Office) -> None:
    civil_id = factories.civil_id()
    wanted = office.agent(
        "wanted",
        first_name="عبد الله",
        last_name="الهاجري",
        civil_id=civil_id,
        email="w@example.com",
    )
    office.agent("other", first_name="Salem", last_name="X", email="o@example.com")
    browser = office.staff(Role.MANAGER)
    for typed in ("عبدالله", "w@exam", civil_id):
        page = browser.get(f"/office/users/?search={typed}")
        links = [a["href"] for a in page.soup.select("tbody a")]
        assert links == [f"/office/users/details/?id={wanted}"], typed
        assert civil_id not in page.soup.select_one("tbody").get_text()
        assert mask_civil_id(civil_id) in page.text


def test_reading_a_user_is_noted(office: Office) -> None:
    agent, manager = office.agent(), office.person("reader", Role.MANAGER)
    office.browser(manager).get(f"/office/users/details/?id={agent}")
    with office.app.app_context():
        noted = db.session.scalars(sa.select(AccessEvent).where(AccessEvent.kind == "user:read"))
        assert [(each.user_id, each.object_id) for each in noted] == [(manager, str(agent))]


def test_an_organisation_shows_its_users(office: Office) -> None:
    agent = office.agent("member", first_name="Yousef", last_name="Alhajri")
    with office.app.app_context():
        organisation = db.session.get_one(User, agent).memberships[0].organisation_id
    page = office.staff(Role.MANAGER).get(f"/office/organisations/details/?id={organisation}")
    assert "Yousef Alhajri" in page.soup.select_one("#users").get_text()


# Deliveries


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
    assert "1 message is sent again." in page.text
    assert "not given up" in page.text
    with office.app.app_context():
        row = db.session.get_one(Delivery, ids[0])
        assert (row.status, row.attempts) == (DeliveryStatus.QUEUED, 0)
    assert kinds(office, "office:delivery") == ["office:delivery:sent_again"]


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
    assert "Messages are late" not in browser.get("/office/").text
    with office.app.app_context():
        db.session.execute(
            sa.update(Delivery).values(created_at=utc_now().replace(year=utc_now().year - 1))
        )
        db.session.commit()
    assert "Messages are late" in browser.get("/office/").text


# The trail


def test_the_trail_is_filtered_searched_and_exported(office: Office) -> None:
    request_id = office.request()
    number = office.read(request_id, lambda req: req.number)
    manager = office.staff(Role.MANAGER)
    page = manager.get(f"/office/audit/?search={number}")
    assert {td.get_text(strip=True) for td in page.soup.select("tbody td:nth-of-type(5)")} == {
        number
    }
    assert "Nothing matches" in manager.get("/office/audit/?flt0_scope=staff").text
    exported = manager.get("/office/audit/export/csv/?flt0_scope=request", check=False)
    rows = list(csv.DictReader(io.StringIO(exported.response.get_data().decode("utf-8-sig"))))
    assert "request:step:send" in [row["Event"] for row in rows]


def test_an_event_shows_its_changes_escaped(office: Office) -> None:
    with office.app.app_context():
        user = factories.make_staff()
        changes = {"name_en": ["<script>", "=1+1"]}
        event = audit.record("reference:x:changed", obj=user, actor_id=user.id, changes=changes)
        db.session.commit()
        event_id = event.id
    page = office.staff(Role.MANAGER).get(f"/office/audit/details/?id={event_id}")
    cells = [td.get_text(strip=True) for td in page.soup.select("tbody td")]
    assert cells == ["name_en", "<script>", "=1+1"]


def test_the_trail_is_verified_and_a_break_is_told(office: Office) -> None:
    office.request()
    browser = office.staff(Role.MANAGER)
    page = browser.submit(browser.get("/office/audit/verify"))
    assert "The trail is unbroken" in page.text
    with office.app.app_context():
        db.session.execute(sa.text("UPDATE chain_head SET hash = 'x'"))
        db.session.commit()
    page = browser.submit(browser.get("/office/audit/verify"))
    assert "The trail is broken" in page.text


def test_refusals_stand_among_the_records_of_access(office: Office) -> None:
    office.staff().get("/office/settings/", status=404)
    page = office.staff(Role.ADMINISTRATOR).get("/office/access/?flt0_scope=access")
    assert "Refused: not there for this user" in page.text


# Lists as files


@pytest.mark.parametrize(
    ("name", "language", "header"),
    [
        ("users", "en", "Name"),
        ("users", "ar", "الاسم"),
        ("staff", "en", "Name"),
        ("deliveries", "en", "Queued at"),
        ("exams", "en", "Exam"),
    ],
)
def test_a_manager_takes_a_list_along_with_the_texts_it_shows(
    office: Office, name: str, language: str, header: str
) -> None:
    browser = office.staff(Role.MANAGER, language)
    answer = browser.http.get(f"/office/{name}/export/csv/")
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert rows[0][0] == header
    assert not any("<" in cell for row in rows for cell in row)


def test_an_export_of_users_masks_civil_numbers_and_defuses_formulas(office: Office) -> None:
    office.agent(first_name="=SUM(A1)")
    text = office.staff(Role.MANAGER).http.get("/office/users/export/csv/").get_data(as_text=True)
    with office.app.app_context():
        civil_id = db.session.scalar(sa.select(User.civil_id).where(User.role == Role.AGENT))
    assert "'=SUM(A1)" in text
    assert mask_civil_id(civil_id) in text
    assert civil_id not in text
