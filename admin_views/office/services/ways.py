"""The page of the ways through a service: which answers lead to which fields and stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import i18n
from clearance.services import condition_words, drafting, findings, versions, ways
from clearance.services.document_kinds import kind_names
from clearance.services.drafting import Source
from clearance.services.schema import Definition
from clearance.services.ways import Way

_HEADINGS = (
    ("fields", _l("Fields")),
    ("documents", _l("Documents")),
    ("stages", _l("Stages")),
    ("issued", _l("Documents that are issued")),
)


class Branch(NamedTuple):
    """A way as its page shows it. rest: heading and names of what it leads to."""

    answers: list[str]
    rest: list[tuple[Any, str]]


class WayRoutes:
    """Routes of the ways under a service's draft."""

    _show: Callable[..., str]

    @expose("/<code>/draft/ways/")
    def draft_ways(self, code: str) -> Any:
        """Show the ways through the draft, if nothing is wrong in it."""
        found = drafting.source(code)
        return self._show(found, "office/services/draft/ways.html", **_shown(found))


def _shown(found: Source) -> dict[str, Any]:
    definition, wrong = versions.checked(found.document)
    if definition is None or findings.faults(wrong):
        return {"branches": None}
    through = ways.through(definition)
    always = _common(through.ways)
    return {
        "are_all": through.are_all,
        "always": _rest(always, Way(), definition),
        "branches": [
            Branch(
                [condition_words.in_words(answer, definition) for answer in way.answers],
                _rest(way, always, definition),
            )
            for way in through.ways
        ],
    }


def _common(found: Sequence[Way]) -> Way:
    """Return what every way leads to."""
    common = {
        key: tuple(
            name
            for name in getattr(found[0], key)
            if all(name in getattr(way, key) for way in found)
        )
        for key, _heading in _HEADINGS
    }
    return Way(**common)


def _rest(way: Way, without: Way, definition: Definition) -> list[tuple[Any, str]]:
    """Return heading and names of what a way leads to, without what another one does."""
    lang, kinds = i18n.language(), kind_names()
    called = {
        "fields": {spec.name: spec.title(lang) for spec in definition.fields},
        "documents": {spec.kind: kinds.get(spec.kind, spec.kind) for spec in definition.documents},
        "stages": {stage.name: stage.title.of(lang) for stage in definition.stages},
        "issued": {statement.name: statement.title.of(lang) for statement in definition.issued},
    }
    found = []
    for key, heading in _HEADINGS:
        names = [name for name in getattr(way, key) if name not in getattr(without, key)]
        if names:
            found.append((heading, str(_(", ")).join(called[key][name] for name in names)))
    return found
