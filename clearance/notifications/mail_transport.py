"""Flask-Mail with deadlines, verified TLS and correct Arabic headers."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from email.charset import BASE64, Charset
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import compat32
from email.utils import format_datetime, formataddr, parseaddr
from types import TracebackType
from typing import Any

from flask import Flask, current_app
from flask_mail import Connection, Mail, Message

from clearance.core.values import email_address

CONNECT_SECONDS = 5
TOTAL_SECONDS = 20
_POLICY = compat32.clone(linesep="\r\n")


class TransportDown(Exception):
    """The server could not be reached or refused to talk; the message is not at fault."""


class Letter(Message):  # type: ignore[misc]  # flask_mail is untyped
    """An e-mail to one address; its bytes are the same in every attempt.

    message_id: without brackets. html: the same text as HTML. Raises BadValue for an invalid
    address, so that it can neither split nor add a header.
    """

    def __init__(
        self,
        *,
        subject: str,
        address: str,
        text: str,
        html: str,
        language: str,
        message_id: str,
        written_at: datetime,
    ) -> None:
        super().__init__(subject=" ".join(subject.split()), recipients=[email_address(address)])
        self.body = text
        self.html = html
        self.msgId = f"<{message_id}>"
        self.language = language
        self.written_at = written_at

    def as_bytes(self) -> bytes:
        """Return the message as sent.

        Built here because Flask-Mail's is folded again when sent, which drops spaces from long
        Arabic subjects, and leaves lines longer than SMTP allows.
        """
        message = MIMEMultipart("alternative")
        name, address = parseaddr(str(self.sender))
        message["Subject"] = Header(self.subject, "utf-8", header_name="Subject").encode()
        message["From"] = formataddr((name, address), "utf-8")
        message["To"] = str(self.recipients[0])
        message["Date"] = format_datetime(self.written_at)
        message["Message-ID"] = self.msgId
        message["Content-Language"] = self.language
        message["Auto-Submitted"] = "auto-generated"
        message.attach(_part("plain", self.body))
        message.attach(_part("html", self.html))
        return message.as_bytes(policy=_POLICY)


class PortalConnection(Connection):  # type: ignore[misc]  # flask_mail is untyped
    """A connection opened at the first message, and reopened after one that broke it.

    Every message, including any connecting, takes at most 20 seconds (rule 59).
    """

    def __init__(self, mail: Any) -> None:
        super().__init__(mail)
        self.host: smtplib.SMTP | None = None
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> PortalConnection:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self.host is not None:
            with suppress(OSError, smtplib.SMTPException), self._deadline(CONNECT_SECONDS):
                self.host.quit()
        self._drop()

    def configure_host(self) -> smtplib.SMTP:
        """Connect, start TLS if configured, and sign in. Raises TransportDown."""
        try:
            host = self._connect()
            if self.mail.use_tls:
                host.starttls(context=ssl.create_default_context())
            if self.mail.username:
                host.login(self.mail.username, self.mail.password or "")
        except (OSError, smtplib.SMTPException) as error:
            raise TransportDown(type(error).__name__) from error
        return host

    def send(self, message: Message, envelope_from: Any = None) -> None:
        """Send one message. Raises TransportDown, OSError, SMTPException or ValueError."""
        with self._deadline(TOTAL_SECONDS):
            if self.host is None:
                self.host = self.configure_host()
            try:
                super().send(message, envelope_from)
            except (OSError, smtplib.SMTPServerDisconnected):
                self._drop()
                raise

    def _connect(self) -> smtplib.SMTP:
        options: dict[str, Any] = {
            "timeout": CONNECT_SECONDS,
            "local_hostname": self.mail.local_hostname,  # smtplib's own look-up may hang
        }
        host: smtplib.SMTP
        if self.mail.use_ssl:
            options["context"] = ssl.create_default_context()
            host = _SecureServer(self._watch, self.mail.server, self.mail.port, **options)
        else:
            host = _Server(self._watch, self.mail.server, self.mail.port, **options)
        if host.sock is not None:
            host.sock.settimeout(TOTAL_SECONDS)
        return host

    def _watch(self, smtp: smtplib.SMTP) -> None:
        self._smtp = smtp

    @contextmanager
    def _deadline(self, seconds: float) -> Iterator[None]:
        # A socket timeout restarts at every byte, so a slow server could take forever.
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        sock = getattr(self._smtp, "sock", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _drop(self) -> None:
        smtp, self._smtp, self.host = self._smtp, None, None
        if smtp is not None:
            smtp.close()


class PortalMail(Mail):  # type: ignore[misc]  # flask_mail is untyped
    """Flask-Mail with `PortalConnection`."""

    def init_app(self, app: Flask) -> Any:
        """Bind to the application's MAIL_* configuration."""
        state = super().init_app(app)
        state.local_hostname = app.config["MAIL_LOCAL_HOSTNAME"]
        return state

    def connect(self) -> PortalConnection:
        """Return a connection to the application's mail server; use it in a `with` block."""
        return PortalConnection(current_app.extensions["mail"])


class _Server(smtplib.SMTP):
    """Registers itself before connecting, so that connecting can be cut short too."""

    def __init__(self, watch: Callable[[smtplib.SMTP], None], *args: Any, **kwargs: Any) -> None:
        watch(self)
        super().__init__(*args, **kwargs)


class _SecureServer(smtplib.SMTP_SSL):
    """The same with TLS from the first byte."""

    def __init__(self, watch: Callable[[smtplib.SMTP], None], *args: Any, **kwargs: Any) -> None:
        watch(self)
        super().__init__(*args, **kwargs)


def _part(subtype: str, text: str) -> MIMENonMultipart:
    charset = Charset("utf-8")
    charset.body_encoding = BASE64  # SMTP forbids lines over 998 bytes; paragraphs may be longer
    part = MIMENonMultipart("text", subtype)
    part.set_payload(text, charset)
    return part


mail = PortalMail()
