"""A copy of one's own data: what is in it and what never is, made once, fetched by its owner."""

from __future__ import annotations

import io
import json
import tracemalloc
from datetime import datetime, timedelta
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from clearance.accounts import data_archive, data_exports
from clearance.auth import rate_limits, sessions
from clearance.auth.reauthentication import WrongPassword
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.errors import NotFound, TooManyTries
from clearance.core.extensions import db
from clearance.files import storage
from clearance.jobs import retention
from clearance.models import AccessEvent, DataCopy, Delivery, Document, Notice, User, UserSession
from clearance.models.enums import Role, SessionStage
from clearance.requests import messages as request_messages
from tests.support import factories, request_factories, stage_factories
from tests.support.factories import PASSWORD
from tests.support.parallel import run_together
from tests.support.rows import count_of


def actor_of(user: User) -> Actor:
    actor = sessions.actor_of(user)
    db.session.commit()
    return actor


def ask(app: Flask, actor: Actor, now: datetime | None = None, password: str = PASSWORD) -> bool:
    with factories.visit(app):
        is_new = data_exports.ask(actor, password, now or utc_now())
        db.session.commit()
        return is_new


def fetched(app: Flask, actor: Actor, now: datetime | None = None) -> bytes:
    with factories.visit(app):
        stream, size = data_exports.open_file(actor, now or utc_now())
        with stream:
            content = stream.read()
    assert len(content) == size
    return content


def made(app: Flask, actor: Actor) -> ZipFile:
    assert ask(app, actor)
    assert data_exports.make_waiting(utc_now()) == 1
    return ZipFile(io.BytesIO(fetched(app, actor)))


def part(archive: ZipFile, name: str) -> Any:
    return json.loads(archive.read(f"{name}.json"))


def add_document(req: Any, user: User, content: bytes, label: str) -> Document:
    stored = storage.put(content, "image/png")
    document = request_factories.make_document(
        req,
        "photo",
        user,
        storage_key=stored.key,
        sha256=stored.sha256,
        label=label,
        media_type="image/png",
    )
    storage.follow(document)
    db.session.flush()
    db.session.commit()
    return document


@pytest.mark.databases
def test_the_copy_has_what_is_ones_own_and_nothing_secret(context: Flask) -> None:
    request_factories.load_services()
    user = factories.make_agent(language="en")
    organisation = user.memberships[0].organisation
    colleague = factories.make_agent(
        organisation, is_general=False, services=("exam",), first_name="Colleague"
    )
    stranger = factories.make_agent()
    mine = request_factories.make_draft(user, with_documents=False)
    foreign = request_factories.make_draft(stranger, with_documents=False)
    document = add_document(mine, user, b"my own scan", "../صورة.png")
    add_document(mine, colleague, b"the colleague's scan", "theirs.png")
    add_document(foreign, user, b"no longer mine to see", "gone.png")
    with factories.visit(context, ip="10.1.2.3", user_agent="Firefox on Windows"):
        key = sessions.open_session(user, SessionStage.FULL, utc_now())
        db.session.commit()
    archive = made(context, actor_of(user))
    profile = part(archive, "profile")
    assert (profile["email"], profile["civil_id"]) == (user.email, user.civil_id)
    assert profile["second_factor"] == "none"
    membership = part(archive, "memberships")[0]
    assert membership["organisation"]["ar"] == organisation.name_ar
    assert membership["is_general_user"] is True
    assert [each["created_by_me"] for each in part(archive, "requests")] == [True]
    assert part(archive, "requests")[0]["service"]["code"] == mine.service_code
    assert part(archive, "sessions")[0]["ip"] == "10.1.2.3"
    assert part(archive, "sessions")[0]["device"] == "Firefox, Windows"
    index = part(archive, "documents")
    assert [(each["name"], each["is_damaged"]) for each in index] == [(document.label, False)]
    assert index[0]["file"] == f"documents/draft-{mine.id}/{document.id}-صورة.png"
    assert archive.read(index[0]["file"]) == b"my own scan"
    everything = b"\n".join(archive.read(name) for name in archive.namelist())
    session = db.session.scalars(sa.select(UserSession)).first()
    assert session is not None
    for secret in (user.password_hash, session.key_hash, key, document.storage_key):
        assert secret.encode() not in everything
    for other_person in (colleague.email, colleague.civil_id, stranger.email, "Colleague"):
        assert str(other_person).encode() not in everything
    assert b"the colleague's scan" not in everything
    assert b"no longer mine to see" not in everything


@pytest.mark.databases
def test_its_owner_is_told_and_fetches_it_for_three_days(context: Flask) -> None:
    user = factories.make_agent()
    actor, stranger = actor_of(user), actor_of(factories.make_agent())
    now = utc_now()
    assert ask(context, actor, now)
    assert data_exports.copy_of(actor, now).stage == "waiting"
    with pytest.raises(NotFound):
        fetched(context, actor, now)
    data_exports.make_waiting(now)
    copy = data_exports.copy_of(actor, now)
    assert copy is not None
    assert (copy.stage, copy.expires_at) == ("ready", now + timedelta(hours=72))
    notice = db.session.scalars(sa.select(Notice)).one()
    assert (notice.user_id, notice.event) == (user.id, "account:data:ready")
    assert notice.url == "/my/account/data"
    assert db.session.scalars(sa.select(Delivery.address)).all() == [user.email]
    db.session.commit()
    assert fetched(context, actor, now + timedelta(hours=71))[:2] == b"PK"
    assert "account:data:read" in db.session.scalars(sa.select(AccessEvent.kind)).all()
    db.session.commit()
    with pytest.raises(NotFound):
        fetched(context, stranger, now)
    with pytest.raises(NotFound):
        fetched(context, actor, now + timedelta(hours=72))
    key = db.session.scalars(sa.select(DataCopy.storage_key)).one()
    db.session.commit()
    assert key in set(storage.keys())
    later = now + timedelta(hours=73)
    with time_machine.travel(later):
        removed = retention.purge(later)
    assert removed["data_copy"] == 1
    assert key not in set(storage.keys())


def test_copies_that_were_not_given_are_not_counted(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "export_account", "1 per 1 hour")
    with app.app_context():
        actor = actor_of(factories.make_agent())
        db.session.rollback()
        for _time in range(3):
            with pytest.raises(NotFound):
                fetched(app, actor)
        assert made(app, actor)
        with pytest.raises(TooManyTries):
            fetched(app, actor)


def test_one_at_a_time_and_three_a_day(context: Flask) -> None:
    actor = actor_of(factories.make_agent())
    with pytest.raises(WrongPassword):
        ask(context, actor, password="Wrong-7-Password!")
    assert ask(context, actor)
    assert not ask(context, actor), "one is being made"
    keys = []
    for is_last in (False, False, True):
        data_exports.make_waiting(utc_now())
        keys.append(db.session.scalars(sa.select(DataCopy.storage_key)).one())
        db.session.commit()
        if is_last:
            with pytest.raises(TooManyTries):
                ask(context, actor)
        else:
            assert ask(context, actor)
    assert set(keys) & set(storage.keys()) == {keys[-1]}, "a new copy takes the old one's place"


@pytest.mark.databases
def test_asked_twice_at_once_there_is_one_copy_and_one_is_made(app: Flask) -> None:
    with app.app_context():
        actor = actor_of(factories.make_agent())
    asked: list[bool] = []
    done: list[int] = []

    def ask_once(number: int) -> None:
        with app.app_context():
            asked.append(ask(app, actor))

    def make_once(number: int) -> None:
        with app.app_context():
            done.append(data_exports.make_waiting(utc_now()))

    run_together(ask_once, 2)
    run_together(make_once, 2)
    assert sorted(asked) == [False, True]
    assert sorted(done) == [0, 1]
    with app.app_context():
        assert count_of(Notice) == 1


def test_a_killed_worker_leaves_it_to_another_and_what_fails_is_given_up(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = actor_of(factories.make_agent())
    ask(context, actor)
    now = utc_now()
    assert data_exports._take("dead", now) is not None
    assert data_exports.make_waiting(now) == 0, "another has it"
    with monkeypatch.context() as patch:
        patch.setattr(data_archive, "write", _broken)
        for attempt in range(1, data_exports.ATTEMPTS):
            assert data_exports.make_waiting(now + attempt * data_exports.LEASE) == 0
    later = now + data_exports.ATTEMPTS * data_exports.LEASE
    assert data_exports.make_waiting(later) == 0, "five times are enough"
    copy = data_exports.copy_of(actor, later)
    assert copy is not None and copy.stage == "failed"
    assert ask(context, actor, later)
    assert data_exports.make_waiting(later) == 1


def _broken(*_args: object) -> None:
    raise OSError("no space left")


def test_a_worker_whose_time_is_over_leaves_no_file(context: Flask) -> None:
    actor = actor_of(factories.make_agent())
    ask(context, actor)
    now = utc_now()
    copy_id = data_exports._take("slow", now)
    assert copy_id is not None
    assert data_exports.make_waiting(now + data_exports.LEASE) == 1
    before = set(storage.keys())
    assert data_exports._make(copy_id, "slow", now) is False
    assert set(storage.keys()) == before
    assert len(db.session.scalars(sa.select(Notice)).all()) == 1


def test_a_damaged_document_is_told_of_and_keeps_nothing_else(context: Flask) -> None:
    request_factories.load_services()
    user = factories.make_agent()
    req = request_factories.make_draft(user, with_documents=False)
    lost = add_document(req, user, b"lost", "lost.png")
    add_document(req, user, b"kept", "kept.png")
    storage.delete(lost.storage_key)
    archive = made(context, actor_of(user))
    index = {each["name"]: each for each in part(archive, "documents")}
    assert index["lost.png"]["is_damaged"] is True
    assert archive.read(index["kept.png"]["file"]) == b"kept"


def test_a_document_that_cannot_be_read_to_its_end_is_told_of_too(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_factories.load_services()
    user = factories.make_agent()
    req = request_factories.make_draft(user, with_documents=False)
    torn = add_document(req, user, b"torn", "torn.png")
    add_document(req, user, b"kept", "kept.png")
    opened = storage.open

    def open_torn(key: str) -> Any:
        return TornFile() if key == torn.storage_key else opened(key)

    assert ask(context, actor_of(user))
    with monkeypatch.context() as patch:
        patch.setattr(storage, "open", open_torn)
        assert data_exports.make_waiting(utc_now()) == 1
    archive = ZipFile(io.BytesIO(fetched(context, actor_of(user))))
    assert archive.testzip() is None
    damaged = {each["name"]: each["is_damaged"] for each in part(archive, "documents")}
    assert damaged == {"torn.png": True, "kept.png": False}


class TornFile(io.BytesIO):
    """A file whose disk gives up."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError("input/output error")


def test_staff_get_their_own_data_and_no_applicants(context: Flask) -> None:
    request_factories.load_services()
    request_factories.make_sent(factories.make_agent())
    reviewer = factories.make_staff(Role.REVIEWER)
    archive = made(context, actor_of(reviewer))
    assert part(archive, "requests") == part(archive, "documents") == []
    assert part(archive, "profile")["role"] == "reviewer"


def test_messages_tell_the_side_and_no_name(context: Flask) -> None:
    request_factories.load_services()
    user = factories.make_agent()
    reviewer = factories.make_staff(first_name="Reviewer")
    req = request_factories.make_sent(user)
    now = utc_now()
    request_messages.post(req, "متى؟", sessions.actor_of(user), now)
    request_messages.post(req, "غداً", sessions.actor_of(reviewer), now)
    db.session.commit()
    archive = made(context, actor_of(user))
    told = part(archive, "requests")[0]["messages"]
    assert [(each["from"], each["text"]) for each in told] == [("me", "متى؟"), ("office", "غداً")]
    assert b"Reviewer" not in archive.read("requests.json")


def test_what_was_made_with_other_rights_is_not_given_out(context: Flask) -> None:
    user = factories.make_agent()
    actor = actor_of(user)
    made(context, actor)
    user.memberships[0].is_active = False
    db.session.commit()
    actor = actor_of(user)
    copy = data_exports.copy_of(actor, utc_now())
    assert copy is not None and copy.stage == "outdated"
    with pytest.raises(NotFound):
        fetched(context, actor)
    assert part(made(context, actor), "requests") == []


def test_changed_bytes_are_not_given_out(context: Flask) -> None:
    actor = actor_of(factories.make_agent())
    made(context, actor)
    with own_transaction() as connection:
        connection.execute(sa.update(DataCopy).values(sha256="0" * 64))
    with pytest.raises(storage.DamagedFile):
        fetched(context, actor)


def test_the_job_makes_it_and_memory_does_not_grow_with_the_archive(context: Flask) -> None:
    request_factories.load_services()
    user = factories.make_agent()
    req = request_factories.make_draft(user, with_documents=False)
    size = 24 * 1024 * 1024
    add_document(req, user, bytes(size), "large.png")
    actor = actor_of(user)
    ask(context, actor)
    tracemalloc.start()
    context.extensions["jobs"].make_copies()
    with factories.visit(context):
        stream, copied = data_exports.open_file(actor, utc_now())
    stream.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert copied > size
    assert peak < size / 4


def test_the_copy_names_the_stage_of_a_request(context: Flask) -> None:
    request_factories.load_services()
    stage_factories.publish(stage_factories.CHECK)
    user = factories.make_agent()
    request_factories.make_sent(user, "permit", name_ar_1="سالم", crew=3)
    (told,) = part(made(context, actor_of(user)), "requests")
    assert told["stage"] == stage_factories.CHECK["title"]
