"""Published versions that this portal no longer reads as written, and what they may need."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import yaml
from flask import Flask
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.errors import Refused
from clearance.exams import seating
from clearance.exams.statuses import ExamStatus
from clearance.models import User
from clearance.models.enums import Status
from clearance.requests import drafts, eligibility, transitions
from clearance.services import reading, registry, versions
from clearance.services.flows import Action
from clearance.services.schema import SCHEMA
from clearance.services.standard_fields import STANDARD_FIELDS
from clearance.transfers import operations as transfer_operations
from tests.support import factories, transfer_factories
from tests.support import request_factories as requests

SHIPPED = (
    *("exam", "issuance", "renewal", "suspension", "cancellation"),
    *("reactivation", "lost_card", "letter", "transfer"),
)
WORDS = {"name": "words", "type": "text", "label": {"ar": "العبارة", "en": "Words"}}
NAME = {"name": "name_ar_1", "required": True}


def shipped(code: str) -> dict[str, Any]:
    return versions.read_file(versions.file_of(code))


def of_schema_0(code: str) -> dict[str, Any]:
    """The shipped definition as it was written before schemas had numbers."""
    document = shipped(code)
    del document["schema"]
    document.pop("roles", None)
    if code in {"issuance", "renewal"}:
        document["grants_expiry"] = True
    if code == "exam":
        document["sign"] = "exam"
    return document


def test_every_shipped_service_is_lifted_here(context: Flask) -> None:
    assert sorted(SHIPPED) == [path.stem for path in versions.files()]


@pytest.mark.parametrize("code", SHIPPED)
def test_version_of_schema_0_reads_as_the_definition_of_today(context: Flask, code: str) -> None:
    wanted, faults = reading.parse(shipped(code))
    assert wanted is not None and faults == []
    read = reading.read(of_schema_0(code), code)
    assert reading.problems(read) == []
    assert read == wanted


@pytest.mark.parametrize("code", SHIPPED)
def test_nothing_is_published_for_a_version_of_schema_0(context: Flask, code: str) -> None:
    requests.store(yaml.safe_dump(of_schema_0(code)))
    assert versions.publish_if_changed(code, None, utc_now()) is None


@pytest.mark.parametrize("schema", [SCHEMA + 1, 99, -1, "1", None])
def test_schema_that_is_not_known_is_a_fault(context: Flask, schema: Any) -> None:
    document = yaml.safe_load(requests.TRIVIAL) | {"schema": schema}
    assert versions.faults(document) == [
        f"schema: This portal does not read the schema {schema!r}.",
    ]
    read = reading.read(document, "greeting")
    assert read.is_out_of_order and read.title.en == "Greeting Request"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"guards": {"start": ["gone"]}},
            "guards.start: The portal knows no check or effect “gone”.",
        ),
        (
            {"guards": {"send": ["gone"]}},
            "guards.send: The portal knows no check or effect “gone”.",
        ),
        (
            {"guards": {"approval": ["gone"]}},
            "guards.approval: The portal knows no check or effect “gone”.",
        ),
        ({"on_approval": ["gone"]}, "on_approval: The portal knows no check or effect “gone”."),
        ({"flow": "gone"}, "flow: The portal knows no decision process “gone”."),
        ({"start": "gone"}, "start: The portal knows no beginning “gone”."),
        (
            {"fields": [NAME, WORDS | {"type": "colour"}]},
            "fields[1].type: Type of answer: Choose one from the list.",
        ),
        ({"title": None}, "title: Title: This cannot be read."),
        ({"prefix": 7, "documents": "all"}, "prefix: Number prefix: This cannot be read."),
        ({"colour": "blue"}, "colour: The portal knows no such property."),
    ],
)
def test_published_version_tells_what_cannot_be_carried_out(
    context: Flask, changes: dict[str, Any], fault: str
) -> None:
    version = requests.store(**changes)
    requests.publish(requests.TRIVIAL, code="other", prefix="OT")
    assert versions.get(version.id).code == "greeting"
    [(code, faults)] = versions.out_of_order().items()
    assert code == "greeting" and str(faults[0]) == fault
    assert versions.current("other").definition.title.en == "Greeting Request"


def test_what_can_be_read_is_kept_and_the_code_stands_in_for_a_title(context: Flask) -> None:
    changes = {"title": None, "fields": [NAME, WORDS | {"type": "colour"}, "nonsense"]}
    service = versions.get(requests.store(**changes).id)
    assert [spec.name for spec in service.fields] == ["name_ar_1"]
    assert (service.title_in("ar"), service.title_in("en")) == ("greeting", "greeting")
    assert service.description.en == "A service for trying."
    assert service.flow == "standard" and service.steps.steps == ()


def test_unknown_sign_prevents_publishing_only(context: Flask) -> None:
    [fault] = versions.faults(yaml.safe_load(requests.TRIVIAL) | {"sign": "gone"})
    assert fault.startswith("sign: There is no icon “gone”.")
    requests.store(sign="gone")
    assert versions.out_of_order() == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"guards": {"start": ["gone"]}},
        {"flow": "gone"},
        {"start": "gone"},
        {"schema": 99},
        {"title": None},
        {"fields": [NAME, WORDS | {"type": "colour"}]},
    ],
)
def test_start_of_a_service_out_of_order_is_refused(agent: User, changes: dict[str, Any]) -> None:
    requests.store(**changes)
    with pytest.raises(Refused) as refused:
        drafts.start("greeting", actor_of(agent), utc_now(), "private")
    assert refused.value.refusal == eligibility.OUT_OF_ORDER
    assert requests.make_request(agent, Status.PREAPPROVED).status == Status.PREAPPROVED


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({"guards": {"start": ["gone"]}}, Action.SEND),
        ({"guards": {"send": ["gone"]}}, Action.SEND),
        ({"flow": "gone"}, Action.SEND),
        ({"schema": 99}, Action.SEND),
        ({"guards": {"approval": ["gone"]}}, Action.APPROVE),
        ({"on_approval": ["gone"]}, Action.APPROVE),
        ({"flow": "gone"}, Action.APPROVE),
        ({"start": "gone"}, Action.TAKE),
    ],
)
def test_step_that_needs_what_is_gone_is_refused(
    agent: User, reviewer: User, changes: dict[str, Any], action: Action
) -> None:
    version = requests.publish(requests.TRIVIAL)
    status = Status.DRAFT if action == Action.SEND else Status.SUBMITTED
    req = requests.make_request(agent, status, code="greeting", words="سلام")
    requests.rewrite(version, **changes)
    with pytest.raises(Refused) as refused:
        requests.step(req, action, agent if action == Action.SEND else reviewer)
    assert refused.value.refusal == eligibility.OUT_OF_ORDER
    assert req.status == status


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({"guards": {"approval": ["gone"]}}, Action.RETURN),
        ({"on_approval": ["gone"]}, Action.REJECT),
        ({"guards": {"start": ["gone"]}}, Action.APPROVE),
        ({"sign": "gone"}, Action.APPROVE),
    ],
)
def test_other_steps_go_on(
    agent: User, reviewer: User, changes: dict[str, Any], action: Action
) -> None:
    version = requests.publish(requests.TRIVIAL)
    req = requests.make_request(agent, code="greeting", words="سلام")
    requests.rewrite(version, **changes)
    reason = "" if action == Action.APPROVE else "الوثائق غير واضحة."
    assert requests.step(req, action, reviewer, reason=reason).decided_at or req.returned_at


def test_service_out_of_order_stops_no_other_request_from_lapsing(
    agent: User, reviewer: User
) -> None:
    version = requests.publish(requests.TRIVIAL)
    start = utc_now() - timedelta(days=100)
    options: dict[str, Any] = {"reviewer": reviewer, "now": start}
    stuck = requests.make_request(agent, Status.RETURNED, code="greeting", words="سلام", **options)
    other = requests.make_request(agent, Status.RETURNED, **options)
    requests.rewrite(version, schema=99)
    assert transitions.lapse_returned(utc_now()) == 1
    assert (stuck.status, other.status) == (Status.RETURNED, Status.LAPSED)


def test_transfers_out_of_order_stop_no_other_from_lapsing(context: Flask) -> None:
    offices = transfer_factories.make_offices()
    stuck = transfer_factories.make_sent(offices)
    requests.rewrite(stuck.service_version, schema=99)
    assert transfer_operations.lapse_unanswered(utc_now() + timedelta(days=15)) == 0
    assert stuck.status != Status.LAPSED


def test_sitting_of_a_service_out_of_order_stays_open(agent: User) -> None:
    exam = requests.make_exam()
    stuck = requests.make_request(agent, ExamStatus.SEATED, exam=exam)
    later = utc_now() + timedelta(days=8)
    requests.rewrite(stuck.service_version, schema=99)
    assert seating.close_overdue(later) == 0
    assert (stuck.status, exam.final_at) == (ExamStatus.SEATED, None)
    requests.rewrite(stuck.service_version, schema=1)
    assert seating.close_overdue(later) == 1
    assert exam.final_at == later


def test_request_takes_registered_statuses_only(agent: User) -> None:
    req = requests.make_draft(agent)
    with pytest.raises(ValueError, match="no flow has the status 'x'"):
        req.status = "x"
    assert req.status == Status.DRAFT and "x" not in registry.current().statuses


@pytest.mark.parametrize(
    ("code", "changes", "fault"),
    [
        ("exam", {"on_approval": ["renew_licence"]}, "needs “What requests are about: A licence”."),
        ("letter", {"roles": {}}, "needs a field for “Language of the letter”."),
        ("issuance", {}, "needs the field “Civil number”."),
        (
            "transfer",
            {"flow": "standard"},
            "needs “Decision process: One decision, after two offices and the broker consented”.",
        ),
    ],
)
def test_effect_whose_needs_are_not_met_is_refused_with_its_path(
    context: Flask, code: str, changes: dict[str, Any], fault: str
) -> None:
    document = shipped(code) | changes
    if not changes:
        document["exclusive"] = "none"
        document["fields"] = [field for field in document["fields"] if field["name"] != "civil_id"]
    found = versions.faults(document)
    assert any(each.startswith("on_approval: “") and each.endswith(fault) for each in found), found
    assert versions.faults(shipped(code)) == []


@pytest.mark.parametrize("name", ["broker_type", "name_en_4", "guarantee_expiry", "mobile"])
def test_new_licence_needs_every_field_that_the_register_takes(context: Flask, name: str) -> None:
    document = shipped("issuance")
    document["fields"] = [field for field in document["fields"] if field["name"] != name]
    (fault,) = versions.faults(document)
    assert fault.startswith("on_approval: “")
    with force_locale("en"):
        assert fault.endswith(f"needs the field “{STANDARD_FIELDS[name].label}”.")


def test_copy_into_a_version_that_changed_a_fields_type_leaves_it_empty(context: Flask) -> None:
    requests.publish(requests.TRIVIAL)
    agent = factories.make_agent()
    req = requests.make_sent(agent, "greeting", words="سلام", name_ar_1="سالم")
    requests.publish(requests.TRIVIAL, fields=[NAME, WORDS | {"type": "number"}])
    copy = drafts.start("greeting", actor_of(agent), utc_now(), copy_of=req)
    assert (copy.name_ar_1, copy.answers.get("words")) == ("سالم", None)
