"""Drafts: begun with what is known, saved as one goes, copied, corrected, discarded."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core import name_folding
from clearance.core.clock import utc_now
from clearance.core.errors import NotFound, PermissionDenied, Refused
from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.models import (
    BrokerType,
    Document,
    Event,
    Licence,
    Organisation,
    Request,
    User,
)
from clearance.models.enums import Status
from clearance.requests import available_actions, completeness, drafts, field_values, remarks
from clearance.requests.drafts import StaleSave
from clearance.services import versions
from clearance.services.decisions import RemarkInput, Remarks
from clearance.services.flows import Action
from tests.support import factories, issued_factories
from tests.support import request_factories as requests
from tests.support.races import race
from tests.support.rows import count_of

NOW = datetime(2026, 4, 1, 8, 0, tzinfo=UTC)

ABOUT_LICENCES = """
code: card
prefix: CD
title: {ar: طلب بطاقة, en: Card Request}
description: {ar: بطاقة جديدة., en: A new card.}
subject: licence
start: broker_card
subscription: automatic
exclusive: licence
fields:
  - {name: broker_type, mode: shown}
  - {name: name_ar_1, mode: shown}
  - {name: civil_id, mode: shown}
  - {name: licence_expiry, mode: shown}
  - {name: mobile, required: true}
  - {name: affirmed, type: bool, required: true, declaration: true, label: {ar: أقر, en: Affirmed}}
  - {name: lost_on, type: date, label: {ar: فقدت في, en: Lost on}}
  - {name: copies, type: number, minimum: 1, maximum: 3, label: {ar: عدد, en: Copies}}
flow: standard
processing_days: 2
"""
ABOUT_A_PERSON = ABOUT_LICENCES.replace("  - {name: licence_expiry, mode: shown}\n", "")


@pytest.fixture
def agent(context: Flask) -> User:
    requests.load_services(NOW)
    return factories.make_agent(first_name="سالم", last_name="Alotaibi")


def begin(agent: User, **options: Any) -> Request:
    options.setdefault("choice", "private")
    return drafts.start("exam", actor_of(agent), NOW, **options)


def make_licence(agent: User) -> Licence:
    return issued_factories.make_licence(
        factories.organisation_of(agent),
        number="L-1",
        broker_type="general",
        name_ar_1="فهد",
        name_en_1="Fahad",
        mobile="+96550000001",
        expires=date(2027, 1, 1),
    )


# Beginning


@pytest.mark.databases
def test_draft_begins_with_what_is_known_of_the_user(agent: User) -> None:
    office = factories.organisation_of(agent)
    office.address = "الشويخ"
    req = begin(agent)
    db.session.commit()
    assert (req.status, req.number, req.version) == (Status.DRAFT, None, 1)
    assert (req.organisation_id, req.created_by_id) == (office.id, agent.id)
    assert (req.civil_id, req.mobile, req.email) == (agent.civil_id, agent.mobile, agent.email)
    assert (req.name_ar_1, req.name_ar_4, req.name_en_4) == ("سالم", "", "Alotaibi")
    assert (req.broker_type, req.address) == ("private", "الشويخ")
    assert req.name_folded == name_folding.name_index("سالم", "Alotaibi")


@pytest.mark.parametrize("broker_type", [None, "", "royal"])
def test_broker_type_is_chosen_first(agent: User, broker_type: str | None) -> None:
    with pytest.raises(Refused):
        begin(agent, choice=broker_type)


def test_inactive_or_excluded_broker_type_cannot_be_chosen(agent: User) -> None:
    requests.publish(requests.TRIVIAL, broker_types=["general"])
    with pytest.raises(Refused):
        drafts.start("greeting", actor_of(agent), NOW, choice="private")
    db.session.get_one(BrokerType, "general").is_active = False
    db.session.commit()
    with pytest.raises(Refused):
        drafts.start("greeting", actor_of(agent), NOW, choice="general")


def test_service_refuses_to_begin_for_the_reason_its_button_gives(context: Flask) -> None:
    requests.load_services(NOW)
    company = factories.make_organisation(legal_entity="company")
    agent = factories.make_agent(company)
    offered = {
        service.code: service
        for service in available_actions.startable_services(actor_of(agent), NOW)
    }
    with pytest.raises(Refused) as refused:
        begin(agent)
    refusal = offered["exam"].refusal
    assert refusal is not None and str(refused.value) == str(refusal.text)


def test_user_without_organisation_begins_nothing(context: Flask) -> None:
    requests.load_services(NOW)
    with pytest.raises(Refused):
        begin(factories.make_user())


def test_unknown_service_is_not_found(agent: User) -> None:
    with pytest.raises(NotFound):
        drafts.start("nothing", actor_of(agent), NOW)


@pytest.mark.databases
def test_same_form_key_gives_the_first_draft_again(agent: User) -> None:
    first = begin(agent, form_key="k1")
    db.session.commit()
    assert begin(agent, form_key="k1").id == first.id
    assert begin(agent, form_key="k2").id != first.id
    assert begin(factories.make_agent(), form_key="k1").id != first.id


@pytest.mark.databases
def test_double_click_at_once_begins_one_draft(app: Flask) -> None:
    with app.app_context():
        requests.load_services(NOW)
        actor = actor_of(factories.make_agent())

    def click(_: int) -> int:
        req = drafts.start("exam", actor, NOW, choice="private", form_key="same")
        db.session.commit()
        return req.id

    assert len(set(race(app, 8, click))) == 1
    with app.app_context():
        assert count_of(Request) == 1


# About a licence


@pytest.mark.databases
def test_licence_service_shows_what_the_register_knows(agent: User) -> None:
    requests.publish(ABOUT_LICENCES)
    licence = make_licence(agent)
    req = drafts.start("card", actor_of(agent), NOW, choice=licence.id)
    assert (req.licence_id, req.broker_id) == (licence.id, licence.broker_id)
    assert (req.name_ar_1, req.broker_type, req.licence_expiry) == (
        "فهد",
        "general",
        date(2027, 1, 1),
    )
    assert req.mobile == "+96550000001"
    assert req.passport_no == ""  # the service does not speak of it
    assert req.name_en_1 == "Fahad" and "fahad" in req.name_folded  # but searches do


def test_foreign_or_missing_licence_is_not_found(agent: User) -> None:
    requests.publish(ABOUT_LICENCES)
    foreign = make_licence(factories.make_agent())
    for licence_id in (foreign.id, 999, None):
        with pytest.raises(NotFound):
            drafts.start("card", actor_of(agent), NOW, choice=licence_id)


def test_licence_with_an_open_request_begins_no_other(agent: User) -> None:
    requests.publish(ABOUT_LICENCES)
    requests.publish(ABOUT_LICENCES, code="stop", prefix="ST")
    licence, actor = make_licence(agent), actor_of(agent)
    req = drafts.start("card", actor, NOW, choice=licence.id)
    drafts.save(req, {"affirmed": True}, actor, NOW)
    requests.step(req, Action.SEND, agent, now=NOW)
    with pytest.raises(Refused) as refused:
        drafts.start("stop", actor, NOW, choice=licence.id)
    assert str(req.number) in str(refused.value)
    requests.step(req, Action.WITHDRAW, agent, now=NOW)
    assert drafts.start("stop", actor, NOW, choice=licence.id).status == Status.DRAFT


# After a passed exam


def test_draft_may_follow_a_passed_exam(agent: User) -> None:
    passed = requests.make_request(agent, ExamStatus.PASSED)
    requests.publish(requests.TRIVIAL, start="passed_candidates")
    actor = actor_of(agent)
    req = drafts.start("greeting", actor, NOW, choice=passed.id)
    assert req.name_ar_1 == passed.name_ar_1
    open_one = requests.make_sent(agent)
    foreign = requests.make_request(factories.make_agent(), ExamStatus.PASSED)
    for candidate_id in (open_one.id, foreign.id, 999, None):
        with pytest.raises(NotFound):
            drafts.start("greeting", actor, NOW, choice=candidate_id)


# Copies


def test_copy_takes_answers_but_no_declaration_and_no_documents(agent: User) -> None:
    requests.publish(ABOUT_A_PERSON, subject="person", start="broker_type", exclusive="none")
    actor = actor_of(agent)
    first = drafts.start("card", actor, NOW, choice="private")
    values = {"affirmed": True, "lost_on": date(2026, 3, 1), "copies": 2, "mobile": "+96550000002"}
    drafts.save(first, values, actor, NOW)
    requests.make_document(first, "other", agent)
    second = drafts.start("card", actor, NOW, choice="general", copy_of=first)
    assert second.answers == {"lost_on": "2026-03-01", "copies": 2}
    assert (second.mobile, second.broker_type) == ("+96550000002", "general")
    assert second.documents == []


def test_only_an_own_request_of_the_same_service_is_copied(agent: User) -> None:
    requests.publish(requests.TRIVIAL)
    other_service = requests.make_draft(agent, "greeting", words="سلام")
    foreign = requests.make_draft(factories.make_agent())
    for earlier in (other_service, foreign):
        with pytest.raises(NotFound):
            begin(agent, copy_of=earlier)
    requests.publish(requests.TRIVIAL, copyable=False)
    with pytest.raises(Refused):
        drafts.start("greeting", actor_of(agent), NOW, choice="private", copy_of=other_service)


# Saving


@pytest.mark.databases
def test_saving_keeps_what_is_given_and_nothing_else(agent: User) -> None:
    req = begin(agent)
    mapping = req.answers
    kept = drafts.save(
        req,
        {
            "name_ar_1": "عبد الله",
            "civil_id_expiry": date(2030, 5, 5),
            "nationality": None,
            "address": "",
            "notes": "مستعجل",
            "broker_type": "general",
            "status": "approved",
            "number": "CE/9/26",
            "organisation_id": 99,
        },
        actor_of(agent),
        NOW,
    )
    db.session.commit()
    db.session.expire_all()
    assert set(kept) == {"name_ar_1", "civil_id_expiry", "nationality", "address", "notes"}
    assert (req.name_ar_1, req.civil_id_expiry) == ("عبد الله", date(2030, 5, 5))
    assert (req.nationality, req.address, req.answers) == (None, "", {"notes": "مستعجل"})
    assert (req.broker_type, req.status, req.number) == ("private", Status.DRAFT, None)
    assert req.organisation_id == factories.organisation_of(agent).id
    assert "عبدالله" in req.name_folded
    assert (req.version, mapping) == (2, {})


def test_value_of_another_type_is_a_fault_of_the_caller(agent: User) -> None:
    req = begin(agent)
    wrong: dict[str, Any] = {"civil_id_expiry": "2030-05-05", "address": 5, "notes": True}
    for name, value in wrong.items():
        with pytest.raises(TypeError, match=name):
            drafts.save(req, {name: value}, actor_of(agent), NOW)


@pytest.mark.databases
def test_stale_save_is_refused_with_what_stands_now(agent: User) -> None:
    req = begin(agent)
    seen = req.version
    colleague = factories.make_agent(db.session.get_one(Organisation, req.organisation_id))
    drafts.save(req, {"address": "حولي", "notes": "أول"}, actor_of(colleague), NOW, version=seen)
    with pytest.raises(StaleSave):
        drafts.save(req, {"address": "الجهراء"}, actor_of(agent), NOW, version=seen)
    assert req.address == "حولي"


def test_foreign_draft_is_neither_saved_nor_discarded(agent: User) -> None:
    req = begin(agent)
    for person in (factories.make_agent(), factories.make_staff()):
        with pytest.raises(NotFound):
            drafts.save(req, {"address": "x"}, actor_of(person), NOW)
        with pytest.raises(NotFound):
            drafts.discard(req, actor_of(person), NOW)


@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.UNDER_REVIEW, Status.WITHDRAWN])
def test_sent_request_is_not_changed(agent: User, status: Status) -> None:
    req = requests.make_request(agent, status)
    with pytest.raises(PermissionDenied):
        drafts.save(req, {"address": "x"}, actor_of(agent), NOW)
    with pytest.raises(PermissionDenied):
        drafts.discard(req, actor_of(agent), NOW)


def test_reviewer_does_not_write_into_a_returned_request(agent: User) -> None:
    reviewer = factories.make_staff()
    req = requests.make_request(agent, Status.RETURNED, reviewer=reviewer)
    with pytest.raises(PermissionDenied):
        drafts.save(req, {"address": "x"}, actor_of(reviewer), NOW)


# Discarding


@pytest.mark.databases
def test_discarded_draft_leaves_nothing_but_its_event(agent: User) -> None:
    req = requests.make_draft(agent)
    office = db.session.get_one(Organisation, req.organisation_id)
    office.stored_bytes = 5000
    db.session.commit()
    drafts.discard(req, actor_of(agent), NOW)
    db.session.commit()
    assert db.session.scalars(sa.select(Request)).all() == []
    assert db.session.scalars(sa.select(Document)).all() == []
    db.session.refresh(office)
    assert office.stored_bytes == 2000
    event = db.session.scalars(sa.select(Event).order_by(Event.id.desc())).first()
    assert event is not None and event.kind == "request:draft:discarded"


def test_returned_request_is_withdrawn_not_discarded(agent: User) -> None:
    req = requests.make_request(agent, Status.RETURNED)
    with pytest.raises(PermissionDenied):
        drafts.discard(req, actor_of(agent), NOW)


# Values and what is missing


def test_values_come_back_in_their_types_and_are_shown_in_both_languages(agent: User) -> None:
    requests.publish(ABOUT_A_PERSON, subject="person", start="broker_type", exclusive="none")
    actor = actor_of(agent)
    req = drafts.start("card", actor, NOW, choice="private")
    drafts.save(req, {"lost_on": date(2026, 3, 1), "copies": 2, "affirmed": True}, actor, NOW)
    typed = {
        spec.name: field_values.value_of(req, spec) for spec in versions.for_request(req).asked
    }
    assert (typed["lost_on"], typed["copies"], typed["affirmed"]) == (date(2026, 3, 1), 2, True)
    assert field_values.shown_value(req, "lost_on", "ar") == "01/03/2026"
    assert field_values.shown_value(req, "broker_type", "en") == "Private broker"
    assert field_values.shown_value(req, "number", "en") != ""
    assert field_values.shown_value(req, "nothing", "en") == ""


def test_own_limits_are_checked_before_sending(agent: User) -> None:
    requests.publish(ABOUT_A_PERSON, subject="person", start="broker_type", exclusive="none")
    actor = actor_of(agent)
    req = drafts.start("card", actor, NOW, choice="private")
    assert _missing(req) == {"affirmed"}
    drafts.save(req, {"affirmed": False, "copies": 9}, actor, NOW)
    assert _missing(req) == {"affirmed", "copies"}
    drafts.save(req, {"affirmed": True, "copies": 3, "mobile": "123"}, actor, NOW)
    assert _missing(req) == {"mobile"}


def test_documents_depend_on_the_broker_type(agent: User) -> None:
    wanted = [
        {"kind": "photo", "required": True},
        {"kind": "bank_guarantee", "required": True, "broker_types": ["general"]},
        {"kind": "other"},
    ]
    requests.publish(requests.TRIVIAL, documents=wanted)
    actor = actor_of(agent)
    for broker_type, kinds in (("private", {"photo"}), ("general", {"photo", "bank_guarantee"})):
        req = drafts.start("greeting", actor, NOW, choice=broker_type)
        lacking = {item.document_kind for item in completeness.missing(req) if item.document_kind}
        assert lacking == kinds
        assert completeness.open_document_kinds(req) == kinds | {"other"}


def test_value_that_expired_while_returned_is_open_besides_the_remarked(agent: User) -> None:
    reviewer = factories.make_staff()
    req = requests.make_sent(agent, civil_id_expiry=date(2031, 1, 1))
    remark = RemarkInput("أكمل.", field="address")
    requests.step(req, Action.RETURN, reviewer, reason="سبب", data=Remarks(remarks=(remark,)))
    assert completeness.open_fields(req, NOW) == {"address"}
    later = datetime(2031, 1, 2, tzinfo=UTC)
    assert completeness.open_fields(req, later) == {"address", "civil_id_expiry"}


def test_remarks_wait_until_the_request_is_sent_again(agent: User) -> None:
    reviewer = factories.make_staff()
    req = requests.make_sent(agent)
    pinned = (
        RemarkInput("  أكمل العنوان.  ", field="address"),
        RemarkInput("صورة أوضح.", document_kind="photo"),
        RemarkInput("   ", field="mobile"),
    )
    requests.step(req, Action.RETURN, reviewer, reason="سبب", data=Remarks(remarks=pinned))
    assert [
        (remark.field, remark.document_kind, remark.text) for remark in remarks.unsettled(req)
    ] == [
        ("address", None, "أكمل العنوان."),
        (None, "photo", "صورة أوضح."),
    ]
    requests.answer_remarks(req, agent)
    requests.step(req, Action.SEND, agent)
    assert remarks.unsettled(req) == []
    assert completeness.open_fields(req) == completeness.open_document_kinds(req) == frozenset()


def test_missing_is_told_in_the_pages_language(app: Flask) -> None:
    with app.test_request_context("/", method="POST", headers={"Cookie": "lang=en"}):
        requests.load_services(utc_now())
        agent = factories.make_agent()
        req = requests.make_draft(agent, with_documents=False, nationality=None)
        told = {(item.label, item.message) for item in completeness.missing(req)}
        assert ("Nationality", "Fill in this field.") in told
        assert ("Personal photo", "Upload this document.") in told
        db.session.remove()


def _missing(req: Request) -> set[str | None]:
    return {item.field for item in completeness.missing(req, NOW)}
