"""The broker's link sent anew: who may, where it goes, what becomes of the earlier one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask_babel import force_locale

from clearance.auth import permissions
from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.errors import (
    NotFound,
    PermissionDenied,
    Refused,
    TooManyTries,
    TransitionNotAllowed,
)
from clearance.core.extensions import db
from clearance.licences import office_actions
from clearance.models import Delivery, Event, Request, User
from clearance.models.enums import Status
from clearance.requests import timeline
from clearance.transfers import consent_links, consents
from clearance.transfers import operations as transfer_operations
from tests.support import factories
from tests.support import transfer_factories as made
from tests.support.transfer_factories import Offices


def send_again(req: Request, user: User, now: datetime | None = None) -> str:
    """What a general user presses; the token of the link that went out."""
    actor, request_id, version = actor_of(user), req.id, req.version
    db.session.rollback()  # the sendings are counted apart
    shown = sa.or_(permissions.requests_visible_to(actor), permissions.transfers_answered_by(actor))
    now = now or utc_now()
    with time_machine.travel(now, tick=False):
        consent_links.send_again(request_id, shown, actor, version, now)
    db.session.commit()
    return made.token_of(req)


def asks(app: Flask, token: str) -> bool:
    db.session.rollback()
    with factories.visit(app):
        return consents.find(token) is not None


@pytest.mark.databases
def test_either_side_has_a_new_link_sent_and_only_the_newest_asks(
    context: Flask, offices: Offices
) -> None:
    now = utc_now()
    req = made.make_accepted(offices, now=now - timedelta(days=3))
    first, until = made.token_of(req), transfer_operations.answer_by(req)
    second = send_again(req, offices.releaser, now)
    third = send_again(req, offices.receiver, now + timedelta(seconds=61))
    assert [asks(context, token) for token in (first, second, third)] == [False, False, True]
    assert transfer_operations.answer_by(req) == until
    assert consent_links.last_sent(req) == now + timedelta(seconds=61)
    db.session.rollback()
    events = db.session.scalars(
        sa.select(Event).where(Event.kind == "request:step:send_link").order_by(Event.id)
    ).all()
    assert [(event.actor_id, event.organisation_id) for event in events] == [
        (offices.releaser.id, offices.present.id),
        (offices.receiver.id, offices.new.id),
    ]
    assert made.answer(context, third)
    assert req.status == Status.SUBMITTED
    with force_locale("en"):
        lines = [
            (str(entry.label), entry.actor)
            for entry in timeline.timeline(req, actor_of(offices.releaser))
        ]
    assert ("The broker was sent a new link", offices.new.name_en) in lines


def test_a_new_link_goes_to_the_mobile_that_the_office_has_corrected(
    context: Flask, offices: Offices
) -> None:
    req = made.make_accepted(offices)
    licence, mobile = offices.licence, factories.mobile()
    office_actions.correct(
        licence,
        {"mobile": mobile, "email": ""},
        actor_of(factories.make_staff()),
        "رقم جديد.",
        licence.version,
        utc_now(),
    )
    db.session.commit()
    token = send_again(req, offices.releaser)
    sent = sa.select(Delivery).where(Delivery.event == "transfer:consent").order_by(Delivery.id)
    newest = db.session.scalars(sent).all()[-1]
    assert newest.address == mobile
    assert made.answer(context, token)
    assert req.status == Status.SUBMITTED


def test_links_are_sent_as_rarely_as_codes(context: Flask, offices: Offices) -> None:
    now = utc_now()
    req = made.make_accepted(offices, now=now)
    send_again(req, offices.releaser, now)
    with pytest.raises(TooManyTries) as error:
        send_again(req, offices.receiver, now + timedelta(seconds=59))
    assert error.value.retry_after == 1
    for count in range(1, 5):
        send_again(req, offices.releaser, now + timedelta(seconds=61 * count))
    with pytest.raises(TooManyTries):
        send_again(req, offices.releaser, now + timedelta(minutes=20))


def test_a_link_that_was_not_sent_is_not_counted(context: Flask, offices: Offices) -> None:
    req, now = made.make_accepted(offices), utc_now()
    actor, request_id, version = actor_of(offices.releaser), req.id, req.version
    db.session.rollback()
    shown = permissions.requests_visible_to(actor)
    for _ in range(3):
        with pytest.raises(TransitionNotAllowed):
            consent_links.send_again(request_id, shown, actor, version + 1, now)
    send_again(req, offices.releaser, now)


def test_only_general_users_of_the_two_organisations_have_it_sent(offices: Offices) -> None:
    req = made.make_accepted(offices)
    helper = factories.make_agent(offices.present, is_general=False, services=("transfer",))
    others = factories.make_agent(offices.new, is_general=False, services=("transfer",))
    token = made.token_of(req)
    for user, error in (
        (helper, PermissionDenied),
        (factories.make_staff(), PermissionDenied),
        (others, NotFound),
        (factories.make_agent(), NotFound),
    ):
        with pytest.raises(error):
            send_again(req, user)
    db.session.rollback()
    assert made.token_of(req) == token
    send_again(req, offices.releaser)  # strangers' tries were not counted


def test_nothing_is_sent_before_the_acceptance_after_the_end_or_to_no_mobile(
    context: Flask, offices: Offices
) -> None:
    req = made.make_sent(offices)
    with pytest.raises(TransitionNotAllowed):
        send_again(req, offices.releaser)
    db.session.rollback()
    made.accept(req, offices)
    words = {}
    for name, now, mobile in (
        ("late", utc_now() + timedelta(days=15), offices.licence.broker.mobile),
        ("mobile", utc_now(), "+96522001234"),
    ):
        offices.licence.broker.mobile = mobile
        db.session.commit()
        with pytest.raises(Refused) as error:
            send_again(req, offices.releaser, now)
        for lang in ("ar", "en"):
            with force_locale(lang):
                words[name, lang] = str(error.value.refusal.text)
        db.session.rollback()
    assert "انتهت مهلة الرد" in words["late", "ar"]
    assert "time to respond" in words["late", "en"]
    assert "هاتف المخلص" in words["mobile", "ar"]
    assert "registered mobile number" in words["mobile", "en"]
