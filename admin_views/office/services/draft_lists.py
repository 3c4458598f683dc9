"""Lists within a service's draft: finding a part, adding, moving, doubling and removing it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from admin_views.base.access import not_found
from admin_views.office.services import draft_parts
from admin_views.office.services.draft_parts import PartList
from clearance.core import i18n
from clearance.services.drafting import Document
from clearance.services.standard_fields import STANDARD_FIELDS
from forms.service_parts import Item, code_from


def items_of(document: Document, path: str) -> list[Item]:
    """Return the list at a path such as `fields` or `stages.check.fields`, as it is kept.

    What is no list counts as an empty one, and a part that is no mapping as an empty part. Aborts
    with 404 for a stage that is not there.
    """
    outer, _, rest = path.partition(".")
    if not rest:
        found = document.get(outer)
        parts = found if isinstance(found, list) else []
        items = [each if isinstance(each, dict) else {} for each in parts]
        document[outer] = items
        return items
    name, _, inner = rest.partition(".")
    stage = find(items_of(document, outer), draft_parts.STAGES, name)
    return items_of(stage, inner)


def list_of(part: draft_parts.Part, path: str) -> PartList:
    """Return what the list at a path is. Aborts with 404 for one that the part does not have."""
    if part.key == "review" and re.fullmatch(r"stages\.[a-z0-9_]+\.fields", path):
        return draft_parts.OFFICE_FIELDS
    return next((each for each in part.lists if each.key == path), None) or not_found()


def key_of(items: list[Item], kind: PartList, item: Item) -> str:
    """Return what tells a part apart in addresses: its name, or its number."""
    name = str(item.get(kind.names, "")) if kind.names else ""
    first = next((each for each in items if str(each.get(kind.names, "")) == name), None)
    is_plain = first is item and re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name)
    if is_plain:
        return name
    return next(str(place) for place, each in enumerate(items, 1) if each is item)


def find(items: list[Item], kind: PartList, key: str) -> Item:
    """Return the part with that key. Aborts with 404."""
    found = next((each for each in items if key_of(items, kind, each) == key), None)
    return not_found() if found is None else found


def add(items: list[Item], kind: PartList, form: Any) -> Item:
    """Add a part at the end, of what was chosen or typed. Raises: ValueError if nothing was."""
    item = _new(items, kind, form)
    items.append(item)
    return item


def act(items: list[Item], item: Item, kind: PartList, action: str) -> Item:
    """Move a part up or down, double or remove it; return it, or its double."""
    place = items.index(item)
    if action == "up" and place:
        items[place - 1 : place + 1] = [item, items[place - 1]]
    elif action == "down" and place + 1 < len(items):
        items[place : place + 2] = [items[place + 1], item]
    elif action == "double":
        double = copy.deepcopy(item)
        if kind.names:
            taken = {str(each.get(kind.names)) for each in items}
            double[kind.names] = code_from(str(item.get(kind.names)), taken)
        items.insert(place + 1, double)
        return double
    elif action == "remove":
        items.remove(item)
    return item


def can_double(kind: PartList, item: Item) -> bool:
    """Return whether a second one like it can be there: neither a standard field nor a document."""
    return kind.names != "kind" and str(item.get("name")) not in STANDARD_FIELDS


def users_of(document: Document, name: str) -> list[str]:
    """Return what reads the field called `name`: the names of other parts of the draft."""
    lang, found = i18n.language(), []
    for key in ("sections", "fields", "refuse", "documents", "stages", "issued", "messages"):
        parts = document.get(key)
        listed = parts if isinstance(parts, list) else [parts] if parts else []
        for place, each in enumerate(listed):
            if isinstance(each, dict) and each.get("name") != name and _reads(each, name):
                called = draft_parts.name_of(each, lang) or str(place + 1)
                found.append(f"{draft_parts.title_of_list(key)}: {called}")
    if name in dict(document.get("roles") or {}).values():
        found.append(draft_parts.title_of_list("roles"))
    return found


def _reads(value: Any, name: str) -> bool:
    return any(each == name for each in _named(value)) or f"{{{name}}}" in json.dumps(value)


def _named(value: Any) -> Iterator[Any]:
    """Yield all that conditions, rules, tables and validities within a part name."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key in ("field", "at", "until") and isinstance(each, str):
                yield each
            elif key == "show" and isinstance(each, list):
                yield from each
            else:
                yield from _named(each)
    elif isinstance(value, list):
        for each in value:
            yield from _named(each)


def _new(items: list[Item], kind: PartList, form: Any) -> Item:
    chosen = str(form.get("standard") or form.get("kind") or "").strip()
    label = {lang: str(form.get(f"label_{lang}") or "").strip()[:250] for lang in ("ar", "en")}
    label = {lang: text for lang, text in label.items() if text}
    if kind.names == "kind" or chosen:
        if not chosen or any(each.get(kind.names) == chosen for each in items):
            raise ValueError
        return {kind.names: chosen}
    if not kind.names:
        return {"says": label} if label else {}
    if not label:
        raise ValueError
    taken = {*STANDARD_FIELDS, *(str(each.get("name")) for each in items)}
    item: Item = {"name": code_from(label.get("en", ""), taken)}
    if kind.key == "fields":
        return item | {"type": str(form.get("type") or "text"), "label": label}
    return item | {"title": label}
