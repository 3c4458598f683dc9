"""What differs between two definitions of a service, in the reader's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import i18n, teams
from clearance.core.extensions import db
from clearance.core.yaml_files import Part
from clearance.models import BrokerType, ChoiceList, LegalEntity
from clearance.models.enums import Labelled
from clearance.services import answers, choice_lists, condition_words, property_words, registry
from clearance.services.conditions import Condition
from clearance.services.document_kinds import kind_names
from clearance.services.field_specs import (
    Bilingual,
    Choice,
    DocumentSpec,
    FieldSpec,
    Rule,
    SectionSpec,
)
from clearance.services.messages import OwnMessage, OwnWording
from clearance.services.schema import Definition, Guards
from clearance.services.stages import Stage, StageGuards
from clearance.services.standard_fields import Group
from clearance.services.statements import Paragraph, Statement, Validity

KEYS = {
    **dict.fromkeys(("fields", "columns", "sections", "stages", "issued"), "name"),
    "documents": "kind",
    "choices": "value",
}
"""List of parts → the property that tells its parts apart."""
LISTS = frozenset((*KEYS, "refuse", "conditions", "paragraphs"))
_GROUPS = (Guards, StageGuards, Validity)
_TEXTS = frozenset({"manual_title"})
_MEASURES = frozenset({"unit"})
"""Texts that change what an answer means."""
_NAMES = frozenset((*KEYS.values(), "label", "title"))
"""Properties that a part is named by."""


class Sort(Labelled):
    """What happened to a property or a part."""

    CHANGED = "changed", _l("Changed"), "info"
    ADDED = "added", _l("Added"), "success"
    REMOVED = "removed", _l("Removed"), "danger"
    MOVED = "moved", _l("Moved"), "neutral"


@dataclass(frozen=True)
class Change:
    """One difference, in the page's language.

    path: of the newer definition, as in `fields[2].label.ar`; of the older one for a removed part.
    place: the part it belongs to. property: what changed of it; "" for a part added or removed.
    before, after: "" for nothing; of a moved part, its numbers in the list. is_words: only what
    people read changed, not what the service does.
    """

    path: str
    place: str
    property: str
    before: str
    after: str
    sort: Sort = Sort.CHANGED
    is_words: bool = False

    def what(self) -> str:
        """Return what changed: the property, or that the part was added, removed or moved."""
        return self.property or str(self.sort.label)


def is_of_words_alone(changes: Iterable[Change]) -> bool:
    """Return whether only what people read changed, not what the service does or asks."""
    return all(change.is_words for change in changes)


def differences(old: Definition, new: Definition, names: Names | None = None) -> list[Change]:
    """Return what differs, each difference once, in the order of the definition's properties.

    names: for several comparisons that share what they read.
    """
    named = names or Names()
    readers = (_Reader(choice_lists.with_items(each), named) for each in (old, new))
    comparison = _Comparison(*readers)
    return list(comparison.properties(old, new, _Place("", _("Service"), "")))


class _Place(NamedTuple):
    """A part of a definition. within: the list or group that its properties are named by."""

    path: str
    words: str
    within: str


@dataclass(frozen=True)
class _Comparison:
    old: _Reader
    new: _Reader

    def properties(self, was: Part, now: Part, place: _Place) -> Iterator[Change]:
        """Tell what differs between two states of one part."""
        for name, field in type(now).model_fields.items():
            before, after = getattr(was, name), getattr(now, name)
            path = f"{place.path}.{field.alias or name}".lstrip(".")
            if before == after:
                continue
            if name in LISTS:
                yield from self._parts(name, before, after, place._replace(path=path))
            elif name == "messages":
                yield from self._messages(before, after)
            elif isinstance(before, _GROUPS) and isinstance(after, _GROUPS):
                yield from self.properties(before, after, _Place(path, place.words, name))
            elif isinstance(before or after, Bilingual):
                yield from _texts(before, after, path, place, name)
            else:
                yield Change(
                    path,
                    place.words,
                    property_words.label(name, place.within),
                    self.old.value(name, was, place.within),
                    self.new.value(name, now, place.within),
                    is_words=name in _TEXTS,
                )

    def _messages(
        self, old: Mapping[str, OwnMessage], new: Mapping[str, OwnMessage]
    ) -> Iterator[Change]:
        """Tell which of the service's own words for notifications differ."""
        for key in dict.fromkeys((*old, *new)):
            for lang in i18n.LANGUAGES:
                was, now = (getattr(each.get(key), lang, None) for each in (old, new))
                for name in OwnWording.model_fields:
                    before, after = (getattr(each, name, "") for each in (was, now))
                    if before != after:
                        words = property_words.label(name, "messages", lang)
                        place = str(_("Notification “%(name)s”", name=key))
                        path = f"messages.{key}.{lang}.{name}"
                        yield Change(path, place, words, before, after, is_words=True)

    def _parts(
        self, name: str, old: Sequence[Any], new: Sequence[Any], place: _Place
    ) -> Iterator[Change]:
        """Tell which parts of a list were added, moved, changed or removed."""
        earlier = matched(old, new, KEYS.get(name))
        moved = _moved([number for number in earlier if number is not None])
        for number, part in enumerate(new):
            before = earlier[number]
            spot = _Place(f"{place.path}[{number}]", self.new.place(part, number, place), name)
            is_words = isinstance(part, Bilingual)
            if before is None:
                told = self.new.summary(part, name)
                yield Change(spot.path, spot.words, "", "", told, Sort.ADDED, is_words)
                continue
            if before in moved:
                numbers = str(before + 1), str(number + 1)
                yield Change(spot.path, spot.words, _("Position"), *numbers, Sort.MOVED, is_words)
            if is_words:
                yield from _texts(old[before], part, spot.path, spot, "")
            else:
                yield from self.properties(old[before], part, spot)
        for number in sorted(set(range(len(old))) - set(earlier)):
            words, told = (
                self.old.place(old[number], number, place),
                self.old.summary(old[number], name),
            )
            path, is_words = f"{place.path}[{number}]", isinstance(old[number], Bilingual)
            yield Change(path, words, "", told, "", Sort.REMOVED, is_words)


def _texts(
    was: Bilingual | None, now: Bilingual | None, path: str, place: _Place, name: str
) -> Iterator[Change]:
    """Tell in which languages a text differs. name: its property; "" for a text of a list."""
    for lang in i18n.LANGUAGES:
        before, after = (text.of(lang) if text is not None else "" for text in (was, now))
        if before != after:
            words = property_words.label(name or place.within, place.within, lang)
            is_words = name not in _MEASURES
            yield Change(f"{path}.{lang}", place.words, words, before, after, is_words=is_words)


def matched(old: Sequence[Any], new: Sequence[Any], key: str | None) -> list[int | None]:
    """Return, for each part of `new`, the number of the same part in `old`, or None.

    key: the property that tells parts apart. Without one, equal parts are the same, and those left
    over are taken to be rewritten, in order.
    """
    left = list(range(len(old)))

    def take(part: Any) -> int | None:
        for number in left:
            other = old[number]
            if other == part if key is None else getattr(other, key) == getattr(part, key):
                left.remove(number)
                return number
        return None

    found = [take(part) for part in new]
    if key is None:
        found = [left.pop(0) if number is None and left else number for number in found]
    return found


def _moved(numbers: list[int]) -> set[int]:
    """Return which numbers must move for the others to be in rising order: as few as can be."""
    longest: list[int] = []
    runs: list[list[int]] = []
    for number in numbers:
        run = [*max((run for run in runs if run[-1] < number), key=len, default=[]), number]
        runs.append(run)
        longest = max(longest, run, key=len)
    return set(numbers) - set(longest)


class Names:
    """What codes of the portal and of its reference data are called, in the page's language."""

    @cached_property
    def by_property(self) -> dict[str, dict[str, Any]]:
        """Property → code → name, read when one is first asked for."""
        known, lang = registry.current(), i18n.language()
        guards = {name: guard.words for name, guard in known.guards.items()}
        return {
            "kind": kind_names(),
            "broker_types": _rows(BrokerType),
            "legal_entities": _rows(LegalEntity),
            "team": dict(teams.named(lang)),
            "list": _rows(ChoiceList),
            "start": {name: start.words for name, start in known.starts.items()},
            "on_approval": {name: effect.words for name, effect in known.effects.items()},
            **{f"guards.{name}": guards for name in ("start", "send", "approval", "approve")},
        }


@dataclass(frozen=True)
class _Reader:
    """Tells parts and values of one definition in words."""

    definition: Definition
    names: Names

    def place(self, part: Any, number: int, around: _Place) -> str:
        """Return what one part of a list is called. around: what the list belongs to."""
        lang = i18n.language()
        if isinstance(part, FieldSpec) and around.within == "fields":
            name = part.title(lang)
            return str(_("%(field)s, column “%(name)s”", field=around.words, name=name))
        if isinstance(part, FieldSpec):
            return str(_("Field “%(name)s”", name=part.title(lang)))
        if isinstance(part, SectionSpec):
            return str(_("Section “%(name)s”", name=part.title.of(lang)))
        if isinstance(part, DocumentSpec):
            name = self._names["kind"].get(part.kind, part.kind)
            return str(_("Document “%(name)s”", name=name))
        if isinstance(part, Choice):
            label = part.label.of(lang)
            return str(_("%(field)s, choice “%(name)s”", field=around.words, name=label))
        if isinstance(part, Stage):
            return str(_("Stage “%(name)s”", name=part.title.of(lang)))
        if isinstance(part, Statement):
            return str(_("Document issued “%(name)s”", name=part.title.of(lang)))
        if isinstance(part, Paragraph):
            return str(_("%(place)s, paragraph %(number)s", place=around.words, number=number + 1))
        if isinstance(part, Rule):
            return str(_("Rule %(number)s", number=number + 1))
        return str(_("Condition %(number)s", number=number + 1))

    def summary(self, part: Any, within: str) -> str:
        """Return what an added or removed part says, apart from what names it."""
        if isinstance(part, Bilingual):
            return self._name(within, part)
        told = [
            f"{property_words.label(name, within)}: {self.value(name, part, within)}"
            for name, field in type(part).model_fields.items()
            if name not in _NAMES and getattr(part, name) != field.default
        ]
        return str(_("; ")).join(told)

    def value(self, name: str, part: Any, within: str) -> str:
        """Return a part's property in words; "" for nothing."""
        value = getattr(part, name)
        if value in (None, (), "", {}):
            return ""
        if name == "default":
            return answers.written(part, answers.typed(part, part.default), i18n.language())
        if isinstance(value, bool):
            return str(_("Yes") if value else _("No"))
        if isinstance(value, Condition):
            return condition_words.in_words(value, self.definition)
        if isinstance(value, date):
            return i18n.format_day(value)
        if isinstance(value, _GROUPS):
            return self.summary(value, name)
        return self._listed(name, value, within)

    def _listed(self, name: str, value: Any, within: str) -> str:
        """Return one code or several, or the texts of paragraphs, in words."""
        if name == "paragraphs":
            return " ".join(getattr(each, i18n.language()) for each in value)
        if name == "or_":
            value = tuple(value.values())
        if name == "roles":
            value = tuple(f"{role}: {self._name('at', field)}" for role, field in value.items())
        several = value if isinstance(value, tuple) else (value,)
        key = f"{within}.{name}" if within == "guards" else name
        if key == "columns":
            return str(_(", ")).join(each.title(i18n.language()) for each in value)
        if key in ("fields", "show", "until"):
            key, several = "at", tuple(getattr(each, "name", each) for each in several)
        return str(_(", ")).join(self._name(key, each) for each in several)

    def _name(self, name: str, value: Any) -> str:
        if isinstance(value, Bilingual | Choice):
            text: Bilingual = value.label if isinstance(value, Choice) else value
            return text.of(i18n.language())
        return str(self._names.get(name, {}).get(value) or property_words.meaning(name, value))

    @cached_property
    def _names(self) -> dict[str, dict[str, Any]]:
        """Names of what properties refer to, by property and code."""
        lang = i18n.language()
        sections = {section.name: section.title.of(lang) for section in self.definition.sections}
        return self.names.by_property | {
            "at": {spec.name: spec.title(lang) for spec in self.definition.answered},
            "section": dict(Group.choices()) | sections,
        }


def _rows(model: Any) -> dict[str, str]:
    return {row.code: i18n.in_language(row, "name") for row in db.session.scalars(sa.select(model))}
