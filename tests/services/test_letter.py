"""Letters to whom it may concern: what state the licence is in, to whoever wants to know."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import force_locale

from clearance.core.clock import utc_now
from clearance.core.errors import NotFound
from clearance.issuing import operations as issuing
from clearance.licences import granted_expiry
from clearance.models.enums import LicenceStatus, LicenceStep, Status
from tests.support.issued_factories import make_licence
from tests.support.service_life import (
    GRANTED,
    NOT_OURS,
    SOON,
    STATES,
    WHO_MAY_ASK,
    ServiceLife,
    history_of,
    move_away,
    register_of,
    words,
)


@pytest.fixture
def letter(context: Flask) -> ServiceLife:
    return ServiceLife("letter")


# Asked


def test_users_of_a_clearing_agents_office_ask_who_have_the_grant(letter: ServiceLife) -> None:
    assert letter.who_may_ask(letter.licence()) == WHO_MAY_ASK


def test_form_wants_nothing_at_all(letter: ServiceLife) -> None:
    assert {spec.name for spec in letter.definition.asked} == {
        *("mobile", "email", "purpose", "addressee", "language"),
    }
    assert [spec.kind for spec in letter.definition.documents] == ["other"]
    req = letter.send(letter.begin(letter.licence()))
    assert req.status == Status.SUBMITTED


def test_licence_in_whichever_state_has_its_letter(letter: ServiceLife) -> None:
    assert letter.refusals_by_state() == dict.fromkeys(STATES, "")


def test_broker_of_another_office_is_not_found_and_his_button_says_whose_he_is_not(
    letter: ServiceLife,
) -> None:
    foreign = make_licence()
    with pytest.raises(NotFound):
        letter.begin(foreign)
    with force_locale("en"):
        assert words(letter.button(foreign)) == NOT_OURS


def test_broker_who_moved_away_since_the_draft_gets_no_letter_from_here(
    letter: ServiceLife,
) -> None:
    licence = letter.licence()
    draft = letter.draft(licence)
    move_away(licence)
    assert letter.refusal_to_send(draft) == NOT_OURS


# Decided


def test_returned_without_remarks_everything_can_be_corrected(letter: ServiceLife) -> None:
    req = letter.ask(letter.licence(), addressee="البنك")
    letter.return_for(req)
    assert letter.open_places(req) == {
        *("mobile", "email", "purpose", "addressee", "language", "other"),
    }
    letter.correct(req, addressee="بنك الكويت")
    letter.approve(req)
    (paper,) = letter.issued(req)
    assert paper.content["addressee"]["ar"] == "بنك الكويت"


def test_rejected_with_its_reason_nothing_is_issued(letter: ServiceLife) -> None:
    licence = letter.licence()
    before = register_of(licence)
    req = letter.reject(letter.ask(licence), "Ask for it at the counter.")
    assert req.status == Status.REJECTED
    assert "Ask for it at the counter." in letter.last_notice()
    assert register_of(licence) == before
    assert issuing.of_licence(licence) == []


@pytest.mark.databases
def test_several_may_be_open_at_once_beside_another_request(letter: ServiceLife) -> None:
    licence = letter.licence(expires=SOON)
    renewal = ServiceLife("renewal", letter.agent)
    renewed = renewal.ask(licence)
    asked = [letter.ask(licence, language=language) for language in ("ar", "en")]
    for req in asked:
        letter.approve(req)
    renewal.approve(renewed, GRANTED)  # letters bring contact up to date, and that decides nothing
    issued = [paper for req in asked for paper in letter.issued(req)]
    assert [(paper.kind, paper.language) for paper in issued] == [
        ("letter", "ar"),
        ("letter", "en"),
    ]
    assert licence.broker.mobile == renewed.mobile


@pytest.mark.parametrize("state", ["active", "cancelled", "expired"])
def test_approved_it_states_whichever_status(letter: ServiceLife, state: str) -> None:
    licence = letter.licence(status=LicenceStatus(state))
    (paper,) = letter.issued(letter.approve(letter.ask(licence)))
    assert paper.content["status"] == state


def test_approved_it_says_what_for_and_is_in_arabic_unless_told(letter: ServiceLife) -> None:
    licence = letter.licence()
    req = letter.approve(letter.ask(licence, purpose="إنشاء حساب", language=None))
    (paper,) = letter.issued(req)
    assert (paper.kind, paper.language, paper.valid_until) == ("letter", "ar", None)
    assert paper.content["purpose"]["ar"] == "إنشاء حساب"
    assert paper.content["request_number"] == req.number


def test_approved_it_changes_no_more_than_the_brokers_contact(letter: ServiceLife) -> None:
    licence = letter.licence()
    req = letter.ask(licence)
    assert granted_expiry.proposed_expiry(req, utc_now()) is None
    assert letter.approval_asks(req) == ()
    letter.approve(req)
    (change,) = history_of(licence)
    assert (change.kind, set(change.changes)) == (LicenceStep.UPDATED, {"mobile", "email"})
