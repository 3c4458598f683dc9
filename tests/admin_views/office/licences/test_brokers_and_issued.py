"""Brokers, organisations and issued documents at the office: lists, pages, making void."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.core.values import mask_civil_id
from clearance.models import (
    Delivery,
    Event,
    IssuedDocument,
    Licence,
    LicenceChange,
    Notice,
    Organisation,
)
from clearance.models.enums import (
    Channel,
    IssuedKind,
    LicenceStatus,
    LicenceStep,
    Role,
    SuspendedBy,
)
from clearance.notifications import inbox
from tests.support import factories, issued_factories
from tests.support.office_people import Office
from tests.support.pages import Page

BROKERS, ORGANISATIONS, ISSUED = "/office/brokers/", "/office/organisations/", "/office/issued/"
TODAY = kuwait_today()


def first_column(page: Page) -> list[str]:
    return [row.select_one("td a").get_text(strip=True) for row in page.soup.select("tbody tr")]


def seen(office: Office, licence_id: int, look: Any) -> Any:
    with office.app.app_context():
        return look(db.session.get_one(Licence, licence_id))


# Brokers


def test_brokers_are_listed_once_with_the_licence_that_lives(office: Office) -> None:
    office.licence(number="KW-1", name_en_1="Salem", status=LicenceStatus.CANCELLED)
    cancelled = office.licence(number="KW-2", name_en_1="Badr", status=LicenceStatus.CANCELLED)
    with office.app.app_context():
        old = db.session.get_one(Licence, cancelled)
        columns = {
            name: getattr(old, name) for name in ("guarantee_no", "guarantee_expiry", "issued")
        }
        new = Licence(number="KW-3", broker_id=old.broker_id, expires=old.expires, **columns)
        db.session.add(new)
        db.session.commit()
        civil_id = old.broker.civil_id
    page = office.staff().get(BROKERS)
    rows = {
        row.select_one("a").get_text(): row.get_text(" ") for row in page.soup.select("tbody tr")
    }
    assert len(rows) == 2
    assert "KW-3" in rows["Badr Abdullah Alenezi"]
    assert "None" in rows["Salem Abdullah Alenezi"]
    assert mask_civil_id(civil_id) in page.text and civil_id not in page.text
    assert first_column(office.staff().get(f"{BROKERS}?flt0_status=none")) == [
        "Salem Abdullah Alenezi"
    ]
    for typed in ("badr", "KW-3", civil_id):
        found = first_column(office.staff().get(f"{BROKERS}?search={typed}"))
        assert found == ["Badr Abdullah Alenezi"], typed


def test_a_broker_shows_others_under_the_same_passport_history_and_requests(
    office: Office,
) -> None:
    licence_id = office.licence(number="KW-10", passport_no="P77A", expires=TODAY)
    office.licence(number="KW-11", passport_no="p77a", name_en_1="Nasser")
    renewal = office.renewal(licence_id)
    broker_id, old_organisation = seen(
        office, licence_id, lambda each: (each.broker_id, each.broker.organisation_id)
    )
    with office.app.app_context():
        target = factories.make_organisation(name_en="Falcon Office").id
        moved = {"organisation_id": [old_organisation, target], "nationality": ["KW", "SA"]}
        db.session.add(
            LicenceChange(
                licence_id=licence_id,
                at=utc_now(),
                kind=LicenceStep.TRANSFERRED,
                changes=moved,
                request_id=renewal,
            )
        )
        db.session.commit()
    page = office.staff().get(f"/office/licences/{licence_id}/")
    assert "Nasser Abdullah Alenezi" in page.text
    page = office.staff().get(f"{BROKERS}{broker_id}/")
    assert "Another broker has the same passport number" in page.text
    assert "Nasser Abdullah Alenezi" in page.text
    history = " ".join(page.soup.select_one("#history").get_text(" ").split())
    assert "Falcon Office" in history and "Kuwait → changed to Saudi Arabia" in history
    number = office.read(renewal, lambda req: req.number)
    assert number in history and number in page.soup.select_one("#requests").get_text()
    office.staff(Role.ADMINISTRATOR).get(f"{BROKERS}{broker_id}/", status=404)


# Organisations


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.MANAGER, Role.ADMINISTRATOR])
def test_organisations_are_read_with_their_brokers(office: Office, role: str) -> None:
    licence_id = office.licence(number="KW-20", guarantee_expiry=TODAY - timedelta(days=2))
    organisation_id = seen(office, licence_id, lambda each: each.broker.organisation_id)
    with office.app.app_context():
        organisation = seen(office, licence_id, lambda each: each.broker.organisation)
        user = factories.make_agent(organisation, first_name="Huda").id
    browser = office.staff(role)
    row = browser.get(ORGANISATIONS).soup.select_one("tbody tr")
    assert row.select_one("td[data-label=Brokers]").get_text(strip=True) == "1"
    page = browser.get(f"{ORGANISATIONS}details/?id={organisation_id}")
    if role == Role.ADMINISTRATOR:
        assert page.soup.select_one("#brokers") is None, "administrators keep no register"
        return
    cells = page.soup.select_one("#brokers tbody tr").get_text(" ", strip=True)
    assert "KW-20" in cells and "Bank guarantee" in cells and "Expired" in cells
    links = [a["href"] for a in page.soup.select("#users a")]
    assert links == ([] if role == Role.REVIEWER else [f"/office/users/details/?id={user}"])
    browser.get(f"{ORGANISATIONS}edit/?id={organisation_id}", status=404)


# Issued documents


def issued(office: Office, kind: IssuedKind = IssuedKind.CERTIFICATE, **columns: Any) -> int:
    with office.app.app_context():
        licence = issued_factories.make_licence(**columns)
        return issued_factories.make_issued(kind, licence).id


def test_issued_documents_are_listed_with_what_they_are_worth_now(office: Office) -> None:
    issued(office, number="KW-30")
    suspended = {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.OFFICE}
    void = issued(office, IssuedKind.CARD, number="KW-31", **suspended)
    browser = office.staff()
    states = {
        row.select("td a")[1].get_text(): row.select_one(".badge").get_text(strip=True)
        for row in browser.get(ISSUED).soup.select("tbody tr")
    }
    assert states == {"KW-30": "Valid", "KW-31": "Void"}
    with office.app.app_context():
        code = db.session.get_one(IssuedDocument, void).check_code
    for query in ("flt0_kind=card", f"search={code.lower()}", "search=KW-31"):
        assert first_column(browser.get(f"{ISSUED}?{query}")) == ["Broker ID card"], query
    exported = office.staff(Role.MANAGER).get(f"{ISSUED}export/csv/", check=False).csv_rows
    assert [(row["Document number"], row["Status"]) for row in exported] == [
        ("KW-31", "Void"),
        ("KW-30", "Valid"),
    ]


def test_a_reviewer_makes_a_document_void_with_a_reason_once(office: Office) -> None:
    issued_id, me = issued(office, number="KW-33"), office.person("me")
    with office.app.app_context():
        document = db.session.get_one(IssuedDocument, issued_id)
        holder = db.session.get_one(Organisation, document.organisation_id)
        general = factories.make_agent(holder).id
    browser = office.browser(me)
    form = browser.get(f"{ISSUED}{issued_id}/do/void")
    late = browser.get(f"{ISSUED}{issued_id}/do/void")
    assert "Choose a standard reason" in browser.submit(form, {"reason": ""}, status=400).text
    browser.submit(form, {"reason": "Wrong photo."})
    page = browser.submit(late, {"reason": "Again."}, status=409)
    assert "The document is already void." in page.text
    assert "Wrong photo." in page.soup.select_one("#data").get_text()
    with office.app.app_context():
        event = db.session.scalars(
            sa.select(Event).where(Event.kind == "issued:document:voided")
        ).one()
        assert (event.actor_id, event.changes) == (me, {"void_reason": [None, "Wrong photo."]})
        told = "licence:voided"
        mine = sa.select(Notice).where(Notice.event == told, Notice.user_id == general)
        notice = db.session.scalars(mine).one()
        for lang, kind in (("ar", "شهادة الرخصة"), ("en", "Licence certificate")):
            title, body = inbox.text_of(notice, lang)
            assert kind in title and "Wrong photo." in body and "KW-33" in title
        channels = db.session.scalars(
            sa.select(Delivery.channel).where(Delivery.event == told)
        ).all()
        assert set(channels) == {Channel.EMAIL, Channel.SMS}
    listed = first_column(browser.get(f"{ISSUED}?flt0_voided=office"))
    assert listed == ["Licence certificate"]
    assert "Nothing matches" in browser.get(f"{ISSUED}?flt0_voided=living").text


def test_an_own_document_is_not_made_void(office: Office) -> None:
    civil_id = factories.civil_id()
    issued_id, me = issued(office, civil_id=civil_id), office.person("me", civil_id=civil_id)
    browser = office.browser(me)
    page = browser.get(f"{ISSUED}{issued_id}/do/void")
    assert "Another reviewer must do this" in page.text
    browser.post(f"{ISSUED}{issued_id}/do/void", {"reason": "x"}, status=409)
    with office.app.app_context():
        assert db.session.get_one(IssuedDocument, issued_id).voided_at is None


@pytest.mark.parametrize(
    ("role", "reads"),
    [(Role.MANAGER, 200), (Role.ADMINISTRATOR, 404), (Role.AGENT, 404)],
)
def test_managers_read_issued_documents_and_nobody_else_voids(
    office: Office, role: str, reads: int
) -> None:
    issued_id = issued(office)
    who = office.agent() if role == Role.AGENT else office.person("other", role)
    browser = office.browser(who)
    browser.get(ISSUED, status=reads)
    page = browser.get(f"{ISSUED}{issued_id}/", status=reads)
    assert page.soup.select_one("#now") is None
    browser.get(f"{ISSUED}{issued_id}/do/void", status=404)
    browser.post(f"{ISSUED}{issued_id}/do/void", {"reason": "x"}, status=404)
