"""A service's own form: sections, types, conditions, rules and limits, from draft to decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.extensions import db
from clearance.models import Event, Request
from clearance.models.enums import Status
from clearance.requests import completeness, printing
from clearance.requests.corrections import KIND
from clearance.requests.field_values import visible
from clearance.services.decisions import RemarkInput, Remarks
from clearance.services.flows import Action
from tests.admin_views.my.conftest import People
from tests.support import factories, permit, request_factories
from tests.support.pages import Page, PageClient, form_data
from tests.support.papers import text_of

FORM = "#request-form"


@pytest.fixture
def begun(app: Flask, people: People) -> int:
    with app.app_context():
        return permit.begin(people.owner).id


def fresh(app: Flask, request_id: int) -> Request:
    return db.session.get_one(Request, request_id, populate_existing=True)


def post(client: PageClient, request_id: int, values: dict[str, Any], pressed: str = "") -> Page:
    page = client.get(f"/my/requests/{request_id}/form")
    return client.submit(page, values | ({"submit": pressed} if pressed else {}), form=FORM)


def is_hidden(page: Page, name: str) -> bool:
    control = page.soup.find(attrs={"name": name})
    return control.find_parent(hidden=True) is not None


def test_fields_stand_in_their_sections_and_hidden_ones_wait(mine: PageClient, begun: int) -> None:
    page = mine.get(f"/my/requests/{begun}/form")
    legends = [each.get_text(strip=True) for each in page.soup.select("fieldset.group > legend")]
    assert legends[-2:] == ["The visit", "The cargo"]
    assert "When and where." in page.text and "For example: 3" in page.text
    hidden = [name for name in ("other_port", "contact", "goods", "value") if is_hidden(page, name)]
    assert hidden == ["other_port", "contact", "goods", "value"]
    assert not is_hidden(page, "visitors")
    assert page.soup.find(attrs={"name": "visitors"})["value"] == "1"  # its default
    options = [each["value"] for each in page.soup.select("[name=purpose] option")]
    assert options == ["", "cargo", "crew"]  # one is retired


def test_without_scripts_the_next_save_shows_what_an_answer_asks_for(
    mine: PageClient, begun: int
) -> None:
    page = post(mine, begun, permit.GOOD | {"port": "other", "purpose": "cargo"})
    assert not is_hidden(page, "other_port") and not is_hidden(page, "goods")
    page = post(mine, begun, {"port": "shuwaikh", "purpose": "crew"})
    assert is_hidden(page, "other_port") and is_hidden(page, "goods")


def test_a_required_field_is_asked_only_while_it_is_shown(
    app: Flask, mine: PageClient, begun: int
) -> None:
    page = post(mine, begun, permit.GOOD | {"port": "other"}, "send")
    assert page.error_of("other_port") and not page.error_of("goods")
    page = post(mine, begun, {"port": "shuwaikh"}, "send")
    with app.app_context():
        assert fresh(app, begun).status == Status.SUBMITTED


def test_a_draft_keeps_what_is_hidden_and_sending_drops_it(
    app: Flask, mine: PageClient, begun: int
) -> None:
    post(mine, begun, permit.CARGO | {"port": "other", "other_port": "الدوحة"})
    post(mine, begun, {"purpose": "crew", "port": "shuwaikh"})
    with app.app_context():
        req = fresh(app, begun)
        assert req.answers["value"] == "1250.500" and req.answers["other_port"] == "الدوحة"
        assert visible(req).get("value") is None
    post(mine, begun, {}, "send")
    with app.app_context():
        req = fresh(app, begun)
        assert req.status == Status.SUBMITTED
        kept = {"purpose": "crew", "port": "shuwaikh", "visitors": 1}
        assert req.answers == kept | {"starts_on": "2031-04-03", "ends_on": "2031-04-05"}


def test_a_wrong_value_that_is_hidden_stops_nothing_and_is_not_kept(
    app: Flask, mine: PageClient, begun: int
) -> None:
    page = post(mine, begun, permit.GOOD | {"value": "much", "other_port": "x"}, "send")
    assert not page.soup.select("[data-error-summary]")
    with app.app_context():
        req = fresh(app, begun)
        assert req.status == Status.SUBMITTED
        assert "value" not in req.answers and "other_port" not in req.answers


@pytest.mark.parametrize(
    ("language", "says"),
    [("ar", "تنتهي الزيارة قبل أن تبدأ."), ("en", "The visit ends before it starts.")],
)
def test_the_offices_own_rule_is_told_at_its_field(
    app: Flask,
    browser: Callable[..., PageClient],
    people: People,
    begun: int,
    language: str,
    says: str,
) -> None:
    client = browser(people.owner, language)
    page = post(client, begun, permit.GOOD | {"ends_on": "02/04/2031"}, "send")
    assert says in page.error_of("ends_on")
    with app.app_context():
        assert fresh(app, begun).status == Status.DRAFT


@pytest.mark.parametrize(
    ("typed", "name", "told"),
    [
        ({"visitors": "0"}, "visitors", "The minimum is 1."),
        ({"visitors": "41"}, "visitors", "The maximum is 40."),
        ({"visitors": "12", "contact": "nobody"}, "contact", "mail"),
        ({"port": "other", "other_port": "ab"}, "other_port", "too short"),
        ({"goods": ["food", "cars", "other_goods"]}, "goods", "Choose at most 2."),
        ({"goods": ["gold"]}, "goods", "Choose only from the options listed."),
        ({"value": "0.499"}, "value", "The minimum is 0.500."),
        ({"value": "1.0001"}, "value", "Enter an amount in dinars"),
        ({"purpose": "tour"}, "purpose", "Choose one of the options listed."),
        ({"driver_passport": "ج123"}, "driver_passport", "Latin letters and digits"),
    ],
)
def test_a_value_outside_its_limits_is_told_and_not_saved(
    app: Flask, mine: PageClient, begun: int, typed: dict[str, Any], name: str, told: str
) -> None:
    page = post(mine, begun, permit.CARGO | typed)
    assert told in page.error_of(name)
    with app.app_context():
        assert name not in fresh(app, begun).answers


def test_values_are_kept_exactly_and_read_in_words(
    app: Flask, mine: PageClient, begun: int, people: People
) -> None:
    typed = permit.CARGO | {"visitors": "١٢", "driver_passport": "n 123-4567", "contact": "A@B.co"}
    post(mine, begun, typed)
    with app.app_context():
        req = fresh(app, begun)
        request_factories.make_document(req, "office_letter", people.owner)
        kept = ("value", "goods", "visitors", "driver_passport", "contact")
        assert [req.answers[name] for name in kept] == [
            *("1250.500", ["food", "cars"], 12, "N1234567", "a@b.co")
        ]
    post(mine, begun, {}, "send")
    text = mine.get(f"/my/requests/details/?id={begun}").text
    for words in ("1,250.500 KWD", "Food, Cars", "12 people", "N1234567", "The cargo"):
        assert words in text
    assert "Name of the port" not in text


def test_a_condition_decides_which_documents_are_taken(
    app: Flask, mine: PageClient, begun: int
) -> None:
    page = post(mine, begun, permit.CARGO | {"value": "999.999"})
    assert "office_letter" not in page.text
    page = post(mine, begun, {"value": "1000"})
    kinds = [each["value"] for each in page.soup.select("#upload-kind option")]
    assert "office_letter" in kinds and "photo" not in kinds
    with app.app_context():
        lacking = completeness.missing(fresh(app, begun))
        assert [each.document_kind for each in lacking] == ["office_letter"]


def test_autosave_tells_the_documents_that_the_answers_ask_for(
    mine: PageClient, begun: int
) -> None:
    page = mine.get(f"/my/requests/{begun}/form")
    values = form_data(page.form(FORM)) | permit.CARGO
    answer = mine.http.post(f"/my/requests/{begun}/form/autosave", data=values)
    parts = answer.get_json()["parts"]
    assert "office_letter" in parts["upload-kind"]
    assert "is-missing" in parts["documents-wanted"]


def test_a_kind_of_document_takes_as_many_files_as_it_says(
    app: Flask, mine: PageClient, begun: int, people: People
) -> None:
    post(mine, begun, permit.GOOD | {"port": "other", "other_port": "الدوحة"})
    with app.app_context():
        request_factories.make_document(fresh(app, begun), "photo", people.owner)
    page = mine.get(f"/my/requests/{begun}/form")
    kinds = [each["value"] for each in page.soup.select("#upload-kind option")]
    assert "photo" not in kinds and "civil_id_copy" in kinds


def test_a_correction_opens_what_it_may_show_and_its_dropped_value_stays_in_the_trail(
    app: Flask, mine: PageClient, begun: int, people: People
) -> None:
    post(mine, begun, permit.GOOD | {"port": "other", "other_port": "الدوحة"}, "send")
    with app.app_context():
        req = fresh(app, begun)
        remark = Remarks(remarks=(RemarkInput(text="أي ميناء؟", field="port"),))
        request_factories.step(req, Action.RETURN, people.staff, reason="صحح.", data=remark)
        assert completeness.open_fields(req) == {"port", "other_port"}
    post(mine, begun, {"port": "shuwaikh"}, "send")
    with app.app_context():
        req = fresh(app, begun)
        assert req.status == Status.SUBMITTED and "other_port" not in req.answers
        events = db.session.scalars(sa.select(Event).where(Event.kind == KIND)).all()
        changes = {name: change for event in events for name, change in event.changes.items()}
        assert changes["other_port"] == ["الدوحة", None]


def test_what_no_form_shows_cannot_be_posted_into_a_sent_request(
    app: Flask, mine: PageClient, begun: int
) -> None:
    seen = form_data(mine.get(f"/my/requests/{begun}/form").form(FORM))
    post(mine, begun, permit.GOOD, "send")
    forged = seen | {"value": "5", "port": "other"}
    assert mine.http.post(f"/my/requests/{begun}/form/autosave", data=forged).status_code == 409
    with app.app_context():
        assert fresh(app, begun).answers["port"] == "shuwaikh"
        assert "value" not in fresh(app, begun).answers


def test_the_reviewer_sees_what_was_shown_and_remarks_on_nothing_else(
    app: Flask,
    browser: Callable[..., PageClient],
    mine: PageClient,
    begun: int,
    people: People,
) -> None:
    post(mine, begun, permit.GOOD, "send")
    office = browser(people.staff)
    text = office.get(f"/office/requests/details/?id={begun}").text
    assert "The visit" in text and "The cargo" not in text and "Name of the port" not in text
    page = office.get(f"/office/requests/{begun}/do/return")
    marks = {each["name"] for each in page.soup.select("[name^=mark-field-]")}
    assert {"mark-field-port", "mark-field-visitors"} <= marks
    assert "mark-field-other_port" not in marks and "mark-field-value" not in marks


OTHER = permit.CARGO | {"goods": ["food", "other_goods"]}


def test_a_choice_asks_for_a_text_that_everybody_reads(
    app: Flask,
    browser: Callable[..., PageClient],
    mine: PageClient,
    begun: int,
    people: People,
) -> None:
    assert is_hidden(mine.get(f"/my/requests/{begun}/form"), "goods_text")
    with app.app_context():
        request_factories.make_document(fresh(app, begun), "office_letter", people.owner)
    page = post(mine, begun, OTHER, "send")
    assert page.error_of("goods_text") and not is_hidden(page, "goods_text")
    page = mine.get(f"/my/requests/{begun}/form")
    values = form_data(page.form(FORM)) | {"goods_text": "أخشاب"}
    assert mine.http.post(f"/my/requests/{begun}/form/autosave", data=values).status_code == 200
    post(mine, begun, {}, "send")
    with app.app_context():
        assert fresh(app, begun).status == Status.SUBMITTED
        sheet = printing.request_pdf(fresh(app, begun), "en", actor_of(people.staff))
        assert "Kinds of goods: Other" in text_of(sheet)
        manager = factories.make_staff("manager")
    office = browser(people.staff)
    for client, url in ((mine, "/my"), (office, "/office")):
        text = client.get(f"{url}/requests/details/?id={begun}").text
        assert "Kinds of goods: Other" in text and "أخشاب" in text
    export = "/office/requests/export/csv/?flt0_service=temporary_permit"
    (row,) = browser(manager).get(export, check=False).csv_rows
    assert (row["Kinds of goods"], row["Kinds of goods: Other"]) == ("Food, Other", "أخشاب")


def test_a_correction_that_takes_another_choice_drops_the_text(
    app: Flask, mine: PageClient, begun: int, people: People
) -> None:
    with app.app_context():
        request_factories.make_document(fresh(app, begun), "office_letter", people.owner)
    post(mine, begun, OTHER | {"goods_text": "أخشاب"}, "send")
    with app.app_context():
        req = fresh(app, begun)
        remark = Remarks(remarks=(RemarkInput(text="أي بضاعة؟", field="goods"),))
        request_factories.step(req, Action.RETURN, people.staff, reason="صحح.", data=remark)
        assert completeness.open_fields(req) == {"goods", "goods_text"}
    post(mine, begun, {"goods": ["food"]}, "send")
    with app.app_context():
        assert fresh(app, begun).status == Status.SUBMITTED
        assert "goods_text" not in fresh(app, begun).answers


def test_a_file_that_a_later_answer_hides_stays_until_sending_and_prevents_nothing(
    app: Flask, mine: PageClient, begun: int
) -> None:
    other = permit.GOOD | {"port": "other", "other_port": "الدوحة"}
    post(mine, begun, other)
    with app.app_context():
        request_factories.make_document(fresh(app, begun), "photo", fresh(app, begun).created_by)
        db.session.commit()
    page = post(mine, begun, {"port": "shuwaikh"})
    assert "photo" in str(page.soup.select_one("#documents"))
    page = post(mine, begun, {}, "send")
    assert "TP/1/" in page.text
    with app.app_context():
        assert fresh(app, begun).status == Status.SUBMITTED
