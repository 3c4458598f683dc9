"""The audit trail: filtered, searched, exported, verified."""

from __future__ import annotations

from clearance.core import audit
from clearance.core.extensions import db
from clearance.models.enums import Role
from tests.support import factories
from tests.support.office_people import Office
from tests.support.tampering import tamper


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
    sent = exported.csv_rows[0]
    assert (sent["Event"], sent["Table"]) == ("The request was sent", "Request")
    assert (sent["From"], sent["To"]) == ("Draft", "Sent to the office")
    accesses = manager.get("/office/access/export/csv/", check=False).csv_rows
    assert {row["Result"] for row in accesses} <= {"Done", "Viewed"}


def test_an_event_shows_its_changes_escaped(office: Office) -> None:
    with office.app.app_context():
        user = factories.make_staff()
        changes = {"name_en": ["<script>", "=1+1"]}
        event = audit.record(
            "reference:x:changed",
            obj=user,
            actor_id=user.id,
            changes=changes,
            reason="A misspelt name",
        )
        db.session.commit()
        event_id = event.id
    page = office.staff(Role.MANAGER).get(f"/office/audit/details/?id={event_id}")
    cells = [td.get_text(strip=True) for td in page.soup.select("tbody td")]
    assert cells == ["name_en", "<script>", "=1+1"]
    assert "A misspelt name" in page.text


def test_the_trail_is_verified_and_a_break_is_told(office: Office) -> None:
    office.request()
    browser = office.staff(Role.MANAGER)
    page = browser.submit(browser.get("/office/audit/verify"))
    assert "The audit trail is intact" in page.text
    with office.app.app_context():
        tamper("UPDATE chain_head SET hash = 'x'")
    page = browser.submit(browser.get("/office/audit/verify"))
    assert "The audit trail is broken" in page.text


def test_refusals_stand_among_the_records_of_access(office: Office) -> None:
    office.staff().get("/office/settings/", status=404)
    page = office.staff(Role.ADMINISTRATOR).get("/office/access/?flt0_scope=access")
    assert "Denied: not available to this user" in page.text
