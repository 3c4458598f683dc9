"""The form built from a definition: a field for each kind, drafts and sending, layout."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import yaml
from flask import Flask

from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.models import Remark
from clearance.services import versions
from clearance.services.schema import Definition
from forms.request_form import RequestForm, broker_type_choices, request_form, sections

SERVICE = """
code: sampler
prefix: SA
title: {ar: طلب تجربة, en: Sampler Request}
description: {ar: خدمة للتجربة., en: For trying.}
subject: person
start: broker_type
subscription: automatic
exclusive: none
fields:
  - {name: broker_type, mode: shown}
  - {name: name_ar_1, required: true}
  - {name: name_ar_2}
  - {name: name_en_1, required: true}
  - {name: nationality}
  - {name: civil_id, required: true}
  - {name: civil_id_expiry, required: true}
  - {name: mobile}
  - {name: email}
  - {name: data, type: text, label: {ar: بيان, en: Statement}, max_length: 20}
  - {name: purpose, type: choice, label: {ar: الغرض, en: Purpose}, required: true,
     choices: [{value: bank, label: {ar: بنك, en: Bank}},
               {value: other, label: {ar: آخر, en: Other}}]}
  - {name: copies, type: number, label: {ar: النسخ, en: Copies}, minimum: 1, maximum: 5}
  - {name: since, type: date, label: {ar: منذ, en: Since}}
  - {name: truthful, type: bool, label: {ar: أقر, en: I declare}, required: true, declaration: true}
  - {name: notes, type: textarea, label: {ar: ملاحظات, en: Notes},
     hint: {ar: اختياري, en: Optional}}
flow: standard
processing_days: 3
"""
GOOD = {
    "name_ar_1": "سالم",
    "name_en_1": "Salem",
    "civil_id": "288010100019",
    "civil_id_expiry": "2035-01-01",
    "purpose": "bank",
    "truthful": "on",
}


@pytest.fixture
def service(context: Flask) -> Definition:
    assert versions.faults(yaml.safe_load(SERVICE)) == []
    version = versions.publish(yaml.safe_load(SERVICE), None, utc_now())
    db.session.commit()
    return versions.get(version.id)


def filled(
    app: Flask, service: Definition, *, lang: str = "en", is_sending: bool = False, **typed: Any
) -> RequestForm:
    """The form as a post fills it, validated."""
    names = {spec.name for spec in service.asked}
    with app.test_request_context(method="POST", data=GOOD | typed):
        form = request_form(service, names, lang, {})
        form.is_sending = is_sending
        form.validate()
        [str(error) for field in form.asked.values() for error in field.errors]
        return form


def test_every_kind_gives_a_typed_value(context: Flask, service: Definition) -> None:
    form = filled(
        context,
        service,
        is_sending=True,
        nationality="KW",
        mobile="٥٠٠٠١١٢٢",
        email="A@Example.com",
        copies="٣",
        since="01/02/2020",
        notes="سطر\r\nوآخر",
        data="بيان",
    )
    values = form.good_values()
    assert values["civil_id_expiry"] == date(2035, 1, 1)
    assert (values["mobile"], values["email"]) == ("+96550001122", "a@example.com")
    assert (values["copies"], values["since"]) == (3, date(2020, 2, 1))
    assert (values["truthful"], values["purpose"]) == (True, "bank")
    assert (values["notes"], values["data"]) == ("سطر\nوآخر", "بيان")
    assert set(values) == {spec.name for spec in service.asked}


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("name_ar_1", "Salem"),
        ("name_en_1", "سالم"),
        ("civil_id", "288010100018"),
        ("civil_id_expiry", "2001-01-01"),
        ("nationality", "ZZ"),
        ("mobile", "12"),
        ("email", "x@"),
        ("copies", "0"),
        ("copies", "6"),
        ("copies", "1.5"),
        ("copies", "9" * 13),
        ("since", "2020-13-01"),
        ("purpose", "nothing"),
        ("data", "x" * 21),
    ],
)
def test_a_wrong_value_is_a_fault_of_its_field_only(
    context: Flask, service: Definition, name: str, typed: str
) -> None:
    form = filled(context, service, **{name: typed})
    assert form.asked[name].errors
    assert name not in form.good_values()
    assert form.good_values().keys() == set(form.asked) - {name}


def test_a_draft_may_lack_what_sending_requires(context: Flask, service: Definition) -> None:
    empty = dict.fromkeys(GOOD, "") | {"truthful": ""}
    with context.test_request_context(method="POST", data={"name_ar_2": "علي"}):
        form = request_form(service, {spec.name for spec in service.asked}, "en", {})
        form.validate()
        assert not any(field.errors for field in form.asked.values())
    form = filled(context, service, is_sending=True, **empty)
    wrong = {name for name, field in form.asked.items() if field.errors}
    required = {spec.name for spec in service.asked if spec.required}
    assert wrong == required


def test_only_open_fields_are_inputs(context: Flask, service: Definition) -> None:
    with context.test_request_context(method="POST", data=GOOD):
        form = request_form(service, {"civil_id", "broker_type", "nothing"}, "en", {})
        form.validate()
        assert set(form.asked) == {"civil_id"}
        assert set(form.unknown_fields()) == set(GOOD) - {"civil_id"}


def test_labels_choices_and_hints_follow_the_language(context: Flask, service: Definition) -> None:
    form = filled(context, service, lang="ar")
    assert str(form.asked["purpose"].label.text) == "الغرض"
    with context.test_request_context():
        laid = sections(service, form, {"broker_type": "مخلص عام"}, {}, "ar")
    lines = {line.name: line for each in laid for row in each.rows for line in row}
    assert lines["notes"].hint == "اختياري"
    assert "بنك" in str(lines["purpose"].field())
    assert (lines["broker_type"].field, lines["broker_type"].value) == (None, "مخلص عام")


def test_fields_of_one_thing_stand_side_by_side(context: Flask, service: Definition) -> None:
    form = filled(context, service)
    with context.test_request_context():
        remarked = {"civil_id": Remark(id=1, text="غير صحيح.")}
        laid = sections(service, form, {"broker_type": "General"}, remarked, "en")
    rows = [[line.name for line in row] for each in laid for row in each.rows]
    assert ["name_ar_1", "name_ar_2"] in rows
    assert ["civil_id", "civil_id_expiry"] in rows
    remarks = {line.name: line.remark for each in laid for row in each.rows for line in row}
    assert remarks["civil_id"] == "غير صحيح."
    assert [each.has_inputs for each in laid][0] is False


def test_for_reading_a_name_is_one_line(context: Flask, service: Definition) -> None:
    values = {"name_ar_1": "سالم", "name_ar_2": "علي", "name_en_1": "Salem"}
    with context.test_request_context():
        laid = sections(service, None, values, {}, "en")
    read = [value for each in laid for _label, value in each.values]
    assert "سالم علي" in read


def test_a_fault_found_elsewhere_stands_beside_its_field(
    context: Flask, service: Definition
) -> None:
    form = filled(context, service)
    assert form.add_fault("mobile", "Needed.") is True
    assert form.add_fault("mobile", "Again.") is True
    assert form.asked["mobile"].errors == ["Needed."]
    assert form.add_fault("broker_type", "Not an input.") is False


def test_the_saved_value_is_shown_until_something_is_typed(
    context: Flask, service: Definition
) -> None:
    saved = {"mobile": "+96550001122", "civil_id_expiry": kuwait_today() + timedelta(days=9)}
    with context.test_request_context():
        form = request_form(service, set(saved), "en", saved)
        assert saved["mobile"] in str(form.asked["mobile"]())
        shown = str(form.asked["civil_id_expiry"]())
        assert f"{saved['civil_id_expiry']:%d/%m/%Y}" in shown


def test_the_class_is_made_once_per_definition_language_and_fields(
    context: Flask, service: Definition
) -> None:
    with context.test_request_context():
        forms = [request_form(service, {"mobile"}, "en", {}) for _each in range(2)]
        other = request_form(service, {"mobile"}, "ar", {})
    assert type(forms[0]) is type(forms[1])
    assert type(other) is not type(forms[0])


def test_broker_types_are_the_active_ones_of_the_service(context: Flask) -> None:
    every = [code for code, _name in broker_type_choices((), "en")]
    assert every == ["general", "private", "representative"]
    assert broker_type_choices({"private"}, "ar") == [("private", "مخلص خاص")]
