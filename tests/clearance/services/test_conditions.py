"""Conditions on answers: the table that the browser follows too, and what no definition may say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from clearance.services import condition_words
from clearance.services.conditions import Condition
from clearance.services.schema import Definition
from forms.request_form import request_form
from tests.clearance.services.test_versions import document
from tests.support.permit import permit

TABLE = json.loads((Path(__file__).parents[2] / "conditions.json").read_text(encoding="utf-8"))
COLUMNS = [
    {"name": name, "type": kind, "label": {"ar": name, "en": name}, "when": when}
    for name, kind, when in TABLE["columns"]
]
OPTIONS = [{"value": value, "label": {"ar": value, "en": value}} for value in "abc"]


def definition_of(fields: list[Any]) -> Definition:
    """Return a service with these fields: pairs of a name and its condition."""
    specs = []
    for name, when in fields:
        kind = TABLE["kinds"].get(name, "text")
        spec = {"name": name, "type": kind, "label": {"ar": name, "en": name}, "when": when}
        spec |= {"choices": OPTIONS} if kind in ("choice", "choices") else {}
        specs.append(spec | ({"columns": COLUMNS} if kind == "rows" else {}))
    return Definition.model_validate(document(fields=specs))


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: str(case["case"]))
def test_a_form_shows_what_the_table_says(context: Flask, case: dict[str, Any]) -> None:
    definition = definition_of(case["fields"])
    names = [spec.name for spec in definition.asked]
    with context.test_request_context(method="POST", data=MultiDict(case["typed"])):
        form = request_form(definition, names, "en", {"legal_entity": "clearing_agent"})
        form.validate()
        assert [name for name in names if name in form.shown] == case["shown"]


def test_a_condition_is_kept_as_it_was_written() -> None:
    for case in TABLE["cases"]:
        for _name, when in case["fields"]:
            if when is not None:
                read = Condition.model_validate(when)
                assert json.loads(read.as_json) == when
                assert Condition.model_validate_json(read.as_json) == read


@pytest.mark.parametrize(
    "when",
    [
        {},
        {"field": "port"},
        {"is": ["a"]},
        {"field": "port", "is": []},
        {"field": "port", "is": ["a"], "filled": True},
        {"field": "port", "is": ["a"], "all": [{"field": "port", "filled": True}]},
        {"all": [], "any": []},
        {"all": [{"field": "port", "filled": True}], "any": [{"field": "port", "filled": True}]},
        {"field": "Port", "filled": True},
        {"field": "port", "filled": "yes"},
        {"field": "port", "like": "a"},
        {"field": "port", "at_least": {"field": "crew", "plus": 1}},
        {"field": "port", "at_least": None},
    ],
)
def test_a_condition_says_one_thing(when: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Condition.model_validate(when)


def test_values_of_no_kind_never_raise() -> None:
    odd = [None, "", "x", 3, True, (), ("a",), "2027-01-01", "NaN", "1e999"]
    for name in ("is", "is_not", "at_least", "at_most", "before", "after"):
        for operand in ("x", "NaN", "2027-13-40", 7, True, {"field": "b"}):
            condition = Condition.model_validate({"field": "a", name: operand})
            for value in odd:
                for other in odd:
                    assert condition.holds({"a": value, "b": other}) in (True, False)


@pytest.mark.parametrize(
    ("when", "ar", "en"),
    [
        ({"field": "port", "is": ["other"]}, "«الميناء» هو «أخرى»", "“Port” is “Other”"),
        (
            {"field": "port", "is_not": ["shuwaikh", "other"]},
            "«الميناء» ليس «الشويخ» أو «أخرى»",
            "“Port” is not “Shuwaikh” or “Other”",
        ),
        (
            {"field": "visitors", "at_least": 10},
            "«عدد الزوار» لا يقل عن 10 أشخاص",
            "“Number of visitors” is at least 10 people",
        ),
        (
            {"field": "value", "at_most": "12.5"},
            "«القيمة» لا يزيد على 12.500 د.ك",
            "“Value” is at most 12.500 KWD",
        ),
        (
            {"field": "ends_on", "before": {"field": "starts_on"}},
            "«إلى» قبل «من»",
            "“To” is before “From”",
        ),
        (
            {"field": "ends_on", "after": "2027-02-01"},
            "«إلى» بعد 01/02/2027",
            "is after 01/02/2027",
        ),
        ({"field": "goods", "filled": False}, "«نوع البضاعة» فارغ", "“Kinds of goods” is empty"),
        ({"field": "goods", "filled": True}, "أُدخل «نوع البضاعة»", "is filled in"),
        ({"field": "applicant_is", "is": ["own"]}, "صاحب الشأن", "“the person themselves”"),
        (
            {
                "all": [
                    {"field": "port", "is": ["other"]},
                    {"any": [{"field": name, "filled": True} for name in ("goods", "value")]},
                ]
            },
            "«الميناء» هو «أخرى» و(أُدخل «نوع البضاعة» أو أُدخل «القيمة»)",
            "“Port” is “Other” and (“Kinds of goods” is filled in or “Value” is filled in)",
        ),
    ],
)
def test_a_condition_is_read_back_as_a_sentence(
    context: Flask, when: dict[str, Any], ar: str, en: str
) -> None:
    definition = Definition.model_validate(permit())
    for lang, words in (("ar", ar), ("en", en)):
        with force_locale(lang):
            assert words in condition_words.in_words(Condition.model_validate(when), definition)


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ({"field": "box", "is": [True]}, "“Box” is ticked"),
        ({"field": "box", "filled": False}, "“Box” is not ticked"),
        ({"field": "box", "is_not": [True]}, "“Box” is not ticked"),
    ],
)
def test_a_box_is_ticked_or_not(context: Flask, when: dict[str, Any], words: str) -> None:
    box = {"name": "box", "type": "bool", "label": {"ar": "مربع", "en": "Box"}}
    definition = Definition.model_validate(permit(fields=[box]))
    with force_locale("en"):
        assert condition_words.in_words(Condition.model_validate(when), definition) == words
