"""The check-up of a definition: everything wrong in it that it shows by itself.

What other services, reference data and the day have to say: versions.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from clearance.services import choice_lists, messages, property_words, registry
from clearance.services.condition_checkup import of_conditions
from clearance.services.condition_words import called
from clearance.services.document_kinds import kind_names
from clearance.services.effects import Effect
from clearance.services.field_specs import MOST_CELLS, MOST_ROWS
from clearance.services.findings import Finding, faults
from clearance.services.form_checkup import answered, of_form
from clearance.services.guards import Guard
from clearance.services.schema import Definition
from clearance.services.standard_fields import Group
from clearance.services.statement_checkup import of_statements
from clearance.services.text_checkup import of_texts
from clearance.services.way_checkup import of_ways

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


def of(definition: Definition) -> list[Finding]:
    """Return what is wrong in a definition: what prevents publishing, then remarks."""
    definition = choice_lists.with_items(definition)
    found = [
        *structure(definition),
        *unknown_names(definition),
        *_unmet_needs(definition),
        *of_form(definition),
        *of_conditions(definition),
        *_days(definition),
        *([] if definition.is_out_of_order else messages.faults(definition)),
        *of_statements(definition),
        *of_texts(definition),
    ]
    if not faults(found):
        found += of_ways(definition)
    return sorted(found, key=lambda each: each.is_remark)


def structure(definition: Definition) -> Iterator[Finding]:
    """Yield what of a definition's parts contradicts itself, so that it cannot be carried out."""
    yield from _twice(definition)
    if definition.exclusive == "licence" and definition.subject != "licence":
        yield Finding(
            "exclusive", _l("Only requests about a licence can be limited for each licence.")
        )
    if definition.exclusive == "person" and definition.field("civil_id") is None:
        yield Finding("exclusive", _l("One request for each civil number needs the field for it."))
    if bool(definition.flow) == bool(definition.stages):
        text = _l("A service needs either stages or a decision process of its own, not both.")
        yield Finding("flow", text)
    if definition.stages and all(stage.when is not None for stage in definition.stages):
        text = _l("One stage must be without a condition, so that every request is decided.")
        yield Finding("stages", text)
    for role, name in definition.roles.items():
        if (spec := definition.field(name)) is None or not spec.is_own:
            text = _l("The role “%(role)s” needs a field of the service's own.", role=role)
            yield Finding(f"roles.{role}", text)


def _twice(definition: Definition) -> Iterator[Finding]:
    """Yield the parts that have the name of an earlier one."""
    fields = [(f"{path}.name", spec.name) for path, spec in answered(definition)]
    sections = [("", str(group)) for group in Group]
    sections += _named("sections", definition.sections)
    lists: list[list[tuple[str, str]]] = [fields, sections]
    lists += [_named(key, getattr(definition, key)) for key in ("documents", "stages", "issued")]
    for listed in lists:
        seen: set[str] = set()
        for path, name in listed:
            if name in seen:
                label = called(name, definition)
                if path.startswith("documents"):
                    label = LazyString(lambda kind=name: kind_names().get(kind, kind))
                yield Finding(path, _l("“%(name)s” is there twice.", name=label))
            seen.add(name)
    if sum(len(spec.columns) * (spec.most or MOST_ROWS) for spec in definition.fields) > MOST_CELLS:
        text = _l("All rows together can have at most %(number)s cells.", number=MOST_CELLS)
        yield Finding("fields", text)


def _named(key: str, parts: Iterable[Any]) -> list[tuple[str, str]]:
    names = "kind" if key == "documents" else "name"
    return [(f"{key}[{place}].{names}", getattr(part, names)) for place, part in enumerate(parts)]


def unknown_names(definition: Definition) -> Iterator[Finding]:
    """Yield what a definition names and no extension registered."""
    known = registry.current()
    for path, named, registered in _guards_and_effects(definition):
        for name in named:
            if name not in registered:
                text = _l("The portal knows no check or effect “%(name)s”.", name=name)
                yield Finding(path, text)
    if definition.start and definition.start not in known.starts:
        text = _l("The portal knows no beginning “%(name)s”.", name=definition.start)
        yield Finding("start", text)
    if definition.flow and definition.flow not in known.flows:
        text = _l("The portal knows no decision process “%(name)s”.", name=definition.flow)
        yield Finding("flow", text)


def _guards_and_effects(
    definition: Definition,
) -> Iterator[tuple[str, tuple[str, ...], Mapping[str, Guard | Effect]]]:
    """Yield every place that names guards or effects: path, names, and what there is."""
    known, guards = registry.current(), definition.guards
    for key in ("start", "send", "approval"):
        yield f"guards.{key}", getattr(guards, key), known.guards
    for place, stage in enumerate(definition.stages):
        yield f"stages[{place}].guards.approve", stage.guards.approve, known.guards
    yield "on_approval", definition.effects, known.effects


def _unmet_needs(definition: Definition) -> Iterator[Finding]:
    """Yield what the named guards and effects need and the definition lacks."""
    known = registry.current()
    for path, named, registered in _guards_and_effects(definition):
        for name in named:
            if (found := registered.get(name)) is not None:
                for lack in found.needs.lacks(definition, known.meaning):
                    text = _l("“%(words)s” needs %(lack)s.", words=_phrase(found), lack=lack)
                    yield Finding(path, text)
    if definition.sign not in SIGNS:
        yield Finding("sign", _l("There is no icon “%(name)s”.", name=definition.sign))
    start = known.starts.get(definition.start)
    if start is not None and start.subject != definition.subject:
        text = _l(
            "A request that begins so is about something else: %(subject)s.",
            subject=property_words.meaning("subject", start.subject),
        )
        yield Finding("start", text)


def _phrase(named: Guard | Effect) -> LazyString:
    """Return the sentence of a guard or an effect, to be quoted."""
    return LazyString(lambda: str(named.words).removesuffix("."))


def _days(definition: Definition) -> Iterator[Finding]:
    first, last = definition.opens_on, definition.closes_on
    if first and last and first > last:
        yield Finding("opens_on", _l("The first day is after the last one."))
