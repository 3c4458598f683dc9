"""What is wrong in the form of a definition; its conditions: condition_checkup.py."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from flask_babel import lazy_gettext as _l

from clearance.core import values
from clearance.services import answers, choice_lists, registry
from clearance.services.condition_checkup import reads
from clearance.services.condition_words import called
from clearance.services.field_specs import MOST_ROWS, FieldSpec
from clearance.services.findings import Finding
from clearance.services.schema import Definition
from clearance.services.standard_fields import DATE_KINDS, Group, Kind, type_of


def of_form(definition: Definition) -> Iterator[Finding]:
    """Yield what is wrong in the definition's fields, sections, documents and rules."""
    yield from _choices(definition)
    yield from _sections(definition)
    yield from _renamings(definition)
    for path, spec in answered(definition):
        yield from _limits(path, spec)
    yield from _never_known(definition)
    yield from _documents(definition)
    yield from _rules(definition)


def answered(definition: Definition) -> Iterator[tuple[str, FieldSpec]]:
    """Yield every field of the form and the office, and every column, with its path."""
    for place, spec in enumerate(definition.fields):
        yield f"fields[{place}]", spec
        for number, column in enumerate(spec.columns):
            yield f"fields[{place}].columns[{number}]", column
    for place, stage in enumerate(definition.stages):
        for number, spec in enumerate(stage.fields):
            yield f"stages[{place}].fields[{number}]", spec


def _choices(definition: Definition) -> Iterator[Finding]:
    """Check lists by their names, and that the lines which choices open have names of their own."""
    for path, spec in answered(definition):
        if spec.list and not choice_lists.are_known(spec.list):
            yield Finding(f"{path}.list", _l("There is no list “%(name)s”.", name=spec.list))
        if spec.line is not None and spec not in definition.fields:
            text = _l("Columns and fields of the office cannot ask for a text with a choice.")
            yield Finding(f"{path}.choices", text)
        elif spec.line is not None and spec.line.name in definition.answered_names:
            text = _l("Rename the field “%(name)s”: a choice needs its name.", name=spec.line.name)
            yield Finding(f"{path}.choices", text)


def _renamings(definition: Definition) -> Iterator[Finding]:
    """Check that each earlier name is that of one field and no longer in use."""
    named = [spec.name for spec in definition.fields]
    earlier = [spec.was for spec in definition.fields]
    for place, was in enumerate(earlier):
        if was is not None and (was in named or was in earlier[:place]):
            text = _l("Another field is or was called “%(name)s”.", name=was)
            yield Finding(f"fields[{place}].was", text)


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


def _never_known(definition: Definition) -> Iterator[Finding]:
    """Yield the fields that nobody fills in and of which a request's beginning knows nothing."""
    start = registry.current().starts.get(definition.start)
    if start is None or start.knows is None:
        return
    for place, spec in enumerate(definition.fields):
        if not spec.is_asked and spec.kind is not Kind.REFERENCE and spec.name not in start.knows:
            text = _l(
                "“%(name)s” is only shown, and nothing is known of it when a request begins so.",
                name=called(spec.name, definition),
            )
            yield Finding(f"fields[{place}].mode", text)


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
    if spec.future and spec.min_age is not None:
        yield Finding(f"{path}.min_age", _l("No date is both in the future and so many years ago."))
    elif spec.min_age is not None and (spec.within_days or 36500) < 365 * spec.min_age:
        yield Finding(f"{path}.min_age", _l("No answer is within these limits."))
    if spec.choices and not spec.offered:
        yield Finding(f"{path}.choices", _l("No choice is offered any more."))
    if spec.default is not None and not _fits_default(spec):
        yield Finding(f"{path}.default", _l("This is no answer that the field takes."))


def _fits_default(spec: FieldSpec) -> bool:
    value = answers.default(spec)
    if value is None or type(value) is not type_of(spec.kind):
        return False
    if spec.kind is Kind.AMOUNT and not reads(values.amount, str(spec.default)):
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
                _l(
                    "“%(name)s” is only shown, so nobody can correct it.",
                    name=called(rule.at, definition),
                ),
            )
