"""Who may keep the office's people out, and whom nobody can."""

from __future__ import annotations

import pytest
from flask import Flask

from clearance.accounts import staff_accounts
from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, NotFound, PermissionDenied
from clearance.core.extensions import db
from clearance.models import User
from clearance.models.enums import Role
from tests.support import factories


@pytest.fixture
def administrator(context: Flask) -> User:
    return factories.make_staff(Role.ADMINISTRATOR)


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.MANAGER, Role.AGENT])
def test_only_administrators_disable_anybody(administrator: User, role: str) -> None:
    other, reviewer = factories.make_staff(role), factories.make_staff()
    for use_case in (staff_accounts.disable, staff_accounts.enable, staff_accounts.end_sessions):
        with pytest.raises(PermissionDenied):
            use_case(reviewer, actor_of(other), utc_now())
    assert reviewer.is_active


def test_agents_are_not_staff(administrator: User) -> None:
    with pytest.raises(NotFound):
        staff_accounts.disable(factories.make_agent(), actor_of(administrator), utc_now())


def test_nobody_disables_themselves(administrator: User) -> None:
    factories.make_staff(Role.ADMINISTRATOR)
    with pytest.raises(staff_accounts.OwnAccount):
        staff_accounts.disable(administrator, actor_of(administrator), utc_now())


@pytest.mark.databases
def test_two_administrators_cannot_shut_each_other_out(administrator: User) -> None:
    other = factories.make_staff(Role.ADMINISTRATOR)
    both = [actor_of(administrator), actor_of(other)]
    staff_accounts.disable(other, both[0], utc_now())
    db.session.commit()
    with pytest.raises(staff_accounts.NoAdministrator):
        staff_accounts.disable(administrator, both[1], utc_now())
    assert administrator.is_active


def test_disabling_twice_is_noted_once(administrator: User) -> None:
    reviewer = factories.make_staff()
    for _ in range(2):
        staff_accounts.disable(reviewer, actor_of(administrator), utc_now())
    assert reviewer.version == 2


def test_a_withdrawn_invitation_is_gone(administrator: User) -> None:
    with pytest.raises(NotFound):
        staff_accounts.withdraw_invitation(1, actor_of(administrator), utc_now())


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.MANAGER, Role.AGENT])
def test_only_administrators_reset_a_factor(administrator: User, role: str) -> None:
    user = factories.make_agent(totp_secret="sealed", second_factor=True)
    with pytest.raises(PermissionDenied):
        staff_accounts.reset_factor(user, actor_of(factories.make_staff(role)), "reason", utc_now())
    with pytest.raises(DomainError):
        staff_accounts.reset_factor(user, actor_of(administrator), " ", utc_now())
    assert user.totp_secret


def test_nobody_resets_their_own_factor(administrator: User) -> None:
    administrator.totp_secret = "sealed"
    with pytest.raises(staff_accounts.OwnFactor):
        staff_accounts.reset_factor(administrator, actor_of(administrator), "reason", utc_now())
