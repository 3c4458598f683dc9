"""The office's own message texts, used instead of the shipped ones, with a preview."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from clearance.core import audit, yaml_files
from clearance.core.actor import Actor
from clearance.core.database import hold_table
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.values import clean_lines, clean_text
from clearance.models import MessageText
from clearance.models.enums import Channel
from clearance.notifications import events
from clearance.notifications.schema import LANGUAGES, PORTAL, SUBJECT_MAX_LENGTH, MessageClass

BODY_MAX_LENGTH = 4000
SMS_MAX_LENGTH = 480
SAMPLES = yaml_files.read(Path(__file__).with_name("samples.yaml"))
_OWN_SAMPLES: Mapping[str, Mapping[str, Any]] = SAMPLES.pop("of_events")
NEEDED = ("code", "link")  # required in a text whose shipped version has them


@dataclass(frozen=True)
class Wording:
    """An event's text on one channel in one language. is_own: the office's, not the shipped one."""

    channel: str
    language: str
    subject: str
    body: str
    is_own: bool

    @property
    def has_subject(self) -> bool:
        """Whether the channel has a title."""
        return self.channel != Channel.SMS


class UnusableText(DomainError):
    """A text without title or a needed placeholder, or with unknown placeholders."""

    status_code = 400


def places(message: MessageClass) -> list[tuple[str, str]]:
    """Return (channel, language) of every text of the event."""
    in_portal = () if message.audience == "code" else (PORTAL,)
    channels = (*in_portal, *(str(medium) for medium in message.channels))
    return [(channel, language) for channel in channels for language in LANGUAGES]


def hold() -> None:
    """Lock the texts against changes until this transaction ends."""
    hold_table(MessageText)


def of_event(event: str) -> list[Wording]:
    """Return every text of the event as currently used."""
    rows = {
        (row.channel, row.language): row
        for row in db.session.scalars(sa.select(MessageText).where(MessageText.event == event))
    }
    message = events.registered()[event]
    return [_wording(message, *place, rows.get(place)) for place in places(message)]


def own_counts() -> dict[str, int]:
    """Return the number of the office's own texts by event."""
    statement = sa.select(MessageText.event, sa.func.count()).group_by(MessageText.event)
    return {event: count for event, count in db.session.execute(statement)}


def check(event: str, channel: str, language: str, subject: str, body: str) -> None:
    """Reject a text that cannot be sent. Raises: UnusableText, values.BadValue."""
    title = clean_text(subject, SUBJECT_MAX_LENGTH)
    text = clean_lines(body, SMS_MAX_LENGTH if channel == Channel.SMS else BODY_MAX_LENGTH)
    if not text:
        return
    if not title and channel != Channel.SMS:
        raise UnusableText(_("Enter a title too, or leave both empty."))
    message = events.registered()[event]
    unknown = message.unknown_placeholders(subject, body)
    if unknown:
        raise UnusableText(_("This message cannot use: %(names)s.", names=_in_braces(unknown)))
    _title, shipped = message.shipped(channel, language)
    lost = [name for name in NEEDED if f"{{{name}}}" in shipped and f"{{{name}}}" not in text]
    if lost:
        raise UnusableText(_("This message must include: %(names)s.", names=_in_braces(lost)))


def preview(event: str, channel: str, language: str, subject: str, body: str) -> tuple[str, str]:
    """Return (title, body) filled with sample values."""
    known = {name: sample(name, event) for name in events.registered()[event].placeholders}
    return events.fill(channel, subject, body, known, language)


def sample(placeholder: str, event: str) -> Any:
    """Return a placeholder's sample value in the texts of `event`.

    Extensions' own placeholders stand for themselves.
    """
    own = _OWN_SAMPLES.get(event, {})
    return own.get(placeholder, SAMPLES.get(placeholder, placeholder))


def save(
    event: str, channel: str, language: str, subject: str, body: str, actor: Actor, now: datetime
) -> bool:
    """Save a text as the office's own; an empty one restores the shipped text.

    Flushes. Returns whether anything changed; changes are recorded in the audit trail.
    Raises: UnusableText, values.BadValue.
    """
    check(event, channel, language, subject, body)
    row = _row(event, channel, language)
    shipped = _cleaned(*events.registered()[event].shipped(channel, language))
    before = (row.subject, row.body) if row is not None else shipped
    after = _cleaned(subject, body) if clean_lines(body) else shipped
    if before == after:
        return False
    if row is None:
        row = MessageText(event=event, channel=channel, language=language)
        db.session.add(row)
    else:
        row.version += 1
    row.subject, row.body = after
    audit.record(
        "office:text:changed",
        obj=row,
        actor_id=actor.id,
        at=now,
        changes={f"{event} {channel} {language}": [list(before), list(after)]},
    )
    if after == shipped:
        db.session.delete(row)  # so that texts of later versions apply
        db.session.flush()
    return True


def _in_braces(names: list[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def _cleaned(subject: str, body: str) -> tuple[str, str]:
    return clean_text(subject), clean_lines(body)


def _row(event: str, channel: str, language: str) -> MessageText | None:
    return db.session.scalar(
        sa.select(MessageText).where(
            MessageText.event == event,
            MessageText.channel == channel,
            MessageText.language == language,
        )
    )


def _wording(
    message: MessageClass, channel: str, language: str, row: MessageText | None
) -> Wording:
    if row is not None:
        return Wording(channel, language, row.subject, row.body, is_own=True)
    return Wording(channel, language, *message.shipped(channel, language), is_own=False)
