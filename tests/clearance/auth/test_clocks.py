"""Hosts whose clocks differ by seconds: what one made, the other takes (security rule 58)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from clearance.accounts import contact_change, staff_invitations
from clearance.auth import (
    captcha,
    one_time_codes,
    password_changes,
    second_factor,
    second_factor_setup,
    sessions,
)
from clearance.core.actor import Actor
from clearance.core.clock import CLOCK_TOLERANCE
from clearance.core.crypto import token_hash
from clearance.core.extensions import db
from clearance.core.settings import ROOT
from clearance.models import Captcha, Invitation, User
from clearance.models.enums import Channel, CodePurpose, Role, SessionStage
from clearance.organisations import invitation_queries
from tests.support import factories
from tests.support.factories import PASSWORD
from tests.support.gateways import queued_code

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
BROWSER = "what a browser holds"
NEW = "new.address@example.com"
Works = Callable[[datetime], bool]


def signed_in(user: User, stage: SessionStage = SessionStage.FULL) -> Actor:
    return factories.session_of(user, NOW, stage)


def session() -> Works:
    actor = signed_in(factories.make_agent())
    return lambda now: sessions.load_actor(actor.key, now) is not None


def code() -> Works:
    place = ("user:1", CodePurpose.VERIFY, Channel.EMAIL, NEW)
    one_time_codes.create(*place, "en", NOW)
    db.session.commit()
    return lambda now: one_time_codes.verify(*place, queued_code(NEW), now) is not None


def code_told_of() -> Works:
    place = ("user:1", CodePurpose.VERIFY, Channel.EMAIL)
    one_time_codes.create(*place, NEW, "en", NOW)
    db.session.commit()
    return lambda now: one_time_codes.expires_at(*place, now) is not None


def image_text() -> Works:
    ref = captcha.new("register", BROWSER, NOW)
    text = db.session.get_one(Captcha, ref).image_text
    db.session.rollback()
    return lambda now: captcha.spend(ref, "register", BROWSER, text, now)


def picture() -> Works:
    ref = captcha.new("register", BROWSER, NOW)
    return lambda now: captcha.image(ref, now) is not None


def reset() -> Works:
    user = factories.make_agent()
    ref = password_changes.ask_reset(user.email, "en", NOW)
    db.session.commit()
    db.session.rollback()
    typed = queued_code(user.email)
    db.session.rollback()
    return lambda now: password_changes.confirm_reset(ref, typed, "Marsa-3-Lulu!", now)


def staff_link() -> Works:
    _row, link = staff_invitations.invite_staff(NEW, Role.REVIEWER, NOW)
    db.session.commit()
    return lambda now: staff_invitations.find_invitation(link.rpartition("/")[2], now) is not None


def members_invitation() -> Works:
    organisation = factories.make_organisation()
    inviter, invitee = factories.make_agent(organisation), factories.make_agent()
    invitation = Invitation(
        email=invitee.email,
        user_id=invitee.id,
        role=Role.AGENT,
        organisation_id=organisation.id,
        services=[],
        token_hash=token_hash("token"),
        invited_by_id=inviter.id,
        created_at=NOW,
        expires_at=NOW + invitation_queries.LIFETIME,
    )
    db.session.add(invitation)
    db.session.commit()
    actor = signed_in(invitee)

    def works(now: datetime) -> bool:
        is_listed = bool(invitation_queries.open_for(actor, now))
        assert is_listed == (invitation_queries.closed_refusal(invitation, now) is None)
        db.session.rollback()
        return is_listed

    return works


def new_contact() -> Works:
    actor = signed_in(factories.make_agent())
    contact_change.ask(actor, Channel.EMAIL, NEW, PASSWORD, NOW)
    db.session.commit()
    return lambda now: contact_change.pending(actor, Channel.EMAIL, now) is not None


def app_set_up() -> Works:
    actor = signed_in(factories.make_agent())
    token = second_factor_setup.begin(actor, NOW).token

    def works(now: datetime) -> bool:
        try:
            return second_factor_setup.resume(actor, token, now).token == token
        except second_factor_setup.SetupExpired:
            return False

    return works


PLACES = (
    *(session, code, code_told_of, image_text, picture, reset, staff_link),
    *(members_invitation, new_contact, app_set_up),
)


@pytest.mark.parametrize("behind", [timedelta(seconds=3), CLOCK_TOLERANCE])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_a_clock_up_to_two_minutes_behind_takes_it(
    app: Flask, place: Callable[[], Works], behind: timedelta
) -> None:
    with factories.visit(app):
        assert place()(NOW - behind)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_what_was_made_later_than_that_is_from_the_future(
    app: Flask, place: Callable[[], Works]
) -> None:
    with factories.visit(app):
        works = place()
        assert not works(NOW - CLOCK_TOLERANCE - timedelta(seconds=1))


def test_no_second_code_goes_out_because_a_clock_is_behind(app: Flask) -> None:
    with factories.visit(app):
        actor = signed_in(factories.make_staff(), SessionStage.FACTOR)
        second_factor.start(actor, NOW)
        db.session.commit()
        first = queued_code(actor.email)
        second_factor.start(actor, NOW - timedelta(seconds=3))
        db.session.commit()
        assert queued_code(actor.email) == first


@pytest.mark.parametrize(("behind", "stays"), [(3, True), (119, True), (123, False)])
def test_a_signed_in_browser_stays_so_on_a_host_that_is_behind(
    app: Flask, behind: int, stays: bool
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        with app.app_context():
            user = factories.make_agent()
        client = factories.browser_of(app, user)
        client.get("/my/")
        clock.shift(-behind)
        assert (client.http.get("/my/").status_code == 200) is stays
        clock.shift(behind)
        assert client.http.get("/my/").status_code == 200


def test_no_other_place_judges_an_instant_by_its_own_clock_alone() -> None:
    begun = r"(created|made|asked|begun|began|issued|last_seen)(_at)?"
    judged = re.compile(rf"{begun} *(<=|>) *now\b(?! *[-+])|timedelta\(0\) *<=|\b0 *<= *now\b")
    # The windows of limits are judged by the clock of the counting transaction.
    apart = {"rate_limits.py"}
    found = {
        f"{path.name}: {line.strip()}"
        for path in (ROOT / "clearance").rglob("*.py")
        if path.name not in apart
        for line in path.read_text(encoding="utf-8").splitlines()
        if judged.search(line)
    }
    assert not found
