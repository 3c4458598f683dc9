"""Notification preferences for e-mail and SMS, and why some events are mandatory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.errors import PermissionDenied
from clearance.core.extensions import db
from clearance.models import NoticePreference, User
from clearance.models.enums import Channel, Role
from clearance.notifications import events
from clearance.notifications.schema import MessageClass

# Account events that staff receive too.
_OF_EVERYBODY = frozenset(
    f"account:{name}"
    for name in (
        "password:changed",
        "contact:changed",
        "factor:changed",
        "device:new",
        "data:ready",
    )
)
_REASONS = {
    "account": _l("It is about your account or your access."),
    "licence": _l("It changes what a licence allows."),
    "exam": _l("It is about a seat or a result."),
    "transfer": _l("It is about which organisation a broker belongs to."),
}
_USUAL_REASON = _l("It is a decision or asks you to do something.")


@dataclass(frozen=True)
class EventRow:
    """One event on the page.

    wanted: current choice by channel. reason: why it is fixed, or "". is_by_choice: without a
    choice it is not sent at all.
    """

    event: str
    label: str
    wanted: dict[Channel, bool]
    reason: str = ""
    is_by_choice: bool = False

    def key(self, channel: Channel) -> str:
        """Return the form's key for this event on that channel."""
        return key_of(self.event, channel)


def key_of(event: str, channel: str) -> str:
    """Return the form's key for an event on a channel."""
    return f"{event}/{channel}"


def optional_events(role: str) -> list[MessageClass]:
    """Return the events that users with this role may switch off per channel."""
    return [
        message
        for message in events.registered().values()
        if message.is_for(role) and not message.is_mandatory
    ]


def set_preference(user_id: int, event: str, channel: str, *, wanted: bool) -> None:
    """Save whether the user wants `event` by `channel`. Flushes.

    Raises PermissionDenied for an event that cannot be switched off, or a channel it lacks.
    """
    message = events.registered().get(event)
    if message is None or message.is_mandatory or channel not in message.channels:
        raise PermissionDenied(_l("This notification cannot be turned off."))
    row = db.session.get(NoticePreference, (user_id, event, channel))
    if row is None:
        row = NoticePreference(user_id=user_id, event=event, channel=channel)
        db.session.add(row)
    row.is_wanted = wanted
    db.session.flush()


def opted_out(event: str, user_ids: Sequence[int]) -> set[tuple[int, str]]:
    """Return (user id, channel) where `event` is not wanted; empty if it is mandatory."""
    message = events.registered()[event]
    if message.is_mandatory:
        return set()
    query = sa.select(NoticePreference.user_id, NoticePreference.channel).where(
        NoticePreference.event == event,
        NoticePreference.user_id.in_(user_ids),
        NoticePreference.is_wanted.is_(message.is_by_choice),
    )
    chosen = {(user_id, channel) for user_id, channel in db.session.execute(query)}
    if not message.is_by_choice:
        return chosen
    return {(user_id, str(by)) for user_id in user_ids for by in message.channels} - chosen


def choosers(event: str) -> list[int]:
    """Return the ids of the active users who chose an event that is sent by choice."""
    query = (
        sa.select(NoticePreference.user_id)
        .join(User, User.id == NoticePreference.user_id)
        .where(
            NoticePreference.event == event,
            NoticePreference.is_wanted.is_(True),
            User.is_active.is_(True),
            User.role.in_(events.registered()[event].roles),
        )
        .distinct()
    )
    return list(db.session.scalars(query.order_by(NoticePreference.user_id)))


def choosable(user_id: int, role: str, lang: str) -> list[EventRow]:
    """Return the events this role may switch on or off, with the user's current choice."""
    chosen = _chosen(user_id)
    return [
        EventRow(
            message.event,
            message.label(lang),
            {channel: _is_wanted(message, channel, chosen) for channel in message.channels},
            is_by_choice=message.is_by_choice,
        )
        for message in optional_events(role)
        if message.channels
    ]


def mandatory_events(role: str, lang: str) -> list[EventRow]:
    """Return the mandatory events of this role, with the reason."""
    return [
        EventRow(
            message.event,
            message.label(lang),
            dict.fromkeys(message.channels, True),
            str(_REASONS.get(message.event.partition(":")[0], _USUAL_REASON)),
        )
        for message in events.registered().values()
        if message.is_mandatory and _is_of(message, role)
    ]


def keys_for(role: str) -> list[str]:
    """Return every key that this role may choose."""
    return [
        key_of(message.event, channel)
        for message in optional_events(role)
        for channel in message.channels
    ]


def choose(actor: Actor, wanted: Collection[str], now: datetime) -> int:
    """Switch on the wanted keys and all others off; returns how many changed. Flushes.

    Raises: PermissionDenied for a key that the actor may not choose.
    """
    keys = keys_for(actor.role)
    if not set(wanted) <= set(keys):
        raise PermissionDenied(_l("This notification cannot be turned off."))
    user = db.session.get_one(User, actor.id, with_for_update=True)  # one submission at a time
    chosen = _chosen(user.id)
    changes = {}
    for key in keys:
        event, _slash, channel = key.rpartition("/")
        message = events.registered()[event]
        before, after = _is_wanted(message, channel, chosen), key in wanted
        if before != after:
            set_preference(user.id, event, channel, wanted=after)
            changes[key] = [before, after]
    if changes:
        audit.record("account:notices:chosen", obj=user, actor_id=user.id, at=now, changes=changes)
    return len(changes)


def _is_of(message: MessageClass, role: str) -> bool:
    if role == Role.AGENT:
        return message.audience == "agent"
    return message.event in _OF_EVERYBODY


def _is_wanted(message: MessageClass, channel: str, chosen: Mapping[tuple[str, str], bool]) -> bool:
    return chosen.get((message.event, channel), not message.is_by_choice)


def _chosen(user_id: int) -> dict[tuple[str, str], bool]:
    """Return the user's choices by event and channel."""
    rows = db.session.execute(
        sa.select(
            NoticePreference.event, NoticePreference.channel, NoticePreference.is_wanted
        ).where(NoticePreference.user_id == user_id)
    )
    return {(event, channel): is_wanted for event, channel, is_wanted in rows}
