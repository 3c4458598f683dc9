"""What is wrong in the form of a service: each finding with its path and a sentence.

A fault prevents publishing; a remark does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.core import values
from clearance.core.values import BadValue
from clearance.services import answers, choice_lists
from clearance.services.conditions import ABOUT, Condition, OtherField
from clearance.services.field_specs import MOST_ROWS, FieldSpec
from clearance.services.schema import Definition
from clearance.services.standard_fields import DATE_KINDS, Group, Kind, type_of

_NUMBERS = frozenset({Kind.NUMBER, Kind.AMOUNT})
_ABOUT_VALUES = {"applicant_is": frozenset({"own", "other"})}


@dataclass(frozen=True)
class Finding:
    """Something wrong in a definition. path: as in `fields[2].when`; text: in both languages."""

    path: str
    text: Any
    is_remark: bool = False


def of_form(definition: Definition) -> list[Finding]:
    """Return what is wrong in the definition's fields, sections, documents and rules."""
    definition = choice_lists.with_items(definition)
    return [
        *_choices(definition),
        *_sections(definition),
        *_conditions(definition),
        *_renamings(definition),
        *_all_limits(definition),
        *_documents(definition),
        *_rules(definition),
    ]


def _choices(definition: Definition) -> Iterator[Finding]:
    """Check lists by their names, and that the lines which choices open have names of their own."""
    form = [(f"fields[{place}]", spec) for place, spec in enumerate(definition.fields)]
    office = [
        (f"stages[{number}].fields[{place}]", spec)
        for number, stage in enumerate(definition.stages)
        for place, spec in enumerate(stage.fields)
    ]
    columns = [
        (f"{path}.columns[{place}]", column)
        for path, spec in (*form, *office)
        for place, column in enumerate(spec.columns)
    ]
    for path, spec in (*form, *office, *columns):
        if spec.list and not choice_lists.are_known(spec.list):
            yield Finding(f"{path}.list", _l("There is no list “%(name)s”.", name=spec.list))
    for path, spec in form:
        if spec.line is not None and spec.line.name in definition.answered_names:
            text = _l("Rename the field “%(name)s”: a choice needs its name.", name=spec.line.name)
            yield Finding(f"{path}.choices", text)
    for path, spec in (*office, *columns):
        if spec.line is not None:
            text = _l("Columns and fields of the office cannot ask for a text with a choice.")
            yield Finding(f"{path}.choices", text)


def _sections(definition: Definition) -> Iterator[Finding]:
    known = {*Group, *(section.name for section in definition.sections)}
    for place, spec in enumerate(definition.fields):
        if spec.section is not None and spec.section not in known:
            yield Finding(
                f"fields[{place}].section",
                _l("There is no section “%(name)s”.", name=spec.section),
            )
    used = {spec.section for spec in definition.fields}
    for place, section in enumerate(definition.sections):
        if section.name not in used:
            text = _l("This section has no fields and is never shown.")
            yield Finding(f"sections[{place}]", text, is_remark=True)


def _conditions(definition: Definition) -> Iterator[Finding]:
    """Check every condition of the form against the fields that stand before it."""
    fields = {spec.name: place for place, spec in enumerate(definition.fields)}
    sections = {section.name: place for place, section in enumerate(definition.sections)}
    earlier: dict[str, FieldSpec | None] = dict.fromkeys(ABOUT)
    for fieldset, specs in definition.fieldsets:
        shared = getattr(fieldset, "when", None)
        if shared is not None:
            path = f"sections[{sections[getattr(fieldset, 'name', '')]}].when"
            yield from _condition(shared, path, earlier, definition)
        for spec in specs:
            if spec.when is not None:
                path = f"fields[{fields[spec.name]}].when"
                yield from _condition(spec.when, path, earlier, definition)
            yield from _columns(spec, f"fields[{fields[spec.name]}]", earlier, definition)
            earlier[spec.name] = spec
    for place, document in enumerate(definition.documents):
        if document.when is not None:
            yield from _condition(document.when, f"documents[{place}].when", earlier, definition)
    for place, rule in enumerate(definition.refuse):
        yield from _condition(rule.when, f"refuse[{place}].when", earlier, definition)


def _columns(
    spec: FieldSpec, path: str, earlier: dict[str, FieldSpec | None], definition: Definition
) -> Iterator[Finding]:
    """Check the conditions of columns against the fields before the rows and earlier columns."""
    known = dict(earlier)
    for place, column in enumerate(spec.columns):
        if column.when is not None:
            at = f"{path}.columns[{place}].when"
            yield from _condition(column.when, at, known, definition)
        known[column.name] = column


def _condition(
    when: Condition, path: str, earlier: dict[str, FieldSpec | None], definition: Definition
) -> Iterator[Finding]:
    for name in sorted(when.fields - set(earlier)):
        if definition.field_or_column(name) is None:
            yield Finding(path, _l("There is no field “%(name)s”.", name=name))
        else:
            yield Finding(
                path,
                _l("The condition needs “%(name)s”, which comes later in the form.", name=name),
            )
    for part in when.parts:
        if part.field in earlier and (fault := _comparison(part, earlier)) is not None:
            yield Finding(path, fault)


def _comparison(part: Condition, earlier: dict[str, FieldSpec | None]) -> Any | None:
    """Return why one comparison can never be true, or fits no such field, or None."""
    name, operands = part.comparison
    spec, label = earlier[part.field or ""], part.field
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
            other = earlier.get(operand.field)
            if operand.field in earlier and not _are_alike(kind, other):
                return _l(
                    "“%(name)s” and “%(other)s” cannot be compared.",
                    name=label,
                    other=operand.field,
                )
        elif not _is_possible(part.field or "", spec, kind, operand):
            return _l("“%(name)s” can never be “%(value)s”.", name=label, value=operand)
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
        return _reads(values.amount, str(operand).lstrip("-"))
    if kind in DATE_KINDS:
        return _reads(date.fromisoformat, str(operand))
    return isinstance(operand, str)


def _reads(read: Any, text: str) -> bool:
    try:
        read(text)
    except (BadValue, ValueError):
        return False
    return True


def _renamings(definition: Definition) -> Iterator[Finding]:
    """Check that each earlier name is that of one field and no longer in use."""
    named = [spec.name for spec in definition.fields]
    earlier = [spec.was for spec in definition.fields]
    for place, was in enumerate(earlier):
        if was is not None and (was in named or was in earlier[:place]):
            text = _l("Another field is or was called “%(name)s”.", name=was)
            yield Finding(f"fields[{place}].was", text)


def _all_limits(definition: Definition) -> Iterator[Finding]:
    for place, spec in enumerate(definition.fields):
        yield from _limits(f"fields[{place}]", spec)
        for number, column in enumerate(spec.columns):
            yield from _limits(f"fields[{place}].columns[{number}]", column)


def _limits(path: str, spec: FieldSpec) -> Iterator[Finding]:
    several = MOST_ROWS if spec.columns else len(spec.offered)
    pairs = [
        ("minimum", spec.minimum, spec.maximum),
        ("min_length", spec.min_length, spec.longest),
        ("least", spec.least, spec.most if spec.most is not None else several),
    ]
    for name, least, most in pairs:
        if least is not None and most is not None and least > most:
            yield Finding(f"{path}.{name}", _l("No answer is within these limits."))
    if spec.future and spec.past:
        yield Finding(f"{path}.past", _l("No date is both in the future and in the past."))
    if spec.choices and not spec.offered:
        yield Finding(f"{path}.choices", _l("No choice is offered any more."))
    if spec.default is not None and not _fits_default(spec):
        yield Finding(f"{path}.default", _l("This is no answer that the field takes."))


def _fits_default(spec: FieldSpec) -> bool:
    value = answers.default(spec)
    if value is None or type(value) is not type_of(spec.kind):
        return False
    if spec.kind is Kind.AMOUNT and not _reads(values.amount, str(spec.default)):
        return False
    # The day of publishing says nothing about the day on which the form is filled in.
    return spec.kind in DATE_KINDS or answers.fault(spec, value, date.max) is None


def _documents(definition: Definition) -> Iterator[Finding]:
    for place, spec in enumerate(definition.documents):
        offered = set(definition.broker_types)
        if offered and spec.broker_types and not offered & set(spec.broker_types):
            yield Finding(
                f"documents[{place}].broker_types",
                _l("The service is offered to none of these broker types."),
            )


def _rules(definition: Definition) -> Iterator[Finding]:
    for place, rule in enumerate(definition.refuse):
        spec = definition.field(rule.at)
        if spec is None:
            yield Finding(f"refuse[{place}].at", _l("There is no field “%(name)s”.", name=rule.at))
        elif not spec.is_asked:
            yield Finding(
                f"refuse[{place}].at",
                _l("“%(name)s” is only shown, so nobody can correct it.", name=rule.at),
            )
