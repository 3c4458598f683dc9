"""What the purge removes, what a legal hold keeps, and what is said of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from clearance.auth.sessions import actor_of
from clearance.core import i18n, legal_holds
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.extensions import db
from clearance.jobs import retention
from clearance.models import (
    AccessEvent,
    Delivery,
    Document,
    Event,
    Membership,
    Notice,
    Purge,
    Request,
    User,
    UserSession,
)
from clearance.models.enums import DeliveryStatus, Role, SessionStage, Status
from clearance.requests import drafts, unused_drafts
from clearance.requests.drafts import ClosedNow
from tests.support import factories, request_factories
from tests.support.rows import count_of

LATER = timedelta(days=181)
SOON = timedelta(days=167)  # 14 days before


def make_draft(agent: User) -> Request:
    return request_factories.make_draft(agent, with_documents=False)


def hold(subject: Request | User, reason: str = "Court order 12/2026") -> int:
    manager = actor_of(factories.make_staff(Role.MANAGER))
    found = legal_holds.place(subject, reason, manager, utc_now()).id
    db.session.commit()
    return found


def purge(at: datetime) -> dict[str, int]:
    db.session.rollback()
    return retention.purge(at)


@pytest.mark.databases
def test_the_owner_of_an_unused_draft_is_told_before_it_goes(context: Flask) -> None:
    agent, now = factories.make_agent(), utc_now()
    request_factories.make_document(make_draft(agent), "photo", agent)
    db.session.commit()
    purge(now + SOON - timedelta(days=1))
    assert count_of(Notice) == 0
    purge(now + SOON)
    purge(now + SOON)
    told = db.session.scalars(sa.select(Notice)).one()
    assert (told.user_id, told.event) == (agent.id, unused_drafts.EVENT)
    assert told.params["day"] == i18n.format_day(kuwait_date(now + LATER))
    purge(now + timedelta(days=180))
    assert count_of(Request) == 1
    assert purge(now + LATER)["draft"] == 1
    assert (count_of(Request), count_of(Document)) == (0, 0)
    event = db.session.scalars(sa.select(Event).where(Event.kind == "request:draft:expired")).one()
    assert event.actor_id is None


def test_a_draft_goes_only_after_its_notice_and_never_once_saved_again(context: Flask) -> None:
    agent, now = factories.make_agent(), utc_now()
    draft = make_draft(agent)
    at = now + timedelta(days=400)
    assert "draft" not in purge(at)  # the worker stood still: told today
    drafts.save(draft, {}, actor_of(agent), at + timedelta(days=1))
    db.session.commit()
    assert "draft" not in purge(at + timedelta(days=30))
    assert "draft" not in purge(at + timedelta(days=170))
    assert count_of(Notice) == 2
    assert purge(at + timedelta(days=190))["draft"] == 1


def test_general_users_are_told_of_the_draft_of_a_colleague_who_left(context: Flask) -> None:
    general = factories.make_agent()
    organisation = db.session.scalars(sa.select(Membership)).one().organisation
    colleague = factories.make_agent(organisation)
    make_draft(colleague)
    colleague.is_active = False
    db.session.commit()
    purge(utc_now() + SOON)
    assert db.session.scalars(sa.select(Notice.user_id)).all() == [general.id]


@pytest.mark.databases
def test_a_hold_on_a_person_keeps_drafts_sessions_messages_and_accesses(context: Flask) -> None:
    now = utc_now()
    held, other = factories.make_agent(), factories.make_agent()
    for user in (held, other):
        make_draft(user)
        db.session.add(session_of(user, now))
        notice = Notice(user_id=user.id, event="request:sent", created_at=now)
        db.session.add(notice)
        db.session.flush()
        db.session.add(delivery(now, notice_id=notice.id, message_id=str(user.id)))
        old = now - timedelta(days=1100)
        db.session.add(AccessEvent(at=old, kind="code:send", user_id=user.id))
    hold(held)
    removed = [purge(now + SOON), purge(now + timedelta(days=200))]
    for kind in ("draft", "user_session", "access_event", "delivery"):
        assert sum(each.get(kind, 0) for each in removed) == 1, kind
    assert db.session.scalars(sa.select(Request.created_by_id)).all() == [held.id]
    assert db.session.scalars(sa.select(UserSession.user_id)).all() == [held.id]
    about = sa.select(Notice.user_id).join(Delivery, Delivery.notice_id == Notice.id)
    assert db.session.scalars(about.where(Delivery.event == "request:sent")).all() == [held.id]
    accesses = sa.select(AccessEvent.user_id).where(AccessEvent.kind == "code:send")
    assert db.session.scalars(accesses).all() == [held.id]
    run = db.session.scalars(sa.select(Purge).order_by(Purge.id.desc()).limit(1)).one()
    assert run.held == {"draft": 1, "user_session": 1, "delivery": 1, "access_event": 1}


def session_of(user: User, at: datetime) -> UserSession:
    times = {"created_at": at, "last_seen_at": at, "expires_at": at + timedelta(hours=8)}
    given = {"key_hash": str(user.id), "stage": SessionStage.FULL, "ip": "", "user_agent": ""}
    return UserSession(user_id=user.id, **times, **given)


def delivery(at: datetime, **columns: object) -> Delivery:
    given = {"event": "request:sent", "channel": "email", "address": "a@example.com"}
    times = {"created_at": at, "next_at": at}
    given["status"] = DeliveryStatus.SENT
    return Delivery(**given, **times, **columns, language="ar", body="")


@pytest.mark.databases
def test_young_access_events_cannot_be_deleted_by_anybody(context: Flask) -> None:
    db.session.add(AccessEvent(at=utc_now() - timedelta(days=360), kind="code:send"))
    db.session.commit()
    for statement in ("DELETE FROM access_event", "UPDATE access_event SET kind = 'x'"):
        with pytest.raises(DBAPIError, match="insert-only"):
            db.session.execute(sa.text(statement))
        db.session.rollback()
    assert "access_event" not in purge(utc_now() + timedelta(days=700))


def test_a_lifted_hold_lets_go_at_the_next_purge(context: Flask) -> None:
    agent, now = factories.make_agent(), utc_now()
    draft = make_draft(agent)
    hold_id = hold(agent)
    with pytest.raises(ClosedNow):
        drafts.discard(draft, actor_of(agent), now)
    db.session.rollback()
    purge(now + LATER)
    assert count_of(Notice) == 0  # nothing is going to be deleted
    keeper = actor_of(factories.make_staff(Role.ADMINISTRATOR))
    legal_holds.lift(hold_id, "The case is closed.", keeper, now)
    db.session.commit()
    purge(now + LATER)
    assert purge(now + LATER + timedelta(days=15))["draft"] == 1
    kinds = sa.select(Event.kind).where(Event.kind.startswith("retention:hold:"))
    assert db.session.scalars(kinds.order_by(Event.id)).all() == [
        "retention:hold:set",
        "retention:hold:lifted",
    ]


def test_a_hold_on_a_request_keeps_the_messages_about_it(context: Flask) -> None:
    agent, now = factories.make_agent(), utc_now()
    req = request_factories.make_request(agent, Status.SUBMITTED)
    db.session.execute(sa.update(Delivery).values(status=DeliveryStatus.SENT))
    db.session.commit()
    messages = count_of(Delivery)
    hold(req)
    assert "delivery" not in purge(now + LATER)
    assert count_of(Delivery) == messages > 0
