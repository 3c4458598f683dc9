"""Statements: issued when a request is completed, kept as they were, verified and voided."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
import yaml
from flask import Flask
from flask_babel import force_locale

from clearance.accounts import data_archive
from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.errors import NotFound, PermissionDenied, ReasonRequired, Refused
from clearance.core.extensions import db
from clearance.issuing import files, operations, verification, voiding
from clearance.issuing.verification import Authenticity
from clearance.models import Delivery, Event, IssuedDocument, Notice, Request, User
from clearance.models.enums import IssuedKind, IssuedState, Role, Status
from clearance.notifications import inbox
from clearance.requests import eligibility, locking, statements, transitions
from clearance.services import registry, versions
from clearance.services.flows import Action
from clearance.services.statements import ISSUE
from tests.support import factories, issued_factories, papers
from tests.support import request_factories as requests
from tests.support.races import race
from tests.support.rows import count_of

NOW = datetime(2026, 6, 10, 21, 30, tzinfo=UTC)  # past midnight in Kuwait
TODAY = date(2026, 6, 11)


def issued(req: Request) -> list[IssuedDocument]:
    return operations.of_request(req)


def pdf(document: IssuedDocument) -> bytes:
    issued_id = document.id
    db.session.rollback()  # the file is made in a transaction of its own
    return files.file_of(issued_id)


@pytest.mark.databases
def test_an_approval_issues_the_statements_whose_condition_holds(agent: User) -> None:
    issued_factories.publish_permit()
    alone = issued_factories.make_permitted(agent, now=NOW)
    crew = issued_factories.make_permitted(agent, now=NOW, crew=10)
    assert [document.number for document in issued(alone)] == ["TPX/1/26"]
    assert [document.number for document in issued(crew)] == ["TPX/2/26", "TPE/1/26"]
    permit, escort = issued(crew)
    assert (permit.kind, permit.name, permit.licence_id) == (IssuedKind.STATEMENT, "permit", None)
    assert permit.title == {"ar": "تصريح دخول ميناء", "en": "Port Entry Permit"}
    assert permit.valid_until == TODAY + timedelta(days=20)  # of the field
    assert escort.valid_until == TODAY + timedelta(days=30)
    assert permit.organisation_id == crew.organisation_id
    made = db.session.scalars(sa.select(Event).filter_by(kind="issued:document:made")).all()
    assert made[-1].changes == {"kind": [None, "statement"], "number": [None, "TPE/1/26"]}


def test_values_are_filled_in_in_both_languages(agent: User) -> None:
    organisation = factories.organisation_of(agent)
    document = issued_factories.make_statement(agent, now=NOW, vehicle="8/12345")
    first, second = document.content["paragraphs"]
    assert first["en"] == (
        f"The Clearance Agents Affairs Office permits Ahmad, on behalf of {organisation.name_en}, "
        "to enter Shuwaikh port from 11/06/2026 to 01/07/2026, under request PP/1/26."
    )
    assert f"ممثلاً عن {organisation.name_ar}" in first["ar"]
    assert "من \u206811/06/2026\u2069 وحتى \u206801/07/2026\u2069" in first["ar"]
    assert second == {
        "ar": "المركبة المستخدمة: \u20688/12345\u2069.",
        "en": "Vehicle used: 8/12345.",
    }
    assert document.content["holder"] == {"ar": "أحمد", "en": "Ahmad"}


def test_what_is_empty_or_hidden_has_its_text_and_no_line_in_the_table(agent: User) -> None:
    issued_factories.publish_permit()
    req = issued_factories.make_permitted(agent, crew=12, other_port="Umm Qasr")
    permit, escort = issued(req)
    assert permit.content["paragraphs"][1]["en"] == "Vehicle used: no vehicle."
    assert len(permit.content["paragraphs"]) == 3
    labels = [fact["label"]["en"] for fact in permit.content["facts"]]
    assert labels == ["Port", "Crew", "Until"]  # the other port is hidden, the notes are empty
    assert escort.content["paragraphs"][0]["en"] == "An escort is needed. Notes: –"


def test_rows_are_a_table_of_both_languages(agent: User) -> None:
    columns = [
        {"name": "what", "type": "text", "label": {"ar": "الصنف", "en": "What"}},
        {"name": "origin", "type": "country", "label": {"ar": "المنشأ", "en": "Origin"}},
        {"name": "unused", "type": "text", "label": {"ar": "أخرى", "en": "Unused"}},
    ]
    goods = {"name": "goods", "type": "rows", "label": {"ar": "البضائع", "en": "Goods"}}
    statement = {"name": "paper", "prefix": "GX", "title": {"ar": "ورقة", "en": "Paper"}}
    statement |= {"paragraphs": [{"ar": "نص", "en": "Text"}], "show": ["goods"]}
    fields = [{"name": "name_ar_1"}, goods | {"columns": columns}]
    requests.publish(requests.TRIVIAL, fields=fields, issued=[statement])
    rows = ({"what": "Rice", "origin": "KW"}, {"what": "Tea"})
    (document,) = issued(requests.make_request(agent, "approved", code="greeting", goods=rows))
    (fact,) = document.content["facts"]
    assert [each["en"] for each in fact["heads"]] == ["What", "Origin"]
    assert fact["rows"][0]["cells"][1] == {"ar": "الكويت", "en": "Kuwait"}
    text = papers.text_of(pdf(document))
    assert "Rice" in text and "Kuwait" in text and "Unused" not in text


def test_standard_labels_and_yes_stand_in_both_languages(agent: User) -> None:
    statement = {
        "name": "paper",
        "prefix": "GX",
        "title": {"ar": "ورقة", "en": "Paper"},
        "paragraphs": [{"ar": "{sure}", "en": "{sure}"}],
        "show": ["broker_type", "number", "mobile"],
    }
    fields = [
        {"name": "number", "mode": "shown"},
        {"name": "broker_type", "mode": "shown"},
        {"name": "mobile"},
        {"name": "sure", "type": "bool", "label": {"ar": "متأكد", "en": "Sure"}},
    ]
    requests.publish(requests.TRIVIAL, fields=fields, issued=[statement])
    req = requests.make_request(
        agent, "approved", code="greeting", sure=True, mobile="+96550001122"
    )
    (document,) = issued(req)
    assert document.content["paragraphs"] == [{"ar": "نعم", "en": "Yes"}]
    assert [fact["label"] for fact in document.content["facts"]] == [
        {"ar": "نوع المخلص", "en": "Broker type"},
        {"ar": "رقم الطلب", "en": "Request number"},
        {"ar": "رقم الهاتف الجوال", "en": "Mobile number"},
    ]
    assert document.content["facts"][1]["value"] == {"ar": req.number, "en": req.number}
    organisation = factories.organisation_of(agent)
    assert document.content["holder"] == {"ar": organisation.name_ar, "en": organisation.name_en}
    assert document.valid_until is None and "valid_until" not in document.content


def test_asked_again_by_the_same_decision_nothing_new_is_issued(agent: User) -> None:
    document = issued_factories.make_statement(agent)
    assert document.request is not None
    (composed,) = statements.composed(document.request, utc_now())
    assert operations.issue_statement(composed, document.request, now=utc_now()) is document
    assert count_of(IssuedDocument) == 1


def test_statements_stand_beside_the_documents_of_a_licence(agent: User) -> None:
    statement = {
        "name": "notice",
        "title": {"ar": "إفادة", "en": "Notice"},
        "prefix": "LN",
        "paragraphs": [{"ar": "إلى {name}.", "en": "To {name}."}],
    }
    licence = issued_factories.make_licence(factories.organisation_of(agent))
    requests.load_services()
    document = versions.current("letter").definition.model_dump(mode="json", by_alias=True)
    versions.publish(document | {"issued": [statement]}, None, utc_now())
    req = requests.make_request(agent, "approved", code="letter", licence_id=licence.id)
    assert [paper.kind for paper in issued(req)] == [IssuedKind.LETTER, IssuedKind.STATEMENT]
    assert issued(req)[1].content["paragraphs"][0]["en"] == f"To {licence.broker.name_en}."
    operations.void_all(licence, "cancelled", utc_now())
    assert [paper.voided_at is None for paper in issued(req)] == [False, True]


def test_later_versions_change_nothing_that_was_issued(agent: User) -> None:
    document = issued_factories.make_statement(agent)
    before = dict(document.content)
    issued_factories.publish_permit(issued=[])
    db.session.expire_all()
    verdict = verification.verify(document.check_code, utc_now())
    assert verdict is not None and (document.content, verdict.number) == (before, "TPX/1/26")
    with force_locale("ar"):
        assert str(verdict.title) == "تصريح دخول ميناء"


def test_the_file_has_both_languages_and_takes_data_for_what_it_is(agent: User) -> None:
    odd = ("#strong", "$a$", "*b*")
    document = issued_factories.make_statement(agent, port="other", other_port=" ".join(odd))
    data = pdf(document)
    printed = papers.seen(data)
    for words in ("Port Entry Permit", "Vehicle used", "Another port", "TPX/1/26", *odd):
        assert words in printed, words
    arabic = papers.text_of(data)
    assert "تصريح" in arabic and "المركبة" in arabic
    assert "persons" not in printed  # the paragraph is for those with a crew


def test_the_file_stays_the_same_and_its_code_leads_to_the_check(agent: User) -> None:
    document = issued_factories.make_statement(agent)
    address = document.content["check_url"]
    first = pdf(document)
    assert pdf(document) == first
    assert papers.codes_in(papers.picture(first)) == [address]


def test_long_statements_go_on_to_further_pages(agent: User) -> None:
    document = issued_factories.make_statement(agent, notes="\n".join(["سطر طويل"] * 60))
    assert len(papers.sizes(pdf(document))) == 2


@pytest.mark.databases
def test_reviewers_who_approve_two_services_at_once_do_not_wait_for_each_other(app: Flask) -> None:
    other = yaml.safe_load(issued_factories.PERMIT)
    for statement, prefix in zip(other["issued"], ("OTX", "OTE"), strict=True):
        statement["prefix"] = prefix
    with app.app_context():
        agent = factories.make_agent()
        issued_factories.publish_permit()
        requests.publish(issued_factories.PERMIT, **other | {"code": "other", "prefix": "OT"})
        codes = ("port_permit", "other", "other", "port_permit")
        made = [
            issued_factories.make_permitted(agent, code=code, until=Status.SUBMITTED).id
            for code in codes
        ]
        reviewers = [actor_of(factories.make_staff()) for _half in range(2)]
        db.session.remove()

    def approve(number: int) -> str:
        half = made[:2] if number == 0 else made[2:]
        for req in locking.lock_with_records(half):
            transitions.perform(
                req, Action.APPROVE, actor=reviewers[number], now=utc_now(), version=req.version
            )
            time.sleep(0.2)  # the other one is at work as well
        db.session.commit()
        return "approved"

    assert race(app, 2, approve) == ["approved"] * 2
    with app.app_context():
        numbers = sorted(db.session.scalars(sa.select(IssuedDocument.number)))
    assert [number[:5] for number in numbers] == ["OTX/1", "OTX/2", "TPX/1", "TPX/2"]


# What it is worth


def test_a_statement_is_genuine_to_the_end_of_its_last_day(agent: User) -> None:
    document = issued_factories.make_statement(agent, now=NOW)
    last = NOW + timedelta(days=20)  # 30 minutes into the last day
    for now, state in (
        (last, IssuedState.GENUINE),
        (last + timedelta(days=1), IssuedState.EXPIRED),
    ):
        verdict = verification.verify(document.check_code, now)
        assert verdict is not None and verdict.state == state
    worth = verification.authenticity_of_each([document], last + timedelta(days=1))
    since = TODAY + timedelta(days=21)
    assert worth[document.id] == Authenticity(IssuedState.EXPIRED, since)


@pytest.mark.databases
def test_a_reviewer_voids_a_statement_and_its_organisation_is_told_why(agent: User) -> None:
    document = issued_factories.make_statement(agent)
    reviewer = actor_of(factories.make_staff())
    voiding.void(document, reviewer, "صدر بالخطأ.", utc_now())
    verdict = verification.verify(document.check_code, utc_now())
    assert verdict is not None and verdict.state == IssuedState.VOID
    notice = db.session.scalars(sa.select(Notice).filter_by(event="issued:voided")).one()
    assert inbox.text_of(notice, "en") == (
        "Document TPX/1/26 is now void: Port Entry Permit (Ahmad)",
        "The Clearance Agents Affairs Office has voided document TPX/1/26.\n\n"
        "Document: Port Entry Permit\nName: Ahmad\nReason: \u2068صدر بالخطأ.\u2069\n\n"
        "The document is no longer valid, and everyone who verifies it sees this.",
    )
    assert (notice.user_id, notice.request_id) == (agent.id, document.request_id)
    assert len(db.session.scalars(sa.select(Delivery).filter_by(event="issued:voided")).all()) == 2
    with pytest.raises(Refused):
        voiding.void(document, reviewer, "مرة أخرى.", utc_now())


def test_voiding_a_statement_needs_a_reason_and_a_reviewer_whom_it_does_not_concern(
    agent: User,
) -> None:
    own = factories.civil_id()
    fields = yaml.safe_load(issued_factories.PERMIT)["fields"]
    issued_factories.publish_permit(fields=[*fields, {"name": "civil_id"}])
    req = issued_factories.make_permitted(agent, civil_id=own)
    (document,) = issued(req)
    manager = actor_of(factories.make_staff(Role.MANAGER))
    themselves = actor_of(factories.make_staff(civil_id=own))
    colleague = replace(actor_of(factories.make_staff()), standings=actor_of(agent).standings)
    for actor in (manager, themselves, colleague, actor_of(agent)):
        assert voiding.void_refusal(document, actor) is not None
        with pytest.raises(PermissionDenied):
            voiding.void(document, actor, "سبب.", utc_now())
    with pytest.raises(ReasonRequired):
        voiding.void(document, actor_of(factories.make_staff()), " ", utc_now())
    assert document.voided_at is None


def test_only_the_organisation_its_grants_and_the_office_see_a_statement(agent: User) -> None:
    document = issued_factories.make_statement(agent)
    organisation = factories.organisation_of(agent)
    granted = factories.make_agent(organisation, is_general=False, services=("port_permit",))
    for user in (agent, granted, factories.make_staff(), factories.make_staff(Role.MANAGER)):
        assert operations.find(document.id, actor_of(user)) is document
    ungranted = factories.make_agent(organisation, is_general=False)
    for user in (ungranted, factories.make_agent(), factories.make_staff(Role.ADMINISTRATOR)):
        with pytest.raises(NotFound):
            operations.find(document.id, actor_of(user))


def test_the_copy_of_ones_data_lists_what_was_issued(agent: User) -> None:
    document = issued_factories.make_statement(agent)
    (listed,) = data_archive.requests(Request.id == document.request_id, agent.id)
    (paper,) = listed["issued"]
    assert (paper["number"], paper["title"]["en"]) == ("TPX/1/26", "Port Entry Permit")
    assert paper["valid_until"] == document.valid_until


# Where issuing is left out


def test_without_the_effect_the_approval_is_refused(agent: User) -> None:
    issued_factories.publish_permit()
    reviewer = factories.make_staff()
    known = registry.current().effects
    effect = known.pop(ISSUE)
    try:
        service = versions.current("port_permit").definition
        (problem,) = versions.reading.problems(service)
        assert str(problem) == f"on_approval: The portal knows no check or effect “{ISSUE}”."
        with pytest.raises(Refused) as refused:
            issued_factories.make_permitted(agent, reviewer=reviewer)
        assert refused.value.refusal == eligibility.OUT_OF_ORDER
    finally:
        known[ISSUE] = effect
    assert count_of(IssuedDocument) == 0


def test_the_reviewer_reads_what_the_approval_causes(context: Flask) -> None:
    issued_factories.publish_permit()
    service = versions.current("port_permit").definition
    assert service.effects == (ISSUE,)
    with force_locale("en"):
        words = registry.current().effects[ISSUE].words
        assert str(words) == "The service's own documents are issued."
