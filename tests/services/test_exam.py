"""The exam's definition against the specification: its fields, documents, conditions and rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core import office_settings
from clearance.core.errors import Refused
from clearance.models import User
from clearance.models.enums import Role, Status
from clearance.requests import available_actions
from clearance.services import versions
from clearance.services.flows import Action
from clearance.services.schema import Definition
from clearance.services.standard_fields import Kind
from tests.support import factories
from tests.support import request_factories as requests

SHOWN = {"broker_type", "number"}
REQUIRED = {
    "name_ar_1",
    "name_ar_4",
    "name_en_1",
    "name_en_4",
    "nationality",
    "civil_id",
    "civil_id_expiry",
    "mobile",
    "email",
    "address",
}
OPTIONAL = {"name_ar_2", "name_ar_3", "name_en_2", "name_en_3", "notes"}


@pytest.fixture
def exam(context: Flask) -> Definition:
    requests.load_services()
    return versions.current("exam").definition


@pytest.fixture
def agent(exam: Definition) -> User:
    return factories.make_agent()


def test_fields_are_those_of_the_specification(exam: Definition) -> None:
    assert {spec.name for spec in exam.fields if not spec.is_asked} == SHOWN
    assert {spec.name for spec in exam.asked if spec.required} == REQUIRED
    assert {spec.name for spec in exam.asked if not spec.required} == OPTIONAL
    notes = exam.field("notes")
    assert notes is not None and (notes.kind, notes.title("ar")) == (Kind.TEXTAREA, "الملاحظات")


def test_names_and_number_are_those_of_the_manual(exam: Definition) -> None:
    assert (exam.prefix, exam.flow, exam.start) == ("CE", "exam", "broker_type")
    assert exam.title_in("ar") == "طلب امتحان وكلاء التخليص"
    assert exam.title_in("en") == "Clearing Agent Exam Request"
    assert any("وكيل تخليص" in each.ar for each in exam.conditions)


def test_three_documents_are_required_and_others_taken(exam: Definition) -> None:
    required = {spec.kind for spec in exam.documents if spec.requires("general")}
    assert required == {"civil_id_copy", "photo", "good_conduct"}
    assert {spec.kind for spec in exam.documents_for("general")} - required == {"other"}


def test_companies_cannot_ask(exam: Definition) -> None:
    company = factories.make_agent(factories.make_organisation(legal_entity="company"))
    with pytest.raises(Refused):
        requests.make_draft(company)


def test_candidate_may_be_any_person(agent: User) -> None:
    for _ in range(3):
        assert requests.make_sent(agent).status == Status.SUBMITTED


@pytest.mark.parametrize("status", [Status.FAILED, Status.ABSENT])
def test_waiting_time_and_attempts_follow_the_offices_settings(agent: User, status: Status) -> None:
    earlier = requests.make_request(agent, status)
    assert earlier.decided_at is not None
    draft = requests.make_draft(agent, civil_id=earlier.civil_id)
    actor, administrator = actor_of(agent), actor_of(factories.make_staff(Role.ADMINISTRATOR))
    tomorrow = earlier.decided_at + timedelta(days=1)
    assert available_actions.send_warnings(draft, actor, tomorrow) == []
    office_settings.set("exam_waiting_days", 30, administrator, tomorrow)
    assert len(available_actions.send_warnings(draft, actor, tomorrow)) == 1
    assert available_actions.send_warnings(draft, actor, tomorrow + timedelta(days=30)) == []
    office_settings.set("exam_attempts", 1, administrator, tomorrow)
    later = tomorrow + timedelta(days=60)
    assert len(available_actions.send_warnings(draft, actor, later)) == 1
    with pytest.raises(Refused):
        requests.step(draft, Action.SEND, agent, now=later)


def test_numbers_look_like_the_manuals(agent: User) -> None:
    now = datetime(2026, 7, 5, 8, 0, tzinfo=UTC)
    assert [requests.make_sent(agent, now=now).number for _ in range(2)] == ["CE/1/26", "CE/2/26"]
