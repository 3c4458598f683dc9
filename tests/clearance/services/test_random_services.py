"""Services made at random: their check-up never fails, and a sound one is asked for and decided."""

from __future__ import annotations

import os
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from clearance.auth.sessions import actor_of
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.models import Request, User
from clearance.models.enums import Status
from clearance.requests import drafts
from clearance.requests.field_values import visible
from clearance.services import answers, findings, versions, ways
from clearance.services.decisions import OfficeAnswers
from clearance.services.field_specs import NO_COLUMNS, FieldSpec
from clearance.services.flows import Action
from clearance.services.schema import Definition
from clearance.services.standard_fields import type_of
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.properties import examples
from tests.support.steps_taken import act

FULL = os.environ.get("FULL") == "1"
TYPES = (
    *("text", "textarea", "choice", "choices", "date", "number", "amount", "bool"),
    *("mobile", "email", "country", "civil_number", "passport_no", "licence_no"),
)
COLUMNS = tuple(name for name in TYPES if name not in NO_COLUMNS)
BOUNDS: dict[str, dict[str, Any]] = {
    "text": {"min_length": 3, "max_length": 9, "pattern": "digits"},
    "textarea": {"min_length": 4, "max_length": 3},
    "number": {"minimum": 2, "maximum": 12, "default": 5},
    "amount": {"minimum": "0.500", "maximum": "9.250"},
    "date": {"future": True, "past": True, "within_days": 90, "min_age": 18},
    "choices": {"least": 1, "most": 2},
}
COMPARISONS: tuple[dict[str, Any], ...] = (
    *({"filled": True}, {"filled": False}, {"is": ["a"]}, {"is_not": ["b"]}, {"is": [True]}),
    *({"at_least": 5}, {"at_most": 3}, {"before": "2030-01-01"}, {"after": "2030-01-01"}),
)
VALUES: tuple[Any, ...] = (
    *("a", ("a",), ("a", "b"), True, 1, 5, 12, Decimal("1.500"), "12345", "abcd", "KW"),
    *("+96599001122", "a@example.com", "A1234567", factories.civil_id(), "سالم"),
    *(date(2020, 1, 1), date(1980, 1, 1)),
)


def both(text: str) -> dict[str, str]:
    return {"ar": f"النص المكتوب {text}", "en": f"Text {text}"}


@st.composite
def conditions(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    """A condition on one or two of the fields, or one that compares them."""
    one = {"field": draw(st.sampled_from(names)), **draw(st.sampled_from(COMPARISONS))}
    sort = draw(st.integers(0, 3))
    if sort == 0:
        return {"field": one["field"], "is": {"field": draw(st.sampled_from(names))}}
    if sort == 1:
        other = {"field": draw(st.sampled_from(names)), **draw(st.sampled_from(COMPARISONS))}
        return {draw(st.sampled_from(("all", "any"))): [one, other]}
    return one


@st.composite
def fields(
    draw: st.DrawFn, prefix: str, most: int, known: list[str], types: tuple[str, ...] = TYPES
) -> list[dict[str, Any]]:
    """Own fields of all types, with bounds, and with conditions on what is `known` or earlier.

    prefix: "o…" are the office's fields, which no condition may read.
    """
    made: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from(types))
        field = {
            "name": f"{prefix}{number}",
            "type": kind,
            "required": draw(st.booleans()),
            "label": both(f"{prefix}{number}"),
        }
        if kind in ("choice", "choices"):
            field["choices"] = [{"value": name, "label": both(name)} for name in "abc"]
        keys = draw(st.lists(st.sampled_from(sorted(BOUNDS.get(kind, {"": ""}))), unique=True))
        field |= {key: BOUNDS[kind][key] for key in keys if key}
        earlier = [*known, *(each["name"] for each in made)] if prefix in "fr" else known
        if earlier and draw(st.booleans()):
            field["when"] = draw(conditions(earlier))
        made.append(field)
    return made


@st.composite
def rows_of(draw: st.DrawFn, known: list[str]) -> list[dict[str, Any]]:
    """A field with rows, or none."""
    if not draw(st.booleans()):
        return []
    columns = draw(fields("r", 3, known, COLUMNS))
    for column in columns:
        column.pop("default", None)
    field = {"name": "entries", "type": "rows", "label": both("entries"), "columns": columns}
    least = draw(st.sampled_from(({}, {"least": 2}, {"most": 3}, {"required": True})))
    return [field | least]


@st.composite
def services(draw: st.DrawFn) -> dict[str, Any]:
    """A definition with most of what can be said in one; many of them are not sound."""
    form = draw(fields("f", 5, []))
    names = [field["name"] for field in form]
    form += draw(rows_of(names))
    stages: list[dict[str, Any]] = [{"name": "check", "title": both("check")}]
    for number in range(draw(st.integers(0, 2))):
        stage = {"name": f"s{number}", "title": both("stage"), "when": draw(conditions(names))}
        stages.append(
            stage
            | {
                "another_person": draw(st.booleans()),
                "fields": draw(fields(f"o{number}", 2, names)),
            }
        )
    paragraph = both("{number} {" + draw(st.sampled_from([*names, "name"])) + "}")
    issued = {"name": "paper", "title": both("p"), "prefix": "TPX", "paragraphs": [paragraph]}
    issued["show"] = [field["name"] for field in form]
    says = {"at": names[0], "says": both("no")}
    section = {"name": "part", "title": both("part")}
    for field in form:
        if draw(st.booleans()):
            field["section"] = "part"
    return {
        "schema": 2, "code": "made", "prefix": "MD", "title": both("made"),
        "description": both("made"), "subject": "person", "start": "broker_type",
        "subscription": "automatic", "exclusive": "none", "processing_days": 3,
        "sections": [section], "fields": [{"name": "name_ar_1", "required": True}, *form],
        "refuse": [says | {"when": draw(conditions(names))}] if draw(st.booleans()) else [],
        "documents": [{"kind": "photo", "required": True, "when": draw(conditions(names))}],
        "stages": stages,
        "issued": [issued] if draw(st.booleans()) else [],
    }  # fmt: skip


def test_a_service_that_is_called_sound_is_asked_for_and_decided(app: Flask) -> None:
    ends: list[bool] = []

    @examples(max_examples=300 if FULL else 25)
    @given(document=services())
    def is_carried_out(document: dict[str, Any]) -> None:
        definition, found = versions.checked(document)
        assert all(str(each) for each in found)
        if definition is None or findings.faults(found):
            return
        assert ways.through(definition).ways
        versions.publish(document, None, utc_now())
        ends.append(carried_out(agent, reviewers, definition).status == Status.APPROVED)
        db.session.rollback()

    with app.app_context():
        requests.load_services()
        agent = factories.make_agent()
        reviewers = [factories.make_staff() for _number in range(3)]
        db.session.commit()
        is_carried_out()
    assert any(ends)


def carried_out(agent: User, reviewers: list[User], definition: Definition) -> Request:
    """Ask for the service, send and approve it in all its stages; return the request.

    What a rule of the form refuses stays a draft.
    """
    req = drafts.start("made", actor_of(agent), utc_now(), "private")
    given = {spec.name: value_of(spec) for spec in definition.asked}
    drafts.save(req, given, actor_of(agent), utc_now())
    for spec in definition.documents:
        if spec.requires(visible(req)):
            requests.make_document(req, spec.kind, agent)
    try:
        act(req, Action.SEND, agent)
    except DomainError:
        assert definition.refuse
        return req
    for reviewer in reviewers:
        stage = definition.stage(req.stage)
        if stage is None or req.decided_at is not None:
            break
        asked = {spec.name: value_of(spec) for spec in stage.asked(visible(req))}
        data = OfficeAnswers(values=asked) if stage.fields else ()
        act(req, Action.APPROVE, reviewer, data=data)
    assert req.decided_at is not None
    return req


def value_of(spec: FieldSpec) -> Any:
    """Return a value that the field takes."""
    today = kuwait_date(utc_now())
    if spec.columns:
        cells = {column.name: value_of(column) for column in spec.columns}
        return (cells,) * max(spec.least or 1, 1)
    for value in (*VALUES, today - timedelta(1), today + timedelta(1)):
        if type(value) is type_of(spec.kind) and answers.fault(spec, value, today) is None:
            return value
    raise AssertionError(f"nothing fits {spec.name}: the check-up missed it")
