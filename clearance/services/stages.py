"""Stages of review: what a definition says of them, and the flow of a request in one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from flask_babel import lazy_gettext as _l
from pydantic import Field, field_validator, model_validator

from clearance.auth import permissions
from clearance.core import teams
from clearance.core.yaml_files import Part
from clearance.models.enums import Status
from clearance.services import effects, flows
from clearance.services.conditions import Code, Condition, Values
from clearance.services.decisions import OfficeAnswers
from clearance.services.field_specs import Bilingual, FieldSpec
from clearance.services.findings import Unfit
from clearance.services.flows import STANDARD, Action, Flow, Step

MOST_STAGES: Final = 12
FIRST, SECOND = "first", "second"
"""The stages of versions that named the flow `two_approvals`, up to schema 1."""

STAGES: Final = replace(STANDARD, name="stages")
"""All the steps of requests with stages; `Stage.flow` has those that are possible in one."""


class StageGuards(Part):
    """Names of the guards checked at a decision of the stage, besides those of the service."""

    approve: tuple[Code, ...] = ()


class Stage(Part):
    """A part of the review, decided by one team.

    days: working days, from entering the stage; by default the service's, from sending. decisions:
    those that can be taken in it. when: the condition under which it is not skipped. fields: what
    the office fills in at its approval. another_person: it is decided by someone who approved
    no earlier stage of the request. clock: no due date while it is stopped.
    """

    name: Code
    title: Bilingual
    team: Code = teams.FIRST
    days: Annotated[int, Field(ge=1, le=365)] | None = None
    decisions: tuple[Literal["approve", "return", "reject"], ...] = ("approve", "return", "reject")
    when: Condition | None = None
    fields: tuple[FieldSpec, ...] = ()
    another_person: bool = False
    guards: StageGuards = StageGuards()
    clock: Literal["running", "stopped"] = "running"

    @field_validator("decisions")
    @classmethod
    def _can_be_left(cls, decisions: tuple[str, ...]) -> tuple[str, ...]:
        if "approve" not in decisions or len(set(decisions)) != len(decisions):
            raise Unfit(_l("Approval must be among the decisions, and each is named once."))
        return decisions

    @model_validator(mode="after")
    def _fits_together(self) -> Stage:
        if self.clock == "stopped" and self.days is not None:
            raise Unfit(_l("Working days need a due date that runs."))
        for spec in self.fields:
            if not spec.is_own:
                raise Unfit(_l("“%(name)s” is a standard field of the form.", name=spec.called))
            if spec.columns:
                raise Unfit(
                    _l("“%(name)s” has rows, which only the form can have.", name=spec.called)
                )
        return self

    def applies(self, counted: Values) -> bool:
        """Return whether requests with these values go through it."""
        return self.when is None or self.when.holds(counted)

    def asked(self, counted: Values) -> tuple[FieldSpec, ...]:
        """Return the fields that the office fills in for a request with these values."""
        return tuple(spec for spec in self.fields if spec.when is None or spec.when.holds(counted))

    @cached_property
    def moving_on(self) -> Flow:
        """The flow where another stage follows."""
        return self._flow(_MOVE_ON)

    @cached_property
    def undecided(self) -> Flow:
        """The flow where it depends on what the office fills in whether another stage follows."""
        return self._flow(replace(_MOVE_ON, may_complete=True))

    @cached_property
    def completing(self) -> Flow:
        """The flow where no other stage follows."""
        return self._flow(flows.APPROVE)

    def _flow(self, approve: Step) -> Flow:
        decides, takes = permissions.can_decide, permissions.can_take
        if self.another_person:
            decides, takes = permissions.can_decide_as_another, permissions.can_take_as_another
        if self.fields:
            approve = replace(approve, asks=OfficeAnswers)
        decided = {"approve": approve, "return": flows.RETURN, "reject": flows.REJECT}
        assign = replace(flows.ASSIGN, effects=(effects.assigning(decides),))
        steps = (
            flows.SEND_AGAIN,
            replace(flows.TAKE, who=takes),
            flows.GIVE_BACK,
            assign,
            flows.LAPSE,
            flows.WITHDRAW,
            *(replace(decided[name], who=decides) for name in self.decisions),
        )
        return replace(STAGES, steps=steps)


_MOVE_ON = replace(
    flows.APPROVE,
    target=Status.SUBMITTED,
    completes=False,
    event=Action.APPROVE_STAGE,
    effects=(),
    tells="",
)


def route(
    stages: Iterable[Stage], counted: Values, office: Values, current: str | None = None
) -> tuple[list[Stage], dict[str, Any]]:
    """Return the stages that a request goes through, in order, and all its values that count.

    counted: what `Definition.visible` returns. office: values of the office's fields. current: the
    stage that the request is in, though its condition may no longer hold.
    """
    found, values = [], dict(counted)
    for stage in stages:
        if stage.name == current or stage.applies(values):
            found.append(stage)
            values |= {spec.name: office.get(spec.name) for spec in stage.asked(values)}
    return found, values


def lift_two_approvals(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition of schema 1 whose flow `two_approvals` is written as two stages."""
    lifted = dict(document)
    if lifted.get("flow") != "two_approvals":
        return lifted
    del lifted["flow"]
    titles = {
        FIRST: {"ar": "الموافقة الأولى", "en": "First approval"},
        SECOND: {"ar": "الموافقة الثانية", "en": "Second approval"},
    }
    lifted["stages"] = [
        {"name": name, "title": title, "another_person": name == SECOND}
        for name, title in titles.items()
    ]
    return lifted
