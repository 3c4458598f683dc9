"""The office's services: their order, stopping and archiving them, and what agents then see."""

from __future__ import annotations

import pytest

from clearance.core.clock import kuwait_date, utc_now
from clearance.core.extensions import db
from clearance.models import Service, User
from clearance.models.enums import Role
from clearance.services import offering
from tests.support import issued_factories, request_factories
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient
from tests.support.rows import all_requests

LIST, DETAILS = "/office/services/", "/office/services/details/?id=exam"


@pytest.fixture
def services(office: Office) -> Office:
    with office.app.app_context():
        request_factories.load_services()
    return office


@pytest.fixture
def administrator(services: Office) -> PageClient:
    return services.staff(Role.ADMINISTRATOR)


def codes(page: Page) -> list[str]:
    return [link["href"].partition("id=")[2] for link in page.soup.select("tbody td:first-child a")]


def moved(browser: PageClient, code: str, way: str) -> Page:
    form = f"form[action$='/{code}/move']"
    return browser.submit(browser.get(LIST), form=form, press=f"way={way}")


def taken(browser: PageClient, step: str, *, status: int = 200, **values: str) -> Page:
    page = browser.get(f"/office/services/exam/{step}")
    return browser.submit(page, {"why": "Because"} | values, form="#step", status=status)


def focused(page: Page) -> str:
    (button,) = page.soup.select("main [autofocus]")
    return str(button.get_text(" ", strip=True))


# The list


def test_list_tells_state_version_and_open_requests(services: Office) -> None:
    services.request()
    cells = services.staff(Role.MANAGER).get(LIST).soup.select("tbody tr")[0].select("td")
    told = [cell.get_text(" ", strip=True) for cell in cells]
    assert told[1:4] == ["In use", "1", "1"]
    assert told[0].endswith("exam · CE") and told[4].endswith("The portal")


def test_a_moved_service_keeps_the_focus_and_its_place_is_told(administrator: PageClient) -> None:
    first, second, *_rest = codes(administrator.get(LIST))
    page = moved(administrator, second, "up")
    assert codes(page)[:2] == [second, first]
    assert "is now number 1 of 9." in page.soup.select_one(".flashes").get_text()
    # There is no way further up, so the other button of the row has the focus.
    assert (
        focused(page) == f"Move down: {page.soup.select_one('tbody a').get_text()} , number 1 of 9"
    )
    assert focused(moved(administrator, first, "down")).startswith("Move down:")


def test_agents_read_the_services_in_the_offices_order(
    services: Office, administrator: PageClient
) -> None:
    moved(administrator, "reactivation", "up")
    with services.app.app_context():
        wanted = [f"service-{service.code}" for service in offering.ordered()]
    cards = services.browser(services.agent()).get("/my/services/").soup.select("section.card")
    assert [card["id"] for card in cards] == wanted
    assert wanted[-2:] == ["service-reactivation", "service-lost_card"]


def test_a_service_is_moved_after_another_or_to_the_beginning(administrator: PageClient) -> None:
    first, second, third, *_rest = codes(administrator.get(LIST))
    administrator.post(f"/office/services/{first}/move", {"way": "after", "place": third})
    assert codes(administrator.get(LIST))[:3] == [second, third, first]
    administrator.post(f"/office/services/{first}/move", {"way": "after", "place": ":"})
    assert codes(administrator.get(LIST))[:3] == [first, second, third]
    for place in ("gone", first, ""):
        data = {"way": "after", "place": place}
        administrator.post(f"/office/services/{first}/move", data, status=400)


def test_there_are_no_other_ways(administrator: PageClient) -> None:
    page = administrator.get(LIST)
    administrator.post("/office/services/exam/move", {"way": "left"}, status=400)
    administrator.post("/office/services/gone/move", {"way": "up"}, status=404)
    assert codes(administrator.get(LIST)) == codes(page)


def test_managers_read_and_change_nothing(services: Office) -> None:
    manager = services.staff(Role.MANAGER)
    assert manager.get(LIST).soup.select("main form") == []
    assert manager.get(DETAILS).soup.select("#availability") == []
    manager.get("/office/services/exam/stop", status=404)
    for address in ("stop", "move"):
        data = {"way": "up", "why": "No"}
        manager.post(f"/office/services/exam/{address}", data, status=404)


# Stopping, starting, archiving


def test_a_stopped_service_says_so_at_the_office_and_on_its_card(
    services: Office, administrator: PageClient
) -> None:
    page = taken(administrator, "stop", notice_ar="نعود قريباً.", notice_en="We will be back soon.")
    assert page.url == DETAILS
    assert "We will be back soon." in page.soup.select_one("#availability").get_text()
    for language, words in (("en", "We will be back soon."), ("ar", "نعود قريباً.")):
        agent = services.browser(services.agent(), language)
        card = agent.get("/my/services/").soup.select_one("#service-exam")
        assert words in card.select_one(".refusal").get_text()
        assert card.select_one("a.button") is None
        assert words in agent.get("/my/services/exam/").soup.select_one("main .refusal").get_text()
    page = agent.post("/my/services/exam/", {"broker_type": "private"})
    assert "أوقف المكتب هذه الخدمة." in page.soup.select_one(".flashes").get_text()
    assert all_requests(services.app) == []


def test_public_pages_tell_that_a_service_is_stopped_and_until_when(
    services: Office, administrator: PageClient
) -> None:
    visitor = PageClient(services.app, language="en")
    assert "stopped this service" not in visitor.get("/").text + visitor.get("/guide").text
    taken(administrator, "stop")
    taken(administrator, "start", since="05/02/2095")
    told = "The office has stopped this service. You can apply again from 05/02/2095."
    for address in ("/", "/guide"):
        assert visitor.get(address).text.count(told) == 1


def test_the_words_of_a_stopped_service_can_be_changed_but_not_its_first_day(
    services: Office, administrator: PageClient
) -> None:
    taken(administrator, "stop", notice_ar="نعود قريباً.", notice_en="Back soon.")
    page = administrator.get(DETAILS)
    page = administrator.get(page.link("Change the stop"))
    assert page.soup.find(attrs={"name": "since"}) is None
    assert page.soup.find(attrs={"name": "notice_en"}).get_text(strip=True) == "Back soon."
    page = taken(administrator, "stop", since="01/02/2095", notice_ar="", notice_en="")
    assert "Back soon." not in page.text and "2095" not in page.text
    with services.app.app_context():
        service = db.session.get_one(Service, "exam")
        assert offering.state_of(service, kuwait_date(utc_now())) == offering.State.STOPPED


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"why": ""}, "why"),
        ({"since": "01/01/2020"}, "since"),
        ({"since": "never"}, "since"),
        ({"notice_en": "Back soon"}, "notice_ar"),
        ({"notice_ar": "نعود"}, "notice_en"),
    ],
)
def test_a_stop_is_refused_at_its_field(
    services: Office, administrator: PageClient, values: dict[str, str], field: str
) -> None:
    page = taken(administrator, "stop", status=400, **values)
    assert page.soup.select_one(f".field-wrong [name={field}]")
    with services.app.app_context():
        assert db.session.get_one(Service, "exam").stopped_on is None


def test_a_planned_stop_and_start_are_told_in_the_list(administrator: PageClient) -> None:
    taken(administrator, "stop", since="01/02/2095")
    page = taken(administrator, "start", since="05/02/2095")
    assert "Stopped from 01/02/2095 · In use from 05/02/2095" in page.text
    assert "Stopped from 01/02/2095 · In use from 05/02/2095" in administrator.get(LIST).text
    taken(administrator, "start")
    assert "2095" not in administrator.get(LIST).text


def test_steps_that_are_not_possible_say_why(administrator: PageClient) -> None:
    for step, words in (
        ("start", "This service is in use already."),
        ("archive", "Only a stopped service can be archived."),
        ("restore", "This service is not archived."),
    ):
        page = administrator.get(f"/office/services/exam/{step}")
        assert words in page.soup.select_one(".refusal").get_text()
        assert page.soup.select_one("#step") is None
        url = f"/office/services/exam/{step}"
        assert words in administrator.post(url, {"why": "Because"}, status=409).text


def test_an_archived_service_leaves_the_agents_area_and_its_requests_stay(
    services: Office, administrator: PageClient
) -> None:
    request_id = services.request("withdrawn")
    taken(administrator, "stop")
    page = taken(administrator, "archive")
    assert "Archived" in page.text
    agent = services.browser(services.agent())
    assert agent.get("/my/services/").soup.select_one("#service-exam") is None
    agent.get("/my/services/exam/", status=404)
    title = "Take the clearing agents' exam"
    assert title in agent.get(f"/my/requests/{request_id}/").soup.get_text()
    assert title in agent.get("/my/requests/").soup.get_text()
    services.staff().get(f"/office/requests/{request_id}/")
    taken(administrator, "restore")
    assert agent.get("/my/services/").soup.select_one("#service-exam .refusal")


def test_a_pilot_is_asked_for_and_others_find_nothing_at_its_address(
    services: Office, administrator: PageClient
) -> None:
    page = administrator.get("/office/services/exam/pilot")
    assert "Stop it first." in page.soup.select_one(".refusal").get_text()
    chosen, other, former = services.agent(), services.agent("other"), services.agent("former")
    with services.app.app_context():
        request_factories.make_sent(db.session.get_one(User, former))
    taken(administrator, "stop")
    with services.app.app_context():
        name = db.session.get_one(User, chosen).memberships[0].organisation.name_en
    wrong = taken(administrator, "pilot", until="01/02/2095", organisations="Nobody", status=400)
    assert "There is no organisation “Nobody”." in wrong.error_of("organisations")
    page = taken(administrator, "pilot", until="01/02/2095", organisations=name)
    told = page.soup.select_one("#availability").get_text(" ", strip=True)
    assert "Pilot until 01/02/2095" in told and name in told
    page = administrator.get("/office/services/exam/pilot")
    assert page.soup.find(attrs={"name": "until"})["value"] == "01/02/2095"
    assert page.h1.startswith("Change the pilot")
    insider, outsider = services.browser(chosen), services.browser(other)
    insider.get("/my/services/exam/")
    outsider.get("/my/services/exam/", status=404)
    outsider.post("/my/services/exam/", {"broker_type": "private"}, status=404)
    assert outsider.get("/my/services/").soup.select_one("#service-exam") is None
    assert insider.get("/my/services/").soup.select_one("#service-exam")
    exam = "Take the clearing agents' exam"
    assert exam not in outsider.get("/guide").text and exam not in outsider.get("/").text
    assert exam not in outsider.get("/my/subscriptions/").text
    for filters in ("/my/requests/?open=filters", "/my/requests/drafts/?open=filters"):
        assert exam in insider.get(filters).text and exam not in outsider.get(filters).text
    outsider.get("/my/requests/?flt0_service=exam", status=400)
    assert exam in services.browser(former).get("/my/requests/?flt0_service=exam").text


def test_several_at_once_is_not_found_for_those_outside_a_pilot(services: Office) -> None:
    outside, chosen = services.agent("other"), services.agent()
    other = services.browser(outside)
    with services.app.app_context():
        name = db.session.get_one(User, chosen).memberships[0].organisation.name_ar
        offering.stop("renewal", None, utc_now(), why="")
        given = {"until": kuwait_date(utc_now()), "organisations": name}
        offering.pilot("renewal", None, utc_now(), why="", **given)
        db.session.commit()
        broker_id = issued_factories.make_licence(db.session.get_one(User, outside)).broker_id
    other.get("/my/services/renewal/several", status=404)
    other.get("/my/services/renewal/", status=404)
    assert "Renew" not in other.get(f"/my/brokers/{broker_id}/").soup.select_one("#services").text
    for address in ("/my/", "/my/brokers/", "/my/transfers/"):
        other.get(address)


def test_without_any_service_every_page_is_a_friendly_one(services: Office) -> None:
    with services.app.app_context():
        for service in offering.ordered():
            offering.stop(service.code, None, utc_now(), why="")
            offering.archive(service.code, None, utc_now(), why="")
        db.session.commit()
    agent, keeper = services.browser(services.agent()), services.staff(Role.ADMINISTRATOR)
    for address in ("/", "/guide", "/my/", "/my/requests/", "/my/subscriptions/", "/my/users/"):
        agent.get(address)
    assert "No services yet" in agent.get("/my/services/").text
    services.staff().get("/office/requests/")
    for address in ("/office/", LIST, "/office/document-kinds/"):
        keeper.get(address)
