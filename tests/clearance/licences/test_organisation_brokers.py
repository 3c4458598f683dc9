"""Whom of the register agents see, and whose licence is due."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.licences import facts, organisation_brokers
from clearance.models import Licence, Organisation, User
from clearance.models.enums import LicenceStatus, SuspendedBy
from tests.support import factories, request_factories
from tests.support.issued_factories import make_licence


@pytest.fixture
def office(context: Flask) -> Organisation:
    request_factories.load_services()
    return factories.make_organisation()


@pytest.fixture
def agent(office: Organisation) -> User:
    return factories.make_agent(office)


def seen_by(user: User) -> list[Licence]:
    return list(db.session.scalars(organisation_brokers.licences(actor_of(user))))


def test_general_users_see_the_brokers_of_the_chosen_organisation(
    office: Organisation, agent: User
) -> None:
    licence = make_licence(office)
    make_licence()
    assert seen_by(agent) == [licence]
    assert organisation_brokers.find(licence.broker_id, actor_of(agent)) is licence.broker


@pytest.mark.parametrize(("granted", "sees"), [("letter", True), ("exam", False)])
def test_additional_users_see_them_with_a_service_about_licences(
    office: Organisation, granted: str, sees: bool
) -> None:
    licence = make_licence(office)
    user = factories.make_agent(office, is_general=False, services=(granted,))
    assert organisation_brokers.are_shown_to(actor_of(user)) is sees
    assert seen_by(user) == ([licence] if sees else [])


@pytest.mark.parametrize("role", ["reviewer", "manager", "administrator"])
def test_staff_see_none_as_agents_do(office: Organisation, role: str) -> None:
    licence = make_licence(office)
    actor = actor_of(factories.make_staff(role))
    assert not organisation_brokers.are_shown_to(actor)
    with pytest.raises(NotFound):
        organisation_brokers.find(licence.broker_id, actor)


def day(days: int) -> date:
    """So many days from today, in Kuwait."""
    return kuwait_today() + timedelta(days=days)


@pytest.mark.databases
@pytest.mark.parametrize(
    ("columns", "is_due"),
    [
        ({}, False),
        ({"expires": 60}, True),
        ({"expires": 61}, False),
        ({"guarantee_expiry": 60}, True),
        ({"civil_id_expiry": 60}, True),
        ({"passport_expiry": 60}, True),
        ({"expires": -400, "status": "expired"}, True),
        ({"expires": 60, "status": "suspended", "suspended_by": "holder"}, False),
        ({"expires": 60, "status": "suspended", "suspended_by": "office"}, False),
        ({"expires": 60, "status": "cancelled"}, False),
    ],
)
def test_due_is_what_a_renewal_could_be_asked_for(
    office: Organisation, agent: User, columns: dict[str, Any], is_due: bool
) -> None:
    dated = {name: day(each) if isinstance(each, int) else each for name, each in columns.items()}
    licence = make_licence(office, **dated)
    found, count = organisation_brokers.due(actor_of(agent), utc_now(), limit=5)
    assert [each.licence for each in found] == ([licence] if is_due else [])
    assert count == len(found)
    for each in found:  # what the guards would read themselves
        assert facts.load_licences([licence.id]) == {licence.id: each.fact}


def test_a_holders_suspension_that_ran_out_is_due_as_an_expired_licence(
    office: Organisation, agent: User
) -> None:
    past = make_licence(
        office,
        expires=day(-1),
        status=LicenceStatus.SUSPENDED,
        suspended_by=SuspendedBy.HOLDER,
    )
    found, count = organisation_brokers.due(actor_of(agent), utc_now(), limit=5)
    assert ([each.licence for each in found], count) == ([past], 1)


def test_what_ends_next_comes_first_and_all_are_counted(office: Organisation, agent: User) -> None:
    days = (-300, -2, 40, 3)
    made = {each: make_licence(office, expires=day(each)) for each in days}
    first, count = organisation_brokers.due(actor_of(agent), utc_now(), limit=3)
    assert [each.licence for each in first] == [made[3], made[40], made[-2]]
    assert count == 4


def test_an_open_request_takes_a_licence_off_the_list(office: Organisation, agent: User) -> None:
    licence = make_licence(office, expires=day(60))
    request_factories.make_sent(agent, "suspension", licence_id=licence.id)
    assert organisation_brokers.due(actor_of(agent), utc_now(), limit=5) == ([], 0)
