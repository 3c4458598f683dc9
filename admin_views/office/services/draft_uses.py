"""What uses a field of a service's draft, and taking it out of there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from admin_views.office.services import draft_parts
from clearance.core import i18n
from clearance.services.drafting import Document

_LISTS = ("sections", "fields", "refuse", "documents", "stages", "issued", "messages")


def users_of(document: Document, name: str) -> list[str]:
    """Return what reads the field called `name`: the names of other parts of the draft."""
    lang, found = i18n.language(), []
    for key in _LISTS:
        parts = document.get(key)
        listed = parts if isinstance(parts, list) else [parts] if parts else []
        for place, each in enumerate(listed):
            if isinstance(each, dict) and each.get("name") != name and _reads(each, name):
                called = draft_parts.name_of(each, lang) or str(place + 1)
                found.append(f"{draft_parts.title_of_list(key)}: {called}")
    if name in dict(document.get("roles") or {}).values():
        found.append(draft_parts.title_of_list("roles"))
    return found


def take_out(document: Document, name: str) -> None:
    """Take the field out of conditions, tables, validities and roles; rules about it go.

    Texts that have its placeholder stay: only their author knows how they read without it.
    """
    for key in _LISTS:
        parts = document.get(key)
        if isinstance(parts, list):
            document[key] = [_without(each, name) for each in parts]
    rules = document.get("refuse")
    if isinstance(rules, list):
        document["refuse"] = [
            rule for rule in rules if not isinstance(rule, dict) or {"when", "at"} <= rule.keys()
        ]
    roles = document.get("roles")
    if isinstance(roles, dict):
        document["roles"] = {role: held for role, held in roles.items() if held != name}


def _without(part: Any, name: str) -> Any:
    """Return a part of the document without what reads the field."""
    if isinstance(part, list):
        return [_without(each, name) for each in part]
    if not isinstance(part, dict):
        return part
    found = {key: _without(each, name) for key, each in part.items()}
    for key in ("at", "until"):
        if found.get(key) == name:
            del found[key]
    if isinstance(found.get("show"), list):
        found["show"] = [each for each in found["show"] if each != name]
    if "when" in part and not (when := _narrowed(part["when"], name)):
        del found["when"]
    elif "when" in part:
        found["when"] = when
    if found.get("valid") == {}:
        del found["valid"]
    return found


def _narrowed(when: Any, name: str) -> Any:
    """Return a condition without the comparisons that read the field; None if nothing is left."""
    if not isinstance(when, dict):
        return when
    for join in ("all", "any"):
        if isinstance(when.get(join), list):
            parts = [part for each in when[join] if (part := _narrowed(each, name))]
            return {join: parts} if len(parts) > 1 else next(iter(parts), None)
    return None if name in set(_named(when)) else when


def _reads(value: Any, name: str) -> bool:
    return name in _named(value) or f"{{{name}}}" in json.dumps(value)


def _named(value: Any) -> Iterator[Any]:
    """Yield all that conditions, rules, tables and validities within a part name."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key in ("field", "at", "until") and isinstance(each, str):
                yield each
            elif key == "show" and isinstance(each, list):
                yield from (one for one in each if isinstance(one, str))
            else:
                yield from _named(each)
    elif isinstance(value, list):
        for each in value:
            yield from _named(each)
