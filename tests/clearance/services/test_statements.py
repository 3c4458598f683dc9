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
         "issued[0].paragraphs[0].en: There is no placeholder {colour}."),
        ({"paragraphs": [PARAGRAPH, PARAGRAPH | {"ar": "{Name}"}]},
         "issued[0].paragraphs[1].ar: There is no placeholder {Name}."),
        ({"paragraphs": [PARAGRAPH | {"ar": "{valid_until}"}], "valid": None},
         "issued[0].paragraphs[0].ar: There is no placeholder {valid_until}."),
        ({"paragraphs": [PARAGRAPH | {"or": {"vehicle": PARAGRAPH}}]},
         "issued[0].paragraphs[0].or: The paragraph does not have the placeholder {vehicle}."),
        ({"paragraphs": [PARAGRAPH | {"when": {"field": "colour", "filled": True}}]},
         "issued[0].paragraphs[0].when: There is no field “colour”."),
        ({"when": {"field": "port", "is": {"field": "harbour"}}},
         "issued[0].when: There is no field “harbour”."),
        ({"show": ["port", "colour"]}, "issued[0].show[1]: There is no field “colour”."),
        ({"valid": {"until": "colour"}}, "issued[0].valid.until: “colour” is no date of the form."),
        ({"valid": {"until": "port"}}, "issued[0].valid.until: “Port” is no date of the form."),
        ({"valid": {"days": 3, "until": "ends_on"}},
         "issued[0].valid: Validity: Give either a number of days or a date."),
        ({"valid": {}}, "issued[0].valid: Validity: Give either a number of days or a date."),
        ({"prefix": "PP"}, "issued[0].prefix: Other numbers have the prefix PP."),
        ({"prefix": "KW"}, "issued[0].prefix: Other numbers have the prefix KW."),
        ({"prefix": "CE"}, "issued[0].prefix: Other numbers have the prefix CE."),
        ({"prefix": "TPE"}, "issued[1].prefix: Another document issued has the prefix TPE."),
        ({"name": "escort"}, "issued[1].name: “escort” is there twice."),
    ],
)  # fmt: skip
def test_a_bad_statement_prevents_publishing_with_its_path(
    context: Flask, changes: dict[str, Any], fault: str
) -> None:
    requests.load_services()
    assert fault in versions.faults(document(**changes))


def test_the_effect_follows_from_the_statements_and_is_not_named(context: Flask) -> None:
    assert versions.faults(document() | {"on_approval": ["issue_statements"]}) == [
        "on_approval: The service's own documents are issued anyway; leave this effect out."
    ]


def test_the_end_of_a_statement_is_a_date_that_must_be_given(context: Flask) -> None:
    optional = document()
    optional["fields"] = [dict(field, required=False) for field in optional["fields"]]
    assert versions.faults(optional) == [
        "issued[0].valid.until: “Until” must be required, or the document may have no end."
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
        "issued[0].prefix: Other numbers have the prefix TPX.",
        "issued[1].prefix: Other numbers have the prefix TPE.",
    ]
    assert versions.faults(document(name="pass")) == [
        "issued[0].prefix: Other numbers have the prefix TPX."
    ]
    assert versions.faults(yaml.safe_load(requests.TRIVIAL) | {"prefix": "TPX"}) == [
        "prefix: Other numbers have the prefix TPX."
    ]


def test_marks_that_an_author_typed_are_dropped(context: Flask) -> None:
    marked = document(paragraphs=[PARAGRAPH | {"ar": "\u200fنص \u202b{name}\u202c."}])
    issued_factories.publish_permit(issued=marked["issued"])
    statement = versions.current("port_permit").definition.issued[0]
    assert statement.paragraphs[0].ar == "نص {name}."
