"""The check-up of a service's form: one planted defect each, and none in what is shipped."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale

from clearance.services import checkup, reading, versions
from clearance.services.schema import Definition
from tests.support.permit import permit


def findings(**changes: Any) -> list[checkup.Finding]:
    return checkup.of_form(Definition.model_validate(permit(**changes)))


def field(name: str, type_: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, "label": {"ar": name, "en": name}, **more}


CHOICES = [{"value": value, "label": {"ar": value, "en": value}} for value in ("a", "b")]
PORT = field("port", "choice", choices=CHOICES)
CREW = field("crew", "number")
DAY = field("day", "date")
BOX = field("box", "bool")


def shown(when: dict[str, Any], *before: dict[str, Any]) -> dict[str, Any]:
    """Return the fields `before`, then one with that condition, as changes of a definition."""
    return {"fields": [*before, field("last", when=when)], "sections": (), "documents": ()}


def test_the_permit_and_every_shipped_service_have_no_finding(context: Flask) -> None:
    assert findings() == []
    assert versions.faults(permit()) == []
    for code, document in versions.read_files().items():
        definition, faults = reading.parse(document)
        assert definition is not None, (code, faults)
        assert checkup.of_form(definition) == [], code


@pytest.mark.parametrize(
    ("changes", "path", "text"),
    [
        (shown({"field": "ghost", "filled": True}), "fields[0].when", "There is no field “ghost”"),
        (shown({"field": "last", "filled": True}), "fields[0].when", "comes later in the form"),
        (shown({"field": "port", "is": ["c"]}, PORT), "fields[1].when", "can never be “c”"),
        (shown({"field": "port", "at_least": 2}, PORT), "fields[1].when", "is no number"),
        (shown({"field": "crew", "before": "2027-01-01"}, CREW), "fields[1].when", "is no date"),
        (shown({"field": "crew", "at_least": "many"}, CREW), "fields[1].when", "can never be"),
        (shown({"field": "crew", "is": [True]}, CREW), "fields[1].when", "can never be"),
        (shown({"field": "day", "after": "2027-02-30"}, DAY), "fields[1].when", "can never be"),
        (shown({"field": "box", "is": ["yes"]}, BOX), "fields[1].when", "can never be “yes”"),
        (
            shown({"field": "crew", "at_least": {"field": "day"}}, CREW, DAY),
            "fields[2].when",
            "“crew” and “day” cannot be compared",
        ),
        (
            shown({"field": "crew", "is": {"field": "ghost"}}, CREW),
            "fields[1].when",
            "There is no field “ghost”",
        ),
        (shown({"field": "applicant_is", "is": ["us"]}), "fields[0].when", "can never be “us”"),
        (
            {"sections": [], "documents": [], "fields": [field("a", section="trip")]},
            "fields[0].section",
            "There is no section “trip”",
        ),
        ({"fields": [field("a", "number", minimum=5, maximum=4)]}, "fields[0].minimum", "limits"),
        (
            {"fields": [field("a", min_length=9, max_length=8)]},
            "fields[0].min_length",
            "No answer is within these limits",
        ),
        (
            {"fields": [field("a", "choices", choices=CHOICES, least=3)]},
            "fields[0].least",
            "No answer is within these limits",
        ),
        (
            {"fields": [field("a", "date", future=True, past=True)]},
            "fields[0].past",
            "both in the future and in the past",
        ),
        (
            {"fields": [field("a", "choice", choices=[CHOICES[0] | {"retired": True}])]},
            "fields[0].choices",
            "No choice is offered any more",
        ),
        ({"fields": [field("a", "number", default="x")]}, "fields[0].default", "no answer"),
        ({"fields": [field("a", "choice", choices=CHOICES, default="c")]}, "fields[0].default", ""),
        (
            {
                "broker_types": ["private"],
                "documents": [{"kind": "a", "broker_types": ["general"]}],
            },
            "documents[0].broker_types",
            "offered to none of these broker types",
        ),
        (
            {"documents": [{"kind": "a", "when": {"field": "ghost", "filled": True}}]},
            "documents[0].when",
            "There is no field “ghost”",
        ),
        ({"fields": [field("a", "amount", default="-1")]}, "fields[0].default", "no answer"),
    ],
)
def test_a_planted_defect_is_found_with_its_path_in_both_languages(
    context: Flask, changes: dict[str, Any], path: str, text: str
) -> None:
    plain = {"refuse": (), "documents": (), "sections": (), "fields": [CREW]}
    found = [each for each in findings(**(plain | changes)) if not each.is_remark]
    assert [each.path for each in found] == [path]
    with force_locale("en"):
        assert text in str(found[0].text)
    with force_locale("ar"):
        assert any("\u0600" <= letter <= "\u06ff" for letter in str(found[0].text))


@pytest.mark.parametrize(
    ("at", "text"), [("ghost", "There is no field"), ("number", "nobody can correct it")]
)
def test_a_rule_is_told_at_a_field_that_can_be_corrected(
    context: Flask, at: str, text: str
) -> None:
    says = {"ar": "لا.", "en": "No."}
    rule = {"when": {"field": "crew", "filled": True}, "at": at, "says": says}
    fields = [{"name": "number", "mode": "shown"}, CREW]
    found = findings(fields=fields, sections=(), documents=(), refuse=[rule])
    assert [each.path for each in found] == ["refuse[0].at"]
    with force_locale("en"):
        assert text in str(found[0].text)


def test_a_section_without_fields_is_remarked_on_and_can_be_published(context: Flask) -> None:
    empty = {"name": "later", "title": {"ar": "لاحقاً", "en": "Later"}}
    changes = {"sections": [*permit()["sections"], empty]}
    (found,) = findings(**changes)
    assert (found.path, found.is_remark) == ("sections[2]", True)
    assert versions.faults(permit(**changes)) == []


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"type": "text", "minimum": 3}, "minimum does not belong to the type text"),
        ({"type": "date", "choices": CHOICES}, "choices belong to the type choice"),
        ({"type": "number", "pattern": "digits"}, "pattern does not belong to the type number"),
        ({"type": "choice", "choices": CHOICES, "most": 1}, "most does not belong"),
        ({"type": "bool", "past": True}, "past does not belong to the type bool"),
        ({"type": "text", "pattern": "(a+)+$"}, "pattern"),
        ({"type": "text", "name": "applicant_is"}, "is a name of the request page itself"),
    ],
)
def test_a_limit_belongs_to_its_types(context: Flask, more: dict[str, Any], fault: str) -> None:
    found = versions.faults(permit(fields=[field("a") | more]))
    assert any(fault in each and each.startswith("fields[0]") for each in found), found
