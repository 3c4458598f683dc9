"""Lists within a service's draft: finding a part, adding and doubling it."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection
from typing import Any

from admin_views.base.access import not_found
from admin_views.office.services import draft_parts
from admin_views.office.services.draft_parts import PartList
from clearance.services.drafting import Document
from clearance.services.field_specs import ONLY_SHOWN, RESERVED_NAMES, Mode
from clearance.services.standard_fields import STANDARD_FIELDS
from forms.service_parts import Item, code_from

_AROUND = {
    "stages": draft_parts.STAGES,
    "fields": draft_parts.FIELDS,
    "issued": draft_parts.STATEMENTS,
}
"""List → what it is, of those whose parts have lists of their own."""


def items_of(document: Document, path: str) -> list[Item]:
    """Return the list at a path such as `fields` or `stages.check.fields`, as it is kept.

    What is no list counts as an empty one, and a part that is no mapping as an empty part. Aborts
    with 404 for a stage or field that is not there.
    """
    outer, _, rest = path.partition(".")
    if not rest:
        found = document.get(outer)
        parts = found if isinstance(found, list) else []
        if parts is not found or not all(isinstance(each, dict) for each in parts):
            parts = document[outer] = [each if isinstance(each, dict) else {} for each in parts]
        return parts
    name, _, inner = rest.partition(".")
    return items_of(find(items_of(document, outer), _AROUND[outer], name), inner)


def list_of(part: draft_parts.Part, path: str) -> PartList:
    """Return what the list at a path is. Aborts with 404 for one that the part does not have."""
    if part.key == "review" and re.fullmatch(r"stages\.[a-z0-9_]+\.fields", path):
        return draft_parts.OFFICE_FIELDS
    if part.key == "form" and re.fullmatch(r"fields\.[a-z0-9_]+\.columns", path):
        return draft_parts.COLUMNS
    if part.key == "issued" and re.fullmatch(r"issued\.[a-z0-9_]+\.paragraphs", path):
        return draft_parts.PARAGRAPHS
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


def add(items: list[Item], kind: PartList, form: Any, there: Collection[str] = ()) -> Item:
    """Add a part at the end, of what was chosen or typed. Raises: ValueError if nothing was.

    there: names of other lists that it cannot have.
    """
    item = _new(items, kind, form, there)
    items.append(item)
    return item


def double(items: list[Item], item: Item, kind: PartList, there: Collection[str] = ()) -> Item:
    """Put a copy of a part after it, with names of its own; return the copy. there: as of `add`."""
    copied = copy.deepcopy(item)
    if kind.names:
        taken = {*there, *(str(each.get(kind.names)) for each in items)}
        copied[kind.names] = code_from(str(item.get(kind.names)), taken)
        _rename_columns(copied, taken)
    items.insert(items.index(item) + 1, copied)
    return copied


def _rename_columns(item: Item, taken: Collection[str]) -> None:
    """Give the columns of a doubled field names of their own, in their conditions too."""
    columns = [each for each in item.get("columns") or () if isinstance(each, dict)]
    names: dict[str, str] = {}
    for name in (str(each.get("name")) for each in columns):
        names[name] = code_from(name, {*taken, *names.values()})

    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            key: names.get(str(each), each) if key in ("name", "field") else renamed(each)
            for key, each in value.items()
        }

    if columns:
        item["columns"] = renamed(columns)


def can_double(kind: PartList, item: Item) -> bool:
    """Return whether a second one like it can be there: neither a standard field nor a document."""
    return kind.names != "kind" and str(item.get("name")) not in STANDARD_FIELDS


def names_of(document: Document) -> set[str]:
    """Return the names of the form's fields and of their columns."""
    fields = items_of(document, "fields")
    lists = [each["columns"] for each in fields if isinstance(each.get("columns"), list)]
    columns = [each for listed in lists for each in listed if isinstance(each, dict)]
    return {str(each.get("name")) for each in (*fields, *columns)}


def _new(items: list[Item], kind: PartList, form: Any, there: Collection[str]) -> Item:
    chosen = str(form.get("standard") or form.get("kind") or "").strip()
    label = {lang: str(form.get(f"label_{lang}") or "").strip()[:250] for lang in ("ar", "en")}
    label = {lang: text for lang, text in label.items() if text}
    if kind.names == "kind" or chosen:
        if not chosen or any(each.get(kind.names) == chosen for each in items):
            raise ValueError
        standard = STANDARD_FIELDS.get(chosen) if kind.types else None
        is_shown = standard is not None and standard.kind in ONLY_SHOWN
        return {kind.names: chosen} | ({"mode": str(Mode.SHOWN)} if is_shown else {})
    if kind is draft_parts.PARAGRAPHS and label:
        return label
    if kind is draft_parts.RULES:
        return {"says": label} if label else {}
    if not label:
        raise ValueError
    taken = {*STANDARD_FIELDS, *RESERVED_NAMES, *there, *(str(each.get("name")) for each in items)}
    item: Item = {"name": code_from(label.get("en", ""), taken)}
    if kind.types:
        section = {"section": form["section"][:40]} if form.get("section") else {}
        return item | section | {"type": str(form.get("type") or "text"), "label": label}
    return item | {"title": label}
