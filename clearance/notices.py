"""Telling people: notices in the portal and the deliveries they queue; nothing is sent here.

A use case calls these in its own transaction, so that what is told and what is done stand or fall
together. They flush; the caller commits; the sender (`messages`) works from the rows alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from babel.units import format_unit
from flask import current_app
from flask_babel import lazy_gettext as _l

from clearance import links, message_texts, secrets_box
from clearance.errors import PermissionDenied, TransitionNotAllowed
from clearance.extensions import db
from clearance.i18n import format_day, format_instant
from clearance.message_texts import EVENTS, LANGUAGES, PORTAL, MessageClass
from clearance.message_wording import LETTERS
from clearance.models import (
    Delivery,
    Grant,
    Membership,
    MessageText,
    Notice,
    NoticePreference,
    User,
)
from clearance.settings import Settings
from clearance.vocabulary import Channel, CodePurpose, DeliveryStatus, Role

QUEUED_MARK = "clearance_deliveries_queued"  # in the session's info: wake the sender after commit
LATE_AFTER = timedelta(minutes=15)
_Texts = Mapping[tuple[str, str, str], tuple[str, str]]


def tell(
    event: str,
    *,
    user_id: int,
    params: Mapping[str, Any] | None = None,
    now: datetime,
    request_id: int | None = None,
    organisation_id: int | None = None,
    url: str = "",
) -> Notice:
    """Tell one user of `event`: a notice, and a delivery for each channel they want. Flushes.

    params: what the texts name: text, number, date, aware instant (written in Kuwait's time) or
    {"ar": …, "en": …}; never a code, password or token. now: aware UTC. url: a path inside the
    portal, or "". Mandatory events ignore preferences (specification section 10).
    Raises ValueError for an event not registered, a param it needs and did not get, or a `url`
    outside the portal.
    """
    user = db.session.get_one(User, user_id)
    told = _tell_all(event, [user], params, now, request_id, organisation_id, url)
    return told[0]


def tell_members(
    event: str,
    *,
    organisation_id: int,
    service_code: str | Collection[str] | None = None,
    params: Mapping[str, Any] | None = None,
    now: datetime,
    request_id: int | None = None,
    url: str = "",
    except_user_id: int | None = None,
) -> list[Notice]:
    """Tell every active member of the organisation who may use the service. Flushes.

    service_code: of several, who may use any of them; None tells the general users alone.
    except_user_id: somebody who knows already. The rest is as for `tell`.
    """
    chosen: sa.ColumnElement[bool] = Membership.is_general.is_(True)
    if service_code is not None:
        codes = [service_code] if isinstance(service_code, str) else list(service_code)
        granted = sa.exists().where(
            Grant.membership_id == Membership.id, Grant.service_code.in_(codes)
        )
        chosen = sa.or_(chosen, granted)
    query = (
        sa.select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.organisation_id == organisation_id,
            Membership.is_active.is_(True),
            User.is_active.is_(True),
            chosen,
        )
        .order_by(User.id)
    )
    users = [user for user in db.session.scalars(query) if user.id != except_user_id]
    return _tell_all(event, users, params, now, request_id, organisation_id, url)


def tell_reviewers(
    event: str,
    *,
    params: Mapping[str, Any] | None = None,
    now: datetime,
    request_id: int | None = None,
    url: str = "",
) -> list[Notice]:
    """Tell every active reviewer, as `tell` does. Flushes."""
    query = sa.select(User).where(User.role == Role.REVIEWER, User.is_active.is_(True))
    users = list(db.session.scalars(query.order_by(User.id)))
    return _tell_all(event, users, params, now, request_id, None, url)


def send_code(
    *,
    purpose: CodePurpose,
    channel: Channel,
    address: str,
    language: str,
    code: str,
    expires_at: datetime,
    now: datetime,
    link: str = "",
) -> Delivery:
    """Queue a one-time code ahead of everything else. Flushes.

    The body is sealed in the row and erased when it was sent or has expired (rule 61). address:
    e-mail, or mobile in E.164. link: a path inside the portal (the reset page), or "".
    """
    minutes = max(1, round((expires_at - now).total_seconds() / 60))
    lifetime = {lang: _minutes(minutes, lang) for lang in LANGUAGES}
    return tell_address(
        f"code:{purpose}",
        channel=channel,
        address=address,
        language=language,
        params={"code": code, "lifetime": lifetime},
        now=now,
        link=link,
        expires_at=expires_at,
    )


def tell_address(
    event: str,
    *,
    channel: Channel,
    address: str,
    language: str,
    params: Mapping[str, Any] | None = None,
    now: datetime,
    link: str = "",
    expires_at: datetime | None = None,
) -> Delivery:
    """Queue one message to an address that need not be a user's (invitations). Flushes.

    No notice is made. Events registered as secret (codes, invitations) are sealed in the row.
    expires_at: after it the message is dropped unsent. The rest is as for `tell`.
    """
    values = _checked(event, params)
    delivery = _delivery(
        EVENTS[event],
        _Recipient(address, language, ""),
        channel,
        values | {"link": _absolute(link)},
        _own_texts([event]),
        now,
    )
    delivery.expires_at = expires_at
    db.session.add(delivery)
    _flush_queued()
    return delivery


def text_of(notice: Notice, lang: str) -> tuple[str, str]:
    """Return (title, body) of a notice in `lang` ("ar" or "en"), the office's wording first."""
    return texts_of([notice], lang)[0]


def texts_of(notices: Sequence[Notice], lang: str) -> list[tuple[str, str]]:
    """Return (title, body) of each notice in `lang`, with one query for all."""
    own = _own_texts({notice.event for notice in notices})
    return [_filled(EVENTS[each.event], PORTAL, lang, each.params, own) for each in notices]


def of_user(user_id: int, *, limit: int = 50, before_id: int | None = None) -> list[Notice]:
    """Return the user's notices, newest first; before_id: the last one already shown."""
    query = sa.select(Notice).where(Notice.user_id == user_id)
    if before_id is not None:
        query = query.where(Notice.id < before_id)
    return list(db.session.scalars(query.order_by(Notice.id.desc()).limit(limit)))


def unread_count(user_id: int) -> int:
    """How many notices the user has not read."""
    query = sa.select(sa.func.count()).select_from(Notice)
    unread = query.where(Notice.user_id == user_id, Notice.read_at.is_(None))
    return db.session.scalar(unread) or 0


def mark_read(user_id: int, ids: Iterable[int], now: datetime) -> int:
    """Mark the user's own notices among `ids` as read; return how many were unread. Flushes."""
    return _mark(user_id, now, Notice.id.in_(list(ids)))


def mark_all_read(user_id: int, now: datetime) -> int:
    """Mark all of the user's notices as read; return how many were unread. Flushes."""
    return _mark(user_id, now, sa.true())


def optional_events(role: str) -> list[MessageClass]:
    """Return the events that people of this role may switch off by channel."""
    audience = "agent" if role == Role.AGENT else "staff"
    return [each for each in EVENTS.values() if each.audience == audience and not each.is_mandatory]


def wants(user_id: int, event: str, channel: str) -> bool:
    """Whether this user gets `event` by `channel`: always when mandatory, else as they chose."""
    message = EVENTS[event]
    if channel not in message.channels:
        return False
    return message.is_mandatory or (user_id, channel) not in _unwanted(event, [user_id])


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


def body_of(delivery: Delivery) -> str:
    """Return what the message says; "" when a secret was erased or its key is gone."""
    if not delivery.is_secret or not delivery.body:
        return delivery.body
    try:
        return secrets_box.open(delivery.body)
    except ValueError:
        return ""


def send_again(delivery: Delivery, now: datetime) -> None:
    """Put a message that was given up back into the queue. Flushes.

    Hold the row first. Raises TransitionNotAllowed when it was not given up, its body is erased or
    what it brings has run out.
    """
    has_run_out = delivery.expires_at is not None and delivery.expires_at <= now
    if delivery.status != DeliveryStatus.GIVEN_UP or not delivery.body or has_run_out:
        raise TransitionNotAllowed(_l("This message cannot be sent again."))
    delivery.status = DeliveryStatus.QUEUED
    delivery.attempts = 0
    delivery.created_at = delivery.next_at = now
    delivery.lease = delivery.leased_until = None
    _flush_queued()


@dataclass(frozen=True)
class Waiting:
    """How the outbox stands. oldest_minutes: age of the oldest message not yet sent, else 0."""

    queued: int
    given_up: int
    oldest_minutes: int

    @property
    def is_late(self) -> bool:
        """Whether messages wait so long that somebody should look."""
        return timedelta(minutes=self.oldest_minutes) >= LATE_AFTER


def waiting(now: datetime) -> Waiting:
    """Count what waits and what was given up, for the office's warning and the log."""
    query = (
        sa.select(Delivery.status, sa.func.count(), sa.func.min(Delivery.created_at))
        .where(Delivery.status.in_([DeliveryStatus.QUEUED, DeliveryStatus.GIVEN_UP]))
        .group_by(Delivery.status)
    )
    rows = {status: (count, oldest) for status, count, oldest in db.session.execute(query)}
    queued, oldest = rows.get(DeliveryStatus.QUEUED, (0, None))
    age = max(timedelta(0), now - oldest) if oldest else timedelta(0)
    given_up = rows.get(DeliveryStatus.GIVEN_UP, (0, None))[0]
    return Waiting(queued, given_up, int(age.total_seconds() // 60))


@dataclass(frozen=True)
class _Recipient:
    address: str
    language: str
    name: str


def _tell_all(
    event: str,
    users: Sequence[User],
    params: Mapping[str, Any] | None,
    now: datetime,
    request_id: int | None,
    organisation_id: int | None,
    url: str,
) -> list[Notice]:
    values = _checked(event, params)
    if url and not links.inside(url):
        raise ValueError("a notice leads nowhere outside the portal")
    message = EVENTS[event]
    notices = [
        Notice(
            user_id=user.id,
            organisation_id=organisation_id,
            request_id=request_id,
            event=event,
            params=values,
            url=url,
            created_at=now,
        )
        for user in users
    ]
    db.session.add_all(notices)
    db.session.flush()
    unwanted = set() if message.is_mandatory else _unwanted(event, [user.id for user in users])
    own = _own_texts([event])
    for user, notice in zip(users, notices, strict=True):
        for channel in message.channels:
            address = user.email if channel == Channel.EMAIL else user.mobile
            if address and user.is_active and (user.id, channel) not in unwanted:
                recipient = _Recipient(address, user.language, user.full_name)
                filled = values | {"link": _absolute(url)}
                delivery = _delivery(message, recipient, channel, filled, own, now)
                delivery.notice_id = notice.id
                db.session.add(delivery)
    _flush_queued()
    return notices


def _checked(event: str, params: Mapping[str, Any] | None) -> dict[str, Any]:
    params = params or {}
    if event not in EVENTS:
        raise ValueError(f"{event} is not a registered event")
    missing = message_texts.missing_params(event, params)
    if missing:
        raise ValueError(f"{event} needs {', '.join(missing)}")
    return {name: _plain(value) for name, value in params.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(lang): str(text) for lang, text in value.items()}
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, date):
        return format_day(value)
    return value if isinstance(value, int) else str(value)


def _delivery(
    message: MessageClass,
    recipient: _Recipient,
    channel: Channel,
    values: Mapping[str, Any],
    own: _Texts,
    now: datetime,
) -> Delivery:
    lang = recipient.language
    values = {**values, "recipient": recipient.name}
    subject, body = _filled(message, channel, lang, values, own)
    if channel == Channel.EMAIL:
        body = _letter(body, values, lang)
    return Delivery(
        event=message.event,
        channel=channel,
        address=recipient.address,
        language=lang,
        subject=subject,
        body=secrets_box.seal(body) if message.is_secret else body,
        is_secret=message.is_secret,
        priority=message.priority,
        created_at=now,
        next_at=now,
        message_id=f"{uuid.uuid4().hex}@{_sender_domain()}"[:80],
    )


def _filled(
    message: MessageClass, channel: str, lang: str, values: Mapping[str, Any], own: _Texts
) -> tuple[str, str]:
    subject, body = own.get((message.event, channel, lang)) or message.shipped(channel, lang)
    known = dict.fromkeys(message.placeholders, "") | dict(values)
    return (
        message_texts.fill_subject(subject, known, lang),
        message_texts.fill_body(body, known, lang),
    )


def _letter(body: str, values: Mapping[str, Any], lang: str) -> str:
    letter = LETTERS[lang]
    greeting = letter.greeting if values.get("recipient") else letter.greeting_unnamed
    # Filled body goes in by joining: what stands in it is not looked at again.
    parts = (message_texts.fill_body(greeting, values, lang), body, str(values.get("link", "")))
    return "\n\n".join([*(part for part in parts if part), letter.closing]) + "\n"


def _own_texts(events: Iterable[str]) -> _Texts:
    query = sa.select(MessageText).where(MessageText.event.in_(sorted(set(events))))
    return {
        (row.event, row.channel, row.language): (row.subject, row.body)
        for row in db.session.scalars(query)
    }


def _unwanted(event: str, user_ids: Sequence[int]) -> set[tuple[int, str]]:
    query = sa.select(NoticePreference.user_id, NoticePreference.channel).where(
        NoticePreference.event == event,
        NoticePreference.user_id.in_(user_ids),
        NoticePreference.is_wanted.is_(False),
    )
    return {(user_id, channel) for user_id, channel in db.session.execute(query)}


def _mark(user_id: int, now: datetime, which: sa.ColumnElement[bool]) -> int:
    statement = (
        sa.update(Notice)
        .where(Notice.user_id == user_id, Notice.read_at.is_(None), which)
        .values(read_at=now)
    )
    result: Any = db.session.execute(statement)
    return int(result.rowcount)


def _flush_queued() -> None:
    db.session.info[QUEUED_MARK] = True
    db.session.flush()


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _absolute(path: str) -> str:
    return f"{_settings().base_url}{path}" if path.startswith("/") else path


def _sender_domain() -> str:
    return _settings().mail_default_sender.rpartition("@")[2].rstrip(">") or "localhost"


def _minutes(count: int, lang: str) -> str:
    return str(format_unit(count, "duration-minute", length="long", locale=lang))
