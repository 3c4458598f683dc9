"""Schema and validation of service definitions."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import Field, PrivateAttr

from clearance.core.yaml_files import Part
from clearance.services import registry, rows
from clearance.services.conditions import ABOUT, Code, Condition, Values
from clearance.services.decisions import Decision
from clearance.services.field_specs import (
    Bilingual,
    DocumentSpec,
    Fieldset,
    FieldSpec,
    Rule,
    SectionSpec,
    Words,
    laid_out,
)
from clearance.services.findings import Finding
from clearance.services.flows import Flow, Step
from clearance.services.messages import OwnMessage
from clearance.services.stages import MOST_STAGES, STAGES, Stage
from clearance.services.statements import ISSUE, Statement

SCHEMA: Final = 2
"""The schema that definitions are written in now; see services/reading.py for earlier ones."""

OUT_OF_ORDER = Flow("", (), ())
"""The flow of definitions that can no longer be carried out: no steps."""


class Subject(StrEnum):
    """What requests for a service are about."""

    PERSON = "person"
    LICENCE = "licence"


class Guards(Part):
    """Names of guards.

    start: checked before a draft is made, and again with `send` at sending. approval: checked at
    the step that completes the request.
    """

    start: tuple[Code, ...] = ()
    send: tuple[Code, ...] = ()
    approval: tuple[Code, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All guards named, without repeats, in the order they are first checked."""
        return tuple(dict.fromkeys((*self.start, *self.send, *self.approval)))


class Definition(Part):
    """A service: fields, documents, guards, flow and effects.

    short_title: the service's name in lists, where `title` is long.
    manual_title: the service's English name in the users' manual, where `title` has another.
    broker_types: choices at the start; empty for all. exclusive: scope within which only one
    request may be open (services/target.py). sections: fieldsets of its own. refuse: rules of its
    form, checked at sending. flow: name of the flow of its requests; empty where they go through
    `stages`. processing_days: working days promised. bulk: offered for several at once. copyable:
    an earlier request can start a new one. sign: icon beside its title. roles: role → name of the
    own field that has it, such as the one that names another organisation. opens_on, closes_on: see
    services/opening.py. messages: last part of a step's event → own words for it. issued:
    statements that a completed request gets.
    """

    schema_number: Annotated[int, Field(alias="schema")] = SCHEMA

    code: Code
    prefix: Annotated[str, Field(pattern=r"^[A-Z]{2,6}$")]
    position: Annotated[int, Field(ge=0, le=9999)] = 100
    sign: Code = "services"
    title: Bilingual
    short_title: Bilingual | None = None
    manual_title: Words | None = None
    description: Bilingual
    conditions: tuple[Bilingual, ...] = ()
    button: Bilingual | None = None
    subject: Subject
    start: Code
    broker_types: tuple[Code, ...] = ()
    subscription: Literal["automatic", "on_request", "by_approval"]
    legal_entities: tuple[Code, ...] = ()
    exclusive: Literal["person", "licence", "none"]
    guards: Guards = Guards()
    sections: Annotated[tuple[SectionSpec, ...], Field(max_length=20)] = ()
    fields: Annotated[tuple[FieldSpec, ...], Field(min_length=1, max_length=120)]
    refuse: Annotated[tuple[Rule, ...], Field(max_length=40)] = ()
    documents: Annotated[tuple[DocumentSpec, ...], Field(max_length=40)] = ()
    flow: Code = ""
    stages: Annotated[tuple[Stage, ...], Field(max_length=MOST_STAGES)] = ()
    processing_days: Annotated[int, Field(ge=1, le=365)]
    on_approval: tuple[Code, ...] = ()
    roles: Mapping[Code, Code] = {}
    bulk: bool = False
    copyable: bool = True
    opens_on: date | None = None
    closes_on: date | None = None
    messages: Mapping[Code, OwnMessage] = {}
    issued: tuple[Statement, ...] = ()

    _faults: tuple[Finding, ...] = PrivateAttr(default=())

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What of a published definition could not be read; such a service is out of order."""
        return self._faults

    @classmethod
    def readable(cls, values: dict[str, Any], faults: list[Finding]) -> Definition:
        """Make a definition of the parts that could be read; nothing is checked."""
        made = cls.model_construct(**values)
        made._faults = tuple(faults)
        return made

    @cached_property
    def fingerprint(self) -> str:
        """Cache key for objects built from this content, such as form classes."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @cached_property
    def lists(self) -> tuple[str, ...]:
        """The lists of choices that its fields name."""
        parts = (part for spec in self.answered for part in (spec, *spec.columns))
        return tuple(dict.fromkeys(part.list for part in parts if part.list))

    @property
    def is_automatic(self) -> bool:
        """Whether every organisation has the service without subscribing."""
        return self.subscription == "automatic"

    @property
    def steps(self) -> Flow:
        """The flow of its requests; one without steps where it cannot be carried out.

        What is possible in one of its stages: requests/stages.py.
        """
        if self.is_out_of_order:
            return OUT_OF_ORDER
        return STAGES if self.stages else registry.current().flows[self.flow]

    @property
    def is_out_of_order(self) -> bool:
        """Whether nothing can be done with its requests but read them."""
        known = registry.current()
        is_flow_gone = not self.stages and self.flow not in known.flows
        return bool(self.faults) or is_flow_gone or self.start not in known.starts

    @property
    def effects(self) -> tuple[str, ...]:
        """Names of the effects of the completing step, in order."""
        return tuple(dict.fromkeys((*self.on_approval, *([ISSUE] if self.issued else []))))

    def decisions(self, step: Step) -> tuple[type[Decision], ...]:
        """Return what `step` asks of the actor for a request of this service."""
        effects = registry.current().effects
        asked = [step.asks]
        if step.can_complete:
            asked += [effects[name].asks for name in self.effects if name in effects]
        return tuple(dict.fromkeys(model for model in asked if model is not None))

    def stage(self, name: str | None) -> Stage | None:
        """Return the stage called `name`, or None."""
        return next((stage for stage in self.stages if stage.name == name), None)

    @property
    def office_fields(self) -> tuple[FieldSpec, ...]:
        """The fields that the office fills in, in the order of the stages."""
        return tuple(spec for stage in self.stages for spec in stage.fields)

    @property
    def answered(self) -> tuple[FieldSpec, ...]:
        """All fields that a decided request may have a value of: the form's and the office's."""
        return (*self.fields, *self.office_fields)

    @property
    def answered_names(self) -> frozenset[str]:
        """Names of `answered`."""
        return frozenset(spec.name for spec in self.answered)

    @property
    def field_names(self) -> frozenset[str]:
        """Names of all fields."""
        return frozenset(spec.name for spec in self.fields)

    @cached_property
    def fieldsets(self) -> list[tuple[Fieldset, tuple[FieldSpec, ...]]]:
        """The fields by fieldset, in the order of the page."""
        return laid_out(self.fields, self.sections)

    def visible(self, values: Values) -> dict[str, Any]:
        """Return the values that count, of the given ones: those of fields that are shown.

        values: typed values of the fields and of `conditions.ABOUT`, by name; None for none. What
        a condition hides is absent, in later conditions as well.
        """
        counted = {name: values.get(name) for name in ABOUT}
        for fieldset, specs in self.fieldsets:
            if not _applies(getattr(fieldset, "when", None), counted):
                continue
            for spec in specs:
                if _applies(spec.when, counted):
                    value = values.get(spec.name)
                    if spec.columns:
                        value = rows.counted(spec.columns, value, counted)
                    counted[spec.name] = value
        return counted

    @cached_property
    def has_conditions(self) -> bool:
        """Whether any field, section or document of the form depends on others."""
        sections = any(section.when is not None for section in self.sections)
        fields = any(spec.reads for spec in self.fields)
        return sections or fields or self.has_conditional_documents

    @cached_property
    def has_conditional_documents(self) -> bool:
        """Whether what is answered decides which documents are taken."""
        return any(spec.when is not None for spec in self.documents)

    def condition_of(self, spec: FieldSpec) -> Condition | None:
        """Return under which condition a field is shown, its fieldset's included; None: always."""
        shared = (each.when for each in self.sections if each.name == spec.section)
        both = [when for when in (*shared, spec.when) if when is not None]
        return Condition.model_validate({"all": both}) if len(both) > 1 else next(iter(both), None)

    def with_dependents(self, names: Collection[str]) -> frozenset[str]:
        """Return these fields and all in which a condition reads one of them, in turn."""
        found = set(names)
        for _fieldset, specs in self.fieldsets:
            for spec in specs:
                when = self.condition_of(spec)
                if (spec.reads | (when.fields if when else set())) & found:
                    found.add(spec.name)
        return frozenset(found)

    @property
    def role_names(self) -> frozenset[str]:
        """Roles that own fields have."""
        return frozenset(self.roles)

    @property
    def asked(self) -> tuple[FieldSpec, ...]:
        """The fields the agent fills in, in the form's order."""
        return tuple(spec for spec in self.fields if spec.is_asked)

    def field(self, name: str) -> FieldSpec | None:
        """Return the field called `name`, or None."""
        return next((spec for spec in self.fields if spec.name == name), None)

    def answered_field(self, name: str) -> FieldSpec | None:
        """Return the field of the form or the office, or the column, called `name`, or None."""
        parts = (part for spec in self.answered for part in (spec, *spec.columns))
        return next((part for part in parts if part.name == name), None)

    def documents_for(self, values: Values) -> tuple[DocumentSpec, ...]:
        """Return the document kinds that a request with these visible values takes."""
        return tuple(spec for spec in self.documents if spec.applies_to(values))

    def title_in(self, lang: str) -> str:
        """Return the service's name in `lang`."""
        return self.title.of(lang)

    def short_title_in(self, lang: str) -> str:
        """Return the service's name for lists in `lang`."""
        return (self.short_title or self.title).of(lang)

    def description_in(self, lang: str) -> str:
        """Return the service's description in `lang`."""
        return self.description.of(lang)


def _applies(when: Condition | None, values: Values) -> bool:
    return when is None or when.holds(values)
