"""Definitions: what they may say, every fault with its path, versions that never change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from flask import Flask

from clearance.core.clock import utc_now
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.models import Event, Request, Service, ServiceVersion
from clearance.services import reading, versions
from clearance.services.schema import Definition
from clearance.services.standard_fields import STANDARD_FIELDS, Group, Kind
from clearance.services.versions import BadDefinition
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.rows import count_of

NOW = utc_now()

LICENCE_SERVICE = """
code: renewing
prefix: RN
title: {ar: طلب تجديد, en: Renewal}
description: {ar: تجديد الرخصة., en: Renew the licence.}
conditions:
  - {ar: أن تكون الرخصة نشطة., en: The licence is active.}
button: {ar: طلب تجديد, en: Request renewal}
subject: licence
start: broker_card
broker_types: [general, private]
subscription: by_approval
legal_entities: [clearing_agent]
exclusive: licence
fields:
  - {name: broker_type, mode: shown}
  - {name: general_broker, mode: shown}
  - {name: civil_id, mode: shown}
  - {name: passport_no, required: true}
  - {name: passport_expiry, required: true}
  - {name: purpose, type: choice, required: true, label: {ar: الغرض, en: Purpose}, choices: [
      {value: bank, label: {ar: بنك, en: Bank}}, {value: embassy, label: {ar: سفارة, en: Embassy}}]}
  - {name: addressee, type: text, label: {ar: الجهة, en: Addressee}, max_length: 120}
  - {name: circumstances, type: textarea, label: {ar: الظروف, en: Circumstances}}
  - {name: lost_on, type: date, label: {ar: تاريخ الفقدان, en: Lost on}}
  - {name: until, type: date, future: true, label: {ar: حتى, en: Until}}
  - {name: copies, type: number, minimum: 1, maximum: 5, label: {ar: النسخ, en: Copies}}
  - {name: affirmed, type: bool, required: true, declaration: true, label: {ar: أقر, en: I affirm}}
  - {name: licence_no, type: licence_no, label: {ar: رقم الرخصة, en: Licence number},
     hint: {ar: رخصة المكتب الآخر., en: The other office's licence.}}
documents:
  - {kind: passport_copy, required: true}
  - {kind: bank_guarantee, required: true, broker_types: [general]}
  - {kind: other, note: {ar: إن وجد., en: If there is any.}}
flow: two_approvals
processing_days: 7
bulk: true
copyable: false
"""


def document(text: str = requests.TRIVIAL, **changes: Any) -> dict[str, Any]:
    return dict(yaml.safe_load(text) | changes)


def faults_of(**changes: Any) -> list[str]:
    return versions.faults(document(**changes))


def test_trivial_and_licence_services_are_sound(context: Flask) -> None:
    assert versions.faults(document()) == []
    assert versions.faults(document(LICENCE_SERVICE)) == []


def test_schema_reads_every_kind_of_field_and_document(context: Flask) -> None:
    service, found = reading.parse(document(LICENCE_SERVICE))
    assert service is not None and found == []
    kinds = {spec.name: spec.kind for spec in service.fields if spec.is_own}
    assert kinds == {
        "purpose": Kind.CHOICE,
        "addressee": Kind.TEXT,
        "circumstances": Kind.TEXTAREA,
        "lost_on": Kind.DATE,
        "until": Kind.FUTURE_DATE,
        "copies": Kind.NUMBER,
        "affirmed": Kind.BOOL,
        "licence_no": Kind.LICENCE_NO,
    }
    lengths = {spec.name: spec.longest for spec in service.fields}
    assert (lengths["addressee"], lengths["circumstances"], lengths["lost_on"]) == (120, 2000, None)
    assert [
        spec.kind for spec in service.documents if spec.requires({"broker_type": "private"})
    ] == ["passport_copy"]
    assert [
        spec.kind for spec in service.documents if spec.requires({"broker_type": "general"})
    ] == [
        "passport_copy",
        "bank_guarantee",
    ]
    assert [spec.kind for spec in service.documents_for({"broker_type": "private"})] == [
        "passport_copy",
        "other",
    ]
    assert [spec.name for spec in service.asked][:2] == ["passport_no", "passport_expiry"]
    assert not service.is_automatic and service.steps.name == "stages"


def test_field_tells_its_label_hint_and_group_in_both_languages(context: Flask) -> None:
    service = Definition.model_validate(document(LICENCE_SERVICE))
    own, standard = service.field("licence_no"), service.field("civil_id")
    assert own is not None and standard is not None
    assert (own.title("ar"), own.title("en")) == ("رقم الرخصة", "Licence number")
    assert own.hint_in("en") == "The other office's licence."
    assert (own.group, standard.group) == (Group.DETAILS, Group.IDENTITY)
    assert standard.hint_in("ar") and standard.title("ar")
    assert (own.autocomplete, standard.longest) == ("off", 12)
    assert service.title_in("ar") == "طلب تجديد" and service.description_in("en")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"title": {"ar": "طلب"}}, "title.en: Title in English: This is missing."),
        ({"title": {"ar": "طلب", "en": " "}}, "title.en: Title in English: This is empty."),
        ({"colour": "blue"}, "colour: The portal knows no such property."),
        ({"code": "Bad Code"}, "code: Code: This is not written as it must be."),
        ({"prefix": "x1"}, "prefix: Number prefix: This is not written as it must be."),
        ({"flow": "circular"}, "flow: The portal knows no decision process “circular”."),
        ({"guards": {"start": ["weather_is_fine"]}}, "guards.start: The portal knows no check"),
        ({"guards": {"send": ["weather_is_fine"]}}, "guards.send: The portal knows no check"),
        (
            {"on_approval": ["make_coffee"]},
            "on_approval: The portal knows no check or effect “make_coffee”.",
        ),
        (
            {"processing_days": 0},
            "processing_days: Working days to respond: This number is too small.",
        ),
        ({"subscription": "sometimes"}, "subscription: Subscription: Choose one from the list."),
        (
            {"subject": "licence"},
            "start: A request that begins so is about something else: A person.",
        ),
        ({"exclusive": "licence"}, "exclusive: Only requests about a licence"),
        ({"exclusive": "person"}, "exclusive: One request for each civil number needs the field"),
        ({"documents": [{"kind": "horoscope"}]}, "documents[0].kind: There is no document type"),
        (
            {"documents": [{"kind": "photo", "broker_types": ["private", "royal"]}]},
            "documents[0].broker_types[1]: There is no broker type “royal”.",
        ),
        ({"documents": [{"kind": "photo"}] * 2}, "documents[1].kind: “"),
        (
            {"legal_entities": ["ghost"]},
            "legal_entities[0]: There is no organisation type “ghost”.",
        ),
        (
            {"broker_types": ["private", "royal"]},
            "broker_types[1]: There is no broker type “royal”.",
        ),
        ({"fields": []}, "fields: Fields: At least one is needed."),
        (
            {"conditions": [{"ar": "شرط"}]},
            "conditions[0].en: Conditions in English: This is missing.",
        ),
    ],
)
def test_fault_is_told_with_its_path(context: Flask, changes: dict[str, Any], fault: str) -> None:
    found = faults_of(**changes)
    assert any(each.startswith(fault) for each in found), found


@pytest.mark.parametrize(
    ("field", "fault"),
    [
        ({"name": "shoe_size"}, "“shoe_size” is no standard field"),
        ({"name": "shoe_size", "type": "number"}, "needs a type and a label"),
        ({"name": "email", "type": "text"}, "“E-mail address” is a standard field"),
        ({"name": "number"}, "“Request number” can only be shown"),
        ({"name": "broker_type"}, "“Broker type” can only be shown"),
        ({"name": "email", "mode": "shown", "required": True}, "it cannot be required"),
        ({"name": "email", "mode": "hidden"}, "fields[1].mode"),
        ({"name": "name_ar_1"}, "“First name in Arabic” is there twice."),
        (
            {"name": "kind", "type": "text", "label": {"ar": "نوع", "en": "Kind"}},
            "The portal itself uses the name “kind”.",
        ),
        (
            {"name": "size", "type": "choice", "label": {"ar": "ح", "en": "Size"}},
            "needs choices",
        ),
        (
            {"name": "size", "type": "text", "mode": "shown", "label": {"ar": "ح", "en": "Size"}},
            "it can only be asked",
        ),
        (
            {"name": "size", "type": "colour", "label": {"ar": "ح", "en": "Size"}},
            "fields[1].type",
        ),
    ],
)
def test_faulty_field_is_told_with_its_path(
    context: Flask, field: dict[str, Any], fault: str
) -> None:
    found = faults_of(fields=[{"name": "name_ar_1"}, field])
    assert any(fault in each and each.startswith("fields") for each in found), found


def test_every_fault_is_told_at_once(context: Flask) -> None:
    found = faults_of(flow="x", prefix="1", title={"ar": "طلب"}, documents=[{"kind": "BAD"}])
    assert len(found) == 4


@pytest.mark.databases
def test_publishing_makes_the_next_version_and_leaves_the_first(context: Flask) -> None:
    first = versions.publish(document(), None, NOW)
    second = versions.publish(document(processing_days=9), None, NOW)
    db.session.commit()
    assert (first.number, second.number) == (1, 2)
    assert versions.get(first.id).processing_days == 3
    current = versions.current("greeting")
    assert (current.id, current.definition) == (second.id, versions.get(second.id))
    events = db.session.scalars(sa.select(Event).order_by(Event.id)).all()
    assert [event.changes["version"] for event in events] == [[None, 1], [1, 2]]


def test_bad_definition_is_not_published(context: Flask) -> None:
    with pytest.raises(BadDefinition) as refused:
        versions.publish(document(flow="circular"), None, NOW)
    assert "flow: The portal knows no decision process" in str(refused.value)
    assert count_of(Service) == 0


def test_prefix_belongs_to_one_service_and_stays(context: Flask) -> None:
    versions.publish(document(), None, NOW)
    with pytest.raises(BadDefinition, match="Other numbers have the prefix GR"):
        versions.publish(document(code="other"), None, NOW)
    with pytest.raises(BadDefinition, match="The prefix stays GR"):
        versions.publish(document(prefix="GX"), None, NOW)


@pytest.mark.databases
def test_request_keeps_the_version_it_began_with(context: Flask) -> None:
    requests.publish(requests.TRIVIAL)
    req = requests.make_draft(factories.make_agent(), "greeting", words="سلام")
    requests.publish(requests.TRIVIAL, processing_days=30)
    assert versions.for_request(req).processing_days == 3
    assert versions.current("greeting").definition.processing_days == 30


def test_new_titles_are_published_when_asked_and_requests_keep_theirs(context: Flask) -> None:
    requests.load_services()
    version = versions.current("exam")
    plain = version.definition.title.en
    requests.publish(
        yaml.safe_dump(versions.document_of(version.definition)),
        title={"ar": "طلب امتحان", "en": "Exam Request"},
        manual_title=None,
    )
    req = requests.make_draft(factories.make_agent())
    assert versions.publish_missing(NOW) == []
    assert versions.current("exam").definition.title.en == "Exam Request"
    assert versions.publish_if_changed("exam", None, NOW) is not None
    assert versions.current("exam").definition.title.en == plain
    assert versions.for_request(req).title.en == "Exam Request"


@pytest.mark.parametrize("title", ["", {"en": "Exam Request"}, "x" * 2001])
def test_manual_title_is_a_text(context: Flask, title: object) -> None:
    assert [fault.partition(":")[0] for fault in versions.faults(document(manual_title=title))] == [
        "manual_title"
    ]


def test_unknown_and_inactive_services_are_not_found(context: Flask) -> None:
    with pytest.raises(NotFound):
        versions.current("greeting")
    requests.publish(requests.TRIVIAL)
    db.session.get_one(Service, "greeting").is_active = False
    db.session.commit()
    with pytest.raises(NotFound):
        versions.current("greeting")
    assert versions.all_current() == []
    with pytest.raises(LookupError):
        versions.get(99)


def test_services_stand_in_the_order_their_definitions_give(context: Flask) -> None:
    requests.publish(requests.TRIVIAL, code="later", prefix="LT", position=20)
    requests.publish(requests.TRIVIAL, code="sooner", prefix="SN", position=5)
    codes = [version.definition.code for version in versions.all_current()]
    assert codes == ["sooner", "later"]


@pytest.mark.databases
def test_starting_the_portal_publishes_unknown_services_only(context: Flask) -> None:
    assert "exam" in versions.publish_missing(NOW)
    db.session.commit()
    assert versions.publish_missing(NOW) == []
    assert db.session.scalars(sa.select(ServiceVersion.number)).all() == [1] * len(
        versions.read_files()
    )


def test_changed_file_is_published_when_asked(context: Flask, tmp_path: Path) -> None:
    file = tmp_path / "greeting.yaml"
    file.write_text(requests.TRIVIAL, encoding="utf-8")
    assert versions.publish_if_changed("greeting", None, NOW, tmp_path) is not None
    assert versions.publish_if_changed("greeting", None, NOW, tmp_path) is None
    file.write_text(requests.TRIVIAL.replace("days: 3", "days: 4"), encoding="utf-8")
    changed = versions.publish_if_changed("greeting", None, NOW, tmp_path)
    assert changed is not None and changed.number == 2
    assert versions.publish_missing(NOW, tmp_path) == []


@pytest.mark.parametrize("text", ["- a list", "{", "code: other\nprefix: OT\n"])
def test_unreadable_or_misnamed_file_is_refused(context: Flask, tmp_path: Path, text: str) -> None:
    (tmp_path / "greeting.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadDefinition):
        versions.publish_if_changed("greeting", None, NOW, tmp_path)
    with pytest.raises(BadDefinition):
        versions.publish_if_changed("absent", None, NOW, tmp_path)


@pytest.mark.parametrize("text", [requests.TRIVIAL, LICENCE_SERVICE])
def test_written_out_definition_reads_as_the_same(text: str) -> None:
    service = Definition.model_validate(document(text))
    again = Definition.model_validate(versions.document_of(service))
    assert again == service
    assert again.fingerprint == service.fingerprint
    assert Definition.model_validate(document(processing_days=8)).fingerprint != service.fingerprint


def test_definition_cannot_be_changed_in_memory() -> None:
    service = Definition.model_validate(document())
    with pytest.raises(ValueError, match="frozen"):
        service.processing_days = 1


def test_each_standard_field_is_a_column_of_its_kind() -> None:
    columns = Request.__table__.c
    for field in STANDARD_FIELDS.values():
        assert (field.name in columns) is field.is_column or field.name == "number"
        if field.max_length is not None:
            assert field.max_length <= columns[field.name].type.length
