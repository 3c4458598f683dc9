"""The running portal and one person's browser in front of it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import BrowserContext, Page

from tests.gateways import SmsGateway, SmtpGateway


@dataclass
class Portal:
    """The running server and what it sent."""

    url: str
    mail: SmtpGateway
    sms: SmsGateway
    folder: Path

    def let_the_exam_begin(self, exam_id: int) -> None:
        """Let time pass: nobody waits for days in a test, so the sitting moves to an hour ago."""
        began = datetime.now(UTC) - timedelta(hours=1)
        with closing(sqlite3.connect(self.folder / "portal.sqlite", timeout=20)) as connection:
            connection.execute(
                "UPDATE exam SET held_at = ?, confirm_by = ? WHERE id = ?",
                (
                    began.strftime("%Y-%m-%d %H:%M:%S.%f"),
                    (began - timedelta(days=1)).date().isoformat(),
                    exam_id,
                ),
            )
            connection.commit()


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

    def speak(self, lang: str) -> None:
        """Choose the language of the pages to come."""
        self.lang = lang
        self.context.add_cookies([{"name": "lang", "value": lang, "url": self.portal.url}])

    def shoot(self, name: str) -> None:
        """Keep a picture of the page when SHOTS names a folder."""
        folder = os.environ.get("SHOTS")
        if folder:
            path = Path(folder) / f"{name}-{self.lang}-{self.width}.png"
            self.page.evaluate("scrollTo(0, 0)")
            self.page.screenshot(path=path, full_page=True)
