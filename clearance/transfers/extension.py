"""What transfers bring to the engine: their flow with its parties, guards and the move itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.core.office_setting_types import number
from clearance.services.effects import Effect
from clearance.services.extension import Extension, Job, Trail, named_in
from clearance.services.guards import Guard
from clearance.transfers import effects, flow, guards, operations, parties


def _with_roles(document: dict[str, Any]) -> dict[str, Any]:
    """Name the fields that schema 0 knew by their names."""
    if document.get("flow") != flow.TRANSFER.name:
        return document
    roles = {parties.NAMED_BY: "licence_no", parties.REASON: "reason"}
    names = {field.get("name") for field in document.get("fields", ())}
    return document | {"roles": {role: name for role, name in roles.items() if name in names}}


EXTENSION = Extension(
    name="transfers",
    needs=("licences",),
    flows=(flow.TRANSFER,),
    guards=named_in(guards, Guard),
    effects=named_in(effects, Effect),
    to_answer=(operations.to_answer,),
    trail=Trail(accesses={"transfer:lookup": _l("A broker was requested from another office")}),
    settings=(
        number(
            "transfer_silence_days",
            "requests",
            14,
            _l("Days before an unanswered transfer is closed"),
        ),
    ),
    jobs=(Job(operations.lapse_unanswered, seconds=900),),
    lifts={0: _with_roles},
    definitions=Path(__file__).parent / "definitions",
    notices=Path(__file__).parent / "texts",
    views="admin_views.my.transfers.views:add_views",
    demo="clearance.demo.stories_transfer:stories",
)
