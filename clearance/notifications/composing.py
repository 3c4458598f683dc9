"""Compose messages from events and values: texts, letter, encryption of secrets."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import current_app

from clearance.core import crypto, kept
from clearance.core.extensions import db
from clearance.core.settings import Settings
from clearance.models import Delivery, MessageText
from clearance.models.enums import Channel
from clearance.notifications import events, letter
from clearance.notifications.schema import MessageClass

Texts = dict[tuple[str, str, str], tuple[str, str]]
"""(event, channel, language) → (subject, body)."""


@dataclass(frozen=True)
class Recipient:
    """Recipient of a message. name: "" if not a user. gender: a code of `Gender`, if known."""

    address: str
    language: str
    name: str
    gender: str | None = None


def delivery_of(
    message: MessageClass,
    recipient: Recipient,
    channel: Channel,
    values: Mapping[str, Any],
    own: Texts,
    now: datetime,
) -> Delivery:
    """Return a delivery due at once, not added yet; a secret one is encrypted (rule 61)."""
    lang = recipient.language
    values = {**values, "recipient": recipient.name}
    subject, body = filled(message, channel, lang, values, own)
    if channel == Channel.EMAIL:
        body = letter.around(body, values, lang, recipient.gender)
    return Delivery(
        event=message.event,
        channel=channel,
        address=recipient.address,
        language=lang,
        subject=subject,
        body=crypto.encrypt(body) if message.is_secret else body,
        is_secret=message.is_secret,
        priority=message.priority,
        created_at=now,
        next_at=now,
        message_id=f"{uuid.uuid4().hex}@{_sender_domain()}"[:80],
    )


def filled(
    message: MessageClass, channel: str, lang: str, values: Mapping[str, Any], own: Texts
) -> tuple[str, str]:
    """Return (subject, body) for `channel` with the values filled in."""
    subject, body = own.get((message.event, channel, lang)) or message.shipped(channel, lang)
    known = dict.fromkeys(message.placeholders, "") | dict(values)
    return events.fill(channel, subject, body, known, lang)


def own_texts(events: Iterable[str]) -> Texts:
    """Return the office's own texts of the events, by event, channel and language."""
    asked = set(events)
    known = kept.until_changed("own texts", _all_own_texts)
    return {key: text for key, text in known.items() if key[0] in asked}


def _all_own_texts() -> Texts:
    return {
        (row.event, row.channel, row.language): (row.subject, row.body)
        for row in db.session.scalars(sa.select(MessageText))
    }


def absolute(path: str) -> str:
    """Return the full URL of a path in the portal, for use in a message."""
    return f"{_settings().base_url}{path}" if path.startswith("/") else path


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _sender_domain() -> str:
    return _settings().mail_default_sender.rpartition("@")[2].rstrip(">") or "localhost"
