"""One search over each area: what it finds, for whom, in which order, and at what cost."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from clearance.auth import rate_limits
from clearance.core import i18n
from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.models import Exam, User
from clearance.models.enums import IssuedKind, Role
from tests.support import (
    factories,
    issued_factories,
    query_plans,
    request_factories,
    transfer_factories,
)
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient
from tests.support.plans import planned, scanned_tables

STATEMENTS = 30
LARGE = {"licence", "broker", "user", "organisation", *query_plans.LARGE}


@dataclass
class World:
    """A request, a broker's licence and its letter, of one organisation; numbers and ids."""

    number: str
    civil_id: str
    mobile: str
    licence: str
    check_code: str
    owner: int
    draft: int


@pytest.fixture
def world(office: Office) -> World:
    owner = office.agent("owner", first_name="سالم", last_name="الفهد", email="salem@example.com")
    with office.app.app_context():
        request_factories.load_services()
        agent = db.session.get_one(User, owner)
        organisation = factories.organisation_of(agent)
        organisation.licence_no = "KW-4400"
        sent = request_factories.make_sent(agent)
        draft = request_factories.make_draft(agent, name_ar_1="زكريا", name_en_1="Zakaria")
        licence = issued_factories.make_licence(
            organisation, number="KW-8800", guarantee_no="02/209/000006/2002"
        )
        letter = issued_factories.make_issued(IssuedKind.LETTER, licence)
        found = World(
            number=sent.number or "",
            civil_id=sent.civil_id or "",
            mobile=sent.mobile,
            licence=licence.number,
            check_code=letter.check_code,
            owner=owner,
            draft=draft.id,
        )
        db.session.commit()
    return found


def hits(page: Page) -> dict[str, list[str]]:
    """Heading of each kind → texts of its hits, in the page's order."""
    return {
        section.select_one("h2").text: [" ".join(row.text.split()) for row in section.select("li")]
        for section in page.soup.select(".hits")
    }


def search(browser: PageClient, typed: str, area: str = "office") -> dict[str, list[str]]:
    return hits(browser.get(f"/{area}/search?q={typed}"))


@pytest.mark.databases
def test_the_office_finds_each_kind_by_what_people_have_of_it(office: Office, world: World) -> None:
    manager = office.staff(Role.MANAGER)
    prefix, serial, year = world.number.split("/")
    for typed, kind, shown in (
        (world.number, "Requests", world.number),
        (f"{prefix.lower()} / {serial}", "Requests", world.number),
        (world.civil_id, "Requests", world.number),
        (world.mobile, "Requests", world.number),
        ("احمد عبدالله", "Requests", world.number),
        ("Ahmed Enezi", "Requests", world.number),
        ("Ahmed Al-Anazi", "Brokers", world.licence),
        ("٨٨٠٠", "Licences", world.licence),
        ("02/209/000006/2002", "Licences", world.licence),
        ("KW-4400", "Organisations", "KW-4400"),
        (world.check_code, "Issued documents", world.licence),
        ("Salem Fahd", "Users", "salem@example.com"),
        ("salem@ex", "Users", "salem@example.com"),
        ("renew", "Services", "renewal"),
        ("holid", "Pages", "Holidays"),
        ("العطل", "Pages", "Holidays"),
    ):
        found = search(manager, typed.replace("+", "%2B"))
        assert any(shown in text for text in found.get(kind, ())), (typed, found)


def test_the_office_finds_subscriptions_sittings_and_results(office: Office, world: World) -> None:
    seated = office.request(ExamStatus.PASSED)
    number = office.read(seated, lambda req: req.number)
    with office.app.app_context():
        held = db.session.scalars(sa.select(Exam)).one().held_at
    day = i18n.format_instant(held)[:10]
    finds = (
        ("KW-4400", "Subscriptions", "Subscribed"),
        ("shuwaikh hall", "Exams", day),
        ("قاعه", "Exams", day),
        (day, "Exams", "Shuwaikh"),
        (str(number), "Exam results", "Passed"),
        ("Ahmed Enezi", "Exam results", str(number)),
    )
    for typed, kind, shown in finds:
        found = search(office.staff(), typed)
        assert any(shown in text for text in found.get(kind, ())), (typed, found)
        others = search(office.staff(Role.ADMINISTRATOR), typed)
        assert not {"Subscriptions", "Exams", "Exam results"} & set(others), typed


def test_the_other_office_finds_a_transfer_by_what_its_page_shows(office: Office) -> None:
    with office.app.app_context():
        offices = transfer_factories.make_offices()
        req = transfer_factories.make_sent(offices, receiving=True)
        number, licence = str(req.number), offices.licence.number
        hidden = (offices.licence.broker.civil_id, offices.licence.broker.mobile.lstrip("+"))
        people = {"asked": offices.releaser.id, "asking": offices.receiver.id}
    asked = office.browser(people["asked"])
    for typed in (number, licence, "احمد العنزي"):
        (found,) = search(asked, typed, "my")["Transfers"]
        assert number in found
    for typed in hidden:
        assert "Transfers" not in search(asked, typed, "my"), typed
    assert "Transfers" not in search(office.browser(people["asking"]), number, "my")
    assert search(office.browser(office.agent("stranger")), number, "my") == {}


def test_an_exact_number_comes_first(office: Office, world: World) -> None:
    manager = office.staff(Role.MANAGER)
    for typed, kind in (
        (world.licence, "Licences"),
        (world.number, "Requests"),
        (world.check_code.lower(), "Issued documents"),
    ):
        assert next(iter(search(manager, typed))) == kind


def test_more_hits_lead_to_the_list_with_that_search(office: Office, world: World) -> None:
    with office.app.app_context():
        owner = db.session.get_one(User, world.owner)
        for _time in range(6):
            request_factories.make_sent(owner, name_ar_1="مبارك", name_en_1="Mubarak")
    for area, browser in (
        ("office", office.staff(Role.REVIEWER)),
        ("my", office.browser(world.owner)),
    ):
        page = browser.get(f"/{area}/search?q=mubarak")
        (found,) = hits(page).values()
        assert len(found) == 5
        (link,) = (a for a in page.soup.select(".hits p a") if "All in the list (6)" in a.text)
        assert len(browser.get(link["href"]).soup.select("main tbody tr")) == 6


def test_roles_of_the_office_find_what_their_lists_show(office: Office, world: World) -> None:
    kinds = {
        Role.REVIEWER: {"Requests", "Brokers"},
        Role.MANAGER: {"Requests", "Brokers"},
        Role.ADMINISTRATOR: set(),
    }
    for role, found in kinds.items():
        browser = office.staff(role)
        assert set(search(browser, "احمد")) == found
        assert bool(search(browser, "Salem Fahd").get("Users")) == (role != Role.REVIEWER)
        assert bool(search(browser, "holidays")) == (role != Role.REVIEWER)
        assert "Requests" not in search(browser, "Zakaria"), "a draft is its applicant's"


def test_agents_find_their_own_and_nothing_foreign(office: Office, world: World) -> None:
    own = office.browser(world.owner)
    for typed, kind in (
        (world.number, "My requests"),
        ("Ahmed", "My requests"),
        ("Ahmed", "Manage brokers"),
        (world.licence, "Manage brokers"),
        ("02/209/0000", "Manage brokers"),
        (world.check_code, "Issued documents"),
        ("Salim", "Manage users"),
        ("renew", "My services"),
        ("renew", "Subscriptions"),
        ("Zakaria", "Drafts"),
        ("subscriptions", "Pages"),
    ):
        assert kind in search(own, typed, "my"), typed
    foreign = office.browser(office.agent("stranger"))
    numbers = (world.number, world.civil_id, world.mobile.removeprefix("+"), world.licence)
    for typed in (*numbers, "022090000", world.check_code, "Ahmed", "احمد", "Zakaria", "salem@ex"):
        assert search(foreign, typed, "my") == {}, typed


def test_an_additional_user_finds_only_what_is_granted(office: Office, world: World) -> None:
    with office.app.app_context():
        organisation = factories.organisation_of(db.session.get_one(User, world.owner))
        granted, other = (
            factories.make_agent(organisation, is_general=False, services=(code,)).id
            for code in ("exam", "greeting")
        )
    assert set(search(office.browser(granted), "Ahmed", "my")) == {"My requests"}
    assert search(office.browser(other), "Ahmed", "my") == {}
    assert search(office.browser(granted), world.check_code, "my") == {}
    assert search(office.browser(granted), "salem@ex", "my") == {}


@pytest.mark.parametrize("area", ["office", "my"])
def test_any_text_gives_a_page_with_a_sentence(office: Office, world: World, area: str) -> None:
    browser = office.staff() if area == "office" else office.browser(world.owner)
    for typed in (
        *(
            "",
            "%20",
            "%E2%81%A8%E2%81%A9%E2%80%8F",
            "%25",
            "_",
            "%5C",
            "%22",
            "«»",
            "-",
            "'",
        ),
        *(
            "9" * 30,
            "ZZ/1",
            "' OR 1=1 --",
            "a" * 10_000,
            "م" * 1000,
            "xyzzy " * 50,
            "a" * 19 + "%F0%9F%98%80",
        ),
    ):
        page = browser.get(f"/{area}/search?q={typed}")
        assert hits(page) == {}, typed
        assert page.soup.select_one(".empty"), typed
    assert browser.get(f"/{area}/search").soup.select_one(".empty")


def test_searching_is_limited(
    office: Office, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "search_account", "1 per 1 hour")
    browser = office.staff()
    browser.get("/office/search?q=a")
    browser.get("/office/search?q=b", status=429)
    browser.get("/office/search")


@pytest.mark.databases
def test_no_search_reads_a_large_table(office: Office, world: World) -> None:
    for area, browser in (
        ("office", office.staff(Role.MANAGER)),
        ("my", office.browser(world.owner)),
    ):
        for typed in ("CE/8/26", "285", "290010112345", "KW-8800", "Ahmed", "احمد", "a@b"):
            with planned(office.app) as plans:
                search(browser, typed, area)
            assert len(plans) <= STATEMENTS
            for statement, plan in plans:
                assert not LARGE & scanned_tables(plan), (typed, statement, plan)
