"""What somebody wants to be told by e-mail and SMS, and what is fixed and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
from clearance.notifications.events import EVENTS, MessageClass

# Of the account, these reach the office's people too.
_OF_EVERYBODY = frozenset(
    f"account:{each}"
    for each in (
        "password:changed",
        "contact:changed",
        "factor:changed",
        "device:new",
        "data:ready",
    )
)
_REASONS = {
    "account": _l("It is about your account or your access."),
    "licence": _l("It changes what a licence entitles to."),
    "request": _l("It is a decision, or asks something of you."),
    "exam": _l("It is about a seat or a result."),
    "transfer": _l("It is about who a broker belongs to."),
    "subscription": _l("It is a decision, or asks something of you."),
}


@dataclass(frozen=True)
class EventRow:
    """One event of the page. wanted: channel → as it is now. reason: why it is fixed, or ""."""

    event: str
    label: str
    wanted: dict[Channel, bool]
    reason: str = ""

    def key(self, channel: Channel) -> str:
        """What the page's form calls this event on that channel."""
        return key_of(self.event, channel)


def key_of(event: str, channel: str) -> str:
    """The form's name of an event on a channel."""
    return f"{event}/{channel}"


def optional_events(role: str) -> list[MessageClass]:
    """Return the events that people of this role may switch off by channel."""
    audience = "agent" if role == Role.AGENT else "staff"
    return [each for each in EVENTS.values() if each.audience == audience and not each.is_mandatory]


def set_preference(user_id: int, event: str, channel: str, *, wanted: bool) -> None:
    """Keep whether the user wants `event` by `channel`. Flushes.

    Raises PermissionDenied for an event that cannot be switched off or a channel it has not.
    """
    message = EVENTS.get(event)
    if message is None or message.is_mandatory or channel not in message.channels:
        raise PermissionDenied(_l("This notice cannot be switched off."))
    row = db.session.get(NoticePreference, (user_id, event, channel))
    if row is None:
        row = NoticePreference(user_id=user_id, event=event, channel=channel)
        db.session.add(row)
    row.is_wanted = wanted
    db.session.flush()


def opted_out(event: str, user_ids: Sequence[int]) -> set[tuple[int, str]]:
    """Who of the users does not want `event`, by which channel; nobody where it is mandatory."""
    if EVENTS[event].is_mandatory:
        return set()
    query = sa.select(NoticePreference.user_id, NoticePreference.channel).where(
        NoticePreference.event == event,
        NoticePreference.user_id.in_(user_ids),
        NoticePreference.is_wanted.is_(False),
    )
    return {(user_id, channel) for user_id, channel in db.session.execute(query)}


def choosable(user_id: int, role: str, lang: str) -> list[EventRow]:
    """The events that somebody of this role may switch off, with their present choice."""
    unwanted = _unwanted(user_id)
    return [
        EventRow(
            each.event,
            each.label(lang),
            {channel: (each.event, channel) not in unwanted for channel in each.channels},
        )
        for each in optional_events(role)
        if each.channels
    ]


def mandatory_events(role: str, lang: str) -> list[EventRow]:
    """The events that always go out, each with the reason."""
    return [
        EventRow(
            each.event,
            each.label(lang),
            dict.fromkeys(each.channels, True),
            str(_REASONS[each.event.partition(":")[0]]),
        )
        for each in EVENTS.values()
        if each.is_mandatory and _is_of(each, role)
    ]


def keys_for(role: str) -> list[str]:
    """Every key that somebody of this role may choose."""
    return [
        key_of(each.event, channel) for each in optional_events(role) for channel in each.channels
    ]


def choose(actor: Actor, wanted: Collection[str], now: datetime) -> int:
    """Keep what is wanted (keys) and switch everything else off; returns how many changed. Flushes.

    Raises: PermissionDenied for a key that is not the actor's to choose.
    """
    keys = keys_for(actor.role)
    if not set(wanted) <= set(keys):
        raise PermissionDenied(_l("This notice cannot be switched off."))
    user = db.session.get_one(User, actor.id, with_for_update=True)  # one page at a time
    unwanted = _unwanted(user.id)
    changes = {}
    for key in keys:
        event, _slash, channel = key.rpartition("/")
        before, after = (event, channel) not in unwanted, key in wanted
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


def _unwanted(user_id: int) -> set[tuple[str, str]]:
    rows = db.session.execute(
        sa.select(NoticePreference.event, NoticePreference.channel).where(
            NoticePreference.user_id == user_id, NoticePreference.is_wanted.is_(False)
        )
    )
    return {(event, channel) for event, channel in rows}
