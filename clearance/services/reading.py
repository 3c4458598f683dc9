"""Reading definitions: strictly before publishing, leniently for ever after.

A published version keeps the number of the schema it was written in (none: 0). Reading lifts it,
one schema at a time, and leaves out what can no longer be read, so that one service's definition
never stops a page that is about something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from pydantic import TypeAdapter, ValidationError

from clearance.services import checkup, findings, registry
from clearance.services.field_specs import Bilingual, DocumentSpec, FieldSpec
from clearance.services.findings import Finding
from clearance.services.schema import SCHEMA, Definition, Subject
from clearance.services.stages import Stage
from clearance.services.statements import Statement

Document = Mapping[str, Any]
_LISTS: dict[str, TypeAdapter[Any]] = {
    "fields": TypeAdapter(FieldSpec),
    "documents": TypeAdapter(DocumentSpec),
    "conditions": TypeAdapter(Bilingual),
    "issued": TypeAdapter(Statement),
    "stages": TypeAdapter(Stage),
}


def parse(document: Document) -> tuple[Definition | None, list[Finding]]:
    """Parse a definition to be published.

    Returns it with what its check-up found, or None and what prevents reading it.
    """
    lifted = lift(document)
    definition, found = _validated(lifted)
    if definition is not None:
        return definition, checkup.of(definition)
    rest = Definition.readable(_readable(lifted, str(lifted.get("code", ""))), found)
    # Places in lists are not those of the document where a part could not be read.
    return None, [*found, *(each for each in checkup.unknown_names(rest) if "[" not in each.path)]


def read(document: Document, code: str) -> Definition:
    """Read a published definition; `faults` of the result tells what could not be read.

    code: the service's, which stands in for titles that are gone.
    """
    lifted = lift(document)
    definition, found = _validated(lifted)
    if definition is not None:
        found = list(checkup.structure(definition))
    if definition is not None and not found:
        return definition
    return Definition.readable(_readable(lifted, code), found)


def problems(definition: Definition) -> list[Finding]:
    """Return why a published definition cannot be carried out as written; [] if it can."""
    return [*definition.faults, *checkup.unknown_names(definition)]


def lift(document: Document) -> dict[str, Any]:
    """Return `document` as the present schema writes it; one of a newer schema is left as is."""
    lifted = dict(document)
    number = lifted.pop("schema", 0)
    if not isinstance(number, int) or not 0 <= number <= SCHEMA:
        return {**lifted, "schema": number}
    for step in range(number, SCHEMA):
        for extension in registry.current().extensions:
            if step in extension.lifts:
                lifted = extension.lifts[step](lifted)
    return {"schema": SCHEMA, **lifted}


def _validated(lifted: Document) -> tuple[Definition | None, list[Finding]]:
    if lifted["schema"] != SCHEMA:
        text = _l("This portal does not read the schema %(number)s.", number=repr(lifted["schema"]))
        return None, [Finding("schema", text)]
    try:
        return Definition.model_validate(lifted), []
    except ValidationError as error:
        return None, findings.of_error(error)


def _readable(lifted: Document, code: str) -> dict[str, Any]:
    """Return the parts of a definition that are valid by themselves, and stand-ins for others."""
    name = Bilingual(ar=code, en=code)
    values: dict[str, Any] = dict(
        code=code, prefix="", title=name, description=name, fields=(), processing_days=1,
        subject=Subject.PERSON, start="", flow="", subscription="by_approval", exclusive="none",
    )  # fmt: skip
    for key, field in Definition.model_fields.items():
        given = lifted.get(key)
        if key in _LISTS and isinstance(given, list | tuple):
            parts = [_valid(_LISTS[key], part) for part in given]
            values[key] = tuple(part for part in parts if part is not None)
        elif given is not None and key != "code":
            part = _valid(TypeAdapter[Any](field.annotation or Any), given)
            values |= {} if part is None else {key: part}
    return values


def _valid(adapter: TypeAdapter[Any], given: Any) -> Any | None:
    try:
        return adapter.validate_python(given)
    except ValidationError:
        return None
