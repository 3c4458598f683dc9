"""A lost card: it counts no more, and the broker of an active licence gets another."""

from __future__ import annotations

import pytest
from flask import Flask

from clearance.issuing import operations as issuing
from clearance.models.enums import IssuedKind, LicenceStatus, LicenceStep, Status
from tests.support.service_life import (
    HOLDER_SUSPENDED_IT,
    NOT_OURS,
    OFFICE_SUSPENDED_IT,
    ONLY_WHILE_ACTIVE,
    SOON,
    WHO_MAY_ASK,
    ServiceLife,
    change_register,
    history_of,
    move_away,
    register_of,
    suspend_by_office,
)


@pytest.fixture
def lost_card(context: Flask) -> ServiceLife:
    return ServiceLife("lost_card")


# Asked


def test_users_of_a_clearing_agents_office_ask_who_have_the_grant(lost_card: ServiceLife) -> None:
    assert lost_card.who_may_ask(lost_card.licence()) == WHO_MAY_ASK


def test_form_wants_how_it_was_lost_and_the_report_of_it(lost_card: ServiceLife) -> None:
    assert lost_card.wants(lost_card.licence()) == ["circumstances", "loss_report"]


def test_only_for_an_active_licence_a_card_is_printed(lost_card: ServiceLife) -> None:
    assert lost_card.refusals_by_state() == ONLY_WHILE_ACTIVE


def test_broker_who_moved_away_since_the_draft_gets_his_card_from_the_other_office(
    lost_card: ServiceLife,
) -> None:
    licence = lost_card.licence()
    draft = lost_card.draft(licence)
    move_away(licence)
    assert lost_card.refusal_to_send(draft) == NOT_OURS


def test_draft_begun_before_the_licence_was_suspended_is_not_sent(lost_card: ServiceLife) -> None:
    licence = lost_card.licence()
    draft = lost_card.draft(licence)
    suspend_by_office(licence)
    assert lost_card.refusal_to_send(draft) == OFFICE_SUSPENDED_IT
    assert draft.status == Status.DRAFT


# Decided


def test_returned_for_its_report_it_is_told_better_and_sent_again(lost_card: ServiceLife) -> None:
    req = lost_card.ask(lost_card.licence())
    lost_card.return_for(req, "circumstances", "loss_report")
    assert lost_card.open_places(req) == {"circumstances", "loss_report"}
    lost_card.correct(req, circumstances="سُرقت من السيارة في الشويخ.")
    assert (req.status, req.answers["circumstances"]) == (
        Status.SUBMITTED,
        "سُرقت من السيارة في الشويخ.",
    )


def test_rejected_with_its_reason_the_old_card_goes_on_counting(lost_card: ServiceLife) -> None:
    licence = lost_card.licence(expires=SOON)
    renewal = ServiceLife("renewal", lost_card.agent)
    renewal.approve(renewal.ask(licence))
    before = register_of(licence)
    req = lost_card.reject(lost_card.ask(licence), "The report is another person's.")
    assert req.status == Status.REJECTED
    assert "The report is another person's." in lost_card.last_notice()
    assert register_of(licence) == before
    assert lost_card.refusal_to_begin(licence) == ""


@pytest.mark.parametrize(
    ("suspended_by", "told"), [("office", OFFICE_SUSPENDED_IT), ("holder", HOLDER_SUSPENDED_IT)]
)
def test_licence_suspended_meanwhile_gets_no_card(
    lost_card: ServiceLife, suspended_by: str, told: str
) -> None:
    licence = lost_card.licence()
    req = lost_card.ask(licence)
    state = {"status": LicenceStatus.SUSPENDED, "suspended_by": suspended_by}
    change_register(licence, LicenceStep.SUSPENDED, **state)
    assert lost_card.refusal_to_approve(req) == told
    assert issuing.of_licence(licence) == []


def test_approved_the_lost_card_is_void_and_a_new_one_is_there(lost_card: ServiceLife) -> None:
    licence = lost_card.licence(expires=SOON)
    renewal = ServiceLife("renewal", lost_card.agent)
    certificate, card = renewal.issued(renewal.approve(renewal.ask(licence)))
    req = lost_card.approve(lost_card.ask(licence))
    (new,) = lost_card.issued(req)
    assert (card.void_reason, certificate.voided_at, new.voided_at) == ("lost", None, None)
    assert (new.kind, new.valid_until) == (IssuedKind.CARD, licence.expires)


def test_approved_it_leaves_the_licence_itself_as_it_was(lost_card: ServiceLife) -> None:
    licence = lost_card.licence()
    before = (licence.status, licence.expires, licence.guarantee_no)
    req = lost_card.approve(lost_card.ask(licence))
    assert (licence.status, licence.expires, licence.guarantee_no) == before
    assert licence.broker.mobile == req.mobile
    assert [change.kind for change in history_of(licence)] == [LicenceStep.UPDATED]
