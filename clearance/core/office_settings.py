"""Settings the office edits in the admin panel."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core import audit, office_setting_types
from clearance.core.actor import Actor
from clearance.core.database import hold_table
from clearance.core.extensions import db
from clearance.core.office_setting_types import OfficeSetting, SettingGroup, SettingKind
from clearance.models import Setting


def _days(key: str, group: SettingGroup, default: int, label: Any, hint: Any = "") -> OfficeSetting:
    return OfficeSetting(key, SettingKind.NUMBER, group, default, label, hint, minimum=1)


def _line(
    key: str, default: str, label: Any, kind: SettingKind = SettingKind.TEXT
) -> OfficeSetting:
    return OfficeSetting(key, kind, SettingGroup.SUPPORT, default, label)


_TABLE = (
    _days(
        "renewal_window_days",
        SettingGroup.LICENCES,
        60,
        _l("Days before expiry when renewal opens"),
    ),
    OfficeSetting(
        "licence_validity_years",
        SettingKind.NUMBER,
        SettingGroup.LICENCES,
        3,
        _l("Default years for a new licence"),
        minimum=1,
        maximum=20,
    ),
    OfficeSetting(
        "reminder_days",
        SettingKind.NUMBERS,
        SettingGroup.LICENCES,
        (60, 30, 7),
        _l("Days before expiry when reminders are sent"),
        minimum=1,
    ),
    OfficeSetting(
        "exam_validity_years",
        SettingKind.NUMBER,
        SettingGroup.EXAM,
        3,
        _l("Years a passed exam stays valid"),
        minimum=1,
        maximum=50,
    ),
    OfficeSetting(
        "exam_waiting_days",
        SettingKind.NUMBER,
        SettingGroup.EXAM,
        0,
        _l("Days to wait after failing or missing the exam"),
        _l("0 means no waiting time."),
    ),
    OfficeSetting(
        "exam_attempts",
        SettingKind.NUMBER,
        SettingGroup.EXAM,
        0,
        _l("Maximum exam attempts per person"),
        _l("0 means no limit."),
        maximum=100,
    ),
    _days(
        "transfer_silence_days",
        SettingGroup.REQUESTS,
        14,
        _l("Days before an unanswered transfer is closed"),
    ),
    _days(
        "returned_lapse_days",
        SettingGroup.REQUESTS,
        60,
        _l("Days before a request that needs corrections is closed"),
    ),
    _line("support_phone", "+965 2200 0000", _l("Support telephone"), SettingKind.PHONE),
    _line("support_email", "support@example.com", _l("Support e-mail address"), SettingKind.EMAIL),
    _line("support_fax", "+965 2200 0001", _l("Support fax"), SettingKind.PHONE),
    _line(
        "support_hours_ar", "من الأحد إلى الخميس، من 7:30 إلى 14:30", _l("Support hours in Arabic")
    ),
    _line("support_hours_en", "Sunday to Thursday, 7:30 to 14:30", _l("Support hours in English")),
    OfficeSetting(
        "default_language",
        SettingKind.CHOICE,
        SettingGroup.PORTAL,
        "ar",
        _l("Language for first-time visitors"),
        choices={"ar": _l("Arabic"), "en": _l("English")},
    ),
    _days(
        "retention_registration_days",
        SettingGroup.RETENTION,
        7,
        _l("Days to keep an unfinished registration"),
    ),
    _days(
        "retention_draft_days",
        SettingGroup.RETENTION,
        180,
        _l("Days to keep an unused draft"),
    ),
    _days(
        "retention_message_days",
        SettingGroup.RETENTION,
        180,
        _l("Days to keep sent e-mails and SMS"),
    ),
    _days(
        "retention_session_days",
        SettingGroup.RETENTION,
        90,
        _l("Days to keep ended sessions"),
    ),
    _days(
        "retention_access_days",
        SettingGroup.RETENTION,
        1095,
        _l("Days to keep access records"),
    ),
)

SETTINGS: dict[str, OfficeSetting] = {spec.key: spec for spec in _TABLE}


def get(key: str) -> Any:
    """Return the office's value of the setting `key`, else the default. Raises: KeyError."""
    spec = SETTINGS[key]
    row = db.session.get(Setting, key)
    return spec.default if row is None else office_setting_types.from_json(spec, row.value)


def lock_exclusive() -> None:
    """Lock settings against changes until this transaction ends."""
    hold_table(Setting)


def all_values() -> dict[str, Any]:
    """Return every setting's value by key; one query."""
    stored = {row.key: row.value for row in db.session.scalars(sa.select(Setting))}
    return {
        key: office_setting_types.from_json(spec, stored[key]) if key in stored else spec.default
        for key, spec in SETTINGS.items()
    }


def parse(key: str, raw: str) -> Any:
    """Parse the input for the setting `key`. Raises: KeyError, BadSetting, BadValue."""
    return office_setting_types.read(SETTINGS[key], raw)


def set(key: str, value: Any, actor: Actor, now: datetime) -> None:
    """Change the setting `key` to `value`, of its kind; audited; flushes.

    Raises: KeyError, BadSetting. The panel checks permission (administrators only).
    """
    spec = SETTINGS[key]
    value = office_setting_types.checked(spec, value)
    before = get(key)
    if value == before:
        return
    row = db.session.get(Setting, key)
    if row is None:
        row = Setting(key=key, value=office_setting_types.to_json(value))
        db.session.add(row)
    else:
        row.value = office_setting_types.to_json(value)
        row.version += 1
    audit.record(
        "office:setting:changed",
        obj=row,
        actor_id=actor.id,
        at=now,
        changes={key: [office_setting_types.to_json(before), office_setting_types.to_json(value)]},
    )
