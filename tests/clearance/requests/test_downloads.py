"""Documents as they are read: whole, as pictures of their pages, and by whom."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from clearance.auth import rate_limits
from clearance.auth.sessions import actor_of
from clearance.core.errors import NotFound, TooManyTries
from clearance.core.extensions import db
from clearance.files import file_inspection, previews, storage
from clearance.files.file_inspection import Busy
from clearance.files.file_inspection_worker import Answer
from clearance.models import AccessEvent, Request, User
from clearance.requests import attachments
from clearance.services.flows import Action
from tests.support import factories, files, request_factories
from tests.support.attaching import attach


@pytest.mark.parametrize(
    ("label", "plain", "encoded"),
    [
        ("scan.pdf", "scan.pdf", "scan.pdf"),
        ("scan", "scan.pdf", "scan.pdf"),
        ("photo.png", "photo.png.pdf", "photo.png.pdf"),
        ("بطاقة.pdf", "document.pdf", "%D8%A8%D8%B7%D8%A7%D9%82%D8%A9.pdf"),
        ('a"b;c.pdf', "document.pdf", "a%22b%3Bc.pdf"),
        ("a%41.pdf", "document.pdf", "a%2541.pdf"),
    ],
)
def test_a_download_carries_its_name_and_can_do_nothing(
    agent: User, draft: Request, label: str, plain: str, encoded: str
) -> None:
    document = attach(draft, agent, label=label)
    response = attachments.download_response(document, actor_of(agent))
    assert response.get_data() == files.pdf()
    assert response.mimetype == "application/pdf"
    assert dict(response.headers) | {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    } == dict(response.headers)


def test_a_file_changed_behind_our_back_is_not_given_out(
    context: Flask, agent: User, draft: Request
) -> None:
    document = attach(draft, agent)
    path = Path(context.extensions["storage"].path, document.storage_key, "file")
    path.write_bytes(files.pdf(1, "Forged"))
    previews.cache = previews.PictureCache(previews.CACHE_BYTES)
    for use in (attachments.download_response, lambda d, a: attachments.preview_response(d, 1, a)):
        with pytest.raises(storage.DamagedFile):
            use(document, actor_of(agent))


@pytest.mark.parametrize("width", [240, 1200])
def test_pages_of_a_pdf_are_shown_as_pictures(agent: User, draft: Request, width: int) -> None:
    document = attach(draft, agent, data=files.pdf(2))
    shown = [
        attachments.preview_response(document, page, actor_of(agent), width=width)
        for page in (1, 2, 1)
    ]
    assert shown[0].get_data() == shown[2].get_data() != shown[1].get_data()
    assert shown[0].mimetype == "image/png"
    assert shown[0].headers["Content-Disposition"] == "inline"
    assert shown[0].headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    with Image.open(io.BytesIO(shown[0].get_data())) as picture:
        assert abs(picture.width - width) <= 1
        assert picture.convert("L").getextrema()[0] < 100  # there is ink on it


def test_pictures_are_shown_smaller_and_written_anew(agent: User, draft: Request) -> None:
    document = attach(draft, agent, kind="photo", name="me.png", data=files.png(2000, 1000))
    response = attachments.preview_response(document, 1, actor_of(agent))
    assert response.mimetype == "image/jpeg"
    with Image.open(io.BytesIO(response.get_data())) as picture:
        assert picture.size == (1200, 600)


@pytest.mark.parametrize(("page", "width"), [(0, 1200), (2, 1200), (-1, 240), (1, 1199), (1, 0)])
def test_other_pages_and_sizes_do_not_exist(
    agent: User, draft: Request, page: int, width: int
) -> None:
    document = attach(draft, agent)
    with pytest.raises(NotFound):
        attachments.preview_response(document, page, actor_of(agent), width=width)


def test_what_the_office_reads_is_noted_but_not_what_the_agent_reads(
    context: Flask, agent: User
) -> None:
    draft = request_factories.make_draft(agent)
    extra = attach(draft, agent, kind="other")
    request_factories.step(draft, Action.SEND, agent)
    readers = [actor_of(agent), actor_of(factories.make_staff())]
    document_id, staff = extra.id, readers[1]
    db.session.rollback()
    for actor in readers:
        with context.test_request_context():  # a GET, which only reads
            found = attachments.find(document_id, actor)
            attachments.download_response(found, actor)
            attachments.preview_response(found, 1, actor)
            attachments.preview_response(found, 1, actor, width=240)
    db.session.rollback()
    noted = db.session.scalars(
        sa.select(AccessEvent).where(AccessEvent.kind == "document:read").order_by(AccessEvent.id)
    ).all()
    assert [(note.user_id, note.object_id, note.detail) for note in noted] == [
        (staff.user_id, str(document_id), "file"),
        (staff.user_id, str(document_id), "page 1"),
    ]


def test_the_cache_of_pictures_stays_small() -> None:
    cache = previews.PictureCache(2 * previews.ENTRY_BYTES + 250)
    picture = previews.Picture("image/png", b"x" * 100)
    for number in range(4):
        cache.put((str(number), 1, 240), picture)
    for gone in ("0", "1"):
        with pytest.raises(KeyError):
            cache.get((gone, 1, 240))
    assert cache.get(("3", 1, 240)) == picture
    cache.put(("big", 1, 240), previews.Picture("image/png", b"x" * 2000))
    with pytest.raises(KeyError):
        cache.get(("big", 1, 240))
    for number in range(9000):
        cache.put((str(number), 1, 240), None)
    assert len(cache._kept) <= 2


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pages that were drawn; page 2 cannot be, and at its first try page 3 finds no place."""
    drawn: list[int] = []

    def draw_page(data: bytes, page: int, width: int, account: str) -> Answer:
        drawn.append(page)
        if page == 3 and drawn.count(3) == 1:
            raise Busy
        return Answer("complex") if page == 2 else Answer(data=b"a picture")

    monkeypatch.setattr(file_inspection, "draw_page", draw_page)
    monkeypatch.setattr(previews, "cache", previews.PictureCache(previews.CACHE_BYTES))
    return drawn


def test_a_page_that_cannot_be_drawn_is_tried_once(
    agent: User, draft: Request, drawings: list[int]
) -> None:
    document = attach(draft, agent, data=files.pdf(3))
    for _view in range(3):
        with pytest.raises(previews.PageNotDrawn) as caught:
            attachments.preview_response(document, 2, actor_of(agent))
        assert caught.value.status_code < 500
        assert "تنزيل الوثيقة" in str(caught.value.message)
    assert drawings == [2]


def test_a_page_that_found_no_place_is_tried_again(
    agent: User, draft: Request, drawings: list[int]
) -> None:
    document = attach(draft, agent, data=files.pdf(3))
    with pytest.raises(Busy) as caught:
        attachments.preview_response(document, 3, actor_of(agent))
    assert 0 < caught.value.retry_after <= 10
    assert attachments.preview_response(document, 3, actor_of(agent)).get_data() == b"a picture"


def test_pictures_that_must_be_made_are_limited_by_account(
    agent: User, draft: Request, drawings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "preview_account", "1 per 1 hour")
    document = attach(draft, agent, data=files.pdf(3))
    for _view in range(3):
        attachments.preview_response(document, 1, actor_of(agent))
    with pytest.raises(TooManyTries):
        attachments.preview_response(document, 1, actor_of(agent), width=240)
    assert drawings == [1]


def test_no_connection_to_the_database_is_held_while_a_picture_is_made(
    agent: User, draft: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []

    def draw(*_args: Any) -> previews.Picture:
        held.append(db.session().in_transaction())
        return previews.Picture("image/png", b"a picture")

    monkeypatch.setattr(previews, "draw", draw)
    monkeypatch.setattr(previews, "cache", previews.PictureCache(previews.CACHE_BYTES))
    attachments.preview_response(attach(draft, agent), 1, actor_of(agent))
    assert held == [False]


def test_a_photo_may_be_larger_when_it_is_sent_than_when_it_is_kept(
    make_app: Callable[..., Flask],
) -> None:
    photo, scan = files.jpeg(1200, 900), files.png(1200, 900)
    small = make_app(upload_max_bytes=5000, picture_max_bytes=len(photo))
    assert 5000 < len(scan) < len(photo)
    with small.app_context():
        kept = attachments.check_upload("me.jpg", io.BytesIO(photo))
        assert kept.size <= 5000
        for name, data in (("me.png", scan), ("me.jpg", photo + b"\0")):
            with pytest.raises(attachments.BadFile, match="ميغابايت"):
                attachments.check_upload(name, io.BytesIO(data))
