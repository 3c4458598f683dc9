"""Inviting staff: by command, by link, once; the first administrator comes this way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.accounts import sign_in, staff_invitations
from clearance.auth import password_changes
from clearance.core.errors import DomainError, Refused
from clearance.core.extensions import db
from clearance.models import Delivery, Event, Invitation, User
from clearance.models.enums import Role, SessionStage
from clearance.notifications import outbox
from tests.support import factories
from tests.support.parallel import run_together
from tests.support.rows import count_of

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
EMAIL = "boss@example.com"


def invite(role: str = Role.ADMINISTRATOR) -> str:
    """Invite and return the token of the link."""
    _invitation, link = staff_invitations.invite_staff(EMAIL, role, NOW)
    db.session.commit()
    assert link.startswith("http://127.0.0.1:5000/invitation/")
    return link.rpartition("/")[2]


def accept(token: str, now: datetime = NOW, password: str = factories.PASSWORD) -> User | None:
    user = staff_invitations.accept_invitation(
        token, now, first_name="منى", last_name="الفهد", password=password, language="ar"
    )
    db.session.commit()
    return user


@pytest.mark.databases
def test_the_link_makes_a_staff_user_who_signs_in_with_a_second_factor(visit: Flask) -> None:
    user = accept(invite())
    assert user is not None
    assert (user.email, user.role, user.is_proved) == (EMAIL, Role.ADMINISTRATOR, True)
    result = sign_in.sign_in(EMAIL, factories.PASSWORD, ip="10.0.0.1", device=None, now=NOW)
    assert result.stage == SessionStage.FACTOR
    db.session.commit()
    kinds = db.session.scalars(sa.select(Event.kind).order_by(Event.id)).all()
    assert kinds == ["staff:user:invited", "staff:user:joined"]


def test_the_mail_carries_the_link_and_the_tables_only_its_hash(visit: Flask) -> None:
    token = invite()
    delivery = db.session.scalars(sa.select(Delivery)).one()
    assert delivery.address == EMAIL
    assert token not in delivery.body
    assert f"/invitation/{token}" in outbox.body_of(delivery)
    invitation = db.session.scalars(sa.select(Invitation)).one()
    assert token not in invitation.token_hash


def test_a_link_works_once_and_for_seven_days(visit: Flask) -> None:
    token = invite()
    late = NOW + timedelta(days=7)
    assert staff_invitations.find_invitation(token, late) is None
    assert accept(token, late) is None
    assert staff_invitations.find_invitation(token, NOW) is not None
    assert accept(token) is not None
    assert staff_invitations.find_invitation(token, NOW) is None
    assert accept(token) is None
    assert accept("no-such-token") is None


def test_inviting_again_ends_the_earlier_link(visit: Flask) -> None:
    first, second = invite(Role.REVIEWER), invite(Role.MANAGER)
    assert accept(first) is None
    user = accept(second)
    assert user is not None
    assert user.role == Role.MANAGER


def test_a_weak_password_leaves_the_link_usable(visit: Flask) -> None:
    token = invite()
    with pytest.raises(password_changes.WeakPassword):
        accept(token, password="Kuwait@2026")
    assert accept(token) is not None


def test_the_address_of_a_user_is_not_invited(visit: Flask) -> None:
    factories.make_agent(email=EMAIL)
    with pytest.raises(Refused):
        invite()


@pytest.mark.databases
def test_an_address_that_became_a_users_meanwhile_is_refused(visit: Flask) -> None:
    token = invite()
    factories.make_agent(email=EMAIL)
    with pytest.raises(Refused):
        accept(token)


def test_nobody_is_invited_as_an_agent(visit: Flask) -> None:
    with pytest.raises(DomainError):
        invite(Role.AGENT)


@pytest.mark.databases
def test_a_link_used_five_times_at_once_makes_one_user(app: Flask) -> None:
    with factories.visit(app):
        token = invite()
        db.session.remove()
    made: list[int] = []

    def attempt(number: int) -> None:
        with factories.visit(app):
            try:
                if accept(token) is not None:
                    made.append(number)
            except Refused:
                db.session.rollback()
            db.session.remove()

    run_together(attempt, 5)
    assert len(made) == 1


@pytest.mark.databases
def test_the_command_invites_and_prints_the_link(app: Flask) -> None:
    result = app.test_cli_runner().invoke(
        args=["staff", "invite", EMAIL.upper(), "--role", "administrator"]
    )
    assert result.exit_code == 0, result.output
    assert "http://127.0.0.1:5000/invitation/" in result.output
    with app.app_context():
        assert db.session.scalars(sa.select(Invitation.email)).all() == [EMAIL]


@pytest.mark.parametrize("arguments", [("not an address", "manager"), (EMAIL, "agent")])
def test_the_command_refuses_what_is_no_address_or_role(
    app: Flask, arguments: tuple[str, str]
) -> None:
    email, role = arguments
    result = app.test_cli_runner().invoke(args=["staff", "invite", email, "--role", role])
    assert result.exit_code != 0
    with app.app_context():
        assert count_of(Invitation) == 0
