"""Documents of a request: who may change them and when, what they cost, how they come out."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from clearance.auth import rate_limits
from clearance.auth.sessions import actor_of
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import NotFound, PermissionDenied, TooManyTries
from clearance.core.extensions import db
from clearance.files import file_inspection, previews, storage
from clearance.files.file_inspection import Busy
from clearance.files.file_inspection_worker import Answer
from clearance.models import (
    AccessEvent,
    Document,
    DocumentKind,
    Event,
    Organisation,
    Request,
    User,
)
from clearance.models.enums import Role
from clearance.requests import attachments, drafts
from clearance.requests import drafts as request_drafts
from clearance.requests.attachments import Checked
from clearance.services.effects import Decision, RemarkInput
from clearance.services.flows import Action
from tests.support import factories, files, request_factories


@pytest.fixture
def draft(agent: User) -> Request:
    return request_factories.make_draft(agent, with_documents=False)


def checked(name: str = "scan.pdf", data: bytes | None = None) -> Checked:
    return attachments.check_upload(name, io.BytesIO(files.pdf() if data is None else data))


def checked_patiently(name: str, data: bytes) -> Checked:
    """Come back while all places are taken, as the page's script does."""
    while True:
        try:
            return checked(name, data)
        except Busy:
            sleep(0.1)


def attach(
    req: Request, agent: User, kind: str = "civil_id_copy", label: str = "", **upload: Any
) -> Document:
    """Upload a file and commit it as a document."""
    found = checked(**upload)
    document = attachments.attach(req, found, kind, label, actor_of(agent), utc_now())
    db.session.commit()
    return document


def stored_bytes(req: Request) -> int:
    statement = sa.select(Organisation.stored_bytes).where(Organisation.id == req.organisation_id)
    return int(db.session.scalar(statement) or 0)


def returned(agent: User, *remarks: RemarkInput) -> Request:
    sent = request_factories.step(request_factories.make_draft(agent), Action.SEND, agent)
    return request_factories.step(
        sent,
        Action.RETURN,
        factories.make_staff(),
        reason="Please correct.",
        data=Decision(remarks=remarks),
    )


# Taking in


@pytest.mark.databases
def test_a_document_is_kept_with_what_is_known_of_it(agent: User, draft: Request) -> None:
    data = files.pdf(2)
    document = attach(draft, agent, name="شهادة\u202e حسن سيرة.pdf", data=data)
    assert (document.label, document.media_type) == ("شهادة حسن سيرة.pdf", "application/pdf")
    assert (document.pages, document.size) == (2, len(data))
    assert document.uploaded_by_id == agent.id
    assert storage.read(document.storage_key, document.sha256) == data
    assert draft.documents == [document]
    assert stored_bytes(draft) == len(data)
    assert draft.saved_at == document.uploaded_at
    event = db.session.scalars(sa.select(Event).where(Event.object_type == "document")).one()
    assert (event.kind, event.object_id) == ("request:document:added", str(document.id))
    assert event.changes["request_id"] == [None, draft.id]


def test_the_agent_can_give_it_a_name(agent: User, draft: Request) -> None:
    assert attach(draft, agent, label="  بطاقتي\u0000 المدنية ").label == "بطاقتي المدنية"


def test_a_file_over_the_limit_is_refused_without_reading_on(context: Flask) -> None:
    stream = io.BytesIO(b"%PDF-" + b"0" * (11 * 1024 * 1024))
    with pytest.raises(attachments.BadFile) as caught:
        attachments.check_upload("big.pdf", stream)
    assert "10 ميغابايت" in str(caught.value.message)
    assert stream.tell() == 10 * 1024 * 1024 + 1


def test_a_bad_file_leaves_nothing_in_the_storage(context: Flask) -> None:
    before = set(storage.keys())
    with pytest.raises(attachments.BadFile):
        checked(files.BIDI_NAME, files.jpeg())
    assert set(storage.keys()) == before


def test_what_is_not_attached_leaves_no_file(app: Flask) -> None:
    with app.app_context():
        key = checked().storage_key
    with app.app_context():
        assert key not in set(storage.keys())


def test_a_photo_must_be_a_picture(agent: User, draft: Request) -> None:
    with pytest.raises(attachments.BadFile) as caught:
        attach(draft, agent, kind="photo")
    assert "JPEG أو PNG" in str(caught.value.message)
    db.session.rollback()
    kept = attach(draft, agent, kind="photo", name="me.jpg", data=files.jpeg())
    assert kept.media_type == "image/jpeg"


# Limits


@pytest.fixture
def small_app(make_app: Callable[..., Flask]) -> Flask:
    """Room for 3 documents a request and 2,500 bytes an organisation."""
    return make_app(upload_max_files=3, organisation_max_bytes=2_500)


def test_a_request_takes_only_so_many_documents(small_app: Flask) -> None:
    with small_app.app_context():
        small = files.png(20, 20)
        agent = factories.make_agent()
        req = request_factories.make_draft(agent, with_documents=False)
        for _ in range(3):
            attach(req, agent, name="a.png", data=small)
        assert attachments.room_left(req) == 0
        with pytest.raises(attachments.DocumentRefused, match="3 وثيقة"):
            attach(req, agent, name="a.png", data=small)
        db.session.rollback()
        attachments.remove(req.documents[0], actor_of(agent), utc_now())
        db.session.commit()
        attach(req, agent, name="a.png", data=small)


@pytest.mark.databases
def test_an_organisation_has_only_so_much_space(small_app: Flask) -> None:
    with small_app.app_context():
        agent = factories.make_agent()
        one = request_factories.make_draft(agent, with_documents=False)
        two = request_factories.make_draft(agent, with_documents=False)
        data = files.pdf(3)
        size = len(data)
        assert 2 * size <= 2_500 < 3 * size
        for _ in range(2):
            attach(one, agent, data=data)
        with pytest.raises(attachments.DocumentRefused, match="المساحة"):
            attach(two, agent, data=data)
        db.session.rollback()
        assert stored_bytes(one) == 2 * size
        other = factories.make_agent()
        attach(request_factories.make_draft(other, with_documents=False), other, data=data)
        attachments.remove(one.documents[0], actor_of(agent), utc_now())
        db.session.commit()
        assert stored_bytes(one) == size
        attach(two, agent, data=data)


@pytest.mark.databases
def test_uploads_at_the_same_time_never_pass_a_limit(small_app: Flask) -> None:
    with small_app.app_context():
        agent = factories.make_agent()
        actor = actor_of(agent)
        req_id = request_factories.make_draft(agent, with_documents=False).id
        db.session.rollback()
    data = files.png(20, 20)
    outcomes: list[str] = []

    def upload() -> None:
        with small_app.test_request_context(method="POST"):
            found = checked_patiently("a.png", data)
            req = db.session.get(Request, req_id)
            assert req is not None
            try:
                attachments.attach(req, found, "other", "", actor, utc_now())
                db.session.commit()
                outcomes.append("kept")
            except attachments.DocumentRefused:
                db.session.rollback()
                outcomes.append("refused")

    threads = [threading.Thread(target=upload) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["kept"] * 3 + ["refused"] * 5
    with small_app.app_context():
        rows = db.session.scalars(sa.select(Document).where(Document.request_id == req_id)).all()
        assert len(rows) == 3
        assert stored_bytes(rows[0].request) == sum(row.size for row in rows)
        assert set(storage.keys()) == {row.storage_key for row in rows}


# When and who


def test_another_organisations_agent_finds_nothing(agent: User, draft: Request) -> None:
    document = attach(draft, agent)
    stranger = actor_of(factories.make_agent())
    found = checked()
    for use in (
        lambda: attachments.find(document.id, stranger),
        lambda: attachments.attach(draft, found, "other", "", stranger, utc_now()),
        lambda: attachments.rename(document, "mine", stranger, utc_now()),
        lambda: attachments.remove(document, stranger, utc_now()),
        lambda: attachments.find(10**12, stranger),
    ):
        with pytest.raises(NotFound):
            use()
    assert attachments.find(document.id, actor_of(agent)) is document


def test_an_additional_user_needs_the_grant_of_the_service(agent: User, draft: Request) -> None:
    document = attach(draft, agent)
    granted, other = (
        actor_of(factories.make_agent(draft.organisation, is_general=False, services=services))
        for services in (("exam",), ())
    )
    assert attachments.find(document.id, granted) is document
    with pytest.raises(NotFound):
        attachments.find(document.id, other)


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.REVIEWER, True), (Role.MANAGER, True), (Role.ADMINISTRATOR, False)],
)
def test_the_office_reads_what_was_sent_and_changes_nothing(
    agent: User, role: str, may: bool
) -> None:
    sent = request_factories.step(request_factories.make_draft(agent), Action.SEND, agent)
    document, staff = sent.documents[0], actor_of(factories.make_staff(role))
    if not may:
        with pytest.raises(NotFound):
            attachments.find(document.id, staff)
        return
    assert attachments.find(document.id, staff) is document
    with pytest.raises(PermissionDenied):
        attachments.remove(document, staff, utc_now())


def test_the_office_does_not_read_drafts(agent: User, draft: Request) -> None:
    document = attach(draft, agent)
    with pytest.raises(NotFound):
        attachments.find(document.id, actor_of(factories.make_staff()))


def test_a_sent_requests_documents_stay(agent: User) -> None:
    sent = request_factories.step(request_factories.make_draft(agent), Action.SEND, agent)
    found, actor = checked(), actor_of(agent)
    assert attachments.open_kinds(sent) == frozenset()
    for use in change_attempts(sent, sent.documents[0], found, actor):
        with pytest.raises(PermissionDenied) as caught:
            use()
        assert "تم إرسال هذا الطلب" in str(caught.value.message)
    assert len(sent.documents) == 3


def change_attempts(
    req: Request, document: Document, found: Checked, actor: Actor
) -> list[Callable[[], Any]]:
    return [
        lambda: attachments.attach(req, found, "other", "", actor, utc_now()),
        lambda: attachments.rename(document, "new", actor, utc_now()),
        lambda: attachments.remove(document, actor, utc_now()),
    ]


@pytest.mark.databases
def test_a_returned_request_opens_only_the_documents_that_were_remarked(agent: User) -> None:
    req = returned(agent, RemarkInput("blurred", document_kind="good_conduct"))
    actor = actor_of(agent)
    assert attachments.open_kinds(req) == {"good_conduct"}
    held = {document.kind: document for document in req.documents}
    with pytest.raises(PermissionDenied) as caught:
        attachments.remove(held["civil_id_copy"], actor, utc_now())
    assert "غير متاح" in str(caught.value.message)
    with pytest.raises(PermissionDenied):
        attach(req, agent, kind="other")
    db.session.rollback()
    attachments.remove(held["good_conduct"], actor, utc_now())
    db.session.commit()
    attach(req, agent, kind="good_conduct")
    assert sorted(each.kind for each in req.documents) == ["civil_id_copy", "good_conduct", "photo"]


def test_a_request_returned_without_remarks_opens_all(agent: User) -> None:
    kinds = attachments.open_kinds(returned(agent))
    assert kinds == {"civil_id_copy", "photo", "good_conduct", "other"}


def test_a_kind_the_service_does_not_ask_for_is_refused(agent: User, draft: Request) -> None:
    for kind in ("bank_guarantee", "", "nonsense"):
        with pytest.raises(PermissionDenied):
            attach(draft, agent, kind=kind)
        db.session.rollback()


def test_the_kinds_come_in_the_definitions_order_in_the_pages_language(draft: Request) -> None:
    assert attachments.kinds_for(draft) == [
        ("civil_id_copy", "صورة البطاقة المدنية", True),
        ("photo", "صورة شخصية", True),
        ("good_conduct", "شهادة حسن سيرة وسلوك", True),
        ("other", "وثائق أخرى", False),
    ]
    assert db.session.get(DocumentKind, "other") is not None


# Naming and removing


def test_renaming_keeps_the_file_and_cleans_the_name(agent: User, draft: Request) -> None:
    document, actor = attach(draft, agent), actor_of(agent)
    attachments.rename(document, "../../\u202eاسم جديد", actor, utc_now())
    assert document.label == "اسم جديد"
    attachments.rename(document, "   ", actor, utc_now())
    assert document.label == "اسم جديد"
    kinds = db.session.scalars(sa.select(Event.kind).order_by(Event.id.desc()).limit(1)).all()
    assert kinds == ["request:document:renamed"]


@pytest.mark.databases
def test_a_draft_is_discarded_with_what_was_uploaded(agent: User, draft: Request) -> None:
    before = set(storage.keys())
    attach(draft, agent)
    removed = attach(draft, agent)
    attachments.remove(removed, actor_of(agent), utc_now())
    db.session.commit()
    drafts.discard(draft, actor_of(agent), utc_now())
    db.session.commit()
    assert db.session.scalars(sa.select(Request)).all() == []
    assert set(storage.keys()) == before
    kinds = set(db.session.scalars(sa.select(Event.kind)))
    assert {"request:document:added", "request:document:removed"} <= kinds


def test_what_is_uploaded_after_a_return_belongs_to_the_requests_trail(agent: User) -> None:
    req = returned(agent)
    document = attach(req, agent)
    added = sa.select(Event).where(Event.object_id == str(document.id))
    event = db.session.scalars(added.where(Event.object_type == "document")).one()
    assert event.request_id == req.id


@pytest.mark.databases
def test_removing_frees_the_space_and_takes_the_file(agent: User, draft: Request) -> None:
    document = attach(draft, agent)
    key = document.storage_key
    attachments.remove(document, actor_of(agent), utc_now())
    assert key in set(storage.keys())
    db.session.commit()
    assert key not in set(storage.keys())
    assert draft.documents == []
    assert stored_bytes(draft) == 0


def test_removing_that_is_rolled_back_keeps_all(agent: User, draft: Request) -> None:
    document = attach(draft, agent)
    size = document.size
    attachments.remove(document, actor_of(agent), utc_now())
    db.session.rollback()
    assert stored_bytes(draft) == size
    assert storage.read(document.storage_key, document.sha256)


# Coming out


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
    path = Path(context.extensions["storage"].storage_path, document.storage_key, "file")
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
    assert [(each.user_id, each.object_id, each.detail) for each in noted] == [
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


# One file for several requests


def two_drafts(agent: User) -> list[Request]:
    return [request_factories.make_draft(agent, with_documents=False) for _ in range(2)]


def share(requests: list[Request], agent: User, data: bytes) -> list[Document]:
    rows = attachments.share(
        requests, checked(data=data), "good_conduct", "", actor_of(agent), utc_now()
    )
    db.session.commit()
    return rows


@pytest.mark.databases
def test_a_shared_file_is_stored_and_counted_once_and_goes_with_its_last_row(agent: User) -> None:
    drafts, data = two_drafts(agent), files.pdf()
    before = set(storage.keys())
    one, other = share(drafts, agent, data)
    assert set(storage.keys()) - before == {one.storage_key} == {other.storage_key}
    assert stored_bytes(drafts[0]) == len(data)
    attachments.remove(one, actor_of(agent), utc_now())
    db.session.commit()
    assert storage.read(other.storage_key, other.sha256) == data
    assert stored_bytes(drafts[1]) == len(data)
    request_drafts.discard(drafts[1], actor_of(agent), utc_now())
    db.session.commit()
    assert set(storage.keys()) == before
    assert stored_bytes(drafts[0]) == 0


def test_a_shared_file_is_taken_away_from_all_at_once_or_from_none(agent: User) -> None:
    drafts, actor = two_drafts(agent), actor_of(agent)
    rows = share(drafts, agent, files.pdf())
    rows[1].is_locked = True
    db.session.commit()
    with pytest.raises(PermissionDenied):
        attachments.remove_all(rows, actor, utc_now())
    db.session.rollback()
    assert [len(each.documents) for each in drafts] == [1, 1]
    rows[1].is_locked = False
    key = rows[0].storage_key
    attachments.remove_all(rows, actor, utc_now())
    db.session.commit()
    assert key not in set(storage.keys())
    assert stored_bytes(drafts[0]) == 0


@pytest.mark.databases
def test_the_last_two_rows_of_a_file_removed_at_once_take_it_with_them(app: Flask) -> None:
    with app.app_context():
        agent = factories.make_agent()
        drafts = two_drafts(agent)
        ids = [each.id for each in share(drafts, agent, files.pdf())]
        actor, organisation_id = actor_of(agent), drafts[0].organisation_id
        before = set(storage.keys())
        db.session.rollback()
    barrier = threading.Barrier(2)

    def remove(document_id: int) -> None:
        with app.test_request_context(method="POST"):
            barrier.wait()
            attachments.remove(attachments.find(document_id, actor), actor, utc_now())
            db.session.commit()

    threads = [threading.Thread(target=remove, args=(each,)) for each in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        assert len(before - set(storage.keys())) == 1
        assert db.session.get_one(Organisation, organisation_id).stored_bytes == 0
