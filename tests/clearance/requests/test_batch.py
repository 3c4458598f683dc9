"""Several brokers at once, whoever presses at the same instant: one grid, each row sent once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from admin_views.my.requests import batch_selection
from clearance.auth.sessions import actor_of
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.errors import NotFound, Refused
from clearance.core.extensions import db
from clearance.models import Event, Organisation, Request, User
from clearance.models.enums import Status
from clearance.requests import batch, completeness
from tests.support import factories, issued_factories, request_factories


def make_licences(user: User, count: int) -> list[int]:
    organisation = db.session.get_one(Organisation, user.memberships[0].organisation_id)
    return [
        issued_factories.make_licence(organisation, mobile=factories.mobile(), email="b@x.com").id
        for _ in range(count)
    ]


def begin(actor: Actor, ids: list[int], key: str = "key", code: str = "letter") -> list[Request]:
    begun = batch.create_drafts(code, ids, actor, utc_now(), key)
    db.session.commit()
    return begun


def in_parallel(app: Flask, work: Callable[[], Any], times: int = 3) -> list[Any]:
    """What each thread's `work` gives, all begun at one instant, each in a request of its own."""
    barrier, results = Barrier(times), []

    def run() -> None:
        with app.test_request_context(method="POST"):
            barrier.wait()
            results.append(work())

    threads = [Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.databases
def test_clicks_at_the_same_instant_begin_one_grid_and_send_each_row_once(app: Flask) -> None:
    with app.app_context():
        request_factories.load_services()
        user = factories.make_agent()
        actor, ids = actor_of(user), make_licences(user, 6)
        db.session.rollback()
    found = in_parallel(app, lambda: [req.id for req in begin(actor, ids)])
    assert len(found) == 3
    assert found[0] == found[1] == found[2]

    def send() -> list[batch.Outcome]:
        drafts = [db.session.get_one(Request, each) for each in found[0]]
        outcomes = list(batch.send(drafts, actor, utc_now()))
        db.session.commit()
        return outcomes

    sent = in_parallel(app, send)
    assert [outcome.is_sent for outcomes in sent for outcome in outcomes] == [True] * 18
    with app.app_context():
        numbers = db.session.scalars(sa.select(Request.number).order_by(Request.id)).all()
        assert sorted(str(number).split("/")[1] for number in numbers) == list("123456")
        steps = sa.select(sa.func.count()).where(Event.kind == "request:step:send")
        assert db.session.scalar(steps.select_from(Event)) == 6


def test_a_bad_row_leaves_the_others_untouched(agent: User) -> None:
    actor = actor_of(agent)
    drafts = begin(actor, make_licences(agent, 3))
    drafts[1].email = "nonsense"
    db.session.commit()
    outcomes = list(batch.send(drafts, actor, utc_now()))
    db.session.commit()
    assert [outcome.is_sent for outcome in outcomes] == [True, False, True]
    assert [req.status for req in drafts] == [Status.SUBMITTED, Status.DRAFT, Status.SUBMITTED]
    assert [item.field for item in completeness.missing(drafts[1])] == ["email"]


def test_only_what_may_be_begun_is_begun_and_the_reason_is_the_buttons(agent: User) -> None:
    actor, ids = actor_of(agent), make_licences(agent, 2)
    (candidate, _other) = batch_selection.candidates("renewal", actor, utc_now())
    assert candidate.refusal is not None
    with pytest.raises(Refused) as caught:
        begin(actor, ids, code="renewal")
    db.session.rollback()
    assert str(caught.value.refusal.text) == str(candidate.refusal.text)
    candidate.licence.expires = kuwait_today() + timedelta(days=3)
    db.session.commit()
    assert [req.licence_id for req in begin(actor, ids, code="renewal")] == [candidate.licence.id]


def test_a_service_that_is_not_for_several_is_not_found(agent: User) -> None:
    for code in ("exam", "cancellation"):
        with pytest.raises(NotFound):
            begin(actor_of(agent), make_licences(agent, 1), code=code)


def test_a_page_without_its_key_begins_a_grid_of_its_own(agent: User) -> None:
    actor, ids = actor_of(agent), make_licences(agent, 1)
    assert begin(actor, ids, key="")[0].grid_key != begin(actor, ids, key="")[0].grid_key
