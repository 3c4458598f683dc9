"""Notify users: create portal notices and queue their deliveries; nothing is sent here.

Use cases call these in their own transaction, so that an action and its notices commit together.
They flush; the caller commits; the sender (`delivery`) works from the rows alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from babel.units import format_unit

from clearance.core import teams, urls
from clearance.core.extensions import db
from clearance.core.i18n import format_day, format_instant
from clearance.models import Delivery, Grant, Membership, Notice, Request, User
from clearance.models.enums import Channel, CodePurpose, Role
from clearance.notifications import composing, events, outbox, preferences
from clearance.notifications.schema import LANGUAGES, PORTAL, MessageClass


@dataclass(frozen=True)
class Person:
    """The person whom a notice about a request is about, told in words of their own.

    event: with those words; its params are those of the members' event. name: as for params.
    civil_id, email, mobile: as in the request; None or "" if unknown.
    """

    event: str
    name: Mapping[str, str]
    civil_id: str | None
    email: str
    mobile: str

    def address(self, channel: Channel) -> str:
        """Return the address for `channel`, or ""."""
        return self.email if channel == Channel.EMAIL else self.mobile


def notify_user(
    event: str,
    *,
    user_id: int,
    params: Mapping[str, Any] | None = None,
    now: datetime,
    request_id: int | None = None,
    organisation_id: int | None = None,
    url: str = "",
) -> Notice:
    """Notify one user of `event`: a notice, and a delivery per wanted channel. Flushes.

    params: values for the texts: text, number, date, aware instant (shown in Kuwait time) or
    {"ar": …, "en": …}; never a code, password or token. now: aware UTC. url: a path inside the
    portal, or "". Mandatory events ignore preferences (specification section 10).
    Raises ValueError for an unregistered event, a missing param, or a `url` outside the portal.
    """
    user = db.session.get_one(User, user_id)
    notices = _tell_all(event, [user], params, now, request_id, organisation_id, url)
    return notices[0]


def notify_members(
    event: str,
    *,
    organisation_id: int,
    service_code: str | Collection[str] | None = None,
    params: Mapping[str, Any] | None = None,
    now: datetime,
    request_id: int | None = None,
    url: str = "",
    except_user_id: int | None = None,
    person: Person | None = None,
    own: MessageClass | None = None,
) -> list[Notice]:
    """Notify every active member of the organisation who may use the service. Flushes.

    service_code: if several, members who may use any of them; None: only general users.
    except_user_id: a user to leave out. person: also notified, even without an account; a member
    who is that person gets only the person's text, and no address gets both. own: the event's
    message in the service's own words. Otherwise like `notify_user`.
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
    where = (params, now, request_id, organisation_id, url)
    if person is None:
        return _tell_all(event, users, *where, own=own)
    told = _tell_all(event, [user for user in users if not _is(user, person)], *where, own=own)
    themselves = [user for user in users if _is(user, person)]
    told += _tell_all(person.event, themselves, *where, chosen_by=event)
    _tell_person(person, users, _checked(person.event, params), now, request_id)
    return told


def notify_reviewers(
    event: str,
    *,
    params: Mapping[str, Any] | None = None,
    now: datetime,
    request_id: int | None = None,
    url: str = "",
    team: str | None = None,
) -> list[Notice]:
    """Notify every active reviewer, of one team if given, like `notify_user`. Flushes."""
    query = sa.select(User).where(teams.members(team))
    users = list(db.session.scalars(query.order_by(User.id)))
    return _tell_all(event, users, params, now, request_id, None, url)


def notify_reviewer_of(
    event: str, req: Request, *, params: Mapping[str, Any], now: datetime
) -> list[Notice]:
    """Notify the request's reviewer, or those of its team if it has no active one. Flushes."""
    where: dict[str, Any] = {"request_id": req.id, "url": urls.office_request_url(req.id)}
    holder = db.session.get(User, req.reviewer_id) if req.reviewer_id is not None else None
    if holder is None or holder.role != Role.REVIEWER or not holder.is_active:
        return notify_reviewers(event, params=params, now=now, team=req.team_code, **where)
    return [notify_user(event, user_id=holder.id, params=params, now=now, **where)]


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
    """Queue a one-time code ahead of all other messages. Flushes.

    The body is encrypted in the row, and erased once sent or expired (rule 61). address:
    e-mail, or mobile in E.164. link: a path inside the portal (the reset page), or "".
    """
    minutes = max(1, round((expires_at - now).total_seconds() / 60))
    lifetime = {lang: _minutes(minutes, lang) for lang in LANGUAGES}
    return send_to_address(
        f"code:{purpose}",
        channel=channel,
        address=address,
        language=language,
        params={"code": code, "lifetime": lifetime},
        now=now,
        link=link,
        expires_at=expires_at,
    )


def send_to_address(
    event: str,
    *,
    channel: Channel,
    address: str,
    language: str,
    params: Mapping[str, Any] | None = None,
    now: datetime,
    link: str = "",
    expires_at: datetime | None = None,
    request_id: int | None = None,
) -> Delivery:
    """Queue one message to an address that need not be a user's (invitations). Flushes.

    Creates no notice. Secret events (codes, invitations) are encrypted in the row. request_id: what
    it is about, if anything. expires_at: then the message is dropped unsent. Otherwise like
    `notify_user`.
    """
    values = _checked(event, params)
    delivery = composing.delivery_of(
        events.registered()[event],
        composing.Recipient(address, language, ""),
        channel,
        values | {"link": composing.absolute(link)},
        composing.own_texts([event]),
        now,
    )
    delivery.expires_at, delivery.request_id = expires_at, request_id
    db.session.add(delivery)
    outbox.flush_queued()
    return delivery


def _tell_all(
    event: str,
    users: Sequence[User],
    params: Mapping[str, Any] | None,
    now: datetime,
    request_id: int | None,
    organisation_id: int | None,
    url: str,
    chosen_by: str = "",
    own: MessageClass | None = None,
) -> list[Notice]:
    """Notify the users. chosen_by: the event whose preferences hold, by default `event`."""
    values = _checked(event, params)
    if url and not urls.safe_local_path(url):
        raise ValueError("a notice leads nowhere outside the portal")
    words = (
        {} if own is None else {"wording": {lang: own.shipped(PORTAL, lang) for lang in LANGUAGES}}
    )
    notices = [
        Notice(
            user_id=user.id,
            organisation_id=organisation_id,
            request_id=request_id,
            event=event,
            params=values,
            url=url,
            created_at=now,
            **words,
        )
        for user in users
    ]
    db.session.add_all(notices)
    db.session.flush()
    unwanted = preferences.opted_out(chosen_by or event, [user.id for user in users])
    values |= {"link": composing.absolute(url)}
    for delivery in _deliveries(notices, users, unwanted, values, now, own):
        db.session.add(delivery)
    outbox.flush_queued()
    return notices


def _is(user: User, person: Person) -> bool:
    return user.civil_id is not None and user.civil_id == person.civil_id


def _tell_person(
    person: Person,
    told: Collection[User],
    values: Mapping[str, Any],
    now: datetime,
    request_id: int | None,
) -> None:
    """Queue the messages to the person's addresses, except those of the users `told` already."""
    known = {address.casefold() for user in told for address in (user.email, user.mobile or "")}
    account = _account_of(person)
    language = account.language if account is not None else LANGUAGES[0]
    gender = account.gender if account is not None and _is(account, person) else None
    message, own = events.registered()[person.event], composing.own_texts([person.event])
    for channel in message.channels:
        address = person.address(channel)
        if address and address.casefold() not in known:
            name = person.name.get(language) or person.name.get(LANGUAGES[0], "")
            recipient = composing.Recipient(address, language, name, gender)
            delivery = composing.delivery_of(message, recipient, channel, values, own, now)
            delivery.request_id = request_id
            db.session.add(delivery)
    outbox.flush_queued()


def _account_of(person: Person) -> User | None:
    """Return the account under the person's civil number, or else e-mail address, if any."""
    if person.civil_id is None and not person.email:
        return None
    return db.session.scalar(
        sa.select(User)
        .where(sa.or_(User.civil_id == person.civil_id, User.email == person.email.lower()))
        .order_by(sa.case((User.civil_id == person.civil_id, 0), else_=1))
        .limit(1)
    )


def _deliveries(
    notices: Sequence[Notice],
    users: Sequence[User],
    unwanted: Collection[tuple[int, str]],
    values: Mapping[str, Any],
    now: datetime,
    own: MessageClass | None,
) -> Iterator[Delivery]:
    """Yield the deliveries except the unwanted (user id, channel); none for disabled users."""
    if not notices:
        return
    event = notices[0].event
    message = own or events.registered()[event]
    texts = composing.own_texts([event]) if own is None else {}
    for user, notice in zip(users, notices, strict=True):
        for channel in message.channels:
            address = user.email if channel == Channel.EMAIL else user.mobile
            if address and user.is_active and (user.id, channel) not in unwanted:
                recipient = composing.Recipient(
                    address, user.language, user.name_in(user.language), user.gender
                )
                delivery = composing.delivery_of(message, recipient, channel, values, texts, now)
                delivery.notice_id = notice.id
                yield delivery


def _checked(event: str, params: Mapping[str, Any] | None) -> dict[str, Any]:
    params = params or {}
    if event not in events.registered():
        raise ValueError(f"{event} is not a registered event")
    missing = events.missing_params(event, params)
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


def _minutes(count: int, lang: str) -> str:
    return str(format_unit(count, "duration-minute", length="long", locale=lang))
