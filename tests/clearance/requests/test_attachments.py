"""Documents of a request: who may change them and when, what they cost, how they come out."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from time import sleep
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import NotFound, PermissionDenied
from clearance.core.extensions import db
from clearance.files import storage
from clearance.files.file_inspection import Busy
from clearance.models import Document, DocumentKind, Event, Request, User
from clearance.models.enums import Role
from clearance.requests import attachments, drafts
from clearance.requests.attachments import Checked
from clearance.services.decisions import RemarkInput, Remarks
from clearance.services.flows import Action
from tests.support import factories, files, request_factories
from tests.support.attaching import attach, checked, stored_bytes


def checked_patiently(name: str, data: bytes) -> Checked:
    """Come back while all places are taken, as the page's script does."""
    while True:
        try:
            return checked(name, data)
        except Busy:
            sleep(0.1)


def returned(agent: User, *remarks: RemarkInput) -> Request:
    sent = request_factories.step(request_factories.make_draft(agent), Action.SEND, agent)
    return request_factories.step(
        sent,
        Action.RETURN,
        factories.make_staff(),
        reason="Please correct.",
        data=Remarks(remarks=remarks),
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
    assert sorted(document.kind for document in req.documents) == [
        "civil_id_copy",
        "good_conduct",
        "photo",
    ]


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
