"""Texts of a definition for a translator: which there are, and what comes back of them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import NotFound
from clearance.files.tables import BadTable
from clearance.models.enums import Role
from clearance.services import drafting, translation_sheets
from clearance.services.translation_sheets import HEADINGS, Outcome, Row
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.permit import PERMIT
from tests.support.workbooks import xlsx

NOW = utc_now()
CODE = "temporary_permit"
PORT = "fields.port.label"


@pytest.fixture
def keeper(context: Flask) -> Actor:
    requests.publish(PERMIT)
    return actor_of(factories.make_staff(Role.ADMINISTRATOR))


def rows(keeper: Actor, **texts: str) -> list[Row]:
    """The rows of the draft's sheet, with the texts of the port's label changed."""
    found = {each[0]: each for each in translation_sheets.rows_of(drafting.source(CODE))}
    path, ar, en, _stale, check = found[PORT]
    return [Row(path, texts.get("ar", ar), texts.get("en", en), check)]


def change(keeper: Actor, seen: int = 0, **values: Any) -> None:
    drafting.change(CODE, lambda each: each.update(values), seen, keeper, NOW)


def port() -> Any:
    fields = drafting.source(CODE).document["fields"]
    return next(each["label"] for each in fields if each["name"] == "port")


def apply(keeper: Actor, sheet: list[Row]) -> Outcome:
    return translation_sheets.apply(CODE, sheet, keeper, NOW)


def test_texts_are_named_by_their_parts() -> None:
    words = {"ar": {"title": "ع", "body": "ن"}, "en": {"title": "T", "sms": "S"}}
    texts = translation_sheets.texts_of(
        {
            "title": {"ar": "خدمة", "en": "Service"},
            "conditions": [{"ar": "شرط"}],
            "fields": [{"name": "a", "choices": [{"value": "x", "label": {"en": "X"}}]}, 3, {}],
            "documents": [{"kind": "photo", "note": {"ar": "م", "en": "N"}}],
            "issued": [
                {"name": "p", "paragraphs": [{"ar": "ف", "en": "P", "or": {"b": {"ar": "-"}}}]}
            ],
            "messages": {"approved": words},
            "guards": [],
            "schema": 2,
        }
    )
    assert {path: (text.ar, text.en) for path, text in texts.items()} == {
        "title": ("خدمة", "Service"),
        "conditions.1": ("شرط", ""),
        "fields.a.choices.x.label": ("", "X"),
        "documents.photo.note": ("م", "N"),
        "issued.p.paragraphs.1": ("ف", "P"),
        "issued.p.paragraphs.1.or.b": ("-", ""),
        "messages.approved.title": ("ع", "T"),
        "messages.approved.body": ("ن", ""),
        "messages.approved.sms": ("", "S"),
    }


def test_texts_written_back_change_only_their_language() -> None:
    document: dict[str, Any] = {
        "title": {"ar": "خدمة"},
        "messages": {"approved": {"ar": {"title": "ع"}, "en": 3}},
    }
    texts = translation_sheets.texts_of(document)
    texts["title"].write("en", "Service")
    texts["messages.approved.title"].write("en", "T")
    assert document == {
        "title": {"ar": "خدمة", "en": "Service"},
        "messages": {"approved": {"ar": {"title": "ع"}, "en": {"title": "T"}}},
    }


def test_what_is_missing_or_older_than_the_other_language_is_marked(keeper: Actor) -> None:
    assert {each[3] for each in translation_sheets.rows_of(drafting.source(CODE))} == {""}
    title, both = {"ar": "طلب تصريح مؤقت", "en": "Permit"}, {"ar": "جديد", "en": "New"}
    change(keeper, title=title, description=both, button={"en": "Ask"})
    marked = {each[0]: each[3] for each in translation_sheets.rows_of(drafting.source(CODE))}
    arabic = str(HEADINGS["ar"])
    assert {path: mark for path, mark in marked.items() if mark} == {
        "title": arabic,
        "button": arabic,
    }


def test_translated_texts_go_into_the_draft_and_undo_takes_them_back(keeper: Actor) -> None:
    assert apply(keeper, rows(keeper, en=" Harbour\u200f ")).applied == [PORT]
    assert port() == {"ar": "الميناء", "en": "Harbour"}
    drafting.undo(CODE, 1, keeper, NOW)
    assert port()["en"] == "Port"


def test_a_sheet_that_says_the_same_begins_no_draft(keeper: Actor) -> None:
    sheet = [Row(*row[:3], row[4]) for row in translation_sheets.rows_of(drafting.source(CODE))]
    assert apply(keeper, [*sheet, *rows(keeper, ar="", en="")]) == Outcome()
    assert drafting.source(CODE).draft is None


def test_spaces_that_a_sheet_folds_are_no_change(keeper: Actor) -> None:
    change(keeper, title={"ar": "طلب  تصريح", "en": "Permit "})
    (text,) = (
        row for row in translation_sheets.rows_of(drafting.source(CODE)) if row[0] == "title"
    )
    assert apply(keeper, [Row("title", "طلب تصريح", "Permit", text[4])]) == Outcome()


def test_texts_that_changed_meanwhile_are_named_and_left(keeper: Actor) -> None:
    sheet = rows(keeper, en="Harbour")
    assert apply(keeper, rows(keeper, ar="المرفأ")).applied == [PORT]
    assert apply(keeper, sheet).changed == [PORT]
    assert port() == {"ar": "المرفأ", "en": "Port"}
    assert apply(keeper, rows(keeper, ar="المرفأ")) == Outcome()  # it says so already


def test_unknown_and_long_texts_are_named_and_left(keeper: Actor) -> None:
    (row,) = rows(keeper, en="x" * 2001)
    outcome = apply(keeper, [row, Row("fields.ghost.label", "x", "x", "x")])
    assert (outcome.too_long, outcome.unknown) == ([PORT], ["fields.ghost.label"])
    assert drafting.source(CODE).draft is None
    with pytest.raises(NotFound):
        translation_sheets.apply("ghost", [], keeper, NOW)


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_a_workbook_is_read_by_its_headings_in_either_language(app: Flask, lang: str) -> None:
    with app.test_request_context(headers={"Cookie": f"lang={lang}"}):
        header = [str(heading) for heading in HEADINGS.values()]
    with app.test_request_context():
        data = xlsx(header, [PORT, "المرفأ", "=Harbour\nTwo", "", "abc"])
        assert translation_sheets.read(data) == [Row(PORT, "المرفأ", "=Harbour\nTwo", "abc")]


def test_a_sheet_without_its_columns_is_refused(context: Flask) -> None:
    for data in (b"", b"path,ar,en\na,b,c\n", xlsx(["path", "ar", "check"], ["a", "b", "c"])):
        with pytest.raises(BadTable):
            translation_sheets.read(data)
