"""Licences at the office: the list, one licence, and what reviewers do to it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from clearance.auth.sessions import actor_of
from clearance.core import reasons
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.core.values import mask_civil_id
from clearance.licences import office_actions
from clearance.models import AccessEvent, Event, Licence, LicenceChange, Notice, User
from clearance.models.enums import LicenceStatus, Role, SuspendedBy
from clearance.notifications.inbox import text_of
from tests.support import factories
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient

LIST = "/office/licences/"
TODAY = kuwait_today()
BY_OFFICE = {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.OFFICE}
BY_HOLDER = {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.HOLDER}


def days(number: int) -> Any:
    return TODAY + timedelta(days=number)


def numbers(page: Page) -> list[str]:
    """The licence numbers that the list shows, in its order."""
    return [row.select_one("td a").get_text(strip=True) for row in page.soup.select("tbody tr")]


def stored(office: Office, licence_id: int) -> dict[str, Any]:
    with office.app.app_context():
        licence = db.session.get_one(Licence, licence_id)
        broker = licence.broker
        return {
            "number": licence.number,
            "status": licence.status,
            "expires": licence.expires,
            "version": licence.version,
            "civil_id": broker.civil_id,
            "mobile": broker.mobile,
            "passport_no": broker.passport_no,
            "organisation_id": broker.organisation_id,
        }


def changes(office: Office, licence_id: int) -> list[tuple[str, str]]:
    """(step, reason) of the licence's history."""
    with office.app.app_context():
        rows = db.session.scalars(
            sa.select(LicenceChange)
            .where(LicenceChange.licence_id == licence_id)
            .order_by(LicenceChange.id)
        )
        return [(row.kind, row.reason) for row in rows]


# The list


def test_the_list_names_what_ends_first_and_masks_civil_numbers(office: Office) -> None:
    licence_id = office.licence(number="KW-900", passport_expiry=days(20))
    page = office.staff().get(LIST)
    row = page.soup.select_one("tbody tr").get_text(" ", strip=True)
    assert "KW-900" in row and "Passport" in row and "Soon" in row
    assert f"{days(20):%d/%m/%Y}" in row
    civil_id = stored(office, licence_id)["civil_id"]
    assert civil_id not in page.text
    assert mask_civil_id(civil_id) in row


@pytest.mark.databases
def test_filters_narrow_by_state_link_end_type_organisation_and_whom(office: Office) -> None:
    with office.app.app_context():
        organisation = factories.make_organisation(name_ar="مكتب النورس", name_en="Seagull").id
    office.licence(number="KW-1", guarantee_expiry=days(5))
    office.licence(number="KW-2", passport_expiry=days(-3), broker_type="representative")
    office.licence(organisation, number="KW-3", civil_id_expiry=days(45), **BY_OFFICE)
    office.licence(number="KW-4", expires=days(-400), status=LicenceStatus.CANCELLED)
    office.licence(number="KW-5", expires=days(900), **BY_HOLDER)
    browser = office.staff()

    def found(query: str) -> list[str]:
        return sorted(numbers(browser.get(f"{LIST}?{query}")))

    assert found("flt0_status=suspended") == ["KW-3", "KW-5"]
    assert found("flt0_status=suspended&flt1_suspended_by=office") == ["KW-3"]
    assert found("flt0_ends=7") == ["KW-1"]
    assert found("flt0_ends=60") == ["KW-1", "KW-3"]
    assert found("flt0_ends=past") == ["KW-2"], "a cancelled licence ends no more"
    assert found("flt0_link=guarantee") == ["KW-1"]
    assert found("flt0_link=licence") == ["KW-5"]
    assert found("flt0_broker_type=representative") == ["KW-2"]
    assert found("flt0_organisation=النورس") == ["KW-3"]
    assert found("flt0_ends=30&flt1_link=passport") == []


def test_names_numbers_and_passports_are_found_as_they_are_typed(office: Office) -> None:
    wanted = office.licence(number="KW-4711", passport_no="P9X31")
    office.licence(number="KW-4712", name_ar_1="سالم", name_ar_2="", name_ar_4="الخالد")
    civil_id = stored(office, wanted)["civil_id"]
    eastern = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    browser = office.staff()
    typed = (
        "احمد عبدالله",
        "kw-4711",
        "4711",
        "٤٧١١",
        civil_id,
        civil_id.translate(eastern),
        "p9x31",
    )
    for each in typed:
        assert numbers(browser.get(f"{LIST}?search={each}")) == ["KW-4711"], each
    assert "Nothing matches" in browser.get(f"{LIST}?search=100%25").text


@pytest.mark.databases
def test_the_list_is_sorted_by_what_ends_first_and_goes_on_by_keys(office: Office) -> None:
    for place in range(27):
        office.licence(number=f"KW-{place:03d}", passport_expiry=days(300 - place))
    browser = office.staff()
    column = [th.get_text(strip=True) for th in browser.get(LIST).soup.select("thead th")]
    sort = column.index("Valid until")
    first = browser.get(f"{LIST}?sort={sort}")
    second = browser.get(first.soup.select_one("a[rel=next]")["href"])
    listed = numbers(first) + numbers(second)
    assert listed == [f"KW-{place:03d}" for place in range(26, -1, -1)]
    back = browser.get(second.soup.select_one("a[rel=prev]")["href"])
    assert numbers(back) == numbers(first)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("flt0_status=nonsense", 400),
        ("flt0_ends=8", 400),
        ("flt0_broker_type=x", 400),
        ("after=1,2", 404),
        ("sort=99", 400),
    ],
)
def test_what_no_page_sends_is_never_a_fault(office: Office, query: str, status: int) -> None:
    office.licence()
    office.staff().get(f"{LIST}?{query}", status=status)


@pytest.mark.parametrize("address", [LIST, "/office/brokers/", "/office/organisations/"])
def test_a_longer_list_takes_no_more_queries(office: Office, address: str) -> None:
    office.licence()
    browser = office.staff()
    before = office.queries(browser, address)
    for _ in range(6):
        office.licence()
    assert office.queries(browser, address) == before


def test_managers_export_the_filters_on_screen_without_formulas(office: Office) -> None:
    office.licence(number="KW-7", name_en_1="=HYPERLINK(1)", guarantee_expiry=days(5))
    office.licence(number="KW-8")
    page = office.staff(Role.MANAGER).get(f"{LIST}export/csv/?flt0_ends=7", check=False)
    rows = page.csv_rows
    assert [row["Licence number"] for row in rows] == ["KW-7"]
    assert rows[0]["Broker"].startswith("'=HYPERLINK")
    assert rows[0]["Expires first"] == "Bank guarantee"
    assert rows[0]["Valid until"] == f"{days(5):%d/%m/%Y}"


@pytest.mark.parametrize(
    ("role", "address"),
    [
        *((Role.REVIEWER, each) for each in ("licences", "brokers", "organisations", "requests")),
        *((Role.REVIEWER, each) for each in ("issued", "exams", "subscriptions")),
        *((Role.ADMINISTRATOR, each) for each in ("organisations", "users", "staff", "audit")),
    ],
)
def test_only_managers_export(office: Office, address: str, role: str) -> None:
    office.licence()
    assert "CSV" not in office.staff(role).get(f"/office/{address}/").text
    office.staff(role).get(f"/office/{address}/export/csv/", status=404)


# One licence


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("role", [Role.REVIEWER, Role.MANAGER])
def test_a_licence_is_read_by_both_and_reviewers_alone_are_offered_steps(
    office: Office, role: str, language: str
) -> None:
    licence_id = office.licence(number="KW-31")
    page = office.staff(role, language).get(f"{LIST}details/?id={licence_id}")
    assert stored(office, licence_id)["civil_id"] in page.text
    assert len(page.soup.select("#validity tbody tr")) == 4
    assert bool(page.soup.select_one("#now")) is (role == Role.REVIEWER)
    assert page.soup.select_one("#requests") is not None


def test_administrators_find_no_licence(office: Office) -> None:
    licence_id = office.licence()
    office.staff(Role.ADMINISTRATOR).get(LIST, status=404)
    office.staff(Role.ADMINISTRATOR).get(f"{LIST}details/?id={licence_id}", status=404)


def test_reading_a_licence_and_a_broker_is_noted(office: Office) -> None:
    licence_id, reader = office.licence(), office.person("reader")
    browser = office.browser(reader)
    browser.get(browser.get(f"{LIST}{licence_id}/").soup.select_one("#broker a")["href"])
    with office.app.app_context():
        noted = db.session.scalars(sa.select(AccessEvent).where(AccessEvent.user_id == reader))
        assert {note.kind for note in noted} >= {"licence:read", "broker:read"}


@pytest.mark.parametrize("path", ["", "details/?id={id}", "{id}/", "{id}/do/suspend"])
def test_agents_find_no_licences_at_the_office(office: Office, path: str) -> None:
    licence_id = office.licence()
    office.browser(office.agent()).get(LIST + path.format(id=licence_id), status=404)


@pytest.mark.parametrize(
    "path", ["details/?id=0", "999999/", "999999/do/suspend", "{id}/do/cancel"]
)
def test_what_is_not_there_is_a_missing_page(office: Office, path: str) -> None:
    licence_id = office.licence()
    office.staff().get(LIST + path.format(id=licence_id), status=404)


# Steps


def step_page(browser: PageClient, licence_id: int, step: str) -> Page:
    return browser.get(f"{LIST}{licence_id}/do/{step}")


def take(browser: PageClient, licence_id: int, step: str, status: int = 200, **typed: Any) -> Page:
    page = step_page(browser, licence_id, step)
    return browser.submit(page, {"reason": "Breach of the rules.", **typed}, status=status)


def test_a_reviewer_suspends_and_reinstates_with_a_reason(office: Office) -> None:
    licence_id = office.licence()
    browser = office.staff()
    page = take(browser, licence_id, "suspend")
    assert "The licence was suspended." in page.text
    assert "Breach of the rules." in page.soup.select_one("#history").get_text()
    assert (
        "The office has already suspended this licence." in page.soup.select_one("#now").get_text()
    )
    page = take(browser, licence_id, "reinstate", reason="Settled.")
    assert "The suspension was lifted." in page.text
    newest = " ".join(page.soup.select_one("#history li").get_text(" ").split())
    assert "Settled. Licence status: Suspended → changed to Active" in newest
    assert stored(office, licence_id)["status"] == LicenceStatus.ACTIVE
    assert changes(office, licence_id) == [
        ("suspended", "Breach of the rules."),
        ("reinstated", "Settled."),
    ]


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "Choose a standard reason or write one."), ("ar", "اختر سبباً جاهزاً أو اكتب سبباً.")],
)
@pytest.mark.parametrize("step", ["suspend", "correct"])
def test_a_step_without_a_reason_is_asked_again(
    office: Office, step: str, language: str, told: str
) -> None:
    licence_id = office.licence()
    browser = office.staff(language=language)
    page = take(browser, licence_id, step, status=400, reason=" ")
    assert told in page.error_of("reason")
    assert changes(office, licence_id) == []


def test_a_ready_reason_is_read_by_each_in_their_language(office: Office) -> None:
    with office.app.app_context():
        organisation = factories.make_agent(language="ar").memberships[0].organisation_id
    licence_id = office.licence(organisation)
    browser = office.staff()
    page = step_page(browser, licence_id, "suspend")
    ready = page.soup.select("select[name=ready_reason] option")[1]
    english = ready.get_text(strip=True)
    page = browser.submit(page, {"ready_reason": ready["value"], "reason": ""})
    assert english in page.soup.select_one("#history").get_text()
    ((kind, kept),) = changes(office, licence_id)
    assert (kind, reasons.read(kept, "ar")) == ("suspended", "عدم تجديد الضمان البنكي في موعده.")
    with office.app.app_context():
        told = db.session.scalars(sa.select(Notice).where(Notice.event == "licence:suspended"))
        assert "عدم تجديد الضمان البنكي" in text_of(told.one(), "ar")[1]


def test_nobody_decides_on_an_own_file(office: Office) -> None:
    licence_id = office.licence()
    me = office.person("me", civil_id=stored(office, licence_id)["civil_id"])
    browser = office.browser(me)
    card = browser.get(f"{LIST}{licence_id}/").soup.select_one("#now")
    assert not card.select("a.button")
    page = step_page(browser, licence_id, "suspend")
    assert not page.soup.select("main form[id=step]")
    values = {"reason": "x", "version": "1", "form_key": "k" * 20}
    browser.post(f"{LIST}{licence_id}/do/suspend", values, status=409)
    assert changes(office, licence_id) == []


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMINISTRATOR])
def test_managers_and_administrators_find_no_steps(office: Office, role: str) -> None:
    licence_id = office.licence()
    browser = office.staff(role)
    for step in ("suspend", "reinstate", "correct"):
        browser.get(f"{LIST}{licence_id}/do/{step}", status=404)
        browser.post(f"{LIST}{licence_id}/do/{step}", {"reason": "x", "version": "1"}, status=404)
    assert changes(office, licence_id) == []


def test_a_licence_is_not_suspended_twice(office: Office) -> None:
    licence_id = office.licence()
    browser = office.staff()
    page = step_page(browser, licence_id, "suspend")
    late = step_page(browser, licence_id, "suspend")
    browser.submit(page, {"reason": "First."})
    browser.submit(page, {"reason": "First."})  # the button pressed twice
    answer = browser.submit(late, {"reason": "Second."}, status=409)
    assert "changed this licence in the meantime." in answer.text
    assert changes(office, licence_id) == [("suspended", "First.")]


@pytest.mark.databases
def test_of_two_reviewers_at_once_one_suspends(office: Office) -> None:
    licence_id = office.licence()
    people = [office.person(name) for name in ("one", "two", "three")]
    gate, done = threading.Barrier(len(people)), []

    def suspend(user_id: int) -> None:
        with office.app.app_context():
            actor = actor_of(db.session.get_one(User, user_id))
            licence = db.session.get_one(Licence, licence_id)
            db.session.rollback()
            gate.wait()
            try:
                office_actions.suspend(licence, actor, "At once.", 1, utc_now())
                db.session.commit()
                done.append(user_id)
            except office_actions.StaleLicence:
                db.session.rollback()

    threads = [threading.Thread(target=suspend, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for each in threads:
        each.join()
    assert len(done) == 1
    assert changes(office, licence_id) == [("suspended", "At once.")]


def test_a_correction_is_kept_told_and_stands_in_the_trail(office: Office) -> None:
    licence_id = office.licence(mobile="+96550001000")
    page = take(
        office.staff(), licence_id, "correct", mobile="٥٠٠٠ ٢٠٠٠", passport_expiry="01/02/2020"
    )
    history = " ".join(page.soup.select_one("#history").get_text(" ").split())
    assert "Mobile number: +96550001000 → changed to +96550002000" in history
    assert "01/02/2020" in history, "an expiry may have passed: the register tells the truth"
    assert stored(office, licence_id)["mobile"] == "+96550002000"
    with office.app.app_context():
        event = db.session.scalars(sa.select(Event).where(Event.kind == "register:corrected")).one()
        assert set(event.changes) == {"mobile", "passport_expiry"}


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("mobile", "123", "Enter a mobile number:"),
        ("name_ar_1", "Ahmad", "in Arabic letters only"),
        ("civil_id", "288010100011", "This civil number has a wrong digit."),
        ("civil_id_expiry", "31/02/2030", "Enter a date as day"),
        ("expires", "01/01/1999", "cannot expire before it was issued"),
        ("passport_no", "", "Fill in this field."),
        ("broker_type", "x", "Choose"),
    ],
)
def test_corrections_are_checked_as_requests_are(
    office: Office, field: str, typed: str, told: str
) -> None:
    licence_id = office.licence()
    page = take(office.staff(), licence_id, "correct", status=400, **{field: typed})
    assert told in page.error_of(field) or told in page.text
    assert page.error_of(field)
    assert changes(office, licence_id) == []


def test_a_civil_number_of_another_broker_is_refused_beside_the_field(office: Office) -> None:
    taken = stored(office, office.licence())["civil_id"]
    licence_id = office.licence()
    page = take(office.staff(), licence_id, "correct", status=400, civil_id=taken)
    assert "Another broker has this civil number." in page.error_of("civil_id")


def test_a_stale_correction_shows_both_values_and_can_be_sent_again(office: Office) -> None:
    licence_id = office.licence(mobile="+96550001000")
    one, two = office.browser(office.person("one")), office.browser(office.person("two"))
    late = step_page(two, licence_id, "correct")
    take(one, licence_id, "correct", mobile="50002000")
    page = two.submit(late, {"mobile": "50003000", "reason": "Mine."}, status=409)
    assert "In the register now: +96550002000" in page.error_of("mobile")
    assert page.soup.select_one("[name=mobile]")["value"] == "50003000"
    assert stored(office, licence_id)["mobile"] == "+96550002000"
    two.submit(page, {}, form="#step")
    assert stored(office, licence_id)["mobile"] == "+96550003000"


def test_nothing_changed_is_said(office: Office) -> None:
    licence_id = office.licence()
    page = take(office.staff(), licence_id, "correct", status=409)
    assert "Nothing was changed." in page.text
    assert changes(office, licence_id) == []


def test_the_language_switch_keeps_what_was_typed(office: Office) -> None:
    licence_id = office.licence()
    browser = office.staff()
    page = step_page(browser, licence_id, "suspend")
    page = browser.submit(page, {"reason": "Half a sentence"}, press="_language=ar")
    assert page.soup.html["lang"] == "ar"
    assert page.soup.select_one("[name=reason]").get_text(strip=True) == "Half a sentence"
    assert changes(office, licence_id) == []
