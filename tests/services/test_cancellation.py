"""Cancellation: a licence ends for good, and everything that was issued for it with it."""

from __future__ import annotations

import pytest
from flask import Flask

from clearance.issuing import operations as issuing
from clearance.models.enums import LicenceStatus, LicenceStep, Status
from tests.support import request_factories as requests
from tests.support.service_life import (
    BY_OFFICE,
    IS_CANCELLED,
    NOT_OURS,
    SOON,
    STATES,
    WHO_MAY_ASK,
    ServiceLife,
    change_register,
    history_of,
    move_away,
    register_of,
)


@pytest.fixture
def cancellation(context: Flask) -> ServiceLife:
    return ServiceLife("cancellation")


# Asked


def test_users_of_a_clearing_agents_office_ask_who_have_the_grant(
    cancellation: ServiceLife,
) -> None:
    assert cancellation.who_may_ask(cancellation.licence()) == WHO_MAY_ASK


def test_form_wants_passport_contact_reason_and_the_offices_letter(
    cancellation: ServiceLife,
) -> None:
    assert cancellation.wants(cancellation.licence()) == [
        *("passport_no", "mobile", "email", "reason"),
        "office_letter",
    ]


def test_licence_in_whichever_state_can_be_cancelled_once(cancellation: ServiceLife) -> None:
    told = cancellation.refusals_by_state()
    assert told == dict.fromkeys(STATES, "") | {"cancelled": IS_CANCELLED}


def test_broker_who_moved_away_since_the_draft_keeps_his_licence(
    cancellation: ServiceLife,
) -> None:
    licence = cancellation.licence()
    draft = cancellation.draft(licence)
    move_away(licence)
    assert cancellation.refusal_to_send(draft) == NOT_OURS


# Decided


def test_returned_for_another_letter_only_the_letter_can_be_replaced(
    cancellation: ServiceLife,
) -> None:
    req = cancellation.ask(cancellation.licence())
    cancellation.return_for(req, "office_letter")
    assert cancellation.open_places(req) == {"office_letter"}
    requests.make_document(req, "office_letter", cancellation.agent)
    cancellation.send(req)
    assert (req.status, cancellation.open_places(req)) == (Status.SUBMITTED, set())


def test_rejected_with_its_reason_it_leaves_the_register_alone(cancellation: ServiceLife) -> None:
    licence = cancellation.licence()
    before = register_of(licence)
    req = cancellation.reject(cancellation.ask(licence), "The letter is not signed.")
    assert req.status == Status.REJECTED
    assert "The letter is not signed." in cancellation.last_notice()
    assert register_of(licence) == before
    assert cancellation.refusal_to_begin(licence) == ""


def test_licence_that_was_cancelled_meanwhile_is_not_cancelled_again(
    cancellation: ServiceLife,
) -> None:
    licence = cancellation.licence()
    req = cancellation.ask(licence)
    change_register(licence, LicenceStep.CANCELLED, status=LicenceStatus.CANCELLED)
    assert cancellation.refusal_to_approve(req) == IS_CANCELLED
    assert [change.request_id for change in history_of(licence)] == [None]


def test_approved_even_a_suspended_licence_is_cancelled(cancellation: ServiceLife) -> None:
    licence = cancellation.licence(**BY_OFFICE)
    req = cancellation.approve(cancellation.ask(licence, passport_no="N7"))
    assert (licence.status, licence.suspended_by) == (LicenceStatus.CANCELLED, None)
    assert licence.broker.passport_no == "N7"
    particulars, cancelled = history_of(licence)
    assert (particulars.kind, cancelled.kind) == (LicenceStep.UPDATED, LicenceStep.CANCELLED)
    assert cancelled.request_id == req.id
    assert cancellation.issued(req) == []


def test_approved_it_makes_all_that_was_issued_void_for_good(cancellation: ServiceLife) -> None:
    licence = cancellation.licence(expires=SOON)
    for code in ("renewal", "letter"):
        earlier = ServiceLife(code, cancellation.agent)
        earlier.approve(earlier.ask(licence))
    cancellation.approve(cancellation.ask(licence))
    issued = issuing.of_licence(licence)
    assert {paper.kind for paper in issued} == {"certificate", "card", "letter"}
    assert {(paper.voided_at is None, paper.void_reason) for paper in issued} == {
        (False, "cancelled")
    }
