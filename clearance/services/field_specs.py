"""Fields and documents of service definitions."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from clearance.core.yaml_files import Part
from clearance.services.conditions import Code, Condition
from clearance.services.standard_fields import STANDARD_FIELDS, Group, Kind

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


class Choice(Part):
    """One option of a choice field."""

    value: Code
    label: Bilingual


class FieldSpec(Part):
    """A field of a service: a standard one by name, or the service's own with type and label.

    max_length: characters of an own text. future: an own date must lie ahead. minimum, maximum: of
    an own number, inclusive. declaration: affirmed by the applicant; never copied elsewhere.
    when: the condition under which it is shown; None for always.
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
    when: Condition | None = None

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
