"""Lists of choices that the office keeps for several services, and definitions with their items.

A definition names a list; its versions keep the name. What is read of it at runtime has the items
that the list has now, so that a new one is offered at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from clearance.core import kept
from clearance.core.extensions import db
from clearance.models import ChoiceList
from clearance.services.field_specs import Choice, FieldSpec
from clearance.services.schema import Definition

Item = dict[str, Any]
CACHED_DEFINITIONS = 512
_ITEMS: TypeAdapter[tuple[Choice, ...]] = TypeAdapter(tuple[Choice, ...])
_made: dict[tuple[str, ...], Definition] = {}


def items(code: str) -> tuple[Choice, ...]:
    """Return the items of a list, retired ones too; () if there is no such list."""
    return _read(_texts().get(code, "[]"))


def are_known(code: str) -> bool:
    """Return whether there is a list with that code."""
    return code in _texts()


def named(lang: str) -> list[tuple[str, str]]:
    """Return (code, name in `lang`) of all lists, in the order of their names."""
    name = ChoiceList.name_ar if lang == "ar" else ChoiceList.name_en
    rows = db.session.execute(sa.select(ChoiceList.code, name).order_by(name, ChoiceList.code))
    return [(code, text) for code, text in rows]


def changed(before: Sequence[Item], after: Sequence[Item]) -> list[Item]:
    """Return the items of a list that is changed: those left out stay, no longer offered."""
    kept = {item["value"] for item in after}
    return [*after, *(item | {"retired": True} for item in before if item["value"] not in kept)]


def with_items(definition: Definition) -> Definition:
    """Return the definition with the items of the lists as its fields' choices."""
    return (
        _rewritten(definition, lambda spec: (_with_items(spec),))
        if definition.lists
        else definition
    )


def in_use(definition: Definition) -> Definition:
    """Return the definition as requests use it: `with_items`, and the lines that choices open."""
    texts = _texts() if definition.lists else {}
    named = (texts.get(code, "") for code in definition.lists)
    key = definition.fingerprint, *map(str, definition.faults), *named
    found = _made.get(key)
    if found is None:
        if len(_made) >= CACHED_DEFINITIONS:
            _made.clear()
        found = _made[key] = _with_lines(with_items(definition))
    return found


def _with_lines(definition: Definition) -> Definition:
    taken = definition.answered_names
    lines = {spec.name: spec.line for spec in definition.fields if spec.line is not None}
    if not lines:
        return definition

    def opened(spec: FieldSpec) -> tuple[FieldSpec, ...]:
        line = lines.get(spec.name)
        return (spec,) if line is None or line.name in taken else (spec, line)

    return _rewritten(definition, opened)


def _rewritten(
    definition: Definition, rewrite: Callable[[FieldSpec], tuple[FieldSpec, ...]]
) -> Definition:
    """Return the definition with each field, the office's too, replaced by what becomes of it."""

    def all_of(specs: tuple[FieldSpec, ...]) -> tuple[FieldSpec, ...]:
        return tuple(each for spec in specs for each in rewrite(spec))

    stages = [
        stage.model_copy(update={"fields": all_of(stage.fields)}) for stage in definition.stages
    ]
    values = {name: getattr(definition, name) for name in Definition.model_fields}
    values |= {"fields": all_of(definition.fields), "stages": tuple(stages)}
    return Definition.readable(values, list(definition.faults))


def _with_items(spec: FieldSpec) -> FieldSpec:
    if spec.columns:
        return spec.model_copy(update={"columns": tuple(_with_items(c) for c in spec.columns)})
    return spec.model_copy(update={"choices": items(spec.list)}) if spec.list else spec


def _texts() -> Mapping[str, str]:
    """Return the items of all lists as JSON, by code."""
    return kept.until_changed("choice_lists", _all)


def _all() -> Mapping[str, str]:
    rows = db.session.execute(sa.select(ChoiceList.code, sa.cast(ChoiceList.items, sa.Text)))
    return {code: text for code, text in rows}


@lru_cache(maxsize=256)
def _read(text: str) -> tuple[Choice, ...]:
    return _ITEMS.validate_json(text)
