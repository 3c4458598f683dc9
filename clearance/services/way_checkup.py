"""What the ways through a service show: fields and stages that no answers lead to."""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from clearance.services import condition_words
from clearance.services.findings import Finding
from clearance.services.schema import Definition
from clearance.services.ways import through


def of_ways(definition: Definition) -> Iterator[Finding]:
    """Yield remarks on what no answers lead to; nothing where there are too many to see them all.

    definition: a sound one.
    """
    if not definition.has_conditions and all(stage.when is None for stage in definition.stages):
        return
    found = through(definition)
    if not found.are_all:
        return
    shown = {name for way in found.ways for name in way.fields}
    for place, spec in enumerate(definition.fields):
        if spec.name not in shown:
            text = _l(
                "No way through the form shows “%(name)s”.",
                name=condition_words.called(spec.name, definition),
            )
            yield Finding(f"fields[{place}].when", text, is_remark=True)
        elif spec.name in found.ends:
            words = LazyString(condition_words.in_words, found.ends[spec.name], definition)
            text = _l("Nothing more is asked if %(answer)s.", answer=words)
            yield Finding(f"fields[{place}]", text, is_remark=True)
    reached = {name for way in found.ways for name in way.stages}
    for place, stage in enumerate(definition.stages):
        if stage.name not in reached:
            text = _l("No request reaches this stage.")
            yield Finding(f"stages[{place}].when", text, is_remark=True)
