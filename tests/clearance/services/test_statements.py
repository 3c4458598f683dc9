"""Statements of a definition: what they may say, every fault with its path."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import yaml
from flask import Flask

from clearance.services import reading, versions
from tests.support import issued_factories
from tests.support import request_factories as requests

PARAGRAPH = {"ar": "نص.", "en": "Text."}


def document(**changes: Any) -> dict[str, Any]:
    """The service with statements; changes are of its first one."""
    plain: dict[str, Any] = yaml.safe_load(issued_factories.PERMIT)
    plain["issued"][0] |= changes
    return plain


def test_the_permit_is_sound(context: Flask) -> None:
    assert versions.faults(document()) == []


def test_what_is_kept_of_it_is_what_was_written(context: Flask) -> None:
    issued_factories.publish_permit()
    written, _found = reading.parse(document())
    assert versions.current("port_permit").definition == written
    assert reading.parse(versions.document_of(written))[0] == written


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"paragraphs": [PARAGRAPH | {"en": "For {colour}."}]},
         "issued[0].paragraphs[0].en: unknown placeholder {colour}"),
        ({"paragraphs": [PARAGRAPH, PARAGRAPH | {"ar": "{Name}"}]},
         "issued[0].paragraphs[1].ar: unknown placeholder {Name}"),
        ({"paragraphs": [PARAGRAPH | {"ar": "{valid_until}"}], "valid": None},
         "issued[0].paragraphs[0].ar: unknown placeholder {valid_until}"),
        ({"paragraphs": [PARAGRAPH | {"or": {"vehicle": PARAGRAPH}}]},
         "issued[0].paragraphs[0].or: the paragraph does not name {vehicle}"),
        ({"paragraphs": [PARAGRAPH | {"when": {"field": "colour", "filled": True}}]},
         "issued[0].paragraphs[0].when: unknown field 'colour'"),
        ({"when": {"field": "port", "is": {"field": "harbour"}}},
         "issued[0].when: unknown field 'harbour'"),
        ({"show": ["port", "colour"]}, "issued[0].show[1]: unknown field 'colour'"),
        ({"valid": {"until": "colour"}}, "issued[0].valid.until: 'colour' is no field with a date"),
        ({"valid": {"until": "port"}}, "issued[0].valid.until: 'port' is no field with a date"),
        ({"valid": {"days": 3, "until": "ends_on"}},
         "issued[0].valid: valid needs either days or until"),
        ({"valid": {}}, "issued[0].valid: valid needs either days or until"),
        ({"prefix": "PP"}, "issued[0].prefix: 'PP' is the service's"),
        ({"prefix": "KW"}, "issued[0].prefix: 'KW' is that of other numbers"),
        ({"prefix": "CE"}, "issued[0].prefix: 'CE' is another service's"),
        ({"prefix": "TPE"}, "issued[1].prefix: 'TPE' is another statement's"),
        ({"name": "escort"}, "issued[1].name: 'escort' is another statement's"),
    ],
)  # fmt: skip
def test_a_bad_statement_prevents_publishing_with_its_path(
    context: Flask, changes: dict[str, Any], fault: str
) -> None:
    requests.load_services()
    assert fault in versions.faults(document(**changes))


def test_the_effect_follows_from_the_statements_and_is_not_named(context: Flask) -> None:
    assert versions.faults(document() | {"on_approval": ["issue_statements"]}) == [
        "on_approval: issue_statements follows from issued and is not named"
    ]


def test_the_end_of_a_statement_is_a_date_that_must_be_given(context: Flask) -> None:
    optional = document()
    optional["fields"] = [dict(field, required=False) for field in optional["fields"]]
    assert versions.faults(optional) == [
        "issued[0].valid.until: ends_on must be required, or the statement may have no end"
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"title": {"ar": "تصريح"}},
        {"paragraphs": []},
        {"paragraphs": [{"ar": "نص."}]},
        {"paragraphs": [PARAGRAPH | {"ar": "س" * 2001}]},
        {"paragraphs": [PARAGRAPH] * 41},
        {"prefix": "tpx"},
        {"valid": {"days": 0}},
    ],
)
def test_a_statement_lacks_no_language_and_keeps_its_bounds(
    context: Flask, changes: dict[str, Any]
) -> None:
    found = versions.faults(document(**changes))
    assert found and all(fault.startswith(f"issued[0].{next(iter(changes))}") for fault in found)


def test_a_prefix_stays_with_its_statement_even_if_a_later_version_drops_it(context: Flask) -> None:
    issued_factories.publish_permit()
    issued_factories.publish_permit(issued=[])
    assert versions.faults(document()) == []
    other = deepcopy(document()) | {"code": "other", "prefix": "OT"}
    assert versions.faults(other) == [
        "issued[0].prefix: 'TPX' is another statement's",
        "issued[1].prefix: 'TPE' is another statement's",
    ]
    assert versions.faults(document(name="pass")) == [
        "issued[0].prefix: 'TPX' is another statement's"
    ]
    assert versions.faults(yaml.safe_load(requests.TRIVIAL) | {"prefix": "TPX"}) == [
        "prefix: 'TPX' is a statement's"
    ]


def test_marks_that_an_author_typed_are_dropped(context: Flask) -> None:
    marked = document(paragraphs=[PARAGRAPH | {"ar": "\u200fنص \u202b{name}\u202c."}])
    issued_factories.publish_permit(issued=marked["issued"])
    statement = versions.current("port_permit").definition.issued[0]
    assert statement.paragraphs[0].ar == "نص {name}."
