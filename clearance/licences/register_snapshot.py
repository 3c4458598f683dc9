"""Snapshots of a request's licence and broker, to detect changes since it was sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import audit
from clearance.core.errors import Refusal
from clearance.core.extensions import db
from clearance.licences import register as licence_register
from clearance.licences.field_values import LABELS, format_value
from clearance.models import Licence, Request
from clearance.models.enums import LicenceStatus
from clearance.services.extension import Snapshot

_OF_LICENCE = ("status", "suspended_by", "expires", "guarantee_no", "guarantee_expiry")
_OF_BROKER = (
    "organisation_id",
    *licence_register.IDENTITY_FIELDS,
    *licence_register.CONTACT_FIELDS,
)
# Contact data is irrelevant to decisions, and requests for letters may update it meanwhile.
_DECISIVE = frozenset((*_OF_LICENCE, *_OF_BROKER)) - frozenset(licence_register.CONTACT_FIELDS)


def lock(request_ids: Collection[int]) -> None:
    """Lock the licences and brokers of these requests until the transaction ends.

    Call it again after a commit; requests are locked before.
    """
    about = sa.select(Request.licence_id).where(
        Request.id.in_(request_ids), Request.licence_id.is_not(None)
    )
    licence_register.lock_many(
        [licence_id for licence_id in db.session.scalars(about) if licence_id is not None]
    )


def take(req: Request) -> dict[str, Any]:
    """Return the register's current values for licence and broker as JSON; {} without a licence."""
    licence = _licence(req)
    if licence is None:
        return {}
    values = {name: getattr(licence, name) for name in _OF_LICENCE}
    values |= {name: getattr(licence.broker, name) for name in _OF_BROKER}
    return {name: audit.as_json(value) for name, value in values.items()}


def change_refusal(req: Request) -> Refusal | None:
    """Return a Refusal if the licence or broker changed since the request was sent, or None.

    A licence's expiry by its own date is not a change; guards check it. Requests without a
    snapshot are not refused. Source: specification section 6.
    """
    changes = _changes(req.subject_seen, take(req)) if req.subject_seen else {}
    if not changes:
        return None
    listed = [
        _(
            "%(field)s changed from “%(before)s” to “%(after)s”.",
            field=LABELS[name],
            before=format_value(name, before),
            after=format_value(name, after),
        )
        for name, (before, after) in changes.items()
    ]
    return Refusal(
        _(
            "The register has changed since this request was sent. %(changes)s",
            changes=" ".join(listed),
        ),
        _l(
            "Ask for corrections. When the request is sent again, it uses the register data "
            "of that day."
        ),
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    changed = {
        name: (value, after.get(name))
        for name, value in before.items()
        if name in _DECISIVE and value != after.get(name)
    }
    if after.get("status") == LicenceStatus.EXPIRED and "expires" not in changed:
        changed.pop("status", None)
        changed.pop("suspended_by", None)
    return changed


def _licence(req: Request) -> Licence | None:
    return None if req.licence_id is None else db.session.get(Licence, req.licence_id)


SNAPSHOT = Snapshot(lock, take, change_refusal)
