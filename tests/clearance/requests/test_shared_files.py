"""One file that belongs to several requests: kept once, erased with the last."""

from __future__ import annotations

import threading

import pytest
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.errors import PermissionDenied
from clearance.core.extensions import db
from clearance.files import storage
from clearance.models import Document, Organisation, Request, User
from clearance.requests import attachments
from clearance.requests import drafts as request_drafts
from tests.support import factories, files, request_factories
from tests.support.attaching import checked, stored_bytes


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
    assert [len(draft.documents) for draft in drafts] == [1, 1]
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
