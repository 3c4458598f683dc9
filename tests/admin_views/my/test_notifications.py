"""Notices: the reader's own, unread ones counted at the bell, read by opening."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db
from clearance.models import Notice, Request
from tests.admin_views.my.conftest import People
from tests.support import request_factories
from tests.support.pages import PageClient


def unread(app: Flask, user_id: int) -> list[int]:
    with app.app_context():
        statement = sa.select(Notice.id).where(Notice.user_id == user_id, Notice.read_at.is_(None))
        return list(db.session.scalars(statement))


@pytest.mark.parametrize(("language", "word"), [("ar", "تم إرسال"), ("en", "was sent")])
def test_a_notice_is_in_the_readers_language(
    browser: Callable[..., PageClient], people: People, sent: Request, language: str, word: str
) -> None:
    page = browser(people.owner, language).get("/my/notices/")
    assert word in page.text
    assert sent.number in page.text


def test_the_bell_counts_and_opening_reads(
    app: Flask, mine: PageClient, people: People, sent: Request
) -> None:
    page = mine.get("/my/notices/")
    assert page.soup.select_one(".bell-count bdi").text == "1"
    page = mine.submit(page, form=".notices form")
    assert page.url in {f"/my/requests/{sent.id}/", f"/my/requests/details/?id={sent.id}"}
    assert unread(app, people.owner.id) == []
    assert mine.get("/my/").soup.select_one(".bell-count") is None


def test_all_can_be_marked_as_read(
    app: Flask, mine: PageClient, people: People, sent: Request
) -> None:
    mine.submit(mine.get("/my/notices/"), form="form[action$='/read']")
    assert unread(app, people.owner.id) == []
    assert unread(app, people.granted.id) != []


def test_foreign_and_missing_notices_are_404_alike(
    app: Flask, browser: Callable[..., PageClient], people: People, sent: Request
) -> None:
    (notice,) = unread(app, people.owner.id)
    for path in (f"/my/notices/{notice}/open", "/my/notices/999999/open"):
        browser(people.foreign).post(path, {}, status=404)
    assert unread(app, people.owner.id) == [notice]


def test_older_notices_are_a_click_away(app: Flask, mine: PageClient, people: People) -> None:
    with app.app_context():
        for _each in range(12):
            request_factories.make_request(people.owner, "withdrawn")
    page = mine.get("/my/notices/")
    first = len(page.soup.select(".notice"))
    page = mine.get(page.soup.select_one("a[rel=next]")["href"])
    assert first + len(page.soup.select(".notice")) == 24


def test_without_notices_the_page_says_so(mine: PageClient) -> None:
    assert mine.get("/my/notices/").soup.select_one(".empty")
