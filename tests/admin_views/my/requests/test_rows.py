"""Rows in a request's form: added, removed, saved, sent, corrected, read, printed and exported."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from clearance.accounts import data_archive
from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.values import civil_number_for
from clearance.models import Event, Request
from clearance.models.enums import Status
from clearance.requests import completeness, drafts, notice_values, printing
from clearance.requests.corrections import KIND
from clearance.requests.field_values import value_of, visible
from clearance.services import versions
from clearance.services.decisions import RemarkInput, Remarks
from clearance.services.flows import Action
from tests.admin_views.my.conftest import People
from tests.admin_views.my.requests.test_own_forms import FORM, fresh, is_hidden, post
from tests.support import factories, permit, request_factories
from tests.support.batches import begin, make_licences
from tests.support.pages import Page, PageClient, form_data

RICE = {"items-0-goods_name": "Rice", "items-0-pieces": "3", "items-0-sort": "plain"}
TEA = {"items-1-goods_name": "Tea", "items-1-price": "2.5", "items-1-sort": "plain"}
DRIVER = civil_number_for(date(1988, 1, 1), 1)
KEPT = [
    {"goods_name": "Rice", "pieces": 3, "sort": "plain", "fragile": False},
    {"goods_name": "Tea", "price": "2.500", "sort": "plain", "fragile": False},
]


@pytest.fixture
def begun(app: Flask, people: People) -> int:
    with app.app_context():
        return permit.begin(people.owner, permit.with_items()).id


def rows_of(app: Flask, request_id: int) -> Any:
    with app.app_context():
        return fresh(app, request_id).answers.get("items")


def keys(page: Page) -> list[str]:
    return [str(each["data-row"]) for each in page.soup.select(".rows > [data-row]")]


def told(page: Page) -> str:
    """Return the error of the rows as a whole."""
    error = page.soup.find(id="items-error")
    return "" if error is None else str(error.get_text(" ", strip=True))


def send(client: PageClient, request_id: int, status: int = 200, **values: Any) -> Page:
    """Post raw values over those of the page, without its rows."""
    seen = form_data(client.get(f"/my/requests/{request_id}/form").form(FORM))
    plain = {name: each for name, each in seen.items() if not name.startswith("items-")}
    return client.post(
        f"/my/requests/{request_id}/form", plain | permit.GOOD | values, status=status
    )


def test_without_scripts_rows_are_added_and_removed_by_buttons_that_save(
    app: Flask, mine: PageClient, begun: int
) -> None:
    page = post(mine, begun, permit.GOOD | RICE, "add:items")
    assert rows_of(app, begun) == KEPT[:1] and keys(page) == ["0", "1"]
    page = mine.submit(page, TEA | {"submit": "add:items"}, form=FORM)
    assert rows_of(app, begun) == KEPT and keys(page) == ["0", "1", "2"]
    page = mine.submit(page, {"submit": "remove:items-0"}, form=FORM)
    assert rows_of(app, begun) == KEPT[1:] and keys(page) == ["0"]
    legends = [each.get_text(" ", strip=True) for each in page.soup.select(".row-card > legend")]
    assert legends[0] == "Item 1"
    page = mine.submit(page, {"submit": "remove:items-0"}, form=FORM)
    assert rows_of(app, begun) is None and keys(page) == ["0"]


def test_no_more_rows_than_allowed_are_offered_and_more_cannot_be_sent(
    app: Flask, mine: PageClient, begun: int
) -> None:
    many = {f"items-{place}-{key}": "plain" for place in range(5) for key in ("goods_name", "sort")}
    page = post(mine, begun, permit.GOOD | many)
    assert len(rows_of(app, begun)) == 5
    assert page.soup.select_one("[data-row-add][hidden]") is not None
    assert len(keys(post(mine, begun, {}, "add:items"))) == 5
    page = post(mine, begun, {}, "send")
    assert "The maximum number of rows is 4." in told(page)


def test_a_wrong_cell_is_told_with_its_row_and_the_others_are_saved(
    app: Flask, mine: PageClient, begun: int
) -> None:
    wrong = {"items-1-pieces": "many", "items-1-packed_on": "01/01/2031"}
    page = post(mine, begun, permit.GOOD | RICE | TEA | wrong)
    assert "whole number" in page.error_of("items-1-pieces")
    assert "in the past" in page.error_of("items-1-packed_on")
    links = {str(each["href"]): each.text for each in page.soup.select("[data-error-summary] a")}
    assert links["#items-1-pieces"].startswith("Items: Item 2, Pieces: ")
    assert page.soup.find(attrs={"name": "items-1-pieces"})["value"] == "many"
    assert rows_of(app, begun) == KEPT


def test_rows_are_complete_before_they_are_sent_and_empty_ones_do_not_count(
    app: Flask, mine: PageClient, begun: int
) -> None:
    page = post(mine, begun, permit.GOOD, "send")
    assert told(page) and not page.error_of("items-0-goods_name")
    page = post(mine, begun, {**RICE, "items-0-sort": ""}, "send")
    assert page.error_of("items-0-sort") and "Item 1, Sort" in told(page)
    page = post(mine, begun, RICE, "send")
    assert "The minimum number of rows is 2." in told(page)
    send(mine, begun, items="rows", submit="send", **RICE, **{"items-7-goods_name": " "}, **TEA)
    with app.app_context():
        assert fresh(app, begun).status == Status.SUBMITTED
    assert rows_of(app, begun) == KEPT


def test_conditions_of_columns_look_at_earlier_columns_and_fields_outside(
    app: Flask, mine: PageClient, begun: int
) -> None:
    page = post(mine, begun, permit.GOOD | RICE | {"items-0-sort": "other_sort"})
    assert not is_hidden(page, "items-0-which") and is_hidden(page, "items-0-driver")
    page = post(mine, begun, {"purpose": "cargo"})
    assert not is_hidden(page, "items-0-driver")
    hidden = {"items-0-driver": "12", "items-0-which": "x", "items-0-sort": "plain"}
    page = post(mine, begun, TEA | hidden | {"purpose": "crew"}, "send")
    assert not page.soup.select("[data-error-summary]")
    assert rows_of(app, begun) == KEPT  # without the two hidden cells, one of them wrong


def test_a_row_of_which_only_hidden_cells_are_filled_in_is_empty(
    app: Flask, mine: PageClient, begun: int
) -> None:
    left = {"items-2-driver": DRIVER}
    page = send(mine, begun, items="rows", submit="send", **RICE, **TEA, **left)
    assert not page.soup.select("[data-error-summary]") and rows_of(app, begun) == KEPT


def test_a_row_with_nothing_but_a_wrong_value_is_told(mine: PageClient, begun: int) -> None:
    wrong = {"items-2-pieces": "many"}
    page = send(mine, begun, items="rows", submit="send", **RICE, **TEA, **wrong)
    assert page.error_of("items-2-pieces") and not page.error_of("items-2-goods_name")


def test_a_draft_keeps_a_hidden_cell_until_it_is_sent(
    app: Flask, mine: PageClient, begun: int
) -> None:
    cargo = {"purpose": "cargo", "items-0-driver": DRIVER}
    post(mine, begun, permit.GOOD | RICE | TEA | cargo)
    post(mine, begun, {"purpose": "crew"})
    assert rows_of(app, begun)[0]["driver"] == DRIVER
    assert DRIVER not in mine.get(f"/my/requests/details/?id={begun}").text
    post(mine, begun, {}, "send")
    assert rows_of(app, begun) == KEPT


@pytest.mark.parametrize(
    "forged",
    [
        {"items-²-goods_name": "x"},
        {"items-99999-goods_name": "x"},
        {"items--1-goods_name": "x"},
        {"items-x-goods_name": "x", "items-blank-goods_name": "x"},
        {"items-0-nothing": "x", "items-0-": "x", "items-0": "x"},
        {"items-0-sort": "gold"},
    ],
)
def test_forged_rows_are_ignored(
    app: Flask, mine: PageClient, begun: int, forged: dict[str, str]
) -> None:
    answer = send(mine, begun, items="rows", submit="save", **forged)
    assert answer.status in (200, 303) and not rows_of(app, begun)


def test_rows_with_gaps_come_in_the_order_of_their_numbers(
    app: Flask, mine: PageClient, begun: int
) -> None:
    named: dict[str, Any] = {f"items-{key}-goods_name": f"Nr {key}" for key in (12, 3, 700)}
    named["items-3-goods_name"] = ["Nr 3", "twice"]
    send(mine, begun, items="rows", submit="save", **named)
    assert [row["goods_name"] for row in rows_of(app, begun)] == ["Nr 3", "Nr 12", "Nr 700"]


def test_thousands_of_rows_are_told_and_not_saved(app: Flask, mine: PageClient, begun: int) -> None:
    post(mine, begun, permit.GOOD | RICE)
    many = {f"items-{key}-goods_name": "x" for key in range(3000)}
    page = send(mine, begun, items="rows", submit="save", **many)
    assert "The maximum number of rows is 30." in told(page)
    assert rows_of(app, begun) == KEPT[:1] and len(keys(page)) == 30
    flood = {f"items-{key}-goods_name": "x" for key in range(10_000)}
    send(mine, begun, 413, items="rows", submit="save", **flood)


def test_a_page_without_the_rows_leaves_them_alone_and_autosave_can_empty_them(
    app: Flask, mine: PageClient, begun: int
) -> None:
    page = post(mine, begun, permit.GOOD | RICE)
    seen = form_data(page.form(FORM))
    plain = {name: each for name, each in seen.items() if not name.startswith("items")}
    address = f"/my/requests/{begun}/form/autosave"
    version = mine.http.post(address, data=plain).get_json()["version"]
    assert rows_of(app, begun) == KEPT[:1]
    version = mine.http.post(address, data=seen | TEA | {"version": version}).get_json()["version"]
    assert rows_of(app, begun) == KEPT
    mine.http.post(address, data=plain | {"items": "rows", "version": version})
    assert rows_of(app, begun) is None


def test_a_stored_draft_that_holds_no_rows_opens(app: Flask, mine: PageClient, begun: int) -> None:
    for held in ("text", 7, [1, ["x"], {"gone": 1}], {"a": 1}, [{"pieces": "many", "sort": []}]):
        with app.app_context():
            req = fresh(app, begun)
            req.answers = {**req.answers, "items": held}
            db.session.commit()
        assert keys(mine.get(f"/my/requests/{begun}/form")) == ["0"]
        mine.get(f"/my/requests/details/?id={begun}")
        with app.app_context():
            assert completeness.missing(fresh(app, begun))


def test_a_correction_of_a_row_is_recorded_and_read_by_its_row(
    app: Flask, browser: Callable[..., PageClient], mine: PageClient, begun: int, people: People
) -> None:
    post(mine, begun, permit.GOOD | RICE | TEA, "send")
    with app.app_context():
        req = fresh(app, begun)
        remark = Remarks(remarks=(RemarkInput(text="كم العدد؟", field="items"),))
        request_factories.step(req, Action.RETURN, people.staff, reason="صحح.", data=remark)
        assert completeness.open_fields(req) == {"items"}
    page = mine.get(f"/my/requests/{begun}/form")
    assert "كم العدد؟" in page.soup.select_one(".rows .remark").text
    post(mine, begun, {"items-1-pieces": "9"}, "send")
    with app.app_context():
        assert fresh(app, begun).status == Status.SUBMITTED
        event = db.session.scalars(sa.select(Event).where(Event.kind == KIND)).one()
        assert event.changes["items"] == [KEPT, [KEPT[0], KEPT[1] | {"pieces": 9}]]
    page = browser(people.staff).get(f"/office/requests/details/?id={begun}")
    changed = page.soup.select_one("#changes")
    assert "Item 2 – Name: Tea; Pieces: 9" in changed.ins.text and "Rice" not in changed.text


def test_a_field_outside_that_a_column_reads_opens_the_rows_too(
    app: Flask, mine: PageClient, begun: int, people: People
) -> None:
    post(mine, begun, permit.GOOD | RICE | TEA, "send")
    with app.app_context():
        req = fresh(app, begun)
        remark = Remarks(remarks=(RemarkInput(text="لماذا؟", field="purpose"),))
        request_factories.step(req, Action.RETURN, people.staff, reason="صحح.", data=remark)
        assert "items" in completeness.open_fields(req)


def test_rows_are_a_table_on_pages_and_in_print_and_lines_elsewhere(
    app: Flask, browser: Callable[..., PageClient], mine: PageClient, begun: int, people: People
) -> None:
    post(mine, begun, permit.GOOD | RICE | TEA, "send")
    office = browser(people.staff)
    for page in (
        mine.get(f"/my/requests/details/?id={begun}"),
        office.get(f"/office/requests/details/?id={begun}"),
    ):
        table = page.soup.select_one(".definition-rows table")
        heads = [each.text for each in table.select("th")]
        assert heads == ["Name", "Pieces", "Price", "Sort", "Fragile"]
        cells = [[each.text for each in row.select("td")] for row in table.select("tbody tr")]
        assert cells[1] == ["Tea", "–", "2.500 KWD", "Plain", "No"]
    with app.app_context():
        req = fresh(app, begun)
        with force_locale("ar"):
            (rows,) = (
                field
                for group in printing._content(req, "ar", actor_of(people.owner))["groups"]
                for field in group["fields"]
                if "rows" in field
            )
        assert "Rice" in rows["rows"][0][0] and rows["heads"][0] == "الاسم"
        assert printing.request_pdf(req, "ar", actor_of(people.owner)).startswith(b"%PDF")
        (copy,) = data_archive.requests(Request.id == begun, people.owner.id)
        assert copy["answers"]["items"] == KEPT
        told = notice_values.answers(req, ["items"])["items"]["en"]
        assert told.startswith("Item 1 – Name: Rice; Pieces: 3")


def test_an_export_has_the_rows_in_one_cell(
    app: Flask, browser: Callable[..., PageClient], mine: PageClient, begun: int
) -> None:
    post(mine, begun, permit.GOOD | RICE | {"items-0-goods_name": "=1+1"} | TEA, "send")
    with app.app_context():
        manager = factories.make_staff("manager")
    address = "/office/requests/export/csv/?flt0_service=temporary_permit"
    (row,) = browser(manager).get(address, check=False).csv_rows
    lines = row["Items"].split("\n")
    assert lines[0].startswith("Item 1 – Name: =1+1; Pieces: 3") and lines[1].startswith("Item 2")


def test_a_copy_takes_the_rows_and_leaves_cells_whose_type_changed(
    app: Flask, mine: PageClient, begun: int, people: People
) -> None:
    post(mine, begun, permit.GOOD | RICE | TEA, "send")
    changed = permit.with_items()
    columns = changed["fields"][-1]["columns"]
    columns[1] = {"name": "pieces", "type": "date", "label": columns[1]["label"]}
    del columns[2]
    with app.app_context():
        earlier = fresh(app, begun)
        request_factories.publish(json.dumps(changed))
        copy = drafts.start("temporary_permit", actor_of(people.owner), utc_now(), copy_of=earlier)
        db.session.commit()
        spec = versions.for_request(copy).field("items")
        assert spec is not None
        rows = value_of(copy, spec)
        assert [row["goods_name"] for row in rows] == ["Rice", "Tea"]
        assert rows[0]["pieces"] is None and "price" not in rows[1]
        assert visible(copy)["items"]


def test_the_table_of_several_brokers_leads_to_the_rows_of_each(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        renewal = versions.current("renewal").definition.model_dump(mode="json", by_alias=True)
        label = {"ar": "البطاقات", "en": "Cards"}
        column = {"name": "card_no", "type": "text", "required": True, "label": label}
        cards = {"name": "cards", "type": "rows", "required": True, "label": label}
        fields = [*renewal["fields"], cards | {"columns": [column]}]
        request_factories.publish(json.dumps(renewal), fields=fields)
    page = begin(mine, make_licences(app, people, 2))
    assert not page.soup.select("[name$=cards], [data-fills=cards]")
    link = page.soup.select_one(".grid-row a[href$='#cards']")
    one = mine.get(str(link["href"]).partition("#")[0])
    mine.submit(one, {"cards-0-card_no": "7", "submit": "save"}, form=FORM)
    cells = [
        each.text for each in mine.get(page.url).soup.select(".grid-row td:has([href$=cards])")
    ]
    assert "1 row filled in" in cells[0] and "0 rows filled in" in cells[1]
    page = mine.submit(mine.get(page.url), {"submit": "send"}, form="#grid-form")
    assert "Cards: Fill in this field." in page.soup.select_one("[data-error-summary]").text
