"""What is wrong in the statements of a definition; their conditions: condition_checkup.py."""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import lazy_gettext as _l

from clearance.notifications.schema import placeholders_of, unknown_placeholder
from clearance.services.condition_words import called
from clearance.services.field_specs import FieldSpec
from clearance.services.findings import Finding
from clearance.services.schema import Definition
from clearance.services.standard_fields import DATE_KINDS
from clearance.services.statements import ALWAYS, ISSUE, VALID_UNTIL, Paragraph, Statement


def of_statements(definition: Definition) -> Iterator[Finding]:
    """Yield what is wrong in what the service issues."""
    if ISSUE in definition.on_approval:
        text = _l("The service's own documents are issued anyway; leave this effect out.")
        yield Finding("on_approval", text)
    for place, statement in enumerate(definition.issued):
        path = f"issued[{place}]"
        if statement.prefix in [each.prefix for each in definition.issued[:place]]:
            text = _l("Another document issued has the prefix %(prefix)s.", prefix=statement.prefix)
            yield Finding(f"{path}.prefix", text)
        for number, paragraph in enumerate(statement.paragraphs):
            where = f"{path}.paragraphs[{number}]"
            yield from _placeholders(definition, statement, paragraph, where)
        yield from _named_fields(definition, statement, path)


def _placeholders(
    definition: Definition, statement: Statement, paragraph: Paragraph, path: str
) -> Iterator[Finding]:
    known = {*definition.answered_names, *ALWAYS, *([VALID_UNTIL] if statement.valid else [])}
    for lang, text in (("ar", paragraph.ar), ("en", paragraph.en)):
        for name in placeholders_of(text):
            if name not in known:
                yield Finding(f"{path}.{lang}", unknown_placeholder(name))
    for name in sorted(set(paragraph.or_) - set(paragraph.placeholders)):
        text = _l("The paragraph does not have the placeholder {%(name)s}.", name=name)
        yield Finding(f"{path}.or", text)
    if paragraph.when is not None:
        return
    for spec in definition.answered:
        if spec.name in {*paragraph.placeholders} - {*paragraph.or_} and _may_be_empty(
            definition, spec
        ):
            text = _l(
                "“%(name)s” may be empty here, and a dash is printed then. Say what is printed "
                "instead, or when the paragraph is.",
                name=called(spec.name, definition),
            )
            yield Finding(path, text, is_remark=True)


def _may_be_empty(definition: Definition, spec: FieldSpec) -> bool:
    return spec.is_asked and (not spec.required or definition.condition_of(spec) is not None)


def _named_fields(definition: Definition, statement: Statement, path: str) -> Iterator[Finding]:
    for place, name in enumerate(statement.show):
        if name not in definition.answered_names:
            text = _l("There is no field “%(name)s”.", name=name)
            yield Finding(f"{path}.show[{place}]", text)
    until = statement.valid.until if statement.valid is not None else None
    if until is None:
        return
    spec, path = definition.field(until), f"{path}.valid.until"
    label = called(until, definition)
    if spec is None or spec.kind not in DATE_KINDS:
        yield Finding(path, _l("“%(name)s” is no date of the form.", name=label))
    elif spec.is_asked and not spec.required:
        text = _l("“%(name)s” must be required, or the document may have no end.", name=label)
        yield Finding(path, text)
