"""What issuing brings to the engine: effects that write and void documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.issuing import effects
from clearance.issuing.operations import LETTER_ROLES
from clearance.services.effects import Effect
from clearance.services.extension import Extension, Trail, named_in


def _with_letter_roles(document: dict[str, Any]) -> dict[str, Any]:
    """Name the fields of a letter, which schema 0 knew by their names."""
    if effects.issue_letter.name not in document.get("on_approval", ()):
        return document
    names = {field.get("name") for field in document.get("fields", ())}
    roles = {role: role.removeprefix("letter_") for role in LETTER_ROLES}
    named = {role: name for role, name in roles.items() if name in names}
    return document | {"roles": {**document.get("roles", {}), **named}}


EXTENSION = Extension(
    name="issuing",
    effects=named_in(effects, Effect),
    trail=Trail(
        events={
            "issued:document:made": _l("A document was issued"),
            "issued:document:voided": _l("An issued document was voided"),
        },
        accesses={"issued:read": _l("An issued document was viewed")},
        tables={"issued_document": _l("Issued document")},
    ),
    lifts={0: _with_letter_roles},
    notices=Path(__file__).parent / "texts",
)
