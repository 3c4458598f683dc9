"""What happened to a request, for whoever reads it, and who moved it on last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from clearance.core.actor import Actor
from clearance.core.errors import TransitionNotAllowed
from clearance.core.extensions import db
from clearance.core.i18n import format_instant, language
from clearance.models import Event, Organisation, Request, User
from clearance.models.enums import STAFF_ROLES, STATUS_LABELS
from clearance.services.flows import BY_BROKER, EVENT_LABELS, Action

KIND_PREFIX = "request:step:"


@dataclass(frozen=True)
class TimelineEntry:
    """One step as the reader sees it. actor: the person's name, the office, or the portal."""

    at: datetime
    action: Action
    label: Any
    actor: str
    reason: str
    from_status: str | None
    to_status: str | None


def kind_of(action: Action) -> str:
    """The tag of the event of a step."""
    return f"{KIND_PREFIX}{action}"


def timeline(req: Request, reader: Actor) -> list[TimelineEntry]:
    """Every step of `req`, oldest first. Agents read of the office, not of its people."""
    rows = db.session.execute(_steps(req.id).order_by(Event.id))
    return [_entry(event, user, reader) for event, user in rows]


def moved_on(req: Request, reader: Actor | None) -> TransitionNotAllowed:
    """The error for whoever comes too late: who did what and when."""
    row = db.session.execute(_steps(req.id).order_by(Event.id.desc()).limit(1)).first()
    if row is None:
        return TransitionNotAllowed(
            _("This request was changed meanwhile. Look at it again before you go on.")
        )
    event, user = row
    return TransitionNotAllowed(
        _(
            "This is not possible any more: %(step)s (%(name)s, %(at)s).",
            step=EVENT_LABELS[_action(event)],
            name=_name(event, user, reader),
            at=format_instant(event.at),
        )
    )


def impossible_from(status: str) -> str:
    """What to say of a step that the flow does not have from `status`."""
    text: str = _(
        "This is not possible while the request is in the state “%(status)s”.",
        status=STATUS_LABELS[status],
    )
    return text


def _steps(request_id: int) -> sa.Select[Event, User]:
    return (
        sa.select(Event, User)
        .outerjoin(User, User.id == Event.actor_id)
        .where(Event.request_id == request_id, Event.kind.startswith(KIND_PREFIX))
    )


def _entry(event: Event, user: User | None, reader: Actor) -> TimelineEntry:
    action = _action(event)
    return TimelineEntry(
        at=event.at,
        action=action,
        label=EVENT_LABELS[action],
        actor=_name(event, user, reader),
        reason=event.reason,
        from_status=event.from_status,
        to_status=event.to_status,
    )


def _action(event: Event) -> Action:
    return Action(event.kind.removeprefix(KIND_PREFIX))


def _name(event: Event, user: User | None, reader: Actor | None) -> str:
    """Who took the step, as the reader may know it: agents know the people of their own side."""
    if user is None:
        return str(_("The broker") if _action(event) in BY_BROKER else _("The portal"))
    if reader is not None and reader.is_staff:
        return user.full_name
    if user.role in STAFF_ROLES:
        return str(_("Clearance Agents Affairs Office"))
    if reader is None or event.organisation_id in {None, *reader.organisation_ids}:
        return user.full_name
    return db.session.get_one(Organisation, event.organisation_id).name_in(language())
