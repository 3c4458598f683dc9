"""Real gateways on loopback for tests: an SMTP server and an HTTP gateway for SMS.

Each can be down, slow, refuse an address, or break off at one. Both keep what they took.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import random
import re
import socket
import ssl
import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from clearance.core import crypto
from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.models import Delivery
from clearance.models.enums import Channel, CodePurpose
from clearance.notifications import notices

CODE = re.compile(r"\b(?:[0-9]{6}|[A-Z2-9]{8})\b")


def code_in(text: str) -> str:
    """The one-time code in the text of a message."""
    found = CODE.search(text)
    assert found is not None, f"no code in {text!r}"
    return found[0]


def queue_code(
    address: str = "someone@example.com", now: datetime | None = None, **values: Any
) -> int:
    """Queue a message with the code 483920 for the address; returns the delivery's id."""
    now = now or utc_now()
    given: dict[str, Any] = {
        "purpose": CodePurpose.VERIFY,
        "channel": Channel.EMAIL if "@" in address else Channel.SMS,
        "address": address,
        "language": "ar",
        "code": "483920",
        "expires_at": now + timedelta(minutes=10),
        "now": now,
    }
    delivery = notices.send_code(**(given | values))
    db.session.commit()
    return delivery.id


def queued_code(address: str) -> str:
    """The newest code in the outbox for the address, sent or not; needs an application context."""
    query = (
        sa.select(Delivery.body)
        .where(Delivery.address == address, Delivery.is_secret)
        .order_by(Delivery.id.desc())
        .limit(1)
    )
    with own_transaction(write=False) as connection:
        body = connection.scalar(query)
    assert body, f"no code queued for {address}, or it was sent and erased"
    return code_in(crypto.decrypt(body))


def text_of(message: EmailMessage) -> str:
    """The plain text of a mail."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def free_port() -> int:
    """A port that nobody listens on now, and that no outgoing connection is given either."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class SmtpGateway:
    """An SMTP server; `messages` are parsed, in the order of their coming."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.port = free_port()
        self.messages: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self._tls = tls
        self._refused: set[str] = set()
        self._breaking: set[str] = set()
        self._seconds = 0.0
        self._controller: Controller | None = None

    def __enter__(self) -> Self:
        return self.up()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()

    def up(self) -> Self:
        """Listen (again) on the same port."""
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            tls_context=self._tls,
            require_starttls=self._tls is not None,
        )
        self._controller.start()
        return self

    def down(self) -> None:
        """Refuse connections."""
        if self._controller is not None:
            self._controller.stop(no_assert=True)
            self._controller = None

    def slow(self, seconds: float) -> None:
        """Take so long over each message."""
        self._seconds = seconds

    def refuse(self, address: str) -> None:
        """Answer 550 to this recipient."""
        self._refused.add(address)

    def break_off(self, address: str) -> None:
        """Close the connection when this recipient is named."""
        self._breaking.add(address)

    def to(self, address: str) -> list[EmailMessage]:
        """The mails that came for the address, oldest first."""
        return [message for message in self.messages if message["To"] == address]

    def code_for(self, address: str) -> str:
        """The newest code mailed to the address."""
        mails = self.to(address)
        assert mails, f"no mail for {address}"
        return code_in(text_of(mails[-1]))

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take or refuse a recipient."""
        if address in self._breaking:
            assert server.transport is not None
            server.transport.close()
        if address in self._refused:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep a message."""
        await asyncio.sleep(self._seconds)
        content = envelope.content
        assert isinstance(content, bytes)
        self.raw.append(content)
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.messages.append(parsed)
        return "250 OK"


class SmsGateway:
    """An HTTP gateway for SMS; `messages` are the JSON bodies, `keys` their Idempotency-Keys."""

    def __init__(self) -> None:
        self.port = free_port()
        self.messages: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.redirected: list[str] = []
        self._answer: tuple[int, str] = (200, "")
        self._refused: set[str] = set()
        self._seconds = 0.0
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The value of SMS_URL for this gateway."""
        return f"json://127.0.0.1:{self.port}/?:to={{mobile}}"

    def __enter__(self) -> Self:
        return self.up()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()

    def up(self) -> Self:
        """Listen (again) on the same port."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def down(self) -> None:
        """Refuse connections."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = self._thread = None

    def slow(self, seconds: float) -> None:
        """Take so long over each message."""
        self._seconds = seconds

    def answer(self, status: int, location: str = "") -> None:
        """Answer so from now on, whatever is sent."""
        self._answer = (status, location)

    def refuse(self, mobile: str) -> None:
        """Answer 500 to this number."""
        self._refused.add(mobile)

    def to(self, mobile: str) -> list[str]:
        """The texts that came for the number, oldest first."""
        return [message["message"] for message in self.messages if message["to"] == mobile]

    def code_for(self, mobile: str) -> str:
        """The newest code sent to the number."""
        texts = self.to(mobile)
        assert texts, f"no SMS for {mobile}"
        return code_in(texts[-1])

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(gateway._seconds)
                body, status, location = {}, *gateway._answer
                if self.headers["Content-Type"] == "application/json":
                    body = json.loads(raw)
                if body.get("to") in gateway._refused:
                    status = 500
                if self.path.startswith("/elsewhere"):
                    gateway.redirected.append(self.path)
                elif status == 200:
                    gateway.messages.append(body)
                    gateway.keys.append(self.headers.get("Idempotency-Key", ""))
                self._end(status, location)

            def do_GET(self) -> None:
                gateway.redirected.append(self.path)
                self._end(200, "")

            def _end(self, status: int, location: str) -> None:
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Keep the test's output quiet."""

        return Handler
