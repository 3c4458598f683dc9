"""The report of the week goes once to the managers who chose it, when its days are final."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.errors import PermissionDenied
from clearance.core.extensions import db
from clearance.figures import summaries, weekly
from clearance.models import Delivery, Notice, User
from clearance.models.enums import Channel, Role
from clearance.notifications import preferences
from tests.support import factories, request_factories

SUNDAY = datetime(2026, 3, 8, 6, tzinfo=UTC)  # nine in the morning in Kuwait
KEY = preferences.key_of(weekly.EVENT, Channel.EMAIL)


@pytest.fixture
def manager(context: Flask) -> User:
    return factories.make_staff(Role.MANAGER)


def choose(user: User, *keys: str) -> None:
    """Keep what is chosen already, and choose these too."""
    others = [key for key in preferences.keys_for(user.role) if key != KEY]
    preferences.choose(actor_of(user), [*others, *keys], SUNDAY)
    db.session.commit()


def told() -> list[tuple[int, Any]]:
    reports = sa.select(Notice.user_id, Notice.params).where(Notice.event == weekly.EVENT)
    rows = db.session.execute(reports.order_by(Notice.id))
    return [(user_id, params) for user_id, params in rows]


def report(now: datetime) -> int:
    summaries.refresh(now, seconds=None)
    sent = weekly.send(now)
    db.session.commit()
    return sent


@pytest.mark.databases
def test_managers_who_chose_it_get_the_figures_of_the_week_once(manager: User) -> None:
    other = factories.make_staff(Role.MANAGER)
    request_factories.make_sent(factories.make_agent(), now=SUNDAY - timedelta(days=3))
    choose(manager, KEY)
    choose(other)
    assert report(SUNDAY) == 1
    ((user_id, params),) = told()
    assert (user_id, params["week"]) == (manager.id, "01/03/2026 – 07/03/2026")
    assert (params["received"], params["received_before"], params["open"]) == (1, 0, 1)
    assert "median" not in params  # nothing was decided
    body = db.session.scalars(sa.select(Delivery.body).where(Delivery.event == weekly.EVENT)).one()
    assert "/office/dashboard/?period=week&at=2026-03-01" in body
    assert report(SUNDAY + timedelta(days=1)) == 0
    assert report(SUNDAY + timedelta(days=7)) == 1


def test_nobody_gets_it_without_a_choice(manager: User) -> None:
    assert preferences.choosable(manager.id, manager.role, "en")[-1].wanted == {
        Channel.EMAIL: False
    }
    assert report(SUNDAY) == 0
    choose(manager, KEY)
    assert report(SUNDAY + timedelta(hours=1)) == 0  # the week is over and done with
    assert told() == []


def test_who_is_no_manager_any_more_gets_it_no_longer(manager: User) -> None:
    choose(manager, KEY)
    manager.role = Role.REVIEWER
    db.session.commit()
    assert report(SUNDAY) == 0


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.ADMINISTRATOR, Role.AGENT])
def test_only_managers_can_choose_it(context: Flask, role: str) -> None:
    user = factories.make_staff(role) if role != Role.AGENT else factories.make_agent()
    assert KEY not in preferences.keys_for(role)
    with pytest.raises(PermissionDenied):
        choose(user, KEY)


def test_it_waits_for_daytime_and_for_the_last_day_to_be_final(manager: User) -> None:
    choose(manager, KEY)
    assert report(SUNDAY.replace(hour=1)) == 0  # four in the morning in Kuwait
    summaries.forget()
    assert weekly.send(SUNDAY) == 0
    assert report(SUNDAY) == 1
