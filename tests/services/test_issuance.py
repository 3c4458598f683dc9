"""Issuance: whoever passed the exam becomes a broker with a licence, a certificate and a card."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
import yaml
from flask import Flask

from clearance.core.clock import kuwait_date, kuwait_midnight, utc_now, years_after
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.licences import granted_expiry
from clearance.licences.granted_expiry import GrantedExpiry
from clearance.models import Broker, Licence, Request
from clearance.models.enums import IssuedKind, LicenceStatus, LicenceStep, Status
from clearance.services import versions
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.issued_factories import make_licence
from tests.support.service_life import (
    GRANTED,
    TODAY,
    WHO_MAY_ASK,
    ServiceLife,
    history_of,
)

HAS_LICENCE = (
    "This person already has a licence. "
    "It can be renewed, reactivated or transferred, depending on its status."
)


@pytest.fixture
def issuance(context: Flask) -> ServiceLife:
    return ServiceLife("issuance")


def registered(person: Request) -> int:
    """How many brokers the register has with that person's civil number."""
    found = sa.select(sa.func.count()).where(Broker.civil_id == person.civil_id)
    return db.session.scalar(found) or 0


# Asked


def test_users_of_a_clearing_agents_office_ask_who_have_the_grant(issuance: ServiceLife) -> None:
    assert issuance.who_may_ask(issuance.candidate()) == WHO_MAY_ASK


@pytest.mark.parametrize(
    ("broker_type", "letters"), [("private", ["office_letter"]), ("general", [])]
)
def test_form_wants_papers_guarantee_and_of_private_brokers_the_offices_letter(
    issuance: ServiceLife, broker_type: str, letters: list[str]
) -> None:
    assert issuance.wants(issuance.candidate(broker_type=broker_type)) == [
        *("civil_id_expiry", "passport_no", "passport_expiry"),
        *("guarantee_no", "guarantee_expiry", "mobile", "address", "email"),
        *("civil_id_copy", "passport_copy", "photo", "good_conduct", "bank_guarantee"),
        *letters,
    ]


def test_who_he_is_comes_from_his_exam(issuance: ServiceLife) -> None:
    candidate = issuance.candidate()
    draft = issuance.begin(candidate)
    assert (draft.name_ar, draft.name_en) == (candidate.name_ar, candidate.name_en)
    assert (draft.civil_id, draft.broker_type) == (candidate.civil_id, candidate.broker_type)
    assert "civil_id" not in issuance.open_places(draft)


def test_candidate_of_another_office_or_not_passed_begins_nothing(issuance: ServiceLife) -> None:
    foreign = requests.make_request(factories.make_agent(), ExamStatus.PASSED)
    waiting = requests.make_sent(issuance.agent)
    for person in (foreign, waiting, None):
        with pytest.raises(NotFound):
            issuance.begin(person)


def test_exam_counts_for_the_years_of_the_setting_to_the_day(issuance: ServiceLife) -> None:
    candidate = issuance.candidate()
    assert candidate.decided_at is not None
    passed = kuwait_date(candidate.decided_at)
    last = years_after(passed, 3)
    noon = kuwait_midnight(last) + timedelta(hours=12)
    assert issuance.refusal_to_begin(candidate, noon) == ""
    assert issuance.refusal_to_begin(candidate, noon + timedelta(days=1)) == (
        f"The exam was passed on {passed:%d/%m/%Y}. The pass was valid until {last:%d/%m/%Y}. "
        "The exam must be passed again. Apply for it under My services."
    )


def test_draft_of_somebody_whose_pass_was_taken_back_is_not_sent(issuance: ServiceLife) -> None:
    candidate = issuance.candidate()
    draft = issuance.draft(candidate)
    candidate.status = ExamStatus.FAILED
    db.session.commit()
    assert issuance.refusal_to_send(draft) == (
        "This person has not passed the clearing agents' exam. Apply for the exam first."
    )


def test_who_has_a_licence_gets_no_second_one_unless_it_was_cancelled(
    issuance: ServiceLife,
) -> None:
    candidate = issuance.candidate()
    licence = make_licence(civil_id=candidate.civil_id)
    assert issuance.refusal_to_begin(candidate) == HAS_LICENCE
    licence.status = LicenceStatus.CANCELLED
    db.session.commit()
    assert issuance.refusal_to_begin(candidate) == ""


def test_second_request_for_the_same_person_is_refused_while_one_is_open(
    issuance: ServiceLife,
) -> None:
    candidate = issuance.candidate()
    first = issuance.ask(candidate)
    assert issuance.refusal_to_begin(candidate) == (
        f"Request {first.number} is still open. "
        "You can apply again when it is decided or withdrawn."
    )


# Decided


def test_returned_it_is_corrected_where_the_remark_is_and_that_is_what_is_registered(
    issuance: ServiceLife,
) -> None:
    req = issuance.ask(issuance.candidate(), guarantee_no="LG 1", passport_no="N1")
    issuance.return_for(req, "guarantee_no", "bank_guarantee")
    assert issuance.open_places(req) == {"guarantee_no", "bank_guarantee"}
    issuance.correct(req, guarantee_no="LG 2", passport_no="N2")
    issuance.approve(req)
    licence = db.session.get_one(Licence, req.licence_id)
    assert (licence.guarantee_no, licence.broker.passport_no) == ("LG 2", "N1")


def test_rejected_with_its_reason_nobody_is_registered(issuance: ServiceLife) -> None:
    candidate = issuance.candidate()
    req = issuance.reject(issuance.ask(candidate), "The guarantee is another bank's.")
    assert (req.status, req.licence_id) == (Status.REJECTED, None)
    assert "The guarantee is another bank's." in issuance.last_notice()
    assert (registered(candidate), issuance.issued(req)) == (0, [])
    assert issuance.refusal_to_begin(candidate) == ""


def test_who_got_a_licence_meanwhile_gets_no_second_one(issuance: ServiceLife) -> None:
    candidate = issuance.candidate()
    req = issuance.ask(candidate)
    make_licence(civil_id=candidate.civil_id)
    assert issuance.refusal_to_approve(req, GRANTED) == HAS_LICENCE
    assert (req.status, req.licence_id) == (Status.SUBMITTED, None)


@pytest.mark.databases
def test_database_allows_a_person_one_living_licence_and_says_so_kindly(
    issuance: ServiceLife,
) -> None:
    candidate = issuance.candidate()
    text = yaml.safe_dump(versions.document_of(versions.current("issuance").definition))
    requests.publish(text, guards={})
    req = issuance.ask(candidate)
    make_licence(civil_id=candidate.civil_id)
    assert issuance.refusal_to_grant(req, GRANTED) == HAS_LICENCE
    assert (req.status, req.licence_id) == (Status.SUBMITTED, None)


def test_expiry_is_proposed_by_the_offices_years_and_has_to_be_given(
    issuance: ServiceLife,
) -> None:
    req = issuance.ask(issuance.candidate())
    assert granted_expiry.proposed_expiry(req, utc_now()) == years_after(TODAY, 3)
    assert issuance.approval_asks(req) == (GrantedExpiry,)
    assert issuance.refusal_to_grant(req, None) == ("Enter the expiry date you approve.")


@pytest.mark.databases
def test_approved_it_makes_broker_licence_certificate_and_card(issuance: ServiceLife) -> None:
    candidate = issuance.candidate()
    req = issuance.approve(issuance.ask(candidate), GRANTED)
    licence = db.session.get_one(Licence, req.licence_id)
    broker = licence.broker
    assert (licence.status, licence.expires, licence.issued) == ("active", GRANTED, TODAY)
    assert licence.guarantee_no == req.guarantee_no
    assert licence.guarantee_expiry == req.guarantee_expiry
    assert broker.organisation_id == req.organisation_id
    assert (broker.civil_id, broker.name_ar) == (candidate.civil_id, candidate.name_ar)
    assert (broker.broker_type, broker.passport_no, broker.mobile) == (
        "private",
        req.passport_no,
        req.mobile,
    )
    assert [change.kind for change in history_of(licence)] == [LicenceStep.ISSUED]
    assert issuance.issued_kinds(req) == [IssuedKind.CERTIFICATE, IssuedKind.CARD]
    assert {paper.valid_until for paper in issuance.issued(req)} == {GRANTED}
    assert issuance.refusal_to_begin(candidate) == HAS_LICENCE


def test_candidates_are_offered_by_no_other_service(issuance: ServiceLife) -> None:
    renewal = ServiceLife("renewal", issuance.agent)
    with pytest.raises(NotFound):
        renewal.button(issuance.candidate())
