"""Merging two changed copies of a definition by its parts, as the comparison in words knows them.

Works on documents, which need not be valid: a draft may be half-made.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from clearance.services import comparison

Document = dict[str, Any]
Path = tuple[str, ...]
"""Where a value is: names of properties, and of lists what tells their parts apart."""

ORDER: Final = "#"
"""Ends the path of a list whose parts both copies moved."""
_WHOLE: Final = frozenset({"when", "valid"})
"""Mappings that mean something only as a whole."""


@dataclass(frozen=True)
class Merged:
    """A merged definition. conflicts: what both copies changed, each differently."""

    document: Document
    conflicts: tuple[Path, ...]


def merge(
    base: Mapping[str, Any],
    ours: Mapping[str, Any],
    theirs: Mapping[str, Any],
    taken: Collection[Path] = (),
) -> Merged:
    """Merge two copies of `base`: the result has what either of them changed.

    Where both changed something differently `ours` counts, or `theirs` for the paths in `taken`;
    the conflicts are the same either way. The result shares its values with the copies.
    """
    merging = _Merging(frozenset(taken))
    document = merging.value((), base, ours, theirs)
    return Merged(dict(document), tuple(merging.conflicts))


@dataclass(frozen=True)
class _Merging:
    """One merge. Values that are not there are None."""

    taken: frozenset[Path]
    conflicts: list[Path] = field(default_factory=list)

    def value(self, path: Path, base: Any, ours: Any, theirs: Any) -> Any:
        if theirs in (ours, base):
            return ours
        if ours == base:
            return theirs
        name = path[-1] if path else ""
        if name in comparison.LISTS and (named := _named(name, base, ours, theirs)):
            return self._parts(path, *named)
        filled = [{} if each is None else each for each in (base, ours, theirs)]
        if name not in _WHOLE and all(isinstance(each, Mapping) for each in filled):
            return self._properties(path, *filled)
        return self._choose(path, ours, theirs)

    def _properties(self, path: Path, *states: Mapping[str, Any]) -> Document | None:
        _base, ours, theirs = states
        merged = {
            key: self.value((*path, key), *(state.get(key) for state in states))
            for key in dict.fromkeys([*ours, *theirs])
        }
        return {key: value for key, value in merged.items() if value is not None} or None

    def _parts(self, path: Path, *states: Document) -> list[Any]:
        """Merge lists of parts. states: of each list name → part, in its order."""
        order = self._order(path, *(list(named) for named in states))
        merged = [
            self._part((*path, name), *(named.get(name) for named in states)) for name in order
        ]
        return [part for part in merged if part is not None]

    def _part(self, path: Path, base: Any, ours: Any, theirs: Any) -> Any:
        """Merge one part of a list.

        One that either copy added, removed or gave another type counts as a whole, since its
        properties fit each other only.
        """
        states = (base, ours, theirs)
        is_whole = None in states or any(part.get("type") != base.get("type") for part in states)
        if is_whole and ours != theirs and base not in (ours, theirs):
            return self._choose(path, ours, theirs)
        return self.value(path, base, ours, theirs)

    def _order(self, path: Path, base: list[str], ours: list[str], theirs: list[str]) -> list[str]:
        """Return the names of both copies, in the order of the one that moved any."""
        common = {*base} & {*ours} & {*theirs}
        was, own, other = (
            [name for name in names if name in common] for names in (base, ours, theirs)
        )
        if own in (was, other):
            first = theirs
        elif other == was:
            first = ours
        else:
            first = self._choose((*path, ORDER), ours, theirs)
        return _woven(first, ours if first is theirs else theirs)

    def _choose(self, path: Path, ours: Any, theirs: Any) -> Any:
        self.conflicts.append(path)
        return theirs if path in self.taken else ours


def _woven(first: list[str], second: list[str]) -> list[str]:
    """Return `first`, with what only `second` has after what it follows there."""
    woven = list(first)
    for place, name in enumerate(second):
        if name not in first:
            before = next((each for each in reversed(second[:place]) if each in woven), None)
            woven.insert(woven.index(before) + 1 if before is not None else 0, name)
    return woven


def _named(name: str, *states: Any) -> tuple[Document, Document, Document] | None:
    """Return name → part of the three states of a list; None if they cannot be told apart."""
    lists = [[] if state is None else state for state in states]
    if not all(isinstance(parts, list) for parts in lists):
        return None
    if not all(isinstance(part, dict) for parts in lists for part in parts):
        return None
    key = comparison.KEYS.get(name)
    if key is None:
        base, ours, theirs = (_by_place(lists[0], parts) for parts in lists)
    else:
        base, ours, theirs = ({str(part.get(key)): part for part in parts} for parts in lists)
    is_clear = [len(base), len(ours), len(theirs)] == [len(parts) for parts in lists]
    return (base, ours, theirs) if is_clear else None


def _by_place(base: list[Any], parts: list[Any]) -> Document:
    """Return parts that have no name by their place in `base`, new ones by what they say."""
    named: Document = {}
    for number, part in zip(comparison.matched(base, parts, None), parts, strict=True):
        name = json.dumps(part, sort_keys=True) if number is None else str(number)
        while name in named:
            name += "+"
        named[name] = part
    return named
