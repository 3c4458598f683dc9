"""The office's settings: typed, limited, with defaults, changed on the trail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core import office_settings
from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.core.office_setting_types import BadSetting
from clearance.models import Event
from clearance.models.enums import Role
from tests.support import factories

NOW = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def administrator(context: Flask) -> Actor:
    return actor_of(factories.make_staff(Role.ADMINISTRATOR))


def test_defaults_stand_until_the_office_changes_them(context: Flask) -> None:
    assert office_settings.get("renewal_window_days") == 60
    assert office_settings.get("reminder_days") == (60, 30, 7)
    assert office_settings.all_values() == {
        key: spec.default for key, spec in office_settings.registered().items()
    }


@pytest.mark.databases
def test_change_is_kept_and_stands_on_the_trail(administrator: Actor) -> None:
    office_settings.set("reminder_days", (90, 10), administrator, NOW)
    office_settings.set("support_phone", "+965 1800 000", administrator, NOW)
    office_settings.set("support_phone", "+965 1800 001", administrator, NOW)
    db.session.commit()
    db.session.expire_all()
    assert office_settings.get("reminder_days") == (90, 10)
    assert office_settings.all_values()["support_phone"] == "+965 1800 001"
    events = db.session.scalars(sa.select(Event).order_by(Event.id)).all()
    assert [event.changes for event in events] == [
        {"reminder_days": [[60, 30, 7], [90, 10]]},
        {"support_phone": ["+965 2200 0000", "+965 1800 000"]},
        {"support_phone": ["+965 1800 000", "+965 1800 001"]},
    ]
    assert {event.actor_id for event in events} == {administrator.id}


def test_same_value_again_leaves_no_event(administrator: Actor) -> None:
    office_settings.set("renewal_window_days", 60, administrator, NOW)
    assert db.session.scalars(sa.select(Event)).all() == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("renewal_window_days", 0),
        ("renewal_window_days", 3651),
        ("renewal_window_days", "60"),
        ("renewal_window_days", True),
        ("reminder_days", ()),
        ("reminder_days", (30, -1)),
        ("reminder_days", 30),
        ("default_language", "fr"),
        ("support_email", ""),
        ("support_email", "x" * 251),
    ],
)
def test_value_that_does_not_fit_is_refused(administrator: Actor, key: str, value: Any) -> None:
    before = office_settings.get(key)
    with pytest.raises(BadSetting):
        office_settings.set(key, value, administrator, NOW)
    assert office_settings.get(key) == before


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        ("exam_waiting_days", "٣٠", 30),
        ("reminder_days", "60, 30,7", (60, 30, 7)),
        ("default_language", " en ", "en"),
        ("support_hours_en", "  Sunday   to Thursday ", "Sunday to Thursday"),
    ],
)
def test_typed_text_is_read_as_its_kind(context: Flask, key: str, raw: str, value: Any) -> None:
    assert office_settings.parse(key, raw) == value


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("exam_waiting_days", "many"),
        ("exam_waiting_days", "1.5"),
        ("exam_attempts", "101"),
        ("reminder_days", "60;30"),
        ("reminder_days", ""),
        ("default_language", "Arabic"),
        ("support_phone", " "),
    ],
)
def test_typed_text_that_cannot_be_read_is_refused(context: Flask, key: str, raw: str) -> None:
    with pytest.raises(BadSetting):
        office_settings.parse(key, raw)


def test_unknown_setting_is_a_fault_of_the_caller(administrator: Actor) -> None:
    with pytest.raises(KeyError):
        office_settings.get("colour")
    with pytest.raises(KeyError):
        office_settings.set("colour", "blue", administrator, NOW)


def test_every_default_fits_its_own_limits(context: Flask) -> None:
    for spec in office_settings.registered().values():
        raw = ",".join(map(str, spec.default)) if isinstance(spec.default, tuple) else spec.default
        assert office_settings.parse(spec.key, str(raw)) == spec.default
