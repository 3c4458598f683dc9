"""Who sees which request and who may take which kind of step."""

from __future__ import annotations

from itertools import product

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth import permissions
from clearance.auth.sessions import actor_of
from clearance.core.extensions import db
from clearance.models import Organisation, Request, User
from clearance.models.enums import Role, Status
from tests.support import factories
from tests.support import request_factories as requests


@pytest.fixture
def world(context: Flask) -> dict[str, User]:
    """Two organisations with a request and a draft each, and people of every kind."""
    requests.load_services()
    requests.publish(requests.TRIVIAL)
    general, stranger = factories.make_agent(), factories.make_agent()
    for agent in (general, stranger):
        requests.make_sent(agent)
        requests.make_draft(agent)
        requests.make_sent(agent, "greeting", words="سلام")
    office = db.session.get_one(Organisation, actor_of(general).standings[0].organisation_id)
    additional = factories.make_agent(office, is_general=False, services=("exam",))
    ungranted = factories.make_agent(office, is_general=False)
    former = factories.make_user()
    factories.make_membership(former, office, is_active=False)
    return {
        "general": general,
        "stranger": stranger,
        "additional": additional,
        "ungranted": ungranted,
        "former": former,
        "reviewer": factories.make_staff(),
        "manager": factories.make_staff(Role.MANAGER),
        "administrator": factories.make_staff(Role.ADMINISTRATOR),
    }


def seen_by(user: User) -> list[tuple[str, bool]]:
    """(service, is draft) of each request in the list of `user`."""
    condition = permissions.requests_visible_to(actor_of(user))
    rows = db.session.scalars(sa.select(Request).where(condition).order_by(Request.id))
    return [(req.service_code, req.status == Status.DRAFT) for req in rows]


@pytest.mark.databases
def test_each_sees_what_is_theirs(world: dict[str, User]) -> None:
    own = [("exam", False), ("exam", True), ("greeting", False)]
    assert seen_by(world["general"]) == seen_by(world["stranger"]) == own
    assert seen_by(world["additional"]) == own[:2]
    assert seen_by(world["ungranted"]) == seen_by(world["former"]) == []
    everything_sent = [("exam", False), ("greeting", False)] * 2
    assert seen_by(world["reviewer"]) == seen_by(world["manager"]) == everything_sent
    assert seen_by(world["administrator"]) == []


def test_list_and_single_row_obey_the_same_rule(world: dict[str, User]) -> None:
    every = db.session.scalars(sa.select(Request)).all()
    for user in world.values():
        actor = actor_of(user)
        listed = set(
            db.session.scalars(sa.select(Request.id).where(permissions.requests_visible_to(actor)))
        )
        assert listed == {req.id for req in every if permissions.can_see_request(actor, req)}


def test_only_the_agents_side_acts_for_a_request(world: dict[str, User]) -> None:
    req = db.session.scalars(sa.select(Request).order_by(Request.id)).first()
    assert req is not None
    may = {
        name for name, user in world.items() if permissions.acts_for(actor_of(user), req) is None
    }
    assert may == {"general", "additional"}
    assert permissions.acts_for(None, req) is not None


def test_only_reviewers_decide_and_only_managers_assign(world: dict[str, User]) -> None:
    req = db.session.scalars(sa.select(Request).order_by(Request.id)).first()
    assert req is not None
    people = {name: actor_of(user) for name, user in world.items()}
    for policy, name in product(
        (permissions.can_process, permissions.can_decide, permissions.can_take), people
    ):
        assert (policy(people[name], req) is None) is (name == "reviewer")
    assert {name for name in people if permissions.can_assign(people[name], req) is None} == {
        "manager"
    }


def test_the_portal_alone_lapses_and_may_release(world: dict[str, User]) -> None:
    req = db.session.scalars(sa.select(Request)).first()
    assert req is not None
    assert permissions.is_portal(None, req) is None
    assert permissions.can_process_or_portal(None, req) is None
    for policy in (permissions.can_process, permissions.can_assign, permissions.is_its_reviewer):
        assert policy(None, req) is not None
    for user in world.values():
        assert permissions.is_portal(actor_of(user), req) is not None


def test_taking_what_one_has_already_is_refused(context: Flask) -> None:
    requests.load_services()
    reviewer = factories.make_staff()
    req = requests.make_request(factories.make_agent(), Status.UNDER_REVIEW, reviewer=reviewer)
    assert permissions.can_take(actor_of(reviewer), req) is not None
    assert permissions.can_decide(actor_of(reviewer), req) is None
    assert permissions.is_its_reviewer(actor_of(factories.make_staff()), req) is not None
