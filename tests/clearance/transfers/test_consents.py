"""The broker's consent: the link, the code, and steps that cross it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.errors import DomainError, TooManyTries, TransitionNotAllowed
from clearance.core.extensions import db
from clearance.licences import register as licence_register
from clearance.models import Broker, Delivery, Organisation, Request, TransferConsent
from clearance.models.enums import LicenceStep, Status
from clearance.requests import transitions
from clearance.services.flows import Action
from clearance.transfers import consents
from clearance.transfers.flow import TransferAction
from clearance.transfers.statuses import TransferStatus
from tests.support import factories
from tests.support import transfer_factories as made
from tests.support.races import race
from tests.support.transfer_factories import Offices
from tests.support.transfer_steps import approve, find

# The broker's link and code


def test_the_link_stands_in_no_table_as_it_is(offices: Offices) -> None:
    req = made.make_accepted(offices)
    token = made.token_of(req)
    assert len(token) >= 43  # 256 bits
    row = db.session.scalars(
        sa.select(TransferConsent).where(TransferConsent.party == "broker")
    ).one()
    assert row.token_hash and token not in row.token_hash
    sent = db.session.scalars(sa.select(Delivery).where(Delivery.event == "transfer:consent")).all()
    assert {each.address for each in sent} == {
        offices.licence.broker.mobile,
        offices.licence.broker.email,
    }
    assert all(each.is_secret and token not in each.body for each in sent)
    assert {each.request_id for each in sent} == {req.id}


def test_codes_are_the_links_own_and_end(context: Flask, offices: Offices) -> None:
    req = made.make_accepted(offices)
    second = made.make_offices()
    made.make_accepted(second)
    asked = find(context, made.token_of(req))
    mine = db.session.scalar(
        sa.select(TransferConsent.id).where(
            TransferConsent.request_id == req.id, TransferConsent.party == "broker"
        )
    )
    assert asked is not None and asked.consent_id != mine  # the newest link is the second's
    foreign = asked.mobile or ""
    now = utc_now()
    with factories.visit(context):
        db.session.rollback()
        consents.send_code(asked, "ar", now)
        db.session.commit()
        code = made.code_of(foreign)
        own = _asked_by(mine, offices)
        db.session.rollback()
        assert not consents.answer(own, TransferAction.CONSENT, code, now)
        db.session.rollback()
        assert not consents.answer(asked, TransferAction.CONSENT, code, now + timedelta(minutes=11))
        db.session.rollback()
        wrong = "000000" if code != "000000" else "000001"
        for _try in range(5):
            assert not consents.answer(asked, TransferAction.CONSENT, wrong, now)
            db.session.rollback()
        assert not consents.answer(asked, TransferAction.CONSENT, code, now)
        db.session.rollback()
        with pytest.raises(TooManyTries):
            consents.send_code(asked, "ar", now + timedelta(seconds=30))
    assert req.status == TransferStatus.AWAITING_BROKER


def test_the_code_goes_to_the_mobile_that_is_registered_now(
    context: Flask, offices: Offices
) -> None:
    req = made.make_accepted(offices)
    token, now = made.token_of(req), utc_now()
    before = find(context, token)
    assert before is not None
    with factories.visit(context):
        db.session.rollback()
        consents.send_code(before, "ar", now)
        db.session.commit()
        code = made.code_of(before.mobile or "")
    licence_register.change(
        offices.licence,
        LicenceStep.CORRECTED,
        {"mobile": factories.mobile()},
        now=now,
        actor_id=None,
    )
    db.session.commit()
    after = find(context, token)
    assert after is not None
    assert after.mobile != before.mobile
    with factories.visit(context):
        db.session.rollback()
        assert not consents.answer(after, TransferAction.CONSENT, code, now)
    assert made.answer(context, token)


def _asked_by(consent_id: int | None, offices: Offices) -> consents.Asked:
    """What the broker of `offices` is asked, as his link would say."""
    return consents.Asked(
        consent_id=consent_id or 0,
        request_id=0,
        number="",
        licence_no="",
        broker={},
        releasing={},
        receiving={},
        mobile=offices.licence.broker.mobile,
        asked_at=utc_now(),
    )


# At the same instant


@pytest.mark.databases
def test_of_two_accepts_at_once_one_counts(context: Flask, offices: Offices) -> None:
    req = made.make_sent(offices)
    actor, version, request_id = actor_of(offices.receiver), req.version, req.id
    db.session.rollback()

    def accept(_number: int) -> str:
        row = db.session.get_one(Request, request_id)
        transitions.perform(row, TransferAction.ACCEPT, actor=actor, now=utc_now(), version=version)
        db.session.commit()
        return "accepted"

    outcomes = race(context, 6, accept)
    assert outcomes.count("accepted") == 1
    assert sum(isinstance(outcome, TransitionNotAllowed) for outcome in outcomes) == 5
    brokers = db.session.scalars(
        sa.select(TransferConsent.id).where(TransferConsent.party == "broker")
    ).all()
    assert len(brokers) == 1


@pytest.mark.databases
def test_no_reader_ever_sees_a_broker_under_two_organisations_or_none(
    context: Flask, offices: Offices
) -> None:
    """Another connection reads the broker's organisation all the while, through every step."""
    broker_id, seen = offices.licence.broker_id, []
    allowed = {offices.present.id, offices.new.id}
    started, done = threading.Event(), threading.Event()

    def read() -> None:
        with context.app_context():
            while not done.is_set():
                with own_transaction(write=False) as connection:
                    rows = connection.execute(
                        sa.select(Broker.organisation_id, Organisation.id)
                        .outerjoin(Organisation, Organisation.id == Broker.organisation_id)
                        .where(Broker.id == broker_id)
                    ).all()
                seen.append([tuple(row) for row in rows])
                started.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert started.wait(10)
    try:
        approve(made.make_submitted(context, offices, receiving=True))
        count = len(seen)
        while len(seen) < count + 3:
            started.wait(0.01)
    finally:
        done.set()
        reader.join()
    assert all(len(rows) == 1 for rows in seen)
    holders = [rows[0][0] for rows in seen]
    assert {*holders} == allowed
    assert holders == sorted(holders, key=lambda each: each == offices.new.id)
    assert all(holder == organisation for rows in seen for holder, organisation in rows)


@pytest.mark.databases
def test_an_approval_and_a_withdrawal_at_once_leave_one_outcome(
    context: Flask, offices: Offices
) -> None:
    req, reviewer = made.make_submitted(context, offices), factories.make_staff()
    steps = [(Action.APPROVE, actor_of(reviewer)), (Action.WITHDRAW, actor_of(offices.releaser))]
    version, request_id = req.version, req.id
    db.session.rollback()

    def take(number: int) -> str:
        action, actor = steps[number]
        row = db.session.get_one(Request, request_id)
        transitions.perform(row, action, actor=actor, now=utc_now(), version=version)
        db.session.commit()
        return str(row.status)

    outcomes = race(context, 2, take)
    won = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(won) == 1
    assert sum(isinstance(outcome, DomainError) for outcome in outcomes) == 1
    moved = offices.organisation_id == offices.new.id
    assert moved is (won == [Status.APPROVED])
