"""Reactivation: a licence that rests at its own office's wish counts again."""

from __future__ import annotations

import pytest
from flask import Flask

from clearance.models.enums import LicenceStatus, LicenceStep, Status
from tests.support.service_life import (
    BY_HOLDER,
    HAS_EXPIRED,
    IS_CANCELLED,
    NOT_OURS,
    OFFICE_SUSPENDED_IT,
    STATES,
    WHO_MAY_ASK,
    ServiceLife,
    change_register,
    history_of,
    move_away,
    register_of,
    suspend_by_office,
)

IS_ACTIVE = "The licence is already active."


@pytest.fixture
def reactivation(context: Flask) -> ServiceLife:
    return ServiceLife("reactivation")


# Asked


def test_users_of_a_clearing_agents_office_ask_who_have_the_grant(
    reactivation: ServiceLife,
) -> None:
    assert reactivation.who_may_ask(reactivation.licence(**BY_HOLDER)) == WHO_MAY_ASK


def test_form_wants_passport_contact_reason_and_the_offices_letter(
    reactivation: ServiceLife,
) -> None:
    assert reactivation.wants(reactivation.licence(**BY_HOLDER)) == [
        *("passport_no", "mobile", "email", "reason"),
        "office_letter",
    ]


def test_only_what_the_holder_suspended_and_has_not_expired_can_be_reactivated(
    reactivation: ServiceLife,
) -> None:
    assert reactivation.refusals_by_state() == dict.fromkeys(STATES, IS_ACTIVE) | {
        "over": HAS_EXPIRED,
        "expired": HAS_EXPIRED,
        "suspended by its holder": "",
        "suspended by its holder and over": HAS_EXPIRED,
        "suspended by the office": OFFICE_SUSPENDED_IT,
        "cancelled": IS_CANCELLED,
    }


def test_broker_who_moved_away_since_the_draft_is_not_theirs_to_reactivate(
    reactivation: ServiceLife,
) -> None:
    licence = reactivation.licence(**BY_HOLDER)
    draft = reactivation.draft(licence)
    move_away(licence)
    assert reactivation.refusal_to_send(draft) == NOT_OURS


# Decided


def test_returned_it_is_corrected_where_the_remarks_are_and_sent_again(
    reactivation: ServiceLife,
) -> None:
    req = reactivation.ask(reactivation.licence(**BY_HOLDER), passport_no="N1")
    reactivation.return_for(req, "passport_no", "office_letter")
    assert reactivation.open_places(req) == {"passport_no", "office_letter"}
    reactivation.correct(req, passport_no="N2", reason="غير ذلك")
    assert (req.status, req.passport_no) == (Status.SUBMITTED, "N2")
    assert req.answers["reason"] != "غير ذلك"


def test_rejected_with_its_reason_the_licence_stays_suspended(reactivation: ServiceLife) -> None:
    licence = reactivation.licence(**BY_HOLDER)
    before = register_of(licence)
    req = reactivation.reject(reactivation.ask(licence), "The guarantee is not in order.")
    assert req.status == Status.REJECTED
    assert "The guarantee is not in order." in reactivation.last_notice()
    assert register_of(licence) == before
    assert reactivation.refusal_to_begin(licence) == ""


def test_licence_that_the_office_itself_suspended_meanwhile_stays_suspended(
    reactivation: ServiceLife,
) -> None:
    licence = reactivation.licence(**BY_HOLDER)
    req = reactivation.ask(licence)
    suspend_by_office(licence)
    assert reactivation.refusal_to_approve(req) == OFFICE_SUSPENDED_IT
    assert (req.status, licence.status) == (Status.SUBMITTED, LicenceStatus.SUSPENDED)


def test_licence_that_is_active_again_meanwhile_needs_no_approval(
    reactivation: ServiceLife,
) -> None:
    licence = reactivation.licence(**BY_HOLDER)
    req = reactivation.ask(licence)
    active = {"status": LicenceStatus.ACTIVE, "suspended_by": None}
    change_register(licence, LicenceStep.REINSTATED, **active)
    assert reactivation.refusal_to_approve(req) == IS_ACTIVE


def test_approved_the_licence_is_active_with_the_expiry_it_had(reactivation: ServiceLife) -> None:
    licence = reactivation.licence(**BY_HOLDER)
    expires = licence.expires
    req = reactivation.approve(reactivation.ask(licence))
    assert (licence.status, licence.suspended_by) == (LicenceStatus.ACTIVE, None)
    assert licence.expires == expires
    particulars, reactivated = history_of(licence)
    assert (particulars.kind, reactivated.kind) == (LicenceStep.UPDATED, LicenceStep.REACTIVATED)
    assert reactivated.request_id == req.id
    assert reactivation.issued(req) == []
