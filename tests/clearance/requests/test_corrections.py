"""What an applicant changed in a returned request, as the trail tells it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Event, Request, User
from clearance.models.enums import Status
from clearance.requests import corrections, drafts
from clearance.services import versions
from clearance.services.flows import Action
from tests.support import factories
from tests.support import request_factories as requests


def correct(req: Request, agent: User, **values: Any) -> None:
    drafts.save(req, values, actor_of(agent), utc_now())
    db.session.commit()


def told(req: Request) -> list[tuple[str, Any, Any]]:
    found = corrections.of_last_sending(req, versions.for_request(req))
    return [(each.spec.name, each.before, each.after) for each in found]


@pytest.mark.databases
def test_what_differs_between_two_sendings_is_told_once_in_the_forms_order(agent: User) -> None:
    req = requests.make_request(agent, Status.RETURNED, address="A", name_en_2="Old")
    correct(req, agent, address="B")
    correct(req, agent, address="C", name_en_2="New")
    requests.step(req, Action.SEND, agent)
    assert told(req) == [("name_en_2", "Old", "New"), ("address", "A", "C")]


def test_what_was_changed_back_is_not_told(agent: User) -> None:
    req = requests.make_request(agent, Status.RETURNED, address="A")
    correct(req, agent, address="B")
    correct(req, agent, address="A")
    requests.step(req, Action.SEND, agent)
    assert told(req) == []


def test_days_come_back_as_days(agent: User) -> None:
    req = requests.make_request(agent, Status.RETURNED)
    before = req.civil_id_expiry
    assert before is not None
    correct(req, agent, civil_id_expiry=before.replace(year=before.year + 1))
    requests.step(req, Action.SEND, agent)
    assert told(req) == [("civil_id_expiry", before, before.replace(year=before.year + 1))]


def test_only_the_last_sending_counts(agent: User) -> None:
    reviewer = factories.make_staff()
    req = requests.make_request(agent, Status.RETURNED, reviewer=reviewer, address="A")
    correct(req, agent, address="B")
    requests.step(req, Action.SEND, agent)
    requests.step(req, Action.RETURN, reviewer, reason="Again")
    correct(req, agent, name_en_2="Saad")
    assert told(req) == [("address", "A", "B")]  # what is not sent yet is the applicant's own
    requests.step(req, Action.SEND, agent)
    assert [name for name, _before, _after in told(req)] == ["name_en_2"]


def test_a_draft_leaves_no_trail_of_its_saves(agent: User) -> None:
    req = requests.make_draft(agent)
    correct(req, agent, address="B")
    assert not db.session.scalars(sa.select(Event).where(Event.kind == corrections.KIND)).all()


def test_documents_of_the_last_sending_are_new(agent: User) -> None:
    req = requests.make_request(agent, Status.RETURNED)
    document = requests.make_document(req, "photo", agent)
    requests.step(req, Action.SEND, agent)
    assert corrections.new_documents(req) == {document.id}


def test_a_request_sent_once_has_nothing_new(agent: User) -> None:
    req = requests.make_sent(agent)
    assert told(req) == []
    assert corrections.new_documents(req) == frozenset()
