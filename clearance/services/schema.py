"""Schema and validation of service definitions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from clearance.core.yaml_files import Part
from clearance.services import registry
from clearance.services.decisions import Decision
from clearance.services.flows import Flow, Step
from clearance.services.standard_fields import STANDARD_FIELDS, Group, Kind

SCHEMA: Final = 1
"""The schema that definitions are written in now; see services/reading.py for earlier ones."""

OUT_OF_ORDER = Flow("", (), ())
"""The flow of definitions that can no longer be carried out: no steps."""

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Words = Annotated[str, Field(min_length=1, max_length=1000)]
# Names that forms and buttons of the request page already use.
RESERVED_NAMES = frozenset(
    ("action", "csrf_token", "files", "form_key", "kind", "label", "submit", "version")
)
LONGEST_ANSWER = {Kind.TEXT: 250, Kind.TEXTAREA: 2000, Kind.LICENCE_NO: 80}


class Bilingual(Part):
    """A text in both languages."""

    ar: Words
    en: Words

    def of(self, lang: str) -> str:
        """Return the text in `lang` ("ar" or "en")."""
        return self.ar if lang == "ar" else self.en


class Mode(StrEnum):
    """Whether a field is only shown, or filled in by the agent."""

    SHOWN = "shown"
    ASKED = "asked"


class Subject(StrEnum):
    """What requests for a service are about."""

    PERSON = "person"
    LICENCE = "licence"


class Choice(Part):
    """One option of a choice field."""

    value: Code
    label: Bilingual


class FieldSpec(Part):
    """A field of a service: a standard one by name, or the service's own with type and label.

    max_length: characters of an own text. future: an own date must lie ahead. minimum, maximum: of
    an own number, inclusive. declaration: affirmed by the applicant; never copied elsewhere.
    """

    name: Code
    mode: Mode = Mode.ASKED
    required: bool = False
    type: Literal["text", "textarea", "choice", "date", "number", "bool", "licence_no"] | None = (
        None
    )
    label: Bilingual | None = None
    hint: Bilingual | None = None
    choices: tuple[Choice, ...] = ()
    max_length: Annotated[int, Field(ge=1, le=5000)] | None = None
    future: bool = False
    minimum: int | None = None
    maximum: int | None = None
    declaration: bool = False

    @model_validator(mode="after")
    def _is_one_of_two_sorts(self) -> FieldSpec:
        if self.is_own:
            self._check_own()
        elif self.type or self.label or self.choices or self.future or self.max_length:
            raise ValueError(f"{self.name} is a standard field: its type and label are fixed")
        elif self.is_asked and self.kind in {Kind.REFERENCE, Kind.BROKER_TYPE}:
            raise ValueError(f"{self.name} can only be shown")
        if self.required and not self.is_asked:
            raise ValueError(f"{self.name} is only shown, so it cannot be required")
        return self

    def _check_own(self) -> None:
        if self.type is None or self.label is None:
            raise ValueError(
                f"{self.name} is no standard field; a field of the service's own needs a type "
                "and a label"
            )
        if self.name in RESERVED_NAMES:
            raise ValueError(f"{self.name} is a name of the request page itself")
        if not self.is_asked:
            raise ValueError(f"{self.name} is the service's own field, so it can only be asked")
        values = [choice.value for choice in self.choices]
        if (self.type == "choice") != bool(values) or len(set(values)) != len(values):
            raise ValueError(f"{self.name}: choices belong to the type choice, each value once")

    @property
    def is_own(self) -> bool:
        """Whether the value is stored in `answers` rather than in a column."""
        return self.name not in STANDARD_FIELDS

    @property
    def is_asked(self) -> bool:
        """Whether the agent fills it in."""
        return self.mode is Mode.ASKED

    @property
    def kind(self) -> Kind:
        """The kind of its values."""
        if not self.is_own:
            return STANDARD_FIELDS[self.name].kind
        return Kind.FUTURE_DATE if self.future else Kind(str(self.type))

    @property
    def group(self) -> Group:
        """The fieldset it belongs to."""
        return Group.DETAILS if self.is_own else STANDARD_FIELDS[self.name].group

    @property
    def longest(self) -> int | None:
        """The maximum number of characters of a text, else None."""
        if not self.is_own:
            return STANDARD_FIELDS[self.name].max_length
        return self.max_length or LONGEST_ANSWER.get(self.kind)

    @property
    def autocomplete(self) -> str:
        """The HTML autocomplete token."""
        return "off" if self.is_own else STANDARD_FIELDS[self.name].autocomplete

    def title(self, lang: str) -> str:
        """Return its label: an own field's in `lang`, a standard one's in the page's language."""
        return self.label.of(lang) if self.label else str(STANDARD_FIELDS[self.name].label)

    def hint_in(self, lang: str) -> str:
        """Return its hint, or ""; languages as in `title`."""
        if self.hint is not None:
            return self.hint.of(lang)
        return "" if self.is_own else str(STANDARD_FIELDS[self.name].hint)


class DocumentSpec(Part):
    """A document kind that requests take. broker_types: only for these; empty for all."""

    kind: Code
    required: bool = False
    broker_types: tuple[Code, ...] = ()
    note: Bilingual | None = None

    def applies_to(self, broker_type: str | None) -> bool:
        """Return whether a request for that broker type takes it."""
        return not self.broker_types or broker_type in self.broker_types

    def requires(self, broker_type: str | None) -> bool:
        """Return whether a request for that broker type cannot be sent without it."""
        return self.required and self.applies_to(broker_type)


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

    manual_title: the service's English name in the users' manual, where `title` has another.
    broker_types: choices at the start; empty for all. exclusive: scope within which only one
    request may be open (services/target.py). processing_days: working days promised.
    bulk: offered for several at once. copyable: an earlier request can start a new one. sign: icon
    beside its title. roles: role → name of the own field that has it, such as the one that names
    another organisation.
    """

    schema_number: Annotated[int, Field(alias="schema")] = SCHEMA

    code: Code
    prefix: Annotated[str, Field(pattern=r"^[A-Z]{2,6}$")]
    position: int = 100
    sign: Code = "services"
    title: Bilingual
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
    fields: Annotated[tuple[FieldSpec, ...], Field(min_length=1)]
    documents: tuple[DocumentSpec, ...] = ()
    flow: Code
    processing_days: Annotated[int, Field(ge=1, le=365)]
    on_approval: tuple[Code, ...] = ()
    roles: Mapping[Code, Code] = {}
    bulk: bool = False
    copyable: bool = True

    @field_validator("fields")
    @classmethod
    def _fields_once(cls, fields: tuple[FieldSpec, ...]) -> tuple[FieldSpec, ...]:
        _once([spec.name for spec in fields], "field")
        return fields

    @field_validator("documents")
    @classmethod
    def _documents_once(cls, documents: tuple[DocumentSpec, ...]) -> tuple[DocumentSpec, ...]:
        _once([spec.kind for spec in documents], "document kind")
        return documents

    @model_validator(mode="after")
    def _parts_fit(self) -> Definition:
        if self.exclusive == "licence" and self.subject != "licence":
            raise ValueError("exclusive: licence needs subject: licence")
        if self.exclusive == "person" and self.field("civil_id") is None:
            raise ValueError("exclusive: person needs the field civil_id")
        for role, name in self.roles.items():
            if (spec := self.field(name)) is None or not spec.is_own:
                raise ValueError(f"roles: {role} names no own field of the service: {name}")
        return self

    _faults: tuple[str, ...] = PrivateAttr(default=())

    @property
    def faults(self) -> tuple[str, ...]:
        """What of a published definition could not be read; such a service is out of order."""
        return self._faults

    @classmethod
    def readable(cls, values: dict[str, Any], faults: list[str]) -> Definition:
        """Make a definition of the parts that could be read; nothing is checked."""
        made = cls.model_construct(**values)
        made._faults = tuple(faults)
        return made

    @cached_property
    def fingerprint(self) -> str:
        """Cache key for objects built from this content, such as form classes."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def is_automatic(self) -> bool:
        """Whether every organisation has the service without subscribing."""
        return self.subscription == "automatic"

    @property
    def steps(self) -> Flow:
        """The flow of its requests; one without steps where it cannot be carried out."""
        found = registry.current().flows.get(self.flow)
        return OUT_OF_ORDER if found is None or self.is_out_of_order else found

    @property
    def is_out_of_order(self) -> bool:
        """Whether nothing can be done with its requests but read them."""
        known = registry.current()
        return bool(self.faults) or self.flow not in known.flows or self.start not in known.starts

    def decisions(self, step: Step) -> tuple[type[Decision], ...]:
        """Return what `step` asks of the actor for a request of this service."""
        effects = registry.current().effects
        asked = [step.asks]
        if step.completes:
            asked += [effects[name].asks for name in self.on_approval if name in effects]
        return tuple(dict.fromkeys(model for model in asked if model is not None))

    @property
    def field_names(self) -> frozenset[str]:
        """Names of all fields."""
        return frozenset(spec.name for spec in self.fields)

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

    def documents_for(self, broker_type: str | None) -> tuple[DocumentSpec, ...]:
        """Return the document kinds that a request for that broker type takes."""
        return tuple(spec for spec in self.documents if spec.applies_to(broker_type))

    def title_in(self, lang: str) -> str:
        """Return the service's name in `lang`."""
        return self.title.of(lang)

    def description_in(self, lang: str) -> str:
        """Return the service's description in `lang`."""
        return self.description.of(lang)


def _once(names: list[str], what: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"{what} given more than once: {', '.join(repeated)}")
