"""Statements: documents composed in a service's definition, issued when a request is completed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, Field, model_validator

from clearance.core.values import clean_lines
from clearance.core.yaml_files import Part
from clearance.notifications.schema import placeholders_of
from clearance.services.conditions import ABOUT, Code, Condition
from clearance.services.field_specs import Bilingual, FieldSpec
from clearance.services.standard_fields import DATE_KINDS

if TYPE_CHECKING:
    from clearance.services.schema import Definition

ISSUE: Final = "issue_statements"
"""Name of the effect that issues them."""

ALWAYS = ("number", "name", "organisation", "today")
"""What paragraphs may name besides fields: the request's number, its person, who asks, the day."""
VALID_UNTIL = "valid_until"
"""The last day, of a statement that has one."""

Text = Annotated[str, AfterValidator(clean_lines), Field(min_length=1, max_length=2000)]


class Paragraph(Part):
    """A paragraph in both languages; `{name}` stands for a value.

    or: placeholder → what is read where it is empty, by default a dash. when: as of fields.
    """

    ar: Text
    en: Text
    when: Condition | None = None
    or_: Mapping[Code, Bilingual] = Field(default={}, alias="or")

    @property
    def placeholders(self) -> list[str]:
        """The names in braces, each once."""
        return placeholders_of(self.ar, self.en)


class Validity(Part):
    """How long a statement is valid: days after the one it is issued on, or to a date of a field.

    The last day is included. A field that is empty when the statement is issued sets no end.
    """

    days: Annotated[int, Field(ge=1, le=3660)] | None = None
    until: Code | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Validity:
        if (self.days is None) == (self.until is None):
            raise ValueError("valid needs either days or until")
        return self


class Statement(Part):
    """One document. prefix: of its numbers. show: fields listed in a table, if not empty.

    valid: None for no end. when: it is issued if this holds at the completing step.
    """

    name: Code
    title: Bilingual
    prefix: Annotated[str, Field(pattern=r"^[A-Z]{2,6}$")]
    paragraphs: Annotated[tuple[Paragraph, ...], Field(min_length=1, max_length=40)]
    show: Annotated[tuple[Code, ...], Field(max_length=120)] = ()
    valid: Validity | None = None
    when: Condition | None = None


@dataclass(frozen=True)
class Composed:
    """A statement with its values, to be issued. title: by language. content: all that is printed.

    valid_until: the last day, a Kuwait one.
    """

    name: str
    prefix: str
    title: Mapping[str, str]
    content: Mapping[str, Any]
    valid_until: date | None


def faults(definition: Definition) -> Iterator[str]:
    """Yield what prevents publishing the statements, with paths."""
    if ISSUE in definition.on_approval:
        yield f"on_approval: {ISSUE} follows from issued and is not named"
    for key in ("name", "prefix"):
        given = [getattr(statement, key) for statement in definition.issued]
        for place, value in enumerate(given):
            if value in given[:place]:
                yield f"issued[{place}].{key}: {value!r} is another statement's"
    for place, statement in enumerate(definition.issued):
        yield from (f"issued[{place}].{fault}" for fault in _faults(definition, statement))


def _faults(definition: Definition, statement: Statement) -> Iterator[str]:
    known = {*definition.answered_names, *ALWAYS, *([VALID_UNTIL] if statement.valid else [])}
    yield from _unknown_in("when", statement.when, definition)
    for place, paragraph in enumerate(statement.paragraphs):
        path = f"paragraphs[{place}]"
        yield from _unknown_in(f"{path}.when", paragraph.when, definition)
        for lang, text in (("ar", paragraph.ar), ("en", paragraph.en)):
            unknown = [name for name in placeholders_of(text) if name not in known]
            yield from (f"{path}.{lang}: unknown placeholder {{{name}}}" for name in unknown)
        unused = sorted(set(paragraph.or_) - set(paragraph.placeholders))
        yield from (f"{path}.or: the paragraph does not name {{{name}}}" for name in unused)
    for place, name in enumerate(statement.show):
        if name not in definition.answered_names:
            yield f"show[{place}]: unknown field {name!r}"
    if statement.valid is not None and statement.valid.until is not None:
        yield from _until_faults(definition.field(statement.valid.until), statement.valid.until)


def _unknown_in(path: str, condition: Condition | None, definition: Definition) -> Iterator[str]:
    for name in sorted(condition.fields if condition else ()):
        if name not in definition.answered_names and name not in ABOUT:
            yield f"{path}: unknown field {name!r}"


def _until_faults(spec: FieldSpec | None, name: str) -> Iterator[str]:
    if spec is None or spec.kind not in DATE_KINDS:
        yield f"valid.until: {name!r} is no field with a date"
    elif spec.is_asked and not spec.required:
        yield f"valid.until: {name} must be required, or the statement may have no end"
