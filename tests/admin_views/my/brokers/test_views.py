"""The organisation's brokers: their list, one broker's page, and beginning a service about one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from bs4 import Tag
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.licences import organisation_brokers
from clearance.models import Licence, LicenceChange
from clearance.models.enums import LicenceStatus, SuspendedBy
from tests.admin_views.my.conftest import People
from tests.support import factories, issued_factories, request_factories
from tests.support.pages import PageClient
from tests.support.rows import all_requests
from tests.support.statements import statements_of

SOON = timedelta(days=20)


def make(people: People, **columns: Any) -> Licence:
    """A broker of the people's organisation, with a licence that has long to go."""
    return issued_factories.make_licence(people.organisation, **columns)


def words(tag: Tag | None) -> str:
    return " ".join(tag.get_text(" ").split()) if tag is not None else ""


def cards(client: PageClient, url: str) -> dict[str, Tag]:
    """The cards of a page by their ids."""
    return {each["id"]: each for each in client.get(url).soup.select(".broker-card")}


def listed(client: PageClient, query: str = "") -> list[int]:
    """The ids of the brokers of the list's first page, in order."""
    links = client.get(f"/my/brokers/{query}").soup.select("main tbody td:first-child a")
    return [int(link["href"].split("/")[3]) for link in links]


# The list


def test_a_row_tells_which_document_ends_first_and_leads_to_the_broker(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        licence = make(
            people,
            number="KW-4711",
            guarantee_no="02/209/000006/2002",
            guarantee_expiry=kuwait_today() + SOON,
        )
    (row,) = mine.get("/my/brokers/").soup.select("main tbody tr")
    text = words(row)
    for each in ("Ahmad Abdullah Alenezi", "KW-4711", "02/209/000006/2002", "30/06/2030"):
        assert each in text
    assert "Soon" in text
    assert "Bank guarantee" in text
    assert words(row.select(".badge")[-1]) == "Active"
    assert listed(mine) == [licence.broker_id]


def test_brokers_leave_as_a_spreadsheet_with_the_filter_of_the_page(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        make(people, number="KW-4711")
        make(people, number="KW-4712", status=LicenceStatus.CANCELLED)
    text = mine.get("/my/brokers/export/csv/?flt0_status=active").text
    assert "KW-4711" in text
    assert "KW-4712" not in text


@pytest.mark.parametrize(
    "typed",
    ["احمد عبدالله", "العنزى", "عبد الله", "alen ahm", "٤٧١١", "kw-4711", "KW-4711"],
)
def test_brokers_are_found_as_arabic_is_typed_and_by_number(
    app: Flask, mine: PageClient, people: People, typed: str
) -> None:
    with app.app_context():
        wanted = make(people, number="KW-4711")
        make(
            people,
            name_ar_1="سالم",
            name_ar_2="",
            name_ar_4="المطيري",
            name_en_1="Salem",
            name_en_2="",
            name_en_4="Almutairi",
        )
    assert listed(mine, f"?search={typed}") == [wanted.broker_id]


def test_a_civil_number_finds_its_broker(app: Flask, mine: PageClient, people: People) -> None:
    with app.app_context():
        wanted = make(people, civil_id=factories.civil_id(date(1971, 3, 2)))
        make(people)
        typed = wanted.broker.civil_id
    assert listed(mine, f"?search={typed}") == [wanted.broker_id]


@pytest.mark.databases
def test_filters_go_by_todays_state_and_by_the_link_that_ends_first(
    app: Flask, mine: PageClient, people: People
) -> None:
    today = kuwait_today()
    with app.app_context():
        ids = {
            "fine": make(people).broker_id,
            "guarantee": make(people, guarantee_expiry=today + SOON).broker_id,
            "passport": make(people, passport_expiry=today - SOON).broker_id,
            "past": make(people, expires=today - timedelta(days=1)).broker_id,
            "suspended": make(
                people, status=LicenceStatus.SUSPENDED, suspended_by=SuspendedBy.OFFICE
            ).broker_id,
            "cancelled": make(people, status=LicenceStatus.CANCELLED, expires=today).broker_id,
        }

    def shown(query: str) -> set[str]:
        found = listed(mine, f"?{query}")
        return {name for name, each in ids.items() if each in found}

    assert shown("flt0_status=active") == {"fine", "guarantee", "passport"}
    assert shown("flt0_status=expired") == {"past"}  # though no job has noted it yet
    assert shown("flt0_status=suspended") == {"suspended"}
    assert shown("flt0_ends=any") == {"guarantee", "passport", "past"}
    assert shown("flt0_ends=guarantee") == {"guarantee"}
    assert shown("flt0_ends=licence&flt1_status=active") == set()
    mine.get("/my/brokers/?flt0_status=nonsense", status=400, check=False)


def test_a_licence_expires_at_midnight_in_a_process_that_goes_on(
    app: Flask, browser: Callable[..., PageClient], people: People
) -> None:
    with app.app_context():
        make(people, expires=kuwait_today())

    def status() -> str:
        page = browser(people.owner).get("/my/brokers/")
        return words(page.soup.select("main tbody tr .badge")[-1])

    assert status() == "Active"
    with time_machine.travel(utc_now() + timedelta(days=1)):
        assert status() == "Expired"


def test_of_several_licences_the_living_one_is_listed(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        living = make(people)
        db.session.add(
            Licence(
                number="KW-1",
                broker_id=living.broker_id,
                guarantee_no="LG 1",
                guarantee_expiry=date(2030, 1, 1),
                issued=date(2020, 1, 1),
                expires=date(2023, 1, 1),
                status=LicenceStatus.CANCELLED,
            )
        )
        db.session.commit()
    assert listed(mine) == [living.broker_id]
    page = mine.get(f"/my/brokers/{living.broker_id}/")
    assert "KW-1" in words(page.soup.select_one("#licence"))


@pytest.mark.databases
def test_pages_keep_the_search_and_the_order_of_urgency(
    app: Flask, mine: PageClient, people: People
) -> None:
    today = kuwait_today()
    with app.app_context():
        for days in range(-3, 24):
            make(people, guarantee_expiry=today + timedelta(days=days))
    first = mine.get("/my/brokers/?search=احمد")
    second = mine.get(first.link("Next"))
    ends = [
        words(row.select("td")[5])
        for page in (first, second)
        for row in page.soup.select("main tbody tr")
    ]
    in_days = [f"{today + timedelta(days=days):%d/%m/%Y}" for days in (*range(24), -1, -2, -3)]
    assert [end.split()[1] for end in ends] == in_days
    assert second.soup.select_one("#search")["value"] == "احمد"


def test_empty_lists_say_what_to_do(mine: PageClient) -> None:
    for url in ("/my/brokers/", "/my/services/renewal/", "/my/services/issuance/"):
        empty = mine.get(url).soup.select_one(".empty")
        assert empty.select_one("a[href='/my/services/']"), url
    nothing = mine.get("/my/brokers/?search=زيد").soup.select_one(".empty")
    assert nothing.select_one("a[href='/my/brokers/']")


# Who sees them


def test_additional_users_see_brokers_with_a_licence_service_only(
    app: Flask, browser: Callable[..., PageClient], people: People
) -> None:
    with app.app_context():
        licence = make(people)
        granted = factories.make_agent(people.organisation, is_general=False, services=("letter",))
    page = browser(granted).get(f"/my/brokers/{licence.broker_id}/")
    assert page.soup.select(".side-menu a[href='/my/brokers/']")
    assert "You do not have access to this service." in words(page.soup.select_one("#services"))
    without = browser(people.granted)
    without.get("/my/brokers/", status=404)
    without.get(f"/my/brokers/{licence.broker_id}/", status=404)
    assert not without.get("/my/").soup.select(".side-menu a[href='/my/brokers/']")


def test_foreign_and_missing_brokers_are_404_alike(
    app: Flask, browser: Callable[..., PageClient], people: People
) -> None:
    with app.app_context():
        licence = make(people)
    foreign = browser(people.foreign)
    for broker_id in (licence.broker_id, 99_999, 2**40):
        foreign.get(f"/my/brokers/{broker_id}/", status=404)
    foreign.post("/my/services/letter/", {"licence_id": licence.id}, status=404)
    foreign.post("/my/services/letter/", {"licence_id": "x"}, status=404)
    assert all_requests(app) == []


def test_the_other_organisation_of_a_user_has_to_be_chosen_for_its_services(
    app: Flask, browser: Callable[..., PageClient], people: People
) -> None:
    with app.app_context():
        licence = make(people)
        user = factories.make_agent()
        factories.make_membership(user, people.organisation)
    page = browser(user).get(f"/my/brokers/{licence.broker_id}/")
    services = page.soup.select_one("#services")
    assert people.organisation.name_en in words(services)
    assert services.select("form") == []


# One broker


def test_the_page_of_a_broker_tells_everything(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        licence = make(people, guarantee_expiry=kuwait_today() + SOON, passport_no="P778899")
        sent = request_factories.make_sent(people.owner, "letter", licence_id=licence.id)
        officer = factories.make_staff(last_name="Reviewerson")
        db.session.add(
            LicenceChange(
                licence_id=licence.id,
                actor_id=officer.id,
                at=sent.sent_at,
                kind="corrected",
                reason="خطأ مطبعي",
                changes={"guarantee_no": ["LG 1", "LG 2519770/011926"]},
            )
        )
        db.session.commit()
        civil_id = licence.broker.civil_id
    page = mine.get(f"/my/brokers/{licence.broker_id}/")
    assert civil_id in words(page.soup.select_one("#data"))
    assert "P778899" in words(page.soup.select_one("#data"))
    links = [words(row) for row in page.soup.select("#validity tbody tr")]
    assert links[0].startswith("Bank guarantee Expires first") and "20 days left" in links[0]
    assert sent.number in words(page.soup.select_one("#requests"))
    assert mine.get(f"/my/requests/{sent.id}/").link("The broker") == page.url
    history = words(page.soup.select_one("#history"))
    assert "Register corrected by the office" in history and "LG 1" in history
    assert "خطأ مطبعي" in history
    assert "Reviewerson" not in page.text  # agents read of the office, not of its people


def test_every_service_stands_on_the_page_with_button_or_reason(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        licence = make(people)
        titles = {
            service.button.en
            for service in organisation_brokers.licence_services(actor_of(people.owner))
            if service.button
        }
    services = mine.get(f"/my/brokers/{licence.broker_id}/").soup.select_one("#services")
    told = words(services)
    assert titles and all(title in told for title in titles)
    assert "Renewal opens on" in told
    page = mine.submit(
        mine.get(f"/my/brokers/{licence.broker_id}/"), form="#services form[action$='/letter/']"
    )
    (draft,) = all_requests(app)
    assert page.url == f"/my/requests/{draft.id}/form"
    assert (draft.service_code, draft.licence_id) == ("letter", licence.id)


# Beginning a service from the cards


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize(
    ("code", "columns"),
    [
        ("renewal", {}),
        ("renewal", {"status": "suspended", "suspended_by": "office"}),
        ("suspension", {"expires": date(2024, 1, 1)}),
        ("cancellation", {"status": "cancelled"}),
        ("lost_card", {"status": "suspended", "suspended_by": "holder"}),
        ("reactivation", {}),
    ],
)
def test_the_button_says_what_the_server_says(
    app: Flask,
    browser: Callable[..., PageClient],
    people: People,
    code: str,
    columns: dict[str, Any],
    language: str,
) -> None:
    with app.app_context():
        licence = make(people, **columns)
    client = browser(people.owner, language)
    card = client.get(f"/my/services/{code}/").soup.select_one(f"#licence-{licence.id}")
    refused = words(card.select_one(".refusal"))
    assert refused and card.select("form") == []
    page = client.post(f"/my/services/{code}/", {"licence_id": licence.id}, status=409)
    assert words(page.soup.select_one(".alert-danger .refusal")) == refused
    assert page.soup.html["lang"] == language
    assert all_requests(app) == []


def test_an_open_request_shuts_the_button_and_is_linked(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        licence = make(people)
        sent = request_factories.make_sent(people.owner, "suspension", licence_id=licence.id)
    card = cards(mine, "/my/services/lost_card/")[f"licence-{licence.id}"]
    refusal = card.select_one(".refusal")
    assert sent.number in words(refusal)
    assert refusal.select_one("a")["href"].endswith(str(sent.id))
    assert card.select("form") == []


def test_a_double_click_begins_one_draft_and_each_broker_has_his_own(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        one, two = make(people), make(people)
    page = mine.get("/my/services/letter/")
    first = mine.submit(page, form=f"#licence-{one.id} form")
    second = mine.submit(page, form=f"#licence-{one.id} form")
    assert first.url == second.url
    mine.submit(page, form=f"#licence-{two.id} form")
    assert [request.licence_id for request in all_requests(app)] == [one.id, two.id]
    card = cards(mine, "/my/services/letter/")[f"licence-{one.id}"]
    assert card.select_one(f"a[href='{first.url}']")  # the draft can be gone on with


def test_an_ungranted_service_shows_its_reason_and_no_brokers(
    app: Flask, browser: Callable[..., PageClient], people: People
) -> None:
    with app.app_context():
        licence = make(people)
    client = browser(people.granted)
    page = client.get("/my/services/letter/")
    assert page.soup.select(".broker-card") == []
    refused = words(page.soup.select_one("main .refusal"))
    page = client.post("/my/services/letter/", {"licence_id": licence.id}, status=409)
    assert words(page.soup.select_one(".alert-danger .refusal")) == refused
    assert all_requests(app) == []


def test_a_request_about_a_licence_can_be_copied(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        licence = make(people)
        sent = request_factories.make_sent(people.owner, "letter", licence_id=licence.id)
    mine.submit(mine.get(f"/my/requests/{sent.id}/"), form="form[action$='/copy']")
    copy = all_requests(app)[-1]
    assert (copy.number, copy.licence_id) == (None, licence.id)


# Who passed the exam


def test_who_passed_stands_on_a_card_with_the_button(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        passed = request_factories.make_request(people.owner, ExamStatus.PASSED)
        request_factories.make_request(people.owner, ExamStatus.FAILED)
        civil_id = passed.civil_id
    found = cards(mine, "/my/services/issuance/")
    assert list(found) == [f"candidate-{passed.id}"]
    text = words(found[f"candidate-{passed.id}"])
    assert "Ahmad Abdullah Alenezi" in text
    assert civil_id not in text and civil_id[-4:] in text
    assert list(cards(mine, "/my/services/issuance/?search=احمد عبدالله")) == list(found)
    assert cards(mine, "/my/services/issuance/?search=سالم") == {}
    page = mine.submit(mine.get("/my/services/issuance/"), form=f"#candidate-{passed.id} form")
    draft = all_requests(app)[-1]
    assert page.url == f"/my/requests/{draft.id}/form"
    assert draft.civil_id == civil_id


@pytest.mark.parametrize("language", ["ar", "en"])
def test_an_exam_too_long_ago_says_until_when_it_counted(
    app: Flask, browser: Callable[..., PageClient], people: People, language: str
) -> None:
    with app.app_context():
        passed = request_factories.make_request(people.owner, ExamStatus.PASSED)
        passed.decided_at -= timedelta(days=4 * 366)
        db.session.commit()
    client = browser(people.owner, language)
    card = client.get("/my/services/issuance/").soup.select_one(f"#candidate-{passed.id}")
    refused = words(card.select_one(".refusal"))
    page = client.post("/my/services/issuance/", {"candidate_id": passed.id}, status=409)
    assert refused and words(page.soup.select_one(".alert-danger .refusal")) == refused
    foreign = browser(people.foreign)
    foreign.post("/my/services/issuance/", {"candidate_id": passed.id}, status=404)


# Cost


def test_the_number_of_queries_grows_neither_with_brokers_nor_with_services(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        licence = make(people, expires=kuwait_today() + SOON)
    paths = (
        "/my/",
        "/my/brokers/",
        f"/my/brokers/{licence.broker_id}/",
        "/my/services/",
        "/my/services/renewal/",
        "/my/services/letter/",
    )

    def cost() -> dict[str, int]:
        found = {}
        for path in paths:
            mine.get(path, check=False)  # what is read once and kept
            with statements_of(app) as statements:
                mine.get(path, check=False)
            found[path] = len(statements)
        return found

    few = cost()
    with app.app_context():
        for number in range(59):
            make(people, expires=kuwait_today() + timedelta(days=number))
    assert cost() == few
    assert max(few.values()) <= 40, few


# Order and quick filters


def in_order(client: PageClient, url: str, ids: dict[str, int]) -> list[str]:
    """The names of the cards in page order."""
    names = {f"licence-{each}": name for name, each in ids.items()}
    return [names[card["id"]] for card in client.get(url).soup.select(".broker-card")]


def make_kinds(people: People) -> dict[str, int]:
    """Licences of every kind, named against their order."""
    today = kuwait_today()
    return {
        "fine": make(people, name_en_1="Aa").id,
        "later": make(people, passport_expiry=today + timedelta(days=400)).id,
        "soon": make(people, guarantee_expiry=today + SOON).id,
        "next": make(people, guarantee_expiry=today + timedelta(days=2)).id,
        "past": make(people, expires=today - timedelta(days=1)).id,
        "suspended": make(
            people, status=LicenceStatus.SUSPENDED, suspended_by=SuspendedBy.OFFICE
        ).id,
        "cancelled": make(people, status=LicenceStatus.CANCELLED, expires=today + SOON).id,
    }


@pytest.mark.databases
def test_what_can_be_renewed_and_what_ends_first_comes_first(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        ids = make_kinds(people)
    shown = listed_in_order(mine, "", ids)
    assert shown[:4] == ["next", "soon", "past", "later"]
    assert set(shown[4:6]) == {"fine", "suspended"}
    assert shown[6] == "cancelled"


def listed_in_order(client: PageClient, query: str, ids: dict[str, int]) -> list[str]:
    """The names of the list's rows. ids: of their licences."""
    with client.app.app_context():
        found = db.session.scalars(sa.select(Licence).where(Licence.id.in_(ids.values())))
        brokers = {licence.id: licence.broker_id for licence in found}
    names = {brokers[each]: name for name, each in ids.items()}
    return [names[broker_id] for broker_id in listed(client, query)]


@pytest.mark.databases
def test_a_service_shows_first_for_whom_it_can_be_begun(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        ids = make_kinds(people)
    assert in_order(mine, "/my/services/renewal/", ids)[:3] == ["next", "soon", "past"]
    assert in_order(mine, "/my/services/reactivation/", ids)[0] != "suspended"  # by the office
    with app.app_context():
        db.session.get_one(Licence, ids["suspended"]).suspended_by = SuspendedBy.HOLDER
        db.session.commit()
    assert in_order(mine, "/my/services/reactivation/", ids)[0] == "suspended"


def test_first_cards_of_a_service_are_those_of_all_pages(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        for _each in range(25):
            make(people)
        due = make(people, name_en_1="Zayed", guarantee_expiry=kuwait_today() + SOON).id
    first = mine.get("/my/services/renewal/").soup.select(".broker-card")
    assert first[0]["id"] == f"licence-{due}"
    assert len(first) == 24
    assert len(mine.get("/my/services/renewal/?page=1").soup.select(".broker-card")) == 2


def quick(client: PageClient, url: str = "/my/brokers/") -> dict[str, tuple[str, bool]]:
    """The quick filters: text → address, and whether it is the present one."""
    return {
        words(link): (link["href"], link.has_attr("aria-current"))
        for link in client.get(url).soup.select(".tabs a")
    }


@pytest.mark.databases
def test_quick_filters_say_how_many_and_show_them(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        ids = make_kinds(people)
    tabs = quick(mine)
    assert list(tabs) == [
        "All 7",
        "Can be renewed now 3",
        "Expires within 60 days 3",
        "Expired 1",
        "Suspended 1",
    ]
    shown = {
        text: listed_in_order(mine, url.removeprefix("/my/brokers/"), ids)
        for text, (url, _is_here) in tabs.items()
    }
    assert shown["Can be renewed now 3"] == ["next", "soon", "past"]
    assert shown["Expires within 60 days 3"] == ["next", "soon", "past"]
    assert shown["Expired 1"] == ["past"]
    assert shown["Suspended 1"] == ["suspended"]
    here = [
        text
        for text, (_url, is_here) in quick(mine, "/my/brokers/?flt0_show=due").items()
        if is_here
    ]
    assert here == ["Can be renewed now 3"]
    mine.get("/my/brokers/?flt0_show=nonsense", status=400, check=False)


def test_an_open_request_takes_a_licence_out_of_what_can_be_renewed(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        licence = make(people, guarantee_expiry=kuwait_today() + SOON)
        assert "Can be renewed now 1" in quick(mine)
        request_factories.make_sent(people.owner, "renewal", licence_id=licence.id)
    assert "Can be renewed now 0" in quick(mine)
    assert listed(mine, "?flt0_show=due") == []


def test_whoever_has_no_renewal_is_offered_no_such_filter(
    app: Flask, browser: Callable[..., PageClient], people: People
) -> None:
    with app.app_context():
        make(people)
        user = factories.make_agent(people.organisation, is_general=False, services=("letter",))
    assert list(quick(browser(user)))[:2] == ["All 1", "Expires within 60 days 0"]
