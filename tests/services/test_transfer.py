"""Transfer: a broker moves to another office when both offices, he himself and the office agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.issuing import operations as issuing
from clearance.models import Membership
from clearance.models.enums import IssuedKind, LicenceStep, Status
from clearance.transfers import operations as transfer_operations
from clearance.transfers.flow import TransferAction
from clearance.transfers.statuses import TransferStatus
from tests.support import factories
from tests.support import request_factories as requests
from tests.support import transfer_factories as transfers
from tests.support.service_life import (
    OFFICE_SUSPENDED_IT,
    ONLY_WHILE_ACTIVE,
    TODAY,
    WHO_MAY_ASK,
    ServiceLife,
    change_register,
    history_of,
    move_away,
    refusal_of,
    register_of,
    suspend_by_office,
)
from tests.support.transfer_factories import Offices

ONLY_GENERAL_USERS = (
    "Only a general user can request a transfer. "
    "Ask the general user of your organisation to send this request."
)
IS_GENERAL_BROKER = (
    "The general broker of an organisation cannot be transferred. "
    "The office must first register another general broker for the organisation."
)
UNKNOWN = (
    "No organisation has this licence number or transfer code. "
    "Copy it from the other organisation's licence, or ask its general user."
)
OUR_OWN = (
    "This licence number is your own organisation's. Enter the other organisation's licence number."
)
HAS_AGREED = (
    "The other organisation has already agreed, so you cannot name a different one now. "
    "Enter its licence number again, or withdraw this request and send a new one."
)
MAY_HAVE_NO_BROKERS = (
    "The other organisation cannot hold broker licences. "
    "Brokers can only be transferred between clearing offices."
)
NOBODY_ANSWERS = (
    "The other organisation has no active general user who can respond. "
    "It can register in the portal or ask the office for help."
)
NOT_THEIRS = (
    "The broker is not registered with the organisation they are leaving. "
    "The organisation the broker is registered with can request a new transfer."
)
CANNOT_BE_ASKED = (
    "The broker's registered mobile number is missing or cannot receive messages. "
    "The office must first register the broker's mobile number. "
    "The broker consents with a code sent to it."
)
TOO_LATE = "The time to respond to this transfer has passed. You can send a new request."


@pytest.fixture
def offices(context: Flask) -> Offices:
    return transfers.make_offices()


@pytest.fixture
def transfer(offices: Offices) -> ServiceLife:
    return ServiceLife("transfer", offices.releaser)


# What can be the matter with the other office or the broker


def turn_into_company(offices: Offices) -> None:
    offices.new.legal_entity = "company"


def lose_general_user(offices: Offices) -> None:
    of_new = Membership.organisation_id == offices.new.id
    db.session.execute(sa.update(Membership).where(of_new).values(is_active=False))


def forget_mobile(offices: Offices) -> None:
    offices.licence.broker.mobile = ""


def make_general_broker(offices: Offices) -> None:
    offices.present.general_broker_id = offices.licence.broker_id


def leave(offices: Offices) -> None:
    move_away(offices.licence)


# Asked


def test_only_general_users_ask(transfer: ServiceLife, offices: Offices) -> None:
    assert transfer.who_may_ask(offices.licence) == WHO_MAY_ASK | {
        "user with the grant": ONLY_GENERAL_USERS
    }


def test_form_wants_contact_the_other_office_and_two_letters(
    transfer: ServiceLife, offices: Offices
) -> None:
    assert transfer.wants(offices.licence) == [
        *("mobile", "email", "licence_no"),
        *("transfer_letter", "release_letter"),
    ]


def test_only_with_an_active_licence_a_broker_moves(transfer: ServiceLife) -> None:
    assert transfer.refusals_by_state() == ONLY_WHILE_ACTIVE


def test_general_broker_of_an_office_stays(transfer: ServiceLife, offices: Offices) -> None:
    make_general_broker(offices)
    db.session.commit()
    assert transfer.refusal_to_begin(offices.licence) == IS_GENERAL_BROKER


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (turn_into_company, MAY_HAVE_NO_BROKERS),
        (lose_general_user, NOBODY_ANSWERS),
        (forget_mobile, CANNOT_BE_ASKED),
        (make_general_broker, IS_GENERAL_BROKER),
        (leave, NOT_THEIRS),
    ],
)
def test_draft_is_not_sent_that_nobody_could_agree_to(
    transfer: ServiceLife, offices: Offices, spoil: Callable[[Offices], None], told: str
) -> None:
    req = transfers.make_draft(offices)
    spoil(offices)
    db.session.commit()
    assert transfer.refusal_to_send(req) == told
    assert (req.status, req.other_organisation_id) == (Status.DRAFT, None)


@pytest.mark.parametrize("receiving", [False, True], ids=["released", "received"])
def test_number_has_to_be_that_of_another_office(
    transfer: ServiceLife, offices: Offices, receiving: bool
) -> None:
    own = (offices.new if receiving else offices.present).licence_no
    for number, told in (("KW-0", UNKNOWN), (own, OUR_OWN)):
        req = transfers.make_draft(offices, receiving=receiving, licence_no=number)
        assert refusal_of(partial(transfers.send, req, offices)) == told


# Agreed on


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda offices: suspend_by_office(offices.licence), OFFICE_SUSPENDED_IT),
        (leave, NOT_THEIRS),
        (turn_into_company, MAY_HAVE_NO_BROKERS),
        (forget_mobile, CANNOT_BE_ASKED),
    ],
    ids=["suspended", "elsewhere", "company", "no mobile"],
)
def test_other_office_cannot_accept_what_became_impossible(
    transfer: ServiceLife, offices: Offices, spoil: Callable[[Offices], None], told: str
) -> None:
    req = transfers.make_sent(offices)
    spoil(offices)
    db.session.commit()
    assert refusal_of(partial(transfers.accept, req, offices)) == told
    assert req.status == TransferStatus.AWAITING_OTHER_PARTY


def test_neither_office_nor_broker_answers_too_late(
    context: Flask, transfer: ServiceLife, offices: Offices
) -> None:
    late = utc_now() + timedelta(days=14, minutes=1)
    req = transfers.make_sent(offices)
    assert refusal_of(partial(transfers.accept, req, offices, late)) == TOO_LATE
    transfers.accept(req, offices)
    send_link = partial(requests.step, req, TransferAction.SEND_LINK, offices.releaser)
    assert refusal_of(partial(send_link, now=late)) == TOO_LATE
    answer = partial(transfers.answer, context, transfers.token_of(req))
    later = utc_now() + timedelta(days=14, minutes=1)
    assert refusal_of(partial(answer, now=later)) == TOO_LATE
    assert req.status == TransferStatus.AWAITING_BROKER


def test_broker_who_has_moved_cannot_consent_to_be_released_again(
    context: Flask, transfer: ServiceLife, offices: Offices
) -> None:
    req = transfers.make_accepted(offices)
    token = transfers.token_of(req)
    leave(offices)
    assert refusal_of(partial(transfers.answer, context, token)) == NOT_THEIRS
    send_link = partial(requests.step, req, TransferAction.SEND_LINK, offices.releaser)
    assert refusal_of(send_link) == NOT_THEIRS


def test_broker_without_a_mobile_gets_no_new_link(transfer: ServiceLife, offices: Offices) -> None:
    req = transfers.make_accepted(offices)
    forget_mobile(offices)
    db.session.commit()
    send_link = partial(requests.step, req, TransferAction.SEND_LINK, offices.releaser)
    assert refusal_of(send_link) == CANNOT_BE_ASKED


def test_declined_by_the_other_office_the_broker_stays(
    transfer: ServiceLife, offices: Offices
) -> None:
    before = register_of(offices.licence)
    req = transfers.make_sent(offices)
    requests.step(req, TransferAction.DECLINE, offices.receiver)
    assert req.status == TransferStatus.DECLINED
    assert register_of(offices.licence) == before
    assert transfer.refusal_to_begin(offices.licence) == ""


# Decided


def test_returned_it_is_corrected_and_goes_on_with_the_office_that_agreed(
    context: Flask, transfer: ServiceLife, offices: Offices
) -> None:
    req = transfers.make_submitted(context, offices)
    third = factories.make_organisation(licence_no="KW-9999")
    factories.make_agent(third)
    transfer.return_for(req, "licence_no", "release_letter")
    assert transfer.open_places(req) == {"licence_no", "release_letter"}
    correct = partial(transfer.correct, req)
    assert refusal_of(partial(correct, licence_no=third.licence_no)) == HAS_AGREED
    correct(licence_no=offices.new.licence_no)
    assert (req.status, req.other_organisation_id) == (Status.SUBMITTED, offices.new.id)


def test_rejected_with_its_reason_the_broker_stays_where_he_is(
    context: Flask, transfer: ServiceLife, offices: Offices
) -> None:
    before = register_of(offices.licence)
    req = transfers.make_submitted(context, offices)
    transfer.reject(req, "The release is not signed.")
    assert req.status == Status.REJECTED
    assert "The release is not signed." in transfer.last_notice()
    assert register_of(offices.licence) == before
    assert transfer.refusal_to_begin(offices.licence) == ""


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda offices: suspend_by_office(offices.licence), OFFICE_SUSPENDED_IT),
        (leave, NOT_THEIRS),
        (turn_into_company, MAY_HAVE_NO_BROKERS),
    ],
    ids=["suspended", "elsewhere", "company"],
)
def test_what_became_impossible_is_not_approved(
    context: Flask,
    transfer: ServiceLife,
    offices: Offices,
    spoil: Callable[[Offices], None],
    told: str,
) -> None:
    req = transfers.make_submitted(context, offices)
    spoil(offices)
    db.session.commit()
    before = register_of(offices.licence)
    assert transfer.refusal_to_approve(req) == told
    assert register_of(offices.licence) == before


@pytest.mark.parametrize("receiving", [False, True], ids=["released", "received"])
def test_approved_the_broker_is_the_new_offices_with_number_and_expiry_as_they_were(
    context: Flask, transfer: ServiceLife, offices: Offices, receiving: bool
) -> None:
    licence = offices.licence
    before = (licence.number, licence.expires, licence.status)
    req = transfers.make_submitted(context, offices, receiving=receiving)
    assert offices.organisation_id == offices.present.id
    transfer.approve(req)
    assert offices.organisation_id == offices.new.id
    db.session.refresh(licence)
    assert (licence.number, licence.expires, licence.status) == before
    (moved,) = history_of(licence)
    assert (moved.kind, moved.request_id) == (LicenceStep.TRANSFERRED, req.id)
    given = {consent.party: consent.answer for consent in transfer_operations.consents(req)}
    assert given == {"releasing": "given", "receiving": "given", "broker": "given"}


def test_approved_a_new_card_names_the_new_office_and_the_old_one_counts_no_more(
    context: Flask, transfer: ServiceLife, offices: Offices
) -> None:
    change_register(offices.licence, LicenceStep.CORRECTED, expires=TODAY)
    renewal = ServiceLife("renewal", offices.releaser)
    renewal.approve(renewal.ask(offices.licence, mobile=offices.licence.broker.mobile))
    req = transfer.approve(transfers.make_submitted(context, offices))
    (card,) = transfer.issued(req)
    assert (card.kind, card.organisation_id) == (IssuedKind.CARD, offices.new.id)
    assert card.content["organisation"]["en"] == offices.new.name_en
    living = [paper.kind for paper in issuing.of_licence(offices.licence) if not paper.voided_at]
    assert sorted(living) == [IssuedKind.CARD, IssuedKind.CERTIFICATE]
