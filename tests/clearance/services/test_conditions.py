"""Conditions on answers: the table that the browser follows too, and what no definition may say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from clearance.services.conditions import Condition
from clearance.services.schema import Definition
from forms.request_form import request_form
from tests.clearance.services.test_versions import document

TABLE = json.loads((Path(__file__).parents[2] / "conditions.json").read_text(encoding="utf-8"))
OPTIONS = [{"value": value, "label": {"ar": value, "en": value}} for value in "abc"]


def definition_of(fields: list[Any]) -> Definition:
    """Return a service with these fields: pairs of a name and its condition."""
    specs = []
    for name, when in fields:
        kind = TABLE["kinds"].get(name, "text")
        spec = {"name": name, "type": kind, "label": {"ar": name, "en": name}, "when": when}
        specs.append(spec | ({"choices": OPTIONS} if kind in ("choice", "choices") else {}))
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
