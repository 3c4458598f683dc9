"""Settings the office changes in the panel: their kinds, limits and defaults in one table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance import audit, values
from clearance.actor import Actor
from clearance.database import hold_table
from clearance.errors import DomainError
from clearance.extensions import db
from clearance.models import Setting


class SettingKind(StrEnum):
    """What a setting holds: numbers are whole and joined by commas, a text is one line."""

    NUMBER = "number"
    NUMBERS = "numbers"
    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    CHOICE = "choice"


class SettingGroup(StrEnum):
    """Under which heading a setting is shown."""

    LICENCES = "licences"
    EXAM = "exam"
    REQUESTS = "requests"
    SUPPORT = "support"
    PORTAL = "portal"
    RETENTION = "retention"


GROUP_LABELS: dict[SettingGroup, Any] = {
    SettingGroup.LICENCES: _l("Licences"),
    SettingGroup.EXAM: _l("Exam"),
    SettingGroup.REQUESTS: _l("Requests"),
    SettingGroup.SUPPORT: _l("Support"),
    SettingGroup.PORTAL: _l("Portal"),
    SettingGroup.RETENTION: _l("How long data are kept"),
}

TEXT_MAX_LENGTH = 250
MOST_NUMBERS = 10
_WHOLE = re.compile(r"\d{1,9}")
_PHONE = re.compile(r"\+?\d[\d ()-]{5,28}")


@dataclass(frozen=True)
class OfficeSetting:
    """One setting. minimum, maximum: of its number or of each of its numbers, inclusive."""

    key: str
    kind: SettingKind
    group: SettingGroup
    default: Any
    label: Any
    hint: Any = ""
    minimum: int = 0
    maximum: int = 3650
    choices: Mapping[str, Any] | None = None


class BadSetting(DomainError):
    """The value given does not fit the setting's kind or limits."""

    status_code = 400


def _days(key: str, group: SettingGroup, default: int, label: Any, hint: Any = "") -> OfficeSetting:
    return OfficeSetting(key, SettingKind.NUMBER, group, default, label, hint, minimum=1)


def _line(
    key: str, default: str, label: Any, kind: SettingKind = SettingKind.TEXT
) -> OfficeSetting:
    return OfficeSetting(key, kind, SettingGroup.SUPPORT, default, label)


_NO_LIMIT = _l("0 means no limit.")

_TABLE = (
    _days(
        "renewal_window_days",
        SettingGroup.LICENCES,
        60,
        _l("Days before expiry from which a licence can be renewed"),
    ),
    OfficeSetting(
        "licence_validity_years",
        SettingKind.NUMBER,
        SettingGroup.LICENCES,
        3,
        _l("Years proposed for a new licence"),
        minimum=1,
        maximum=20,
    ),
    OfficeSetting(
        "reminder_days",
        SettingKind.NUMBERS,
        SettingGroup.LICENCES,
        (60, 30, 7),
        _l("Days before expiry on which the holder is reminded"),
        minimum=1,
    ),
    OfficeSetting(
        "exam_validity_years",
        SettingKind.NUMBER,
        SettingGroup.EXAM,
        3,
        _l("Years for which a passed exam entitles to a licence"),
        minimum=1,
        maximum=50,
    ),
    OfficeSetting(
        "exam_waiting_days",
        SettingKind.NUMBER,
        SettingGroup.EXAM,
        0,
        _l("Days to wait after an exam that was not passed"),
        _NO_LIMIT,
    ),
    OfficeSetting(
        "exam_attempts",
        SettingKind.NUMBER,
        SettingGroup.EXAM,
        0,
        _l("How often a person may sit the exam"),
        _NO_LIMIT,
        maximum=100,
    ),
    _days(
        "transfer_silence_days",
        SettingGroup.REQUESTS,
        14,
        _l("Days after which an unanswered transfer lapses"),
    ),
    _days(
        "returned_lapse_days",
        SettingGroup.REQUESTS,
        60,
        _l("Days after which a returned request lapses"),
    ),
    _line("support_phone", "+965 2200 0000", _l("Support telephone"), SettingKind.PHONE),
    _line("support_email", "support@example.com", _l("Support e-mail"), SettingKind.EMAIL),
    _line("support_fax", "+965 2200 0001", _l("Support fax"), SettingKind.PHONE),
    _line("support_hours_ar", "الأحد - الخميس، 7:30 - 14:30", _l("Support hours in Arabic")),
    _line("support_hours_en", "Sunday - Thursday, 7:30 - 14:30", _l("Support hours in English")),
    OfficeSetting(
        "default_language",
        SettingKind.CHOICE,
        SettingGroup.PORTAL,
        "ar",
        _l("Language of a first visit"),
        choices={"ar": _l("Arabic"), "en": _l("English")},
    ),
    _days(
        "retention_registration_days",
        SettingGroup.RETENTION,
        7,
        _l("Days for which an unfinished registration is kept"),
    ),
    _days(
        "retention_draft_days",
        SettingGroup.RETENTION,
        180,
        _l("Days for which an untouched draft is kept"),
    ),
    _days(
        "retention_message_days",
        SettingGroup.RETENTION,
        180,
        _l("Days for which sent e-mails and SMS are kept"),
    ),
    _days(
        "retention_session_days",
        SettingGroup.RETENTION,
        90,
        _l("Days for which ended sessions are kept"),
    ),
    _days(
        "retention_access_days",
        SettingGroup.RETENTION,
        1095,
        _l("Days for which records of access are kept"),
    ),
)

SETTINGS: dict[str, OfficeSetting] = {each.key: each for each in _TABLE}


def get(key: str) -> Any:
    """The value of the setting `key`: the office's, else the default. Raises: KeyError."""
    spec = SETTINGS[key]
    row = db.session.get(Setting, key)
    return spec.default if row is None else _from_json(spec, row.value)


def hold() -> None:
    """Let nobody else save settings until this transaction ends, so that what is read stays so."""
    hold_table(Setting)


def all_values() -> dict[str, Any]:
    """Every setting's value by key, in one query."""
    stored = {row.key: row.value for row in db.session.scalars(sa.select(Setting))}
    return {
        key: _from_json(spec, stored[key]) if key in stored else spec.default
        for key, spec in SETTINGS.items()
    }


def parse(key: str, raw: str) -> Any:
    """Read what was typed for the setting `key`. Raises: KeyError, BadSetting, BadValue."""
    spec = SETTINGS[key]
    text = values.clean_text(values.ascii_digits(raw) if spec.kind in _WITH_DIGITS else raw)
    if spec.kind is SettingKind.NUMBER:
        return _checked(spec, _whole(spec, text))
    if spec.kind is SettingKind.NUMBERS:
        return _checked(spec, tuple(_whole(spec, part) for part in text.split(",")))
    if spec.kind is SettingKind.EMAIL:
        return values.email_address(text)
    return _checked(spec, text)


def set(key: str, value: Any, actor: Actor, now: datetime) -> None:
    """Change the setting `key` to `value`, of its kind; writes the trail; flushes.

    Raises: KeyError, BadSetting. Who may is the panel's question: administrators.
    """
    spec = SETTINGS[key]
    value = _checked(spec, value)
    before = get(key)
    if value == before:
        return
    row = db.session.get(Setting, key)
    if row is None:
        row = Setting(key=key, value=_to_json(value))
        db.session.add(row)
    else:
        row.value = _to_json(value)
        row.version += 1
    audit.record(
        "office:setting:changed",
        obj=row,
        actor_id=actor.id,
        at=now,
        changes={key: [_to_json(before), _to_json(value)]},
    )


_WITH_DIGITS = frozenset({SettingKind.NUMBER, SettingKind.NUMBERS, SettingKind.PHONE})


def _whole(spec: OfficeSetting, text: str) -> int:
    if _WHOLE.fullmatch(text.strip()) is None:
        raise _bad(spec)
    return int(text)


def _checked(spec: OfficeSetting, value: Any) -> Any:
    if not _fits(spec, value):
        raise _bad(spec)
    return value


def _fits(spec: OfficeSetting, value: Any) -> bool:
    if spec.kind is SettingKind.NUMBER:
        return type(value) is int and spec.minimum <= value <= spec.maximum
    if spec.kind is SettingKind.NUMBERS:
        return (
            isinstance(value, tuple)
            and 0 < len(value) <= MOST_NUMBERS
            and len(frozenset(value)) == len(value)
            and all(type(each) is int and spec.minimum <= each <= spec.maximum for each in value)
        )
    if spec.kind is SettingKind.CHOICE:
        return value in (spec.choices or {})
    if spec.kind is SettingKind.PHONE:
        return isinstance(value, str) and _PHONE.fullmatch(value) is not None
    return isinstance(value, str) and 0 < len(value) <= TEXT_MAX_LENGTH


def _bad(spec: OfficeSetting) -> BadSetting:
    if spec.kind is SettingKind.NUMBER:
        return BadSetting(
            _l(
                "Write a whole number from %(minimum)d to %(maximum)d.",
                minimum=spec.minimum,
                maximum=spec.maximum,
            )
        )
    if spec.kind is SettingKind.NUMBERS:
        return BadSetting(
            _l(
                "Write at most %(most)d different whole numbers from %(minimum)d to %(maximum)d "
                "with commas between them.",
                most=MOST_NUMBERS,
                minimum=spec.minimum,
                maximum=spec.maximum,
            )
        )
    if spec.kind is SettingKind.CHOICE:
        return BadSetting(_l("Choose one of the list."))
    if spec.kind is SettingKind.PHONE:
        return BadSetting(_l("Write a telephone number, such as +965 2200 0000."))
    return BadSetting(
        _l("Write a text of at most %(maximum)d characters.", maximum=TEXT_MAX_LENGTH)
    )


def _to_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _from_json(spec: OfficeSetting, value: Any) -> Any:
    return tuple(value) if spec.kind is SettingKind.NUMBERS else value
