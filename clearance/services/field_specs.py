"""Fields, sections and documents of service definitions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from pydantic import BeforeValidator, Field, model_validator

from clearance.core import i18n
from clearance.core.yaml_files import Part
from clearance.services import property_words
from clearance.services.conditions import (
    ABOUT,
    Code,
    Condition,
    Operand,
    Values,
)
from clearance.services.findings import Unfit
from clearance.services.standard_fields import STANDARD_FIELDS, Group, Kind

Words = Annotated[str, Field(min_length=1, max_length=2000)]
# Names that forms and buttons of the request page already use.
RESERVED_NAMES = frozenset(
    ("action", "csrf_token", "files", "form_key", "kind", "label", "submit", "version", *ABOUT)
)
LONGEST_ANSWER = {Kind.TEXT: 250, Kind.TEXTAREA: 2000, Kind.LICENCE_NO: 80}
MOST_CHOICES = 200
MOST_ROWS = 30
MOST_COLUMNS = 8
MOST_CELLS = 2000
"""Cells of all the rows of a form, which are posted together."""

Bound = Annotated[
    int | Decimal,
    BeforeValidator(lambda value: str(value) if isinstance(value, float) else value),
]
"""A limit of a number or an amount, inclusive."""


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


class Pattern(StrEnum):
    """What the characters of a text may be."""

    DIGITS = "digits"
    LATIN = "latin"
    ARABIC = "arabic"
    CODE = "code"

    @property
    def shape(self) -> re.Pattern[str]:
        """The expression that a whole text must match."""
        return _SHAPES[self][0]

    @property
    def refusal(self) -> Any:
        """The error for a text that does not match."""
        return _SHAPES[self][1]


_SHAPES: dict[Pattern, tuple[re.Pattern[str], Any]] = {
    Pattern.DIGITS: (re.compile(r"[0-9]+"), _l("Use digits only.")),
    Pattern.LATIN: (re.compile(r"[^\u0600-\u06ff]+"), _l("Write this in English letters.")),
    Pattern.ARABIC: (re.compile(r"[^A-Za-z]+"), _l("Write this in Arabic letters.")),
    Pattern.CODE: (
        re.compile(r"[A-Za-z0-9/-]+"),
        _l("Use Latin letters, digits, hyphens and slashes only."),
    ),
}


class Choice(Part):
    """One option of a choice field.

    retired: no longer offered, but readable where it is held. text: it opens a line to write in,
    as “other” does.
    """

    value: Code
    label: Bilingual
    retired: bool = False
    text: bool = False


def fault_of_choices(choices: Sequence[Choice]) -> Any | None:
    """Return why these cannot be offered together, as a lazy text, or None."""
    values = [choice.value for choice in choices]
    if len(set(values)) != len(values):
        return _l("A choice is there twice.")
    if sum(choice.text for choice in choices) > 1:
        return _l("Only one choice can ask for a text.")
    return None


class SectionSpec(Part):
    """A fieldset of the form, after those of the standard fields. when: it is shown; see fields."""

    name: Code
    title: Bilingual
    help: Bilingual | None = None
    when: Condition | None = None


_TEXTS = ("text", "textarea", "licence_no")
_NUMBERS = ("number", "amount")
_BELONGS = {
    **dict.fromkeys(("choices", "list", "alphabetical"), ("choice", "choices")),
    "max_length": _TEXTS,
    "min_length": _TEXTS,
    "pattern": ("text", "textarea"),
    "minimum": _NUMBERS,
    "maximum": _NUMBERS,
    "unit": ("number",),
    "least": ("choices", "rows"),
    "most": ("choices", "rows"),
    "row": ("rows",),
    "columns": ("rows",),
    **dict.fromkeys(("future", "past", "within_days", "min_age"), ("date",)),
}
"""Property → the types of own fields that have it."""
ONLY_SHOWN = frozenset({Kind.REFERENCE, Kind.BROKER_TYPE})
"""Kinds of standard fields that nobody fills in."""
NO_COLUMNS = frozenset({"rows", "textarea", "choices"})
"""Types of fields that a column cannot have."""
NOT_OF_COLUMNS = ("section", "default", "declaration", "was")


class FieldSpec(Part):
    """A field of a service: a standard one by name, or the service's own with type and label.

    section: the fieldset, a section or a `Group`; None for the standard field's own group, or for
    "Details". max_length,
    min_length: characters of an own text. minimum, maximum: of an own number or amount, inclusive.
    least, most: of several choices, or of rows. row: what one row is called. columns: of each row,
    fields without section or default. future, past: an own date must lie so; within_days: at most
    so many days from today; min_age: years since that date. choices: those of a choice, unless it
    names a `list` of the office (services/choice_lists.py); alphabetical: offered in the order of
    the reader's alphabet. declaration: affirmed by the applicant;
    never copied elsewhere. when: the condition under which it is shown; None for always. default:
    what is entered when it is first shown. was: the name that an own field had in an earlier
    version, whose answers drafts keep.
    """

    name: Code
    mode: Mode = Mode.ASKED
    required: bool = False
    type: (
        Literal[
            "text",
            "textarea",
            "choice",
            "choices",
            "date",
            "number",
            "amount",
            "bool",
            "mobile",
            "email",
            "country",
            "civil_number",
            "passport_no",
            "licence_no",
            "rows",
        ]
        | None
    ) = None
    section: Code | None = None
    label: Bilingual | None = None
    hint: Bilingual | None = None
    example: Bilingual | None = None
    unit: Bilingual | None = None
    choices: Annotated[tuple[Choice, ...], Field(max_length=MOST_CHOICES)] = ()
    list: Code | None = None
    alphabetical: bool = False
    max_length: Annotated[int, Field(ge=1, le=5000)] | None = None
    min_length: Annotated[int, Field(ge=1, le=5000)] | None = None
    pattern: Pattern | None = None
    future: bool = False
    past: bool = False
    within_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    min_age: Annotated[int, Field(ge=1, le=120)] | None = None
    minimum: Bound | None = None
    maximum: Bound | None = None
    least: Annotated[int, Field(ge=1)] | None = None
    most: Annotated[int, Field(ge=1)] | None = None
    row: Bilingual | None = None
    columns: Annotated[tuple[FieldSpec, ...], Field(max_length=MOST_COLUMNS)] = ()
    default: Operand | tuple[Code, ...] | None = None
    declaration: bool = False
    when: Condition | None = None
    was: Code | None = None

    @model_validator(mode="after")
    def _is_one_of_two_sorts(self) -> FieldSpec:
        if self.is_own:
            self._check_own()
        elif self.type or self.label or self.default is not None or self.was or self._bounds:
            raise Unfit(
                _l(
                    "“%(name)s” is a standard field: its type and label are fixed.",
                    name=self.called,
                )
            )
        elif self.is_asked and self.kind in ONLY_SHOWN:
            raise Unfit(_l("“%(name)s” can only be shown.", name=self.called))
        if self.required and not self.is_asked:
            raise Unfit(_l("“%(name)s” is only shown, so it cannot be required.", name=self.called))
        return self

    def _check_own(self) -> None:
        if self.type is None or self.label is None:
            raise Unfit(
                _l(
                    "“%(name)s” is no standard field; a field of the service's own needs a type "
                    "and a label.",
                    name=self.called,
                )
            )
        if self.name in RESERVED_NAMES:
            raise Unfit(_l("The portal itself uses the name “%(name)s”.", name=self.name))
        if not self.is_asked:
            raise Unfit(
                _l(
                    "“%(name)s” is the service's own field, so it can only be asked.",
                    name=self.called,
                )
            )
        if self.type in _BELONGS["choices"] and bool(self.choices) == bool(self.list):
            raise Unfit(_l("“%(name)s” needs choices, or a list of them.", name=self.called))
        if fault := fault_of_choices(self.choices):
            raise Unfit(_l("%(property)s: %(fault)s", property=self.called, fault=fault))
        for key in self._bounds:
            if self.type not in _BELONGS[key]:
                raise Unfit(
                    _l(
                        "“%(name)s” is not of a type that has “%(property)s”.",
                        name=self.called,
                        property=property_words.PROPERTIES[key],
                    )
                )
        if self.type == "rows":
            self._check_rows()

    def _check_rows(self) -> None:
        if not self.columns:
            raise Unfit(_l("“%(name)s” needs columns.", name=self.called))
        if self.default is not None:
            raise Unfit(_l("“%(name)s” has rows, and no default.", name=self.called))
        if self.most is not None and self.most > MOST_ROWS:
            raise Unfit(_l("There can be at most %(number)s rows.", number=MOST_ROWS))
        for column in self.columns:
            if not column.is_own:
                raise Unfit(_l("“%(name)s” is a standard field of the form.", name=column.called))
            if column.type in NO_COLUMNS:
                raise Unfit(
                    _l(
                        "A column cannot have the type “%(type)s”.",
                        type=property_words.meaning("type", column.type),
                    )
                )
            for key in NOT_OF_COLUMNS:
                if getattr(column, key) not in (None, False):
                    raise Unfit(
                        _l(
                            "“%(name)s” is a column, which has no “%(property)s”.",
                            name=column.called,
                            property=property_words.PROPERTIES[key],
                        )
                    )

    @property
    def called(self) -> Any:
        """What people call it, in the page's language; its name where it has no label."""
        if self.label is None and self.is_own:
            return self.name
        return LazyString(lambda: self.title(i18n.language()))

    @property
    def _bounds(self) -> tuple[str, ...]:
        """Names of the properties that belong to some types, and are given."""
        return tuple(key for key in _BELONGS if getattr(self, key) not in (None, (), False))

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
        """The fieldset it belongs to if it names no section."""
        return Group.DETAILS if self.is_own else STANDARD_FIELDS[self.name].group

    @property
    def longest(self) -> int | None:
        """The maximum number of characters of a text, else None."""
        if not self.is_own:
            return STANDARD_FIELDS[self.name].max_length
        return self.max_length or LONGEST_ANSWER.get(self.kind)

    @property
    def offered(self) -> tuple[Choice, ...]:
        """The options that can be chosen now."""
        return tuple(choice for choice in self.choices if not choice.retired)

    @property
    def line(self) -> FieldSpec | None:
        """The field that a choice with `text` opens, shown and required while that is taken."""
        choice = next((choice for choice in self.choices if choice.text), None)
        if choice is None or self.label is None:
            return None
        return FieldSpec(
            name=f"{self.name[:35]}_text",
            type="text",
            required=True,
            section=self.section,
            label=Bilingual.model_construct(
                ar=f"{self.label.ar}: {choice.label.ar}", en=f"{self.label.en}: {choice.label.en}"
            ),
            when=Condition.model_validate({"field": self.name, "is": [choice.value]}),
        )

    @property
    def autocomplete(self) -> str:
        """The HTML autocomplete token."""
        return "off" if self.is_own else STANDARD_FIELDS[self.name].autocomplete

    @property
    def reads(self) -> frozenset[str]:
        """Names of what its condition reads, and those of its columns."""
        parts = (self, *self.columns)
        return frozenset().union(*(each.when.fields for each in parts if each.when is not None))

    def title(self, lang: str) -> str:
        """Return its label: an own field's in `lang`, a standard one's in the page's language."""
        return self.label.of(lang) if self.label else str(STANDARD_FIELDS[self.name].label)

    def hint_in(self, lang: str) -> str:
        """Return its hint and example, or ""; languages as in `title`."""
        own = self.hint.of(lang) if self.hint is not None else ""
        if self.example is not None:
            example = str(_l("For example: %(example)s", example=self.example.of(lang)))
            return f"{own} {example}".strip()
        return own or ("" if self.is_own else str(STANDARD_FIELDS[self.name].hint))


class DocumentSpec(Part):
    """A document kind that requests take.

    broker_types: only for these; empty for all. when: the condition under which it is taken. most:
    how many files of the kind a request takes.
    """

    kind: Code
    required: bool = False
    broker_types: tuple[Code, ...] = ()
    note: Bilingual | None = None
    when: Condition | None = None
    most: Annotated[int, Field(ge=1, le=40)] | None = None

    def applies_to(self, values: Values) -> bool:
        """Return whether a request takes it.

        values: of its visible fields, with `broker_type`; see `Definition.visible`.
        """
        if self.broker_types and values.get("broker_type") not in self.broker_types:
            return False
        return self.when is None or self.when.holds(values)

    def requires(self, values: Values) -> bool:
        """Return whether a request cannot be sent without it; `values` as in `applies_to`."""
        return self.required and self.applies_to(values)


class Rule(Part):
    """A rule of the form in the office's own words: refused `when`, told at the field `at`."""

    when: Condition
    at: Code
    says: Bilingual


Fieldset = Group | SectionSpec


def legend(fieldset: Fieldset, lang: str) -> str:
    """Return the title of a group or a section."""
    return fieldset.title.of(lang) if isinstance(fieldset, SectionSpec) else str(fieldset.label)


def laid_out(
    fields: tuple[FieldSpec, ...], sections: tuple[SectionSpec, ...]
) -> list[tuple[Fieldset, tuple[FieldSpec, ...]]]:
    """Return the fields by fieldset, in the page's order: groups, then sections; no empty ones."""
    named: Mapping[str, SectionSpec] = {section.name: section for section in sections}
    found: dict[str, list[FieldSpec]] = {key: [] for key in (*Group, *named)}
    for spec in fields:
        found[spec.section if spec.section in found else spec.group].append(spec)
    return [(named.get(key) or Group(key), tuple(specs)) for key, specs in found.items() if specs]
