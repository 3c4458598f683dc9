"""Suspension: an active licence rests at its own office's wish until that asks for it again."""

from __future__ import annotations

import pytest
from flask import Flask

from clearance.models.enums import LicenceStatus, LicenceStep, Status, SuspendedBy
from tests.support.service_life import (
    NOT_OURS,
    OFFICE_SUSPENDED_IT,
    ONLY_WHILE_ACTIVE,
    WHO_MAY_ASK,
    ServiceLife,
    change_register,
    history_of,
    move_away,
    register_of,
    suspend_by_office,
)


@pytest.fixture
def suspension(context: Flask) -> ServiceLife:
    return ServiceLife("suspension")


# Asked


def test_users_of_a_clearing_agents_office_ask_who_have_the_grant(suspension: ServiceLife) -> None:
    assert suspension.who_may_ask(suspension.licence()) == WHO_MAY_ASK


def test_form_wants_passport_contact_reason_and_the_offices_letter(suspension: ServiceLife) -> None:
    assert suspension.wants(suspension.licence()) == [
        *("passport_no", "mobile", "email", "reason"),
        "office_letter",
    ]


def test_only_an_active_licence_can_be_suspended(suspension: ServiceLife) -> None:
    assert suspension.refusals_by_state() == ONLY_WHILE_ACTIVE


def test_broker_who_moved_away_since_the_draft_is_not_theirs_to_suspend(
    suspension: ServiceLife,
) -> None:
    licence = suspension.licence()
    draft = suspension.draft(licence)
    move_away(licence)
    assert suspension.refusal_to_send(draft) == NOT_OURS


def test_what_is_only_shown_is_read_again_at_sending(suspension: ServiceLife) -> None:
    licence = suspension.licence()
    draft = suspension.draft(licence, passport_no="N1")
    change_register(licence, LicenceStep.CORRECTED, name_ar_1="يوسف", guarantee_no="LG 5")
    suspension.send(draft)
    assert (draft.name_ar_1, draft.guarantee_no, draft.passport_no) == ("يوسف", "LG 5", "N1")
    assert "يوسف" in draft.name_folded
    assert draft.subject_seen["guarantee_no"] == "LG 5"


# Decided


def test_returned_it_is_corrected_where_the_remark_is_and_sent_again(
    suspension: ServiceLife,
) -> None:
    req = suspension.ask(suspension.licence(), reason="سفر", passport_no="N1")
    number = req.number
    suspension.return_for(req, "reason")
    assert suspension.open_places(req) == {"reason"}
    suspension.correct(req, reason="إجازة سنة", passport_no="N2")
    assert (req.status, req.number) == (Status.SUBMITTED, number)
    assert (req.answers["reason"], req.passport_no) == ("إجازة سنة", "N1")


def test_rejected_with_its_reason_it_leaves_the_register_alone(suspension: ServiceLife) -> None:
    licence = suspension.licence()
    before = register_of(licence)
    req = suspension.reject(suspension.ask(licence), "No cause is given.")
    assert req.status == Status.REJECTED
    assert "No cause is given." in suspension.last_notice()
    assert register_of(licence) == before
    assert suspension.refusal_to_begin(licence) == ""


def test_licence_that_the_office_suspended_meanwhile_is_not_suspended_again(
    suspension: ServiceLife,
) -> None:
    licence = suspension.licence()
    req = suspension.ask(licence)
    suspend_by_office(licence)
    assert suspension.refusal_to_approve(req) == OFFICE_SUSPENDED_IT
    assert (req.status, licence.suspended_by) == (Status.SUBMITTED, SuspendedBy.OFFICE)


def test_approved_the_licence_is_suspended_by_its_holder(suspension: ServiceLife) -> None:
    licence = suspension.licence()
    req = suspension.approve(suspension.ask(licence, passport_no="N7"))
    assert (licence.status, licence.suspended_by) == (LicenceStatus.SUSPENDED, SuspendedBy.HOLDER)
    assert (licence.broker.passport_no, licence.broker.mobile) == ("N7", req.mobile)
    particulars, suspended = history_of(licence)
    assert (particulars.kind, suspended.kind) == (LicenceStep.UPDATED, LicenceStep.SUSPENDED)
    assert suspended.request_id == req.id
    assert suspension.issued(req) == []
