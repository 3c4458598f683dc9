"""What is wrong in the conditions of a definition: on what is not known then, or never true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from clearance.core import values
from clearance.core.values import BadValue
from clearance.services.condition_words import called
from clearance.services.conditions import ABOUT, Condition, OtherField
from clearance.services.field_specs import FieldSpec
from clearance.services.findings import Finding
from clearance.services.schema import Definition
from clearance.services.standard_fields import DATE_KINDS, Kind, type_of

_NUMBERS = frozenset({Kind.NUMBER, Kind.AMOUNT})
_ABOUT_VALUES = {"applicant_is": frozenset({"own", "other"})}
Known = Mapping[str, FieldSpec | None]
"""What a condition may read: fields that are answered before it, and `ABOUT` (None)."""


class Place(NamedTuple):
    """A condition, its path, and what it may read."""

    path: str
    when: Condition
    known: Known


def of_conditions(definition: Definition) -> Iterator[Finding]:
    """Yield what is wrong in the conditions of the form, its review and what is issued."""
    for path, when, known in _places(definition):
        for name in sorted(when.fields - set(known)):
            label = called(name, definition)
            if definition.answered_field(name) is None:
                yield Finding(path, _l("There is no field “%(name)s”.", name=name))
            else:
                text = _l(
                    "The condition needs “%(name)s”, which is answered only later.", name=label
                )
                yield Finding(path, text)
        for part in when.parts:
            if part.field in known and (fault := _comparison(part, known, definition)) is not None:
                yield Finding(path, fault)


def _places(definition: Definition) -> Iterator[Place]:
    """Yield every condition, in the order in which its answers become known."""
    fields = {spec.name: place for place, spec in enumerate(definition.fields)}
    sections = {section.name: place for place, section in enumerate(definition.sections)}
    known: dict[str, FieldSpec | None] = dict.fromkeys(ABOUT)
    for fieldset, specs in definition.fieldsets:
        place = sections.get(getattr(fieldset, "name", ""), 0)
        yield from _place(f"sections[{place}]", fieldset, known)
        for spec in specs:
            yield from _place(f"fields[{fields[spec.name]}]", spec, known)
            columns: dict[str, FieldSpec | None] = {}
            for number, column in enumerate(spec.columns):
                path = f"fields[{fields[spec.name]}].columns[{number}]"
                yield from _place(path, column, known | columns)
                columns[column.name] = column
            known[spec.name] = spec
    for key in ("documents", "refuse"):
        for place, part in enumerate(getattr(definition, key)):
            yield from _place(f"{key}[{place}]", part, known)
    for place, stage in enumerate(definition.stages):
        yield from _place(f"stages[{place}]", stage, known)
        for number, spec in enumerate(stage.fields):
            yield from _place(f"stages[{place}].fields[{number}]", spec, known)
        known |= {spec.name: spec for spec in stage.fields}
    for place, statement in enumerate(definition.issued):
        yield from _place(f"issued[{place}]", statement, known)
        for number, paragraph in enumerate(statement.paragraphs):
            yield from _place(f"issued[{place}].paragraphs[{number}]", paragraph, known)


def _place(path: str, part: Any, known: Known) -> Iterator[Place]:
    when = getattr(part, "when", None)
    if when is not None:
        yield Place(f"{path}.when", when, dict(known))


def _comparison(part: Condition, known: Known, definition: Definition) -> Any | None:
    """Return why one comparison can never be true, or fits no such field, or None."""
    name, operands = part.comparison
    spec = known[part.field or ""]
    label = called(part.field or "", definition)
    kind = spec.kind if spec is not None else Kind.CHOICE
    if name in ("at_least", "at_most") and kind not in _NUMBERS:
        return _l("“%(name)s” is no number, so nothing is more or less than it.", name=label)
    if name in ("before", "after") and kind not in DATE_KINDS:
        return _l("“%(name)s” is no date, so nothing is before or after it.", name=label)
    if name == "filled":
        return None
    if kind is Kind.ROWS:
        return _l(
            "“%(name)s” has rows: a condition can only ask whether it is filled in.", name=label
        )
    for operand in operands:
        if isinstance(operand, OtherField):
            if operand.field in known and not _are_alike(kind, known[operand.field]):
                other = called(operand.field, definition)
                return _l("“%(name)s” and “%(other)s” cannot be compared.", name=label, other=other)
        elif not _is_possible(part.field or "", spec, kind, operand):
            return _l("“%(name)s” can never be “%(value)s”.", name=label, value=operand)
        elif spec is not None and kind in _NUMBERS and not _is_within(spec, name, operand):
            return _l("No answer within the limits of “%(name)s” makes this true.", name=label)
    return None


def _are_alike(kind: Kind, other: FieldSpec | None) -> bool:
    theirs = other.kind if other is not None else Kind.CHOICE
    if {kind, theirs} <= _NUMBERS or {kind, theirs} <= DATE_KINDS:
        return True
    return type_of(kind) is str and type_of(theirs) is str


def _is_possible(name: str, spec: FieldSpec | None, kind: Kind, operand: Any) -> bool:
    """Return whether the field can have this value at all."""
    if spec is None:
        return name not in _ABOUT_VALUES or operand in _ABOUT_VALUES[name]
    if spec.choices:
        return operand in {choice.value for choice in spec.choices}
    if kind is Kind.BOOL:
        return isinstance(operand, bool)
    if isinstance(operand, bool):
        return False
    if kind in _NUMBERS:
        return reads(values.amount, str(operand).lstrip("-"))
    if kind in DATE_KINDS:
        return reads(date.fromisoformat, str(operand))
    return isinstance(operand, str)


def _is_within(spec: FieldSpec, name: str, operand: Any) -> bool:
    """Return whether a number within the field's limits can make the comparison true."""
    value = Decimal(str(operand))
    is_too_small = spec.minimum is not None and value < spec.minimum and name != "at_least"
    is_too_large = spec.maximum is not None and value > spec.maximum and name != "at_most"
    return name == "is_not" or not (is_too_small or is_too_large)


def reads(read: Any, text: str) -> bool:
    """Return whether `read` takes the text."""
    try:
        read(text)
    except (BadValue, ValueError):
        return False
    return True
