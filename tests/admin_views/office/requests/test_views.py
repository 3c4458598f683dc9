"""The office's list of requests and the review page, as each role meets them."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from python_calamine import load_workbook

from admin_views.office import home
from admin_views.shared.register_lists import OrganisationFilter
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.core.values import mask_civil_id
from clearance.figures import summaries
from clearance.models import AccessEvent, Event, InternalNote, Message, Request, User
from clearance.models.enums import Role, Status
from clearance.requests import drafts
from tests.support import factories, request_factories
from tests.support.office_people import Office
from tests.support.pages import Page
from tests.support.rows import count_of
from tests.support.statements import statements_of

LIST = "/office/requests/"


def numbers(page: Page) -> list[str]:
    """The request numbers that the list shows, in its order."""
    return [a.get_text(strip=True) for a in page.soup.select("tbody td:nth-of-type(1) a, td a")]


def number_of(office: Office, request_id: int) -> str:
    return str(office.read(request_id, lambda req: req.number))


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("role", [Role.REVIEWER, Role.MANAGER])
def test_reviewers_and_managers_see_everything_that_was_sent(
    office: Office, role: str, language: str
) -> None:
    sent, draft = office.request(), office.request(Status.DRAFT)
    page = office.staff(role, language).get(LIST)
    assert number_of(office, sent) in page.text
    assert len(page.soup.select("tbody tr")) == 1
    office.staff(role, language).get(f"{LIST}details/?id={draft}", status=404)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AGENT])
@pytest.mark.parametrize(
    "path", ["", "details/?id={id}", "{id}/", "{id}/do/take", "next", "export/csv/"]
)
def test_others_find_no_requests_at_the_office(office: Office, role: str, path: str) -> None:
    request_id = office.request()
    who = office.agent() if role == Role.AGENT else office.person("other", role)
    office.browser(who).get(LIST + path.format(id=request_id), status=404)


def test_the_list_masks_civil_numbers(office: Office) -> None:
    request_id = office.request()
    civil_id = office.read(request_id, lambda req: req.civil_id)
    page = office.staff().get(LIST)
    assert civil_id not in page.text
    assert mask_civil_id(civil_id) in page.text


def test_the_queues_hold_what_their_names_say(office: Office) -> None:
    me = office.person("me")
    mine = office.request(Status.UNDER_REVIEW, reviewer=me)
    other = office.request(Status.UNDER_REVIEW)
    fresh = office.request()
    returned = office.request(Status.RETURNED, reviewer=me)
    with office.app.app_context():
        db.session.get_one(Request, other).due_on = kuwait_today() - timedelta(days=1)
        db.session.commit()
    browser = office.browser(me)

    def held(queue: str) -> list[str]:
        return numbers(browser.get(f"{LIST}?flt0_queue={queue}"))

    assert held("mine") == [number_of(office, mine)]
    assert held("unassigned") == [number_of(office, fresh)]
    assert held("late") == [number_of(office, other)]
    assert held("waiting") == [number_of(office, returned)]


def test_an_empty_queue_says_that_nothing_matches(office: Office) -> None:
    office.request()
    page = office.staff().get(f"{LIST}?flt0_queue=late")
    assert "Nothing matches" in page.text
    assert not page.soup.select("tbody tr")


def test_managers_have_no_queue_of_their_own(office: Office) -> None:
    office.request()
    manager = office.staff(Role.MANAGER)
    assert "My requests to review" not in manager.get(LIST).text
    manager.get(f"{LIST}?flt0_queue=mine", status=400)


def test_filters_narrow_by_service_state_organisation_age_and_reviewer(office: Office) -> None:
    me = office.person("me")
    with office.app.app_context():
        organisation = factories.make_organisation(name_ar="مكتب النورس", name_en="Seagull Office")
        agent = factories.make_agent(organisation).id
    theirs = office.request(agent=agent)
    mine = office.request(Status.UNDER_REVIEW, reviewer=me)
    with office.app.app_context():
        db.session.get_one(Request, mine).sent_at = utc_now() - timedelta(days=8)
        db.session.commit()
    browser = office.browser(me)

    def found(query: str) -> list[str]:
        return numbers(browser.get(f"{LIST}?{query}"))

    assert found("flt0_status=under_review") == [number_of(office, mine)]
    assert found("flt0_organisation=النورس") == [number_of(office, theirs)]
    assert found("flt0_organisation=seagull") == [number_of(office, theirs)]
    assert found("flt0_age=6-10") == [number_of(office, mine)]
    assert found("flt0_age=0-2") == [number_of(office, theirs)]
    assert found(f"flt0_reviewer={me}") == [number_of(office, mine)]
    assert found("flt0_reviewer=none") == [number_of(office, theirs)]
    assert len(found("flt0_service=exam")) == 2
    assert found("flt0_status=under_review&flt1_age=0-2") == []


@pytest.mark.databases
@pytest.mark.parametrize("few", [0, 10])
def test_the_requests_of_organisations_named_alike_are_listed_newest_first(
    office: Office, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(OrganisationFilter, "FEW", few)
    office.request()
    sent = []
    for place, name in enumerate(("مكتب النورس", "مكتب النورس الثاني")):
        with office.app.app_context():
            agent = factories.make_agent(factories.make_organisation(name_ar=name)).id
        sent.append(office.request(agent=agent))
        with office.app.app_context():
            req = db.session.get_one(Request, sent[-1])
            req.sent_at = utc_now() - timedelta(days=9 - place)
            db.session.commit()
    browser = office.staff(Role.MANAGER)
    page = browser.get(f"{LIST}?flt0_organisation=النورس")
    assert numbers(page) == [number_of(office, each) for each in reversed(sent)]
    assert "2 rows" in page.text
    assert numbers(browser.get(f"{LIST}?flt0_organisation=النورس&flt1_status=passed")) == []
    assert numbers(browser.get(f"{LIST}?flt0_organisation=زكرياء")) == []


@pytest.mark.parametrize(
    ("typed", "is_found"),
    [
        ("احمد عبدالله", True),
        ("العنزي أحمد", True),
        ("الله", True),
        ("ahmad alen", True),
        ("سالم", False),
        ("100%", False),
    ],
)
def test_names_are_found_as_arabic_is_typed(office: Office, typed: str, is_found: bool) -> None:
    office.request()
    page = office.staff().get(f"{LIST}?search={typed}")
    assert bool(page.soup.select("tbody tr")) is is_found


def test_numbers_are_found_in_digits_of_either_script(office: Office) -> None:
    wanted, _other = office.request(), office.request()
    number, civil_id, mobile = office.read(
        wanted, lambda req: (req.number, req.civil_id, req.mobile)
    )
    eastern = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    browser = office.staff()
    for typed in (number, number.lower(), civil_id, civil_id.translate(eastern), mobile[-8:]):
        assert numbers(browser.get(f"{LIST}?search={typed}")) == [number], typed


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("flt0_queue=nonsense", 400),
        ("flt0_status=draft", 400),
        ("flt0_age=-1", 400),
        ("flt0_reviewer=1 OR 1", 400),
        ("flt0_sent_from=yesterday", 400),
        ("sort=99", 400),
        ("sort=0", 400),
        ("page=9223372036854775807", 400),
        ("page=99999999", 404),
        ("after=999999", 404),
        ("after=1,2", 404),
        ("id=1,2&endpoint=x&_external=1", 200),
        ("search=%25%5F%5C", 200),
        ("search=%00", 400),
    ],
)
def test_what_no_page_sends_is_never_a_fault(office: Office, query: str, status: int) -> None:
    office.request()
    office.staff().get(f"{LIST}?{query}", status=status)


@pytest.mark.parametrize(("lang", "words"), [("ar", "3 أبريل 2029"), ("en", "3 April 2029")])
@pytest.mark.parametrize("typed", ["03/04/2029", "2029-4-3", "٣/٤/٢٠٢٩"])
def test_a_filters_day_is_told_in_words_without_scripts(
    office: Office, typed: str, lang: str, words: str
) -> None:
    page = office.staff(language=lang).get(f"{LIST}?flt0_sent_from={typed}&open=filters")
    assert words in page.soup.select_one(".chip").get_text()
    box = page.soup.select_one(".panel [name$=_sent_from]")
    assert box["value"] == typed
    assert page.soup.find(id=box["aria-describedby"]).get_text() == words
    other = page.soup.select_one(".panel [name$=_sent_to]")
    assert page.soup.find(id=other["aria-describedby"]).get_text() == ""


@pytest.mark.databases
def test_the_choices_of_a_chip_say_how_many_rows_each_would_leave(office: Office) -> None:
    for _each in range(2):
        office.request()
    office.request(Status.UNDER_REVIEW)
    browser = office.staff()

    def counts(query: str) -> dict[str, str]:
        links = browser.get(f"{LIST}?{query}").soup.select(".panel-choices a:has(.count)")
        return {
            link["href"].rpartition("_status=")[2]: link.select_one(".count").get_text()
            for link in links
        }

    found = counts("open=status")
    assert [found[code] for code in ("submitted", "under_review", "approved")] == ["2", "1", "0"]
    narrowed = counts("flt0_queue=unassigned&flt1_status=submitted&open=status")
    assert [narrowed[code] for code in ("submitted", "under_review")] == ["2", "0"]
    with statements_of(office.app, "SELECT") as statements:
        browser.get(f"{LIST}?open=status")
    assert sum(statement.count("count(*)") > 5 for statement in statements) == 1
    with statements_of(office.app, "SELECT") as statements:
        browser.get(f"{LIST}?flt0_status=submitted")
    assert not any(statement.count("count(*)") > 5 for statement in statements)


@pytest.mark.parametrize("typed", ["1,2", "0", "-1", "9223372036854775807", "x", ""])
def test_a_request_that_is_not_there_is_a_missing_page(office: Office, typed: str) -> None:
    office.request()
    browser = office.staff()
    browser.get(f"{LIST}details/?id={typed}", status=404)
    browser.get(f"{LIST}do/take?id={typed}", status=200)  # nothing chosen: back to the list


def test_the_list_goes_on_where_the_page_before_ended(office: Office) -> None:
    for _ in range(27):
        office.request()
    browser = office.staff()
    first = browser.get(LIST)
    second = browser.get(first.soup.select_one("a[rel=next]")["href"])
    assert (len(numbers(first)), len(numbers(second))) == (25, 2)
    assert not set(numbers(first)) & set(numbers(second))
    back = browser.get(second.soup.select_one("a[rel=prev]")["href"])
    assert numbers(back) == numbers(first)


def test_the_export_has_the_filters_on_screen_and_no_formula(office: Office) -> None:
    evil = office.request(name_ar_1="أحمد")
    office.request(Status.UNDER_REVIEW)
    with office.app.app_context():
        db.session.get_one(Request, evil).name_en_1 = "=HYPERLINK(1)"
        db.session.commit()
    browser = office.staff(Role.MANAGER)
    exported = browser.get(f"{LIST}export/csv/?flt0_status=submitted", check=False).csv_rows
    assert [row["Request number"] for row in exported] == [number_of(office, evil)]
    assert exported[0]["Name"].startswith("'=HYPERLINK")
    assert exported[0]["Status"] == "Sent to the office"
    with office.app.app_context():
        noted = db.session.scalars(sa.select(AccessEvent).where(AccessEvent.kind == "export:csv"))
        assert [note.object_type for note in noted] == ["request"]


def test_the_export_of_one_service_has_its_own_answers_in_an_order_that_stays(
    office: Office,
) -> None:
    answer = {"type": "amount", "label": {"ar": "الرسم", "en": "Fee"}}
    words = {"type": "text", "label": {"ar": "العبارة", "en": "Greeting words"}}
    name = {"name": "name_ar_1"}
    with office.app.app_context():
        request_factories.load_services()
        request_factories.publish(request_factories.TRIVIAL)
    old = office.request(code="greeting", name_ar_1="أحمد", words="سلام")
    with office.app.app_context():
        fields = [{"name": "fee", **answer}, {"name": "words", **words}, name]
        request_factories.publish(request_factories.TRIVIAL, fields=fields)
    values = {"name_ar_1": "سالم", "words": "=1+1", "fee": Decimal("12.500")}
    new = office.request(code="greeting", **values)
    office.request()
    browser = office.staff(Role.MANAGER)
    exported = browser.get(f"{LIST}export/csv/?flt0_service=greeting", check=False).csv_rows
    found = {row["Request number"]: list(row.items())[-2:] for row in exported}
    assert found == {
        number_of(office, old): [("Greeting words", "سلام"), ("Fee", "")],
        number_of(office, new): [("Greeting words", "'=1+1"), ("Fee", "12.500")],
    }
    everything = browser.get(f"{LIST}export/csv/", check=False).csv_rows
    assert "Fee" not in everything[0]


def test_a_workbook_of_one_service_has_a_sheet_for_each_field_of_rows(office: Office) -> None:
    label = {"ar": "السيارات", "en": "Cars"}
    plate = {"name": "plate", "type": "text", "label": {"ar": "اللوحة", "en": "Plate"}}
    seats = {"name": "seats", "type": "number", "label": {"ar": "المقاعد", "en": "Seats"}}
    cars = {"name": "cars", "type": "rows", "label": label, "columns": [plate]}
    name = {"name": "name_ar_1"}
    with office.app.app_context():
        request_factories.load_services()
        request_factories.publish(request_factories.TRIVIAL, fields=[cars, name])
    old = office.request(code="greeting", name_ar_1="أحمد", cars=({"plate": "=1"}, {"plate": "2"}))
    with office.app.app_context():
        newer = {**cars, "columns": [seats, plate]}
        request_factories.publish(request_factories.TRIVIAL, fields=[newer, name])
    rows = ({"seats": 4, "plate": "3"},)
    new = office.request(code="greeting", name_ar_1="سالم", cars=rows)
    url = f"{LIST}export/xlsx/?flt0_service=greeting&sort=sent_at"
    book = load_workbook(io.BytesIO(office.staff(Role.MANAGER).http.get(url).get_data()))
    assert book.sheet_names == ["Requests", "Cars"]
    listed, cars_sheet = (book.get_sheet_by_name(sheet).to_python() for sheet in book.sheet_names)
    assert listed[0][-1] == "Cars"
    assert cars_sheet == [
        ["Request number", "Row", "Plate", "Seats"],
        [number_of(office, old), 1.0, "=1", ""],
        [number_of(office, old), 2.0, "2", ""],
        [number_of(office, new), 1.0, "3", 4.0],
    ]


# The review page


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("role", [Role.REVIEWER, Role.MANAGER])
def test_the_review_page_shows_data_documents_and_history(
    office: Office, role: str, language: str
) -> None:
    request_id = office.request()
    page = office.staff(role, language).get(f"{LIST}details/?id={request_id}")
    civil_id, kinds = office.read(
        request_id, lambda req: (req.civil_id, {document.kind for document in req.documents})
    )
    assert civil_id in page.text
    assert len(page.soup.select("details.review-document")) == len(kinds)
    assert all("/pages/1" in image["src"] for image in page.soup.select(".review-pages img"))
    assert page.soup.select(".timeline li")


def test_reading_a_request_is_noted(office: Office) -> None:
    request_id, reader = office.request(), office.person("reader")
    office.browser(reader).get(f"{LIST}{request_id}/")
    with office.app.app_context():
        noted = db.session.scalars(sa.select(AccessEvent).where(AccessEvent.kind == "request:read"))
        assert [(note.user_id, note.object_id) for note in noted] == [(reader, str(request_id))]


def test_what_can_be_done_stands_by_role(office: Office) -> None:
    request_id = office.request()
    page = office.staff().get(f"{LIST}{request_id}/")
    card = page.soup.select_one("#now").get_text(" ")
    assert all(
        word in card
        for word in ("Take", "Give preliminary approval", "Ask for corrections", "Reject")
    )
    assert "Assign" not in card
    card = office.staff(Role.MANAGER).get(f"{LIST}{request_id}/").soup.select_one("#now")
    assert "Assign" in card.get_text(" ")
    assert "Reject" not in card.get_text(" ")


def test_what_another_has_taken_is_refused_with_the_name(office: Office) -> None:
    request_id = office.request(Status.UNDER_REVIEW, reviewer=office.person("Huda"))
    page = office.staff().get(f"{LIST}{request_id}/")
    assert "Huda Alsabah has taken this request." in page.soup.select_one("#now").get_text(" ")
    assert not page.soup.select("#now a.button")


def test_the_register_stands_beside_the_request(office: Office) -> None:
    civil_id = factories.civil_id()
    earlier = office.request(Status.REJECTED, civil_id=civil_id)
    request_id = office.request(civil_id=civil_id)
    with office.app.app_context():
        factories.make_user(civil_id=civil_id, first_name="Yousef", last_name="Alhajri")
    card = office.staff().get(f"{LIST}{request_id}/").soup.select_one("#register").get_text(" ")
    assert number_of(office, earlier) in card
    assert "Yousef Alhajri" in card


def write(office: Office, user_id: int, request_id: int, form: str, text: str, **more: Any) -> Page:
    browser = office.browser(user_id)
    page = browser.get(f"{LIST}{request_id}/")
    name = form.removeprefix("#").removesuffix("-form")
    return browser.submit(page, {name: text}, form=form, **more)


def test_notes_stay_in_the_office(office: Office) -> None:
    request_id, me = office.request(), office.person("me")
    page = write(office, me, request_id, "#note-form", "The photo looks <b>old</b>.")
    assert "The photo looks <b>old</b>." in page.soup.select_one("#notes").get_text()
    agent = office.browser(office.agent())
    assert "photo looks" not in agent.http.get(f"/my/requests/{request_id}/").get_data(as_text=True)


def test_a_message_reaches_the_applicant(office: Office) -> None:
    request_id, me = office.request(), office.person("me")
    write(office, me, request_id, "#message-form", "Please call us.")
    with office.app.app_context():
        sent = db.session.scalars(sa.select(Message)).one()
        assert (sent.body, sent.author_id) == ("Please call us.", me)


@pytest.mark.parametrize("name", ["note", "message"])
def test_an_empty_text_is_refused_beside_its_field(office: Office, name: str) -> None:
    request_id, me = office.request(), office.person("me")
    page = write(office, me, request_id, f"#{name}-form", "  ", status=400)
    assert page.error_of(name) in {"Enter a note first.", "Enter a message first."}
    with office.app.app_context():
        assert not db.session.scalars(sa.select(Message)).all()
        assert not db.session.scalars(sa.select(InternalNote)).all()


def test_the_same_form_sent_twice_writes_once(office: Office) -> None:
    request_id, browser = office.request(), office.staff()
    page = browser.get(f"{LIST}{request_id}/")
    for _ in range(2):
        browser.submit(page, {"note": "Once"}, form="#note-form")
    with office.app.app_context():
        assert len(db.session.scalars(sa.select(InternalNote)).all()) == 1


def test_managers_write_nothing(office: Office) -> None:
    request_id, manager = office.request(), office.staff(Role.MANAGER)
    page = manager.get(f"{LIST}{request_id}/")
    assert not page.soup.select("#note-form, #message-form")
    for place in ("notes", "messages"):
        manager.post(f"{LIST}{request_id}/{place}", {"note": "x", "message": "x"}, status=404)


def test_what_changed_since_the_last_sending_is_told(office: Office) -> None:
    me, agent = office.person("me"), office.agent()
    request_id = office.request(Status.RETURNED, reviewer=me)
    with office.app.app_context():
        from_user = db.session.get_one(User, agent)
        req = db.session.get_one(Request, request_id)
        for address in ("نقطة في الطريق", "السالمية، شارع الخليج"):
            drafts.save(req, {"address": address}, request_factories.actor_of(from_user), utc_now())
        request_factories.make_document(req, "photo", from_user, label="new-photo.png")
        request_factories.step(req, request_factories.Action.SEND, from_user)
    changes = office.browser(me).get(f"{LIST}{request_id}/").soup.select_one("#changes")
    cells = [td.get_text(strip=True) for td in changes.select("tbody td")]
    assert cells == ["Address", "حولي، شارع تونس", "السالمية، شارع الخليج"]
    assert "new-photo.png" in changes.get_text()


def test_a_request_sent_once_has_no_changes(office: Office) -> None:
    page = office.staff().get(f"{LIST}{office.request()}/")
    assert page.soup.select_one("#changes") is None


def test_the_next_request_is_the_most_urgent_of_ones_own(office: Office) -> None:
    me = office.person("me")
    first = office.request(Status.UNDER_REVIEW, reviewer=me)
    second = office.request(Status.UNDER_REVIEW, reviewer=me)
    fresh = office.request()
    with office.app.app_context():
        db.session.get_one(Request, second).due_on = kuwait_today()
        db.session.commit()
    browser = office.browser(me)
    assert number_of(office, second) in browser.get(f"{LIST}next").text
    assert number_of(office, first) in browser.get(f"{LIST}next?after={second}").text
    for request_id in (first, second):
        with office.app.app_context():
            request_factories.step(
                db.session.get_one(Request, request_id),
                request_factories.Action.PREAPPROVE,
                db.session.get_one(User, me),
            )
    assert number_of(office, fresh) in browser.get(f"{LIST}next").text
    assert "No other requests are waiting" in browser.get(f"{LIST}next?after={fresh}").text


def test_managers_work_through_no_queue(office: Office) -> None:
    office.request()
    office.browser(office.person("manager", Role.MANAGER)).get(f"{LIST}next", status=404)


# Home


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("role", [Role.REVIEWER, Role.MANAGER, Role.ADMINISTRATOR])
def test_the_first_page_stands_for_every_role(office: Office, role: str, language: str) -> None:
    office.request()
    page = office.staff(role, language).get("/office/")
    assert page.soup.select(".stat")


def stats(page: Page) -> dict[str, str]:
    return {
        figure.select_one(".stat-label").get_text(strip=True): figure.select_one(
            ".stat-value"
        ).get_text(strip=True)
        for figure in page.soup.select(".stat")
    }


def test_the_reviewers_figures_are_real_and_lead_to_their_lists(office: Office) -> None:
    me = office.person("me")
    mine = office.request(Status.UNDER_REVIEW, reviewer=me)
    office.request(Status.UNDER_REVIEW)
    office.request()
    browser = office.browser(me)
    page = browser.get("/office/")
    assert (
        stats(page).items()
        >= {
            "My requests to review": "1",
            "Mine and overdue": "0",
            "Unassigned": "1",
            "Waiting for the applicant": "0",
        }.items()
    )
    listed = browser.get(page.link("My requests to review"))
    assert numbers(listed) == [number_of(office, mine)]


def test_the_managers_figures_are_real(office: Office) -> None:
    me = office.person("Maryam")
    office.request(Status.UNDER_REVIEW, reviewer=me)
    office.request(Status.REJECTED)
    office.request()
    page = office.staff(Role.MANAGER).get("/office/")
    assert stats(page)["Open requests"] == "2"
    assert stats(page)["Finished in the last 7 days"] == "1"
    load = [
        [td.get_text(strip=True) for td in tr.select("td")]
        for tr in page.soup.select("#load tbody tr")
    ]
    assert ["Maryam Alsabah", "1", "0"] in load
    states = {
        li.a.get_text(strip=True): li.strong.get_text() for li in page.soup.select("#states li")
    }
    assert states == {"Sent to the office": "1", "Under review": "1", "Rejected": "1"}


@pytest.mark.databases
def test_a_manager_with_many_requests_sees_the_last_counted_figures_and_their_age(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "FEW", 1)
    me = office.person("Maryam")
    office.request(Status.UNDER_REVIEW, reviewer=me)
    office.request()
    browser = office.staff(Role.MANAGER)
    assert "counted for the first time" in browser.get("/office/").text
    with office.app.app_context():
        summaries.refresh(utc_now(), seconds=None)
    office.request()
    page = browser.get("/office/")
    assert "More than 1 requests are open. The figures below are as of" in page.text
    assert stats(page)["Open requests"] == "1+"
    assert stats(page)["Unassigned"] == "1+"
    assert stats(page)["Overdue requests"] == "0"
    states = [row.get_text(" ", strip=True) for row in page.soup.select("#states li")]
    assert states == ["Sent to the office 1", "Under review 1"]
    load = [row.get_text(" ", strip=True) for row in page.soup.select("#load tbody tr")]
    assert "Maryam Alsabah 1 0" in load


@pytest.mark.databases
def test_what_is_due_first_comes_first_and_what_has_no_due_date_last(office: Office) -> None:
    me, found = office.person("me"), {}
    for name, days in (("later", 9), ("none", None), ("first", 1)):
        found[name] = office.request(Status.UNDER_REVIEW, reviewer=me)
        with office.app.app_context():
            req = db.session.get_one(Request, found[name])
            req.due_on = None if days is None else kuwait_today() + timedelta(days=days)
            req.team_code = "review"
            db.session.commit()
    page = office.browser(me).get("/office/")
    order = [number_of(office, found[name]) for name in ("first", "later", "none")]
    assert [row.get_text() for row in page.soup.select("#mine .task-body > a bdi")] == order


def test_a_trail_of_reading_is_not_a_business_event(office: Office) -> None:
    request_id = office.request()
    with office.app.app_context():
        before = count_of(Event)
    office.staff().get(f"{LIST}{request_id}/")
    with office.app.app_context():
        assert count_of(Event) == before


def test_a_page_asks_once_for_choices_and_settings_and_counts_only_what_goes_on(
    office: Office,
) -> None:
    office.request()
    browser = office.staff()
    address = f"/office/requests/?flt0_status=open&flt1_reviewer={office.person('me')}"
    browser.get(address)
    with statements_of(office.app) as sent:
        page = browser.get(address)
    assert "0 rows" in page.text
    for part, times in (("used(status)", 1), ("people(id)", 1), ("FROM setting", 0)):
        assert len([statement for statement in sent if part in statement]) == times, part
    counting = [statement for statement in sent if "count(*)" in statement]
    assert [each for each in counting if "FROM request" in each and "number" not in each] == []


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_cell_has_its_label_and_every_row_its_number(office: Office, language: str) -> None:
    for _place in range(2):
        office.request()
    page = office.staff(language=language).get("/office/requests/")
    headings = [head.get_text(strip=True) for head in page.soup.select("thead th")][1:]
    rows = page.soup.select("tbody tr")
    for number, row in enumerate(rows, 1):
        assert [str(cell["data-label"]) for cell in row.select("td[data-label]")] == headings
        assert str(row.select_one("[name=rowid]")["aria-label"]).endswith(str(number))
    assert len(rows) == 2
