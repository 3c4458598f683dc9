"""The ways through a service: what is told apart, what is one branch, and the bound."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from flask import Flask
from flask_babel import force_locale

from clearance.services import condition_words, ways
from clearance.services.schema import Definition
from clearance.services.ways import Way
from tests.support.permit import permit
from tests.support.request_factories import TRIVIAL


def field(name: str, type_: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, "label": {"ar": name, "en": name}, **more}


def choices(*names: str) -> list[dict[str, Any]]:
    return [{"value": name, "label": {"ar": name, "en": name}} for name in names]


def definition(*fields: dict[str, Any], **changes: Any) -> Definition:
    document = yaml.safe_load(TRIVIAL) | {"fields": fields} | changes
    return Definition.model_validate({key: each for key, each in document.items() if each})


def told(service: Definition) -> list[tuple[str, tuple[str, ...]]]:
    """Return the answers of each way in words, and its fields."""
    with force_locale("en"):
        return [
            (
                "; ".join(condition_words.in_words(answer, service) for answer in way.answers),
                way.fields,
            )
            for way in ways.through(service).ways
        ]


PORT = field("port", "choice", required=True, choices=choices("a", "b", "c", "d"))


def test_answers_that_lead_to_the_same_rest_are_one_branch(context: Flask) -> None:
    service = definition(PORT, field("name", when={"field": "port", "is": ["c", "d"]}))
    assert told(service) == [
        ("“port” is “a” or “b”", ("port",)),
        ("“port” is “c” or “d”", ("port", "name")),
    ]


def test_answers_that_make_no_difference_are_not_named(context: Flask) -> None:
    assert told(definition(PORT)) == [("", ("port",))]
    dead = {"all": [{"field": "port", "is": ["a"]}, {"field": "port", "is": ["b"]}]}
    assert told(definition(PORT, field("name", when=dead))) == [("", ("port",))]


@pytest.mark.parametrize(
    ("asked", "when", "answers"),
    [
        (field("crew", "number", required=True), {"at_least": 10},
         ["“crew” is at most 9", "“crew” is at least 10"]),
        (field("crew", "number", required=True, minimum=1, maximum=9), {"at_least": 10}, [""]),
        (field("day", "date", required=True), {"before": "2027-01-31"},
         ["“day” is before 31/01/2027", "“day” is after 30/01/2027"]),
        (field("box", "bool"), {"is": [True]}, ["“box” is ticked", "“box” is not ticked"]),
        (field("box", "bool", required=True), {"is": [True]}, ["“box” is ticked"]),
        (field("word"), {"filled": True}, ["“word” is filled in", "“word” is empty"]),
        (PORT | {"required": False}, {"is": ["a"]},
         ["“port” is “a”", "“port” is “b” or “c” or “d” or “port” is empty"]),
        (field("many", "choices", required=True, choices=choices("a", "b")), {"is": ["a"]},
         ["“many” is “a”", "“many” is not “a”"]),
    ],
)  # fmt: skip
def test_each_type_of_answer_is_told_apart(
    context: Flask, asked: dict[str, Any], when: dict[str, Any], answers: list[str]
) -> None:
    service = definition(asked, field("last", when={"field": asked["name"], **when}))
    if len(answers) == 1:
        answers = [""]
    assert [words for words, _fields in told(service)] == answers


def test_limits_of_one_answer_are_told_once(context: Flask) -> None:
    crew = field("crew", "number", required=True)
    few, many = ({"field": "crew", "at_least": number} for number in (2, 10))
    found = told(definition(crew, field("few", when=few), field("many", when=many)))
    assert [words for words, _fields in found] == [
        "“crew” is at most 1",
        "“crew” is at least 2 and “crew” is at most 9",
        "“crew” is at least 10",
    ]


def test_answers_are_compared_with_each_other(context: Flask) -> None:
    first, last = field("first", "date", required=True), field("last", "date", required=True)
    late = {"field": "last", "before": {"field": "first"}}
    assert [words for words, _fields in told(definition(first, last, field("why", when=late)))] == [
        "“last” is before “first”",
        "“last” is “first” or “last” is after “first”",
    ]


def test_ways_go_on_through_documents_stages_and_what_is_issued(context: Flask) -> None:
    title = {"ar": "أ", "en": "A"}
    check = {"name": "check", "title": title, "fields": [field("found", "bool")]}
    on_found = {"field": "found", "is": [True]}
    paper = {"name": "paper", "title": title, "prefix": "AA", "paragraphs": [title]}
    service = definition(
        PORT,
        flow="",
        documents=[{"kind": "photo", "when": {"field": "port", "is": ["a"]}}],
        stages=[check, {"name": "sign", "title": title, "when": on_found}],
        issued=[paper | {"when": on_found}],
    )
    found = [(way.documents, way.stages, way.issued) for way in ways.through(service).ways]
    assert found == [
        (("photo",), ("check", "sign"), ("paper",)),
        (("photo",), ("check",), ()),
        ((), ("check", "sign"), ("paper",)),
        ((), ("check",), ()),
    ]
    about = definition(
        PORT, documents=[{"kind": "photo", "broker_types": ["private"]}, {"kind": "other"}]
    )
    assert [way.documents for way in ways.through(about).ways] == [("photo", "other"), ("other",)]


def test_the_permit_is_told_as_people_read_it(context: Flask) -> None:
    service = Definition.model_validate(permit())
    found = ways.through(service)
    assert found.are_all and len(found.ways) == len(set(found.ways))
    assert told(service)[-1][0].startswith("“Purpose” is “Crew”")
    cargo = {name for way in found.ways for name in way.fields if "office_letter" in way.documents}
    assert {"goods", "value", "driver_passport"} <= cargo
    assert not {"goods", "value"} & set(found.ways[-1].fields)


def test_more_ways_than_are_looked_at_are_bounded(context: Flask) -> None:
    boxes = [field(f"box_{number}", "bool") for number in range(12)]
    more = [
        field(f"more_{number}", when={"field": f"box_{number}", "is": [True]})
        for number in range(12)
    ]
    found = ways.through(definition(*boxes, *more))
    assert not found.are_all and len(found.ways) == ways.MOST
    assert isinstance(found.ways[0], Way) and len(found.ways[0].answers) == 12
