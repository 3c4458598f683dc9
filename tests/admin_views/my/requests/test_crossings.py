"""Two people of one office on one draft at the same instant: each is told what became of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db
from clearance.models import Document
from tests.admin_views.my.conftest import People
from tests.support import files, request_factories
from tests.support.crossings import Instant, crossed
from tests.support.pages import PageClient, form_data
from tests.support.races import race

LOCK, COMMIT, ROLLBACK = Instant
GONE = "This page does not exist, or you do not have access to it."
LAST_RESORT = "Somebody else removed this meanwhile"
ROUNDS = 6

CROSSINGS = (
    # when the second comes, what the first does, what the second did, how the first is answered
    (LOCK, "rename", "remove", 303),
    (LOCK, "rename", "discard", 404),
    (LOCK, "rename and save", "remove", 303),
    (LOCK, "rename and save", "discard", 404),
    (COMMIT, "rename and save", "remove", 303),
    (COMMIT, "rename and save", "discard", 404),
    (LOCK, "remove", "remove", 303),
    (LOCK, "remove", "discard", 404),
    (LOCK, "remove and save", "remove", 303),
    (COMMIT, "remove and save", "remove", 303),
    (COMMIT, "remove and save", "discard", 404),
    (LOCK, "upload", "remove", 200),
    (LOCK, "upload", "discard", 404),
    (LOCK, "upload and save", "discard", 404),
    (COMMIT, "upload and save", "discard", 303),
    (LOCK, "save", "remove", 303),
    (LOCK, "save", "discard", 404),
    (LOCK, "save", "send", 303),
    (COMMIT, "save", "discard", 303),
    (LOCK, "save again", "discard", 404),
    (LOCK, "save again", "send", 303),
    (LOCK, "autosave", "discard", 404),
    (LOCK, "autosave", "send", 409),
    (LOCK, "send", "remove", 303),
    (LOCK, "send", "discard", 404),
    (LOCK, "send", "send", 409),
    (ROLLBACK, "send again", "discard", 404),
    (LOCK, "send by form", "discard", 404),
    (LOCK, "send by form", "remove", 200),
    (ROLLBACK, "withdraw", "discard", 404),
    (ROLLBACK, "write", "discard", 404),
    (LOCK, "discard", "discard", 404),
    (LOCK, "discard", "remove", 303),
    (LOCK, "discard", "send", 409),
)


class Draft:
    """A complete draft as one reader's page has it open."""

    def __init__(self, app: Flask, client: PageClient, request_id: int) -> None:
        self.client = client
        self.base = f"/my/requests/{request_id}"
        self.form = form_data(client.get(f"{self.base}/form", check=False).form("#request-form"))
        with app.app_context():
            first = sa.select(sa.func.min(Document.id)).where(Document.request_id == request_id)
            self.document = f"documents/{db.session.scalar(first)}"

    def post(self, what: str) -> Any:
        """Do one of the things that a draft's page offers; returns the answer to the post."""
        path, data = self._posts()[what]
        script = what in {"upload", "autosave"}
        headers = {"Accept": "application/json"} if script else {}
        return self.client.http.post(f"{self.base}/{path}", data=data, headers=headers)

    def _posts(self) -> dict[str, tuple[str, dict[str, Any]]]:
        token, form = {"csrf_token": self.form["csrf_token"]}, self.form
        old, now = {"version": "1"}, {"version": self.form["version"]}
        upload = {"files": (io.BytesIO(files.pdf()), "scan.pdf"), "kind": "other"}
        name = {"label": "الجواز"}
        return {
            "rename": (f"{self.document}/rename", token | name),
            "rename and save": (f"{self.document}/rename", form | name),
            "remove": (f"{self.document}/remove", token),
            "remove and save": (f"{self.document}/remove", form),
            "upload": ("documents", token | upload),
            "upload and save": ("documents", form | upload),
            "save": ("form", form | {"address": "السالمية"}),
            "save again": ("form", form | old | {"address": "السالمية"}),
            "autosave": ("form/autosave", form | {"address": "السالمية"}),
            "send": ("do/send", token | now),
            "send again": ("do/send", token | old),
            "send by form": ("form", form | {"submit": "send"}),
            "withdraw": ("do/withdraw", token | now),
            "write": ("messages", token | {"body": "متى؟"}),
            "discard": ("discard", token),
        }


@pytest.fixture
def opened(
    app: Flask, people: People, browser: Callable[..., PageClient]
) -> Callable[[int], list[Draft]]:
    """Open a new draft in so many browsers, by turns the owner's and a colleague's."""
    clients = [browser(user) for user in (people.owner, people.granted) * 2]

    def open_draft(count: int) -> list[Draft]:
        with app.app_context():
            request_id = request_factories.make_draft(people.owner).id
        return [Draft(app, client, request_id) for client in clients[:count]]

    return open_draft


@pytest.mark.databases
@pytest.mark.parametrize("instant", list(Instant))
def test_whoever_comes_second_reads_what_became_of_the_draft(
    app: Flask, database: Any, opened: Callable[[int], list[Draft]], instant: Instant
) -> None:
    if instant is LOCK and database.kind == "sqlite":
        return  # the writing transaction is the lock: nobody comes in before it
    for when, first, second, status in CROSSINGS:
        if when is not instant:
            continue
        mine, theirs = opened(2)
        with crossed(app, instant, partial(theirs.post, second)) as came:
            answer = mine.post(first)
        told = f"{first} while the other did {second}"
        text = answer.get_data(as_text=True)
        assert [each.status_code for each in came] == [303], told
        assert answer.status_code == status, f"{told}: {answer.status_code} {text[:2000]}"
        assert LAST_RESORT not in text, told
        assert (GONE in text) is (status == 404), told


@pytest.mark.databases
def test_a_document_removed_meanwhile_is_renamed_and_removed_with_a_sentence(
    app: Flask, opened: Callable[[int], list[Draft]]
) -> None:
    for first in ("rename and save", "remove and save"):
        mine, theirs = opened(2)
        with crossed(app, COMMIT, partial(theirs.post, "remove")):
            mine.post(first)
        page = mine.client.get(f"{mine.base}/form")
        assert "This document has just been removed." in page.text


def _take(work: Sequence[Callable[[], Any]], number: int) -> Any:
    return work[number]()


@pytest.mark.heavy
@pytest.mark.timeout(600)
@pytest.mark.databases
@pytest.mark.parametrize(
    "posts",
    [
        ("rename", "remove"),
        ("send", "discard"),
        ("rename", "remove", "send", "discard"),
        ("upload", "autosave", "remove and save", "discard"),
        ("save", "save again", "send by form", "withdraw"),
    ],
    ids=" | ".join,
)
def test_many_rounds_at_once_meet_no_fault(
    app: Flask, opened: Callable[[int], list[Draft]], posts: tuple[str, ...]
) -> None:
    for _round in range(ROUNDS):
        drafts = opened(len(posts))
        work = [partial(draft.post, what) for draft, what in zip(drafts, posts, strict=True)]
        answers = race(app, len(posts), partial(_take, work))
        faults = [answer for answer in answers if isinstance(answer, Exception)]
        assert not faults, faults
        texts = [answer.get_data(as_text=True) for answer in answers]
        assert {answer.status_code for answer in answers} <= {200, 302, 303, 403, 404, 409}, texts
        assert not any(LAST_RESORT in text for text in texts)
