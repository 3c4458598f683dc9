"""The order of the parts of a service's draft: fields by their section, and moving a part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from admin_views.base.access import not_found
from admin_views.office.services import draft_lists, draft_parts
from admin_views.office.services.draft_parts import PartList
from clearance.core import i18n
from clearance.services.drafting import Document
from clearance.services.standard_fields import STANDARD_FIELDS, Group
from forms.service_parts import Item, Options

START = ":"
"""What precedes the key of a section in the place at its beginning."""


@dataclass(frozen=True)
class Grouped:
    """Parts under one heading, in their order. key: of the section, "" for a plain list."""

    key: str
    title: str
    items: list[Item]


def groups_of(document: Document, kind: PartList, items: list[Item]) -> list[Grouped]:
    """Return the parts of a list as the page shows them: fields by section, others as one group.

    Standard groups come first, then the service's own sections, as in the form; none is empty.
    """
    if kind is not draft_parts.FIELDS:
        return [Grouped("", "", items)] if items else []
    lang = i18n.language()
    titles = {str(group): str(group.label) for group in Group}
    own = document.get("sections")
    for each in own if isinstance(own, list) else ():
        if isinstance(each, dict):
            titles[str(each.get("name"))] = draft_parts.name_of(each, lang)
    found: dict[str, list[Item]] = {key: [] for key in titles}
    for item in items:
        found[_section_of(item, titles)].append(item)
    return [Grouped(key, titles[key], listed) for key, listed in found.items() if listed]


def fields_before(document: Document, path: str, item: Item) -> list[Item]:
    """Return the fields that a condition of `item` may read: those before it, or all."""
    fields = draft_lists.items_of(document, "fields")
    ordered = [
        each
        for group in groups_of(document, draft_parts.FIELDS, fields)
        for each in group.items
        if isinstance(each, dict)
    ]
    if path.endswith(".columns"):
        columns = draft_lists.items_of(document, path)
        around = draft_lists.find(fields, draft_parts.FIELDS, path.split(".")[1])
        return [*_until(ordered, around), *_until(columns, item)]
    return _until(ordered, item) if path == "fields" else ordered


def _until(items: list[Item], item: Item) -> list[Item]:
    return items[: next(place for place, each in enumerate(items) if each is item)]


def move(document: Document, kind: PartList, items: list[Item], item: Item, place: str) -> None:
    """Move a part "up" or "down" within its group, or after the part with the key `place`.

    ":" and the key of a section (or ":" alone) is the place at its beginning. A field that goes to
    another section belongs to it from then on. Aborts with 404 for a place that is not there.
    """
    groups = groups_of(document, kind, items)
    group = next(each for each in groups if any(one is item for one in each.items))
    place_in = next(number for number, one in enumerate(group.items) if one is item)
    if place == "up" and place_in:
        _put(items, item, group.items[place_in - 1], 0)
    elif place == "down" and place_in + 1 < len(group.items):
        _put(items, item, group.items[place_in + 1], 1)
    elif place.startswith(START):
        found = next((each for each in groups if START + each.key == place), None) or not_found()
        _put(items, item, found.items[0], 0)
        _join(item, group, found)
    elif place not in ("up", "down"):
        before = draft_lists.find(items, kind, place)
        _put(items, item, before, 1)
        _join(item, group, next(each for each in groups if _holds(each, before)))


def places(document: Document, kind: PartList, items: list[Item], item: Item) -> Options:
    """Return where a part can be moved: (place as in `move`, words)."""
    lang, found = i18n.language(), []
    for group in groups_of(document, kind, items):
        found.append((START + group.key, draft_parts.at_beginning(group.title)))
        found += [
            (draft_lists.key_of(items, kind, each), draft_parts.after(called))
            for each in group.items
            if each is not item
            and (called := draft_parts.name_of(each, lang) or draft_lists.key_of(items, kind, each))
        ]
    return found


def number_of(document: Document, kind: PartList, items: list[Item], item: Item) -> str:
    """Return the number that the outline shows beside a part, such as "2.3"."""
    for number, group in enumerate(groups_of(document, kind, items), 1):
        for place, each in enumerate(group.items, 1):
            if each is item:
                return f"{number}.{place}" if group.key else str(place)
    return ""


def _section_of(item: Any, known: dict[str, str]) -> str:
    fields = item if isinstance(item, dict) else {}
    section, standard = str(fields.get("section")), STANDARD_FIELDS.get(str(fields.get("name")))
    if section in known:
        return section
    return str(Group.DETAILS if standard is None else standard.group)


def _holds(group: Grouped, item: Item) -> bool:
    return any(each is item for each in group.items)


def _put(items: list[Item], item: Item, other: Item, offset: int) -> None:
    """Put a part before (0) or after (1) another one."""
    if item is not other:
        del items[next(place for place, each in enumerate(items) if each is item)]
        place = next(place for place, each in enumerate(items) if each is other)
        items.insert(place + offset, item)


def _join(item: Item, left: Grouped, joined: Grouped) -> None:
    if left.key != joined.key:
        item["section"] = joined.key
