"""Reading definitions: strictly before publishing, leniently for ever after.

A published version keeps the number of the schema it was written in (none: 0). Reading lifts it,
one schema at a time, and leaves out what can no longer be read, so that one service's definition
never stops a page that is about something else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from flask_babel import force_locale
from pydantic import TypeAdapter, ValidationError

from clearance.core import yaml_files
from clearance.services import checkup, messages, opening, registry, statements
from clearance.services.field_specs import Bilingual, DocumentSpec, FieldSpec
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
SIGNS = frozenset(
    [
        "award",
        "calendar",
        "card",
        "cross",
        "file",
        "lock",
        "mail",
        "print",
        "refresh",
        "services",
        "users",
    ]
)
"""Icons of templates/components/ui.html that suit a service."""


def parse(document: Document) -> tuple[Definition | None, list[str]]:
    """Parse a definition to be published. Returns it and [], or None and all faults with paths."""
    definition = read(document, str(document.get("code", "")))
    faults = problems(definition) or [
        *_unmet_needs(definition),
        *_form_faults(definition),
        *opening.faults(definition),
        *messages.faults(definition),
        *statements.faults(definition),
    ]
    return (None, faults) if faults else (definition, [])


def read(document: Document, code: str) -> Definition:
    """Read a published definition; `faults` of the result tells what could not be read.

    code: the service's, which stands in for titles that are gone.
    """
    lifted = lift(document)
    definition, faults = _validated(lifted)
    return definition or Definition.readable(_readable(lifted, code), faults)


def problems(definition: Definition) -> list[str]:
    """Return why a published definition cannot be carried out as written; [] if it can."""
    return [*definition.faults, *_unknown_names(definition)]


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


def _validated(lifted: Document) -> tuple[Definition | None, list[str]]:
    if lifted["schema"] != SCHEMA:
        return None, [f"schema: {lifted['schema']!r} is not one that this portal reads"]
    try:
        return Definition.model_validate(lifted), []
    except ValidationError as error:
        return None, yaml_files.faults_of(error)


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


def _form_faults(definition: Definition) -> list[str]:
    with force_locale("en"):
        found = [each for each in checkup.of_form(definition) if not each.is_remark]
        return [f"{finding.path}: {finding.text}" for finding in found]


def _unknown_names(definition: Definition) -> list[str]:
    """Return the faults against what extensions registered."""
    known, guards = registry.current(), definition.guards
    faults = [
        *_unknown("guards.start", guards.start, known.guards, "guard"),
        *_unknown("guards.send", guards.send, known.guards, "guard"),
        *_unknown("guards.approval", guards.approval, known.guards, "guard"),
        *(
            fault
            for place, stage in enumerate(definition.stages)
            for fault in _unknown(
                f"stages[{place}].guards.approve", stage.guards.approve, known.guards, "guard"
            )
        ),
        *_unknown("start", (definition.start,), known.starts, "start"),
        *_unknown("flow", (definition.flow,), known.flows, "flow"),
    ]
    return faults + _unknown("on_approval", definition.effects, known.effects, "effect")


def _unknown(path: str, names: Collection[str], known: Collection[str], what: str) -> list[str]:
    there = ", ".join(sorted(known)) or "none"
    return [
        f"{path}: unknown {what} {name!r} (there are: {there})"
        for name in names
        if name and name not in known
    ]


def _unmet_needs(definition: Definition) -> list[str]:
    """Return what the named guards and effects need and the definition lacks."""
    known = registry.current()
    of_stages = (name for stage in definition.stages for name in stage.guards.approve)
    named = dict.fromkeys((*definition.guards.all, *of_stages))
    needs = [
        *((f"guards: {name}", known.guards[name].needs) for name in named),
        *((f"on_approval: {name}", known.effects[name].needs) for name in definition.effects),
    ]
    faults = [f"{path} {fault}" for path, need in needs for fault in need.faults(definition)]
    faults += _unknown("sign", (definition.sign,), SIGNS, "sign")
    start = known.starts[definition.start]
    if start.subject != definition.subject:
        faults.append(f"start: {start.name} needs subject: {start.subject}")
    return faults
