"""Licence history for pages: steps, their authors and changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core import i18n, reasons
from clearance.core.extensions import db
from clearance.licences import field_values
from clearance.models import BrokerType, Licence, LicenceChange, Organisation, Request, User
from clearance.models.enums import LicenceStep

SHOWN_STEPS = 200
SIGNS: dict[str, str] = {
    LicenceStep.TRANSFERRED: "organisation",
    LicenceStep.CORRECTED: "edit",
    LicenceStep.UPDATED: "edit",
    LicenceStep.TAKEN_FROM_CUSTOMS: "download",
}
# The licence's number; request fields use the same name for theirs.
_NUMBER = _l("Licence number")


@dataclass(frozen=True)
class Change:
    """A changed field with its old and new value as displayed."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    """A step. who: the officer. request_id, request_number: the request that caused it."""

    title: str
    at: datetime
    tone: str
    sign: str | None
    licence_number: str
    who: str
    request_id: int | None
    request_number: str
    reason: str
    changes: Sequence[Change]


def of_licences(licence_ids: Collection[int]) -> list[Entry]:
    """Return the steps of the licences, newest first, in a constant number of queries."""
    rows = db.session.execute(
        sa.select(LicenceChange, Licence.number, Request.number, User)
        .join(Licence, Licence.id == LicenceChange.licence_id)
        .outerjoin(Request, Request.id == LicenceChange.request_id)
        .outerjoin(User, User.id == LicenceChange.actor_id)
        .where(LicenceChange.licence_id.in_(licence_ids))
        .order_by(LicenceChange.at.desc(), LicenceChange.id.desc())
        .limit(SHOWN_STEPS)
    ).all()
    names = _names([change.changes for change, *_others in rows])
    return [
        Entry(
            title=str(LicenceStep(change.kind).label),
            at=change.at,
            tone=LicenceStep(change.kind).tone,
            sign=SIGNS.get(change.kind),
            licence_number=number,
            who=actor.name_in(i18n.language()) if actor is not None else "",
            request_id=change.request_id,
            request_number=request_number or "",
            reason=reasons.read(change.reason),
            changes=_changes(change.changes, names),
        )
        for change, number, request_number, actor in rows
    ]


def field_label(name: str) -> str:
    """Return the label of a licence or broker field in the page's language."""
    return str(_NUMBER if name == "number" else field_values.LABELS.get(name, name))


def _changes(changes: Mapping[str, Any], names: Mapping[tuple[str, Any], str]) -> list[Change]:
    def word(field: str, value: Any) -> str:
        return names.get((field, value)) or field_values.format_value(field, value)

    return [
        Change(field_label(field), word(field, before), word(field, after))
        for field, (before, after) in changes.items()
    ]


def _names(changes: Sequence[Mapping[str, Any]]) -> dict[tuple[str, Any], str]:
    """Map (field, value) of foreign keys in the changes to the names of their rows."""
    found: dict[tuple[str, Any], str] = {}
    for field, model, key in (
        ("organisation_id", Organisation, Organisation.id),
        ("broker_type", BrokerType, BrokerType.code),
    ):
        wanted = {value for step in changes for value in step.get(field, ()) if value is not None}
        if wanted:
            rows = db.session.execute(
                sa.select(key.label("key"), model.name_ar, model.name_en).where(key.in_(wanted))
            )
            found |= {
                (field, row.key): i18n.in_language(row, "name") or row.name_en for row in rows
            }
    return found
