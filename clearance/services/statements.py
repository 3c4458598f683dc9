"""Statements: documents composed in a service's definition, issued when a request is completed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from flask_babel import lazy_gettext as _l
from pydantic import AfterValidator, Field, model_validator

from clearance.core.values import clean_lines
from clearance.core.yaml_files import Part
from clearance.notifications.schema import placeholders_of
from clearance.services.conditions import Code, Condition
from clearance.services.field_specs import Bilingual
from clearance.services.findings import Unfit

ISSUE: Final = "issue_statements"
"""Name of the effect that issues them."""

VALID_UNTIL = "valid_until"
"""The last day, of a statement that has one."""
ALWAYS_WORDS: Final[Mapping[str, Any]] = {
    "number": _l("Request number"),
    "name": _l("Name of the person"),
    "organisation": _l("Organisation"),
    "today": _l("Day of issue"),
    VALID_UNTIL: _l("Last day of a document that has one"),
}
"""What paragraphs may name besides fields, in words."""
ALWAYS = tuple(name for name in ALWAYS_WORDS if name != VALID_UNTIL)

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
            raise Unfit(_l("Give either a number of days or a date."))
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
