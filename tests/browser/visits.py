"""The running portal and one person's browser in front of it."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import APIResponse, BrowserContext, Page

from clearance.auth import form_tokens
from clearance.auth.sessions import key_hash
from clearance.core.actor import Actor
from clearance.models.enums import Role, SessionStage
from tests.support.gateways import SmsGateway, SmtpGateway

SECRET = "of-the-browser-tests-" + "0" * 32


@dataclass
class Portal:
    """The running server and what it sent."""

    url: str
    mail: SmtpGateway
    sms: SmsGateway
    folder: Path
    _keys: dict[str, str] = field(default_factory=dict)

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """Ask the server's database, or change it where a test plays time or bad luck."""
        path = self.folder / "portal.sqlite"
        with closing(sqlite3.connect(path, timeout=20)) as connection:
            found = connection.execute(statement, values).fetchall()
            connection.commit()
        return found

    def count(self, statement: str, *values: Any) -> int:
        """The one number that the statement asks for."""
        ((number,),) = self.rows(statement, *values)
        return int(number)

    def let_the_exam_begin(self, exam_id: int) -> None:
        """Let time pass: nobody waits for days in a test, so the sitting moves to an hour ago."""
        began = datetime.now(UTC) - timedelta(hours=1)
        self.rows(
            "UPDATE exam SET held_at = ?, confirm_by = ? WHERE id = ?",
            _instant(began),
            (began - timedelta(days=1)).date().isoformat(),
            exam_id,
        )

    def session_of(self, email: str) -> str:
        """The cookie of somebody who signed in; the form for that is tested where it matters.

        One session for each person is enough, as long as no test has ended it.
        """
        now, key = datetime.now(UTC), self._keys.get(email)
        if key is None or not self._refresh(key, now):
            key = self._keys[email] = secrets.token_urlsafe(32)
            self.open_session(email, key, now)
        app = Flask("clearance")
        app.secret_key = SECRET
        signed = SecureCookieSessionInterface().get_signing_serializer(app)
        assert signed is not None
        user_id = self.count("SELECT id FROM user WHERE email = ?", email)
        with app.app_context():
            owner = Actor(user_id, Role.AGENT, "", "", email, "ar")  # only who it is counts
            token = form_tokens.new_secret(owner)
        return str(signed.dumps({"_user_id": key, "_fresh": True, form_tokens.COOKIE_KEY: token}))

    def end_sessions(self, email: str) -> None:
        """Let every session of somebody be gone, as after a rest that was too long."""
        self.rows(
            "DELETE FROM user_session WHERE user_id = (SELECT id FROM user WHERE email = ?)", email
        )

    def _refresh(self, key: str, now: datetime) -> bool:
        living = self.rows(
            "UPDATE user_session SET last_seen_at = ?"
            " WHERE key_hash = ? AND ended_at IS NULL RETURNING id",
            _instant(now),
            key_hash(key),
        )
        return len(living) == 1

    def open_session(self, email: str, key: str, now: datetime) -> None:
        """Let somebody be signed in in one more browser."""
        self.rows(
            "INSERT INTO user_session (key_hash, user_id, stage, ip, user_agent, created_at,"
            " last_seen_at, expires_at)"
            " SELECT ?, id, ?, '127.0.0.1', 'Chrome', ?, ?, ? FROM user WHERE email = ?",
            key_hash(key),
            SessionStage.FULL.value,
            _instant(now),
            _instant(now),
            _instant(now + timedelta(hours=8)),
            email,
        )


@dataclass
class Visit:
    """One person's browser: a page, what the console said, whose language and width."""

    page: Page
    context: BrowserContext
    portal: Portal
    lang: str
    width: int
    errors: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a path of the portal."""
        self.page.goto(self.portal.url + path)
        return self.page

    def ask(self, path: str) -> APIResponse:
        """What the portal answers to this person for a path, without showing it."""
        return self.context.request.get(self.portal.url + path)

    @property
    def path(self) -> str:
        """The path of the page that is open, with its query."""
        return self.page.url.removeprefix(self.portal.url)

    def speak(self, lang: str) -> None:
        """Choose the language of the pages to come."""
        self.lang = lang
        self._keep("lang", lang)

    def enter(self, email: str) -> None:
        """Be signed in as somebody."""
        self._keep("clearance", self.portal.session_of(email))

    def forgive(self, status: int) -> None:
        """Chromium notes an answer of that status on the console; here it was asked for."""
        self.errors[:] = [error for error in self.errors if str(status) not in error]

    def shoot(self, name: str) -> None:
        """Keep a picture of the page when SHOTS names a folder."""
        folder = os.environ.get("SHOTS")
        if folder:
            path = Path(folder) / f"{name}-{self.lang}-{self.width}.png"
            self.page.evaluate("scrollTo(0, 0)")
            self.page.screenshot(path=path, full_page=True)

    def _keep(self, name: str, value: str) -> None:
        self.context.add_cookies([{"name": name, "value": value, "url": self.portal.url}])


def _instant(moment: datetime) -> str:
    """As the database holds instants."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
