"""Choices of the office's lists, choices that ask for a text, and choices no longer offered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask, current_app
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import ChoiceList, Request
from clearance.requests import completeness, drafts, field_values, notice_values
from clearance.services import answers, checkup, choice_lists, comparison, packs, reading, versions
from clearance.services.field_specs import FieldSpec
from clearance.services.findings import faults
from clearance.services.flows import Action
from clearance.services.schema import Definition
from forms.base import BaseForm
from forms.request_form import RequestForm, input_of, request_form
from tests.support import factories
from tests.support import request_factories as requests


def item(value: str, ar: str, **more: Any) -> dict[str, Any]:
    return {"value": value, "label": {"ar": ar, "en": value.title()}, **more}


ITEMS = [item("shuwaikh", "الشويخ"), item("doha", "الدوحة"), item("other", "أخرى", text=True)]
PORT: dict[str, Any] = {
    "name": "port",
    "type": "choice",
    "list": "ports",
    "required": True,
    "label": {"ar": "الميناء", "en": "Port"},
}
GOODS: dict[str, Any] = {
    "name": "goods",
    "required": True,
    "label": {"ar": "البضاعة", "en": "Goods"},
    "type": "choices",
    "choices": [item("food", "أغذية"), item("cars", "سيارات"), item("other", "أخرى", text=True)],
}
DEPTH = {
    "name": "depth",
    "type": "number",
    "label": {"ar": "العمق", "en": "Depth"},
    "when": {"field": "port", "is": ["doha"]},
}
FIELDS = [{"name": "name_ar_1"}, PORT, DEPTH]


def document(*fields: dict[str, Any]) -> dict[str, Any]:
    return dict(yaml.safe_load(requests.TRIVIAL)) | {"fields": [{"name": "name_ar_1"}, *fields]}


def staged(*office: dict[str, Any]) -> list[str]:
    """Paths of what is wrong in a service whose reviewers fill in these fields."""
    stage = {"name": "check", "title": PORT["label"], "fields": list(office)}
    made = document() | {"stages": [stage]}
    del made["flow"]
    return [each.path for each in faults(checkup.of(Definition.model_validate(made)))]


def paths(*fields: dict[str, Any]) -> list[str]:
    found = checkup.of(Definition.model_validate(document(*fields)))
    return [each.path for each in faults(found)]


@pytest.fixture
def ports(context: Flask) -> ChoiceList:
    row = ChoiceList(code="ports", name_ar="الموانئ", name_en="Ports", items=ITEMS)
    db.session.add(row)
    db.session.commit()
    return row


@pytest.fixture
def req(ports: ChoiceList) -> Request:
    requests.publish(requests.TRIVIAL, fields=[{"name": "name_ar_1"}, PORT, DEPTH, GOODS])
    actor = actor_of(factories.make_agent())
    made = drafts.start("greeting", actor, utc_now(), choice="representative")
    save(made, name_ar_1="سالم", port="doha", depth=4, goods=("food",))
    return made


def save(req: Request, **values: Any) -> None:
    drafts.save(req, values, actor_of(req.created_by), utc_now())
    db.session.commit()


def missing(req: Request) -> list[str | None]:
    return [each.field for each in completeness.missing(req)]


def retire(row: ChoiceList, value: str) -> None:
    left = [each for each in row.items if each["value"] != value]
    row.items = choice_lists.changed(row.items, left)
    db.session.commit()


def form_of(req: Request, **posted: str) -> RequestForm:
    definition = versions.for_request(req)
    names = completeness.open_fields(req)
    post = current_app.test_request_context("/", method="POST", data=posted)
    with post, force_locale("en"):
        form = request_form(definition, names, "en", field_values.known(req))
        form.validate()
    return form


def returned(req: Request) -> Request:
    reviewer = factories.make_staff("reviewer")
    requests.step(req, Action.SEND, req.created_by)
    requests.step(req, Action.TAKE, reviewer)
    return requests.step(req, Action.RETURN, reviewer, reason="Please correct this.")


# Lists of the office.


@pytest.mark.databases
def test_a_list_is_read_with_its_items_and_versions_keep_its_name(req: Request) -> None:
    (port,) = [spec for spec in versions.for_request(req).fields if spec.name == "port"]
    assert [choice.value for choice in port.offered] == ["shuwaikh", "doha", "other"]
    assert field_values.shown_value(req, "port", "ar") == "الدوحة"
    written = packs.of_version(req.service_code).definition
    assert [field for field in written["fields"] if field["name"] == "port"] == [PORT]


@pytest.mark.databases
def test_a_new_item_is_offered_at_once(req: Request, ports: ChoiceList) -> None:
    assert form_of(req, port="zour").asked["port"].errors
    ports.items = [*ports.items, item("zour", "الزور")]
    db.session.commit()
    assert not form_of(req, port="zour").asked["port"].errors


def test_publishing_a_form_with_a_list_twice_changes_nothing(req: Request, tmp_path: Path) -> None:
    text = yaml.safe_dump(versions.document_of(versions.as_published(req.service_version)))
    (tmp_path / "greeting.yaml").write_text(text, encoding="utf-8")
    assert versions.publish_if_changed("greeting", None, utc_now(), tmp_path) is None


def test_an_unknown_list_and_choices_beside_a_list_are_refused(ports: ChoiceList) -> None:
    assert paths(PORT, DEPTH) == []
    assert paths(PORT | {"list": "towns"}) == ["fields[1].list"]
    assert paths(PORT, DEPTH | {"when": {"field": "port", "is": ["zour"]}}) == ["fields[2].when"]
    definition, found = reading.parse(document(PORT | {"choices": ITEMS}))
    assert definition is None
    assert "needs choices, or a list of them" in str(found[0])
    assert staged(PORT | {"list": "towns"}) == ["stages[0].fields[0].list"]


def test_a_comparison_names_the_list_and_its_items(ports: ChoiceList) -> None:
    old, new = (
        Definition.model_validate(document(*fields))
        for fields in ((PORT | {"list": None, "choices": ITEMS},), (PORT, DEPTH))
    )
    with force_locale("en"):
        told = {(each.property, each.after) for each in comparison.differences(old, new)}
    assert ("List of choices", "Ports") in told
    assert any("“Port” is “Doha”" in after for _property, after in told)


def test_an_item_left_out_of_a_list_stays_in_it(ports: ChoiceList) -> None:
    retire(ports, "doha")
    assert [(each["value"], each.get("retired", False)) for each in ports.items] == [
        ("shuwaikh", False),
        ("other", False),
        ("doha", True),
    ]


# Choices no longer offered.


def test_a_draft_keeps_what_is_no_longer_offered_and_is_not_sent_with_it(
    req: Request, ports: ChoiceList
) -> None:
    retire(ports, "doha")
    form = form_of(req, port="doha", goods="food", name_ar_1="سالم")
    assert not any(field.errors for field in form.asked.values())
    labels = {choice.label for choice in form.asked["port"].iter_choices()}
    assert "Doha (no longer offered)" in labels
    assert missing(req) == ["port"]


def test_what_is_no_longer_offered_is_refused_where_it_is_new(
    req: Request, ports: ChoiceList
) -> None:
    save(req, port="shuwaikh")
    retire(ports, "doha")
    form = form_of(req, port="doha")
    assert form.asked["port"].errors
    assert "doha" not in {choice.value for choice in form.asked["port"].iter_choices()}


def test_a_correction_keeps_what_was_sent_unless_it_is_changed(
    req: Request, ports: ChoiceList
) -> None:
    returned(req)
    retire(ports, "doha")
    assert missing(req) == []
    assert not form_of(req, port="doha").asked["port"].errors
    save(req, port="shuwaikh")
    assert form_of(req, port="doha").asked["port"].errors


def test_a_copy_leaves_out_what_is_no_longer_offered(req: Request, ports: ChoiceList) -> None:
    save(req, goods=("food", "cars"))
    requests.step(req, Action.SEND, req.created_by)
    retire(ports, "doha")
    food, cars, _other = GOODS["choices"]
    changed = GOODS | {"choices": [food, cars | {"retired": True}]}
    requests.publish(requests.TRIVIAL, fields=[{"name": "name_ar_1"}, PORT, changed])
    actor = actor_of(req.created_by)
    copy = drafts.start("greeting", actor, utc_now(), copy_of=req)
    assert (copy.answers["port"], copy.answers["goods"]) == (None, ["food"])


def test_a_default_that_is_no_longer_offered_is_no_default(ports: ChoiceList) -> None:
    spec = FieldSpec.model_validate(GOODS | {"type": "choice", "default": "food"})
    assert answers.default(spec) == "food"
    retired = (spec.choices[0].model_copy(update={"retired": True}), *spec.choices[1:])
    assert answers.default(spec.model_copy(update={"choices": retired})) is None


# Choices that ask for a text.


@pytest.mark.databases
@pytest.mark.parametrize(("name", "other"), [("port", "other"), ("goods", ("food", "other"))])
def test_other_asks_for_a_text_that_goes_with_another_choice(
    req: Request, name: str, other: Any
) -> None:
    assert missing(req) == []
    save(req, **{name: other})
    assert missing(req) == [f"{name}_text"]
    save(req, **{f"{name}_text": "الزور"})
    assert missing(req) == []
    assert field_values.visible(req)[f"{name}_text"] == "الزور"
    earlier = {"port": "doha", "goods": ("food",)}[name]
    save(req, **{name: earlier})
    assert f"{name}_text" not in field_values.visible(req)
    requests.step(req, Action.SEND, req.created_by)
    assert f"{name}_text" not in req.answers


def test_the_text_is_read_with_its_choice_in_statements_and_messages(req: Request) -> None:
    save(req, port="other", port_text="الزور")
    told = notice_values.answers(req, ("port", "port_text"))
    assert told["port"] == {"ar": "أخرى: الزور", "en": "Other: الزور"}
    assert [missed.label for missed in completeness.missing(req)] == []
    save(req, port_text="")
    assert [missed.label for missed in completeness.missing(req)] == ["الميناء: أخرى"]


def test_a_copy_takes_the_text_along(req: Request) -> None:
    save(req, port="other", port_text="الزور")
    requests.step(req, Action.SEND, req.created_by)
    copy = drafts.start("greeting", actor_of(req.created_by), utc_now(), copy_of=req)
    assert copy.answers["port_text"] == "الزور"


def test_the_text_needs_a_name_of_its_own_and_a_form_of_the_agent(ports: ChoiceList) -> None:
    taken = {"name": "goods_text", "type": "text", "label": PORT["label"]}
    assert paths(GOODS, taken) == ["fields[1].choices"]
    assert staged(GOODS) == ["stages[0].fields[0].choices"]
    twice = [each | {"text": True} for each in GOODS["choices"]]
    definition, found = reading.parse(document(GOODS | {"choices": twice}))
    assert definition is None
    assert "Only one choice can ask for a text" in str(found[0])


# Order.


@pytest.mark.parametrize(
    ("lang", "order"),
    [("ar", ["food", "apples", "cars", "other"]), ("en", ["apples", "cars", "food", "other"])],
)
def test_choices_are_offered_by_the_readers_alphabet_with_other_last(
    context: Flask, lang: str, order: list[str]
) -> None:
    apples = [*GOODS["choices"], item("apples", "تفاح")]
    spec = FieldSpec.model_validate(GOODS | {"choices": apples, "alphabetical": True})
    with context.test_request_context():
        form = type("Form", (BaseForm,), {"goods": input_of(spec, lang)})()
    assert [choice.value for choice in form["goods"].iter_choices()] == order
