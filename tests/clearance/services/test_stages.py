"""What a definition may say of its stages, and why it is refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from flask import Flask

from clearance.services import reading, versions
from clearance.services.stages import STAGES
from tests.support.request_factories import TRIVIAL

CHECK: dict[str, Any] = {"name": "check", "title": {"ar": "التدقيق", "en": "Check"}}
SIGN: dict[str, Any] = {"name": "sign", "title": {"ar": "التوقيع", "en": "Signature"}}
SEEN: dict[str, Any] = {
    "name": "seen_on",
    "type": "date",
    "label": {"ar": "تاريخ المعاينة", "en": "Seen on"},
}
ON_WORDS = {"field": "words", "filled": True}
BESIDE = SEEN | {"name": "why", "when": {"field": "seen_on", "filled": True}}


def document(*stages: dict[str, Any], **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load(TRIVIAL)
    del made["flow"]
    return made | {"schema": 2, "stages": list(stages)} | changes


def test_stages_are_read_with_their_defaults(context: Flask) -> None:
    definition, found = reading.parse(document(CHECK, SIGN | {"when": ON_WORDS}))
    assert definition is not None and found == []
    assert definition.steps is STAGES and not definition.is_out_of_order
    (first, second) = definition.stages
    assert (first.team, first.days, first.clock) == ("review", None, "running")
    assert first.decisions == ("approve", "return", "reject") and not first.another_person
    assert second.when is not None and second.when.fields == {"words"}
    again, _found = reading.parse(versions.document_of(definition))
    assert again == definition


@pytest.mark.parametrize(
    ("stages", "fault"),
    [
        ([CHECK, CHECK], "“check” is there twice."),
        ([CHECK | {"decisions": ["return"]}], "Approval must be among"),
        ([CHECK | {"decisions": ["approve", "approve"]}], "each is named once"),
        ([CHECK | {"clock": "stopped", "days": 2}], "Working days need a due date that runs."),
        ([CHECK | {"days": 0}], "stages[0].days"),
        ([CHECK | {"when": ON_WORDS}], "must be without a condition"),
        ([CHECK, SIGN | {"when": {"field": "later", "filled": True}}], "There is no field “later”"),
        (
            [CHECK | {"when": {"field": "seen_on", "filled": True}, "fields": [SEEN]}, SIGN],
            "stages[0].when: The condition needs “Seen on”",
        ),
        ([CHECK | {"fields": [SEEN, SEEN]}], "“Seen on” is there twice."),
        ([CHECK | {"fields": [SEEN]}, SIGN | {"fields": [SEEN]}], "“Seen on” is there twice."),
        ([CHECK | {"fields": [SEEN | {"name": "words"}]}], "“Words” is there twice."),
        (
            [CHECK | {"fields": [{"name": "mobile"}]}],
            "“Mobile number” is a standard field of the form.",
        ),
        ([CHECK | {"fields": [SEEN, BESIDE]}], "needs “Seen on”, which is answered only later"),
        ([CHECK | {"guards": {"approve": ["nothing"]}}], "no check or effect “nothing”"),
        ([CHECK | {"name": f"s{number}"} for number in range(13)], "These are too many."),
    ],
)
def test_stages_that_cannot_be_carried_out_are_refused(
    context: Flask, stages: list[dict[str, Any]], fault: str
) -> None:
    found = versions.faults(document(*stages))
    assert any(fault in each for each in found), found


def test_a_stage_of_an_unknown_team_cannot_be_published(context: Flask) -> None:
    found = versions.faults(document(CHECK, SIGN | {"team": "cashiers"}))
    assert found == ["stages[1].team: There is no team “cashiers”."]


@pytest.mark.parametrize("changes", [{"flow": "standard"}, {"stages": []}], ids=["both", "neither"])
def test_a_definition_has_a_flow_or_stages(context: Flask, changes: dict[str, Any]) -> None:
    (fault,) = versions.faults(document(CHECK, **changes))
    assert "needs either stages or a decision process of its own" in fault


def test_two_approvals_are_lifted_and_no_longer_written(context: Flask) -> None:
    old = yaml.safe_load(TRIVIAL) | {"schema": 1, "flow": "two_approvals"}
    definition, found = reading.parse(old)
    assert definition is not None and found == []
    assert [(stage.name, stage.another_person) for stage in definition.stages] == [
        ("first", False),
        ("second", True),
    ]
    assert versions.faults(old | {"schema": 2}) == [
        "flow: The portal knows no decision process “two_approvals”."
    ]


def test_a_stored_version_with_an_unreadable_stage_is_out_of_order_and_keeps_the_others(
    context: Flask,
) -> None:
    service = reading.read(document(CHECK, SIGN | {"clock": "sometimes"}), "greeting")
    assert service.is_out_of_order and service.steps.steps == ()
    assert [stage.name for stage in service.stages] == ["check"]
