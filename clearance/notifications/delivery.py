"""The sender: leases due deliveries, passes them to their gateways, retries failures.

All state is in the rows: claims and results are short transactions of their own, and no gateway is
called inside one. Source: security rules 59 to 61.
"""

from __future__ import annotations

import random
import secrets
import smtplib
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
import structlog
from flask import Flask, current_app

from clearance.core import crypto, holds, metrics
from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.settings import Settings
from clearance.models import Delivery
from clearance.models.enums import Channel, DeliveryStatus
from clearance.notifications.mail_transport import Letter, PortalConnection, TransportDown, mail

BATCH = 5
LEASE = timedelta(minutes=3)  # longer than a batch can take at 20 seconds a message
FIRST_PAUSE_SECONDS = 10
LONGEST_PAUSE_SECONDS = 3600
GIVE_UP_AFTER = timedelta(hours=72)
FAULTS_IN_A_ROW = 3
KEPT_IN_PORTAL = "no gateway is set: kept in the portal"

_log = structlog.get_logger(__name__)
_WANTED = (
    Delivery.id,
    Delivery.event,
    Delivery.channel,
    Delivery.address,
    Delivery.language,
    Delivery.subject,
    Delivery.body,
    Delivery.is_secret,
    Delivery.attempts,
    Delivery.created_at,
    Delivery.expires_at,
    Delivery.message_id,
)
_Clock = Callable[[], datetime]


@dataclass
class Outcome:
    """Result of one run.

    next_at: when the earliest postponed message is due again, or None. has_more: the limit was
    reached while the gateway worked, so more may be due.
    """

    sent: int = 0
    retried: int = 0
    given_up: int = 0
    expired: int = 0
    next_at: datetime | None = None
    has_more: bool = False


def configure(app: Flask, settings: Settings) -> None:
    """Set Flask-Mail's configuration: implicit TLS on port 465, STARTTLS on others."""
    implicit_tls = settings.mail_use_tls and settings.mail_port == 465
    app.config.update(
        MAIL_SERVER=settings.mail_server,
        MAIL_PORT=settings.mail_port,
        MAIL_USE_TLS=settings.mail_use_tls and not implicit_tls,
        MAIL_USE_SSL=implicit_tls,
        MAIL_USERNAME=settings.mail_username or None,
        MAIL_PASSWORD=settings.mail_password or None,
        MAIL_DEFAULT_SENDER=settings.mail_default_sender,
        MAIL_LOCAL_HOSTNAME=urlsplit(settings.base_url).hostname or "localhost",
        MAIL_SUPPRESS_SEND=False,
        MAIL_DEBUG=0,
    )


def init_app(app: Flask) -> None:
    """Initialise Flask-Mail."""
    mail.init_app(app)


def has_transport(channel: str) -> bool:
    """Return whether the channel has a gateway; without one, messages wait (demo: are kept)."""
    settings = _settings()
    return bool(settings.mail_server if channel == Channel.EMAIL else settings.sms_url)


def check_gateway(settings: Settings) -> None:
    """Raise BadSettings if the SMS settings are unusable; for processes that send SMS."""
    if settings.sms_url:
        # Loading apprise is slow, so only processes that send SMS import it.
        from clearance.notifications import sms_transport as notification_sms_transport

        notification_sms_transport.check(settings.sms_url)


def deliver_due(
    now: datetime, limit: int = 100, channels: Collection[str] = tuple(Channel)
) -> Outcome:
    """Send what is due, codes first; at most `limit` messages per channel. Commits by itself.

    now: aware UTC; it goes on as the clock does, jumps included. A failing message does not delay
    others; a failing gateway is not called again in this run. Nothing is sent while the outbox is
    held.
    """
    began = utc_now()

    def clock() -> datetime:
        return now + (utc_now() - began)

    outcome = Outcome(expired=_drop_expired(now))
    if holds.is_active(holds.OUTBOX, now):
        return outcome
    for channel in channels:
        if has_transport(channel) or _settings().is_demo:
            _Run(channel, clock, outcome).work(limit)
    return outcome


def pause_after(attempts: int) -> timedelta:
    """Return the pause after the n-th failure: doubling from 10 s to 1 h, less up to a quarter.

    The random part spreads the retries of messages that failed together.
    """
    seconds = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(attempts - 1, 20))
    return timedelta(seconds=seconds * random.uniform(0.75, 1))


class _Run:
    """One pass over one channel's queue."""

    def __init__(self, channel: str, clock: _Clock, outcome: Outcome) -> None:
        self.channel = channel
        self.clock = clock
        self.outcome = outcome
        self.lease = secrets.token_hex(16)
        self.faults = 0
        self.is_down = False

    def work(self, limit: int) -> None:
        """Claim and send batch by batch until nothing is due or the gateway is down."""
        with ExitStack() as stack:
            send = self._sender(stack)
            while limit > 0 and not self.is_down:
                rows = _claim(self.channel, self.lease, self.clock(), min(BATCH, limit))
                if not rows:
                    return
                limit -= len(rows)
                for row in rows:
                    if self.is_down:
                        break
                    self._try(row, send)
            if self.is_down:
                _release(self.lease)
            else:
                self.outcome.has_more = True

    def _sender(self, stack: ExitStack) -> Callable[[Any, str], None]:
        if not has_transport(self.channel):
            return _keep
        if self.channel == Channel.EMAIL:
            connection = stack.enter_context(mail.connect())
            return lambda row, body: _send_mail(connection, row, body)
        return _send_sms

    def _try(self, row: Any, send: Callable[[Any, str], None]) -> None:
        if not _is_held(row, self.lease):
            return
        now = self.clock()
        if row.expires_at is not None and row.expires_at <= now:
            self.outcome.expired += _finish(row, self.lease, _expired_values())
            return
        try:
            send(row, crypto.decrypt(row.body) if row.is_secret else row.body)
        except Exception as error:  # one failing message must not stop the next
            self._note_fault(error)
            self._put_off(row, error)
        else:
            self.faults = 0
            self.outcome.sent += _finish(row, self.lease, _sent_values(row, self.clock()))
            metrics.add(metrics.DELIVERIES, self.channel, "sent")
            _log.info("message sent", delivery=row.id, kind=row.event, channel=row.channel)

    def _note_fault(self, error: Exception) -> None:
        if _is_about_the_message(error):
            return
        self.faults += 1
        self.is_down = isinstance(error, TransportDown) or self.faults >= FAULTS_IN_A_ROW

    def _put_off(self, row: Any, error: Exception) -> None:
        now, attempts = self.clock(), row.attempts + 1
        what = _describe(error)
        values: dict[str, Any] = {"attempts": attempts, "last_error": what}
        if now - row.created_at >= GIVE_UP_AFTER:
            values["status"] = DeliveryStatus.GIVEN_UP
            self.outcome.given_up += _finish(row, self.lease, values)
            metrics.add(metrics.DELIVERIES, self.channel, "given_up")
            _log.error("message given up", delivery=row.id, kind=row.event, error=what)
            return
        values["next_at"] = now + pause_after(attempts)
        self.outcome.retried += _finish(row, self.lease, values)
        self.outcome.next_at = min(self.outcome.next_at or values["next_at"], values["next_at"])
        metrics.add(metrics.DELIVERIES, self.channel, "put_off")
        _log.warning("message put off", delivery=row.id, attempts=attempts, error=what)


def _claim(channel: str, lease: str, now: datetime, count: int) -> list[Any]:
    """Lease the most urgent due rows to this run and return them, most urgent first.

    Times more than two maximal pauses or leases ahead come from a clock that has since been set
    back, and are treated as past; the margin allows for small differences between clocks.
    """
    latest = now + 2 * timedelta(seconds=LONGEST_PAUSE_SECONDS)
    due = (
        sa.select(*_WANTED)
        .where(
            Delivery.status == DeliveryStatus.QUEUED,
            Delivery.channel == channel,
            sa.or_(Delivery.next_at <= now, Delivery.next_at > latest),
            sa.or_(
                Delivery.leased_until.is_(None),
                Delivery.leased_until <= now,
                Delivery.leased_until > now + 2 * LEASE,
            ),
        )
        .order_by(Delivery.priority, Delivery.next_at, Delivery.id)
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    with own_transaction() as connection:
        rows = list(connection.execute(due))
        if rows:
            connection.execute(
                sa.update(Delivery)
                .where(Delivery.id.in_([row.id for row in rows]))
                .values(lease=lease, leased_until=now + LEASE)
            )
    return rows


def _is_held(row: Any, lease: str) -> bool:
    """Return whether the lease is still this run's: after a jump of the clock another took over."""
    held = sa.exists().where(Delivery.id == row.id, Delivery.lease == lease)
    with own_transaction(write=False) as connection:
        return bool(connection.scalar(sa.select(held)))


def _release(lease: str) -> None:
    with own_transaction() as connection:
        connection.execute(
            sa.update(Delivery)
            .where(Delivery.lease == lease, Delivery.status == DeliveryStatus.QUEUED)
            .values(lease=None, leased_until=None)
        )


def _finish(row: Any, lease: str, values: dict[str, Any]) -> int:
    """Save the result of a claimed row; 0 if another run has taken over the lease."""
    with own_transaction() as connection:
        result = connection.execute(
            sa.update(Delivery)
            .where(
                Delivery.id == row.id,
                Delivery.lease == lease,
                Delivery.status == DeliveryStatus.QUEUED,
            )
            .values(**values, lease=None, leased_until=None)
        )
    return result.rowcount


def _drop_expired(now: datetime) -> int:
    """Mark unsent deliveries past their time as expired, and erase codes. Returns how many."""
    values = {"status": DeliveryStatus.EXPIRED}
    with own_transaction() as connection:
        result = connection.execute(
            sa.update(Delivery)
            .where(
                Delivery.status == DeliveryStatus.QUEUED,
                Delivery.expires_at.is_not(None),
                Delivery.expires_at <= now,
            )
            .values(**(values | _erased()), lease=None, leased_until=None)
        )
    return result.rowcount


def _expired_values() -> dict[str, Any]:
    return {"status": DeliveryStatus.EXPIRED, **_erased()}


def _sent_values(row: Any, now: datetime) -> dict[str, Any]:
    kept = "" if has_transport(row.channel) else KEPT_IN_PORTAL
    values = {
        "status": DeliveryStatus.SENT,
        "sent_at": now,
        "attempts": row.attempts + 1,
        "last_error": kept,
    }
    return values | _erased()


def _erased() -> dict[str, Any]:
    if _settings().is_demo:
        return {}  # demo mode's message page shows codes; the row keeps them encrypted
    return {"body": sa.case((Delivery.is_secret, ""), else_=Delivery.body)}


def _send_mail(connection: PortalConnection, row: Any, body: str) -> None:
    html = current_app.jinja_env.get_template("mail/message.html").render(
        paragraphs=[part.split("\n") for part in body.strip().split("\n\n")],
        subject=row.subject,
        lang=row.language,
        text_dir="rtl" if row.language == "ar" else "ltr",
    )
    connection.send(
        Letter(
            subject=row.subject,
            address=row.address,
            text=body,
            html=html,
            language=row.language,
            message_id=row.message_id,
            written_at=row.created_at,
        )
    )


def _send_sms(row: Any, body: str) -> None:
    # Loading apprise is slow, so only processes that send SMS import it.
    from clearance.notifications import sms_transport as sms_transport_module

    sms_transport_module.send(_settings().sms_url, row.address, body, row.message_id)


def _keep(row: Any, body: str) -> None:
    """Do nothing: in demo mode without a gateway, the message page shows the message."""


def _is_about_the_message(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return False
    return isinstance(error, ValueError | smtplib.SMTPException)


def _describe(error: Exception) -> str:
    """Describe an error by type and SMTP code only: gateway answers may quote the message."""
    code = getattr(error, "smtp_code", "")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
    reason = error.args[0] if isinstance(error, TransportDown) else ""
    return " ".join(str(part) for part in (type(error).__name__, code, reason) if part)[:250]


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
