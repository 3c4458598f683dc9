"""Settings the office edits in the admin panel; extensions bring more."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from flask import current_app
from flask_babel import lazy_gettext as _l

from clearance.core import audit, kept, office_setting_types
from clearance.core.actor import Actor
from clearance.core.database import hold_table
from clearance.core.extensions import db
from clearance.core.office_setting_types import OfficeSetting, SettingKind, number
from clearance.models import Setting


def _line(
    key: str, default: str, label: Any, kind: SettingKind = SettingKind.TEXT
) -> OfficeSetting:
    return OfficeSetting(key, kind, "support", default, label)


GROUPS: dict[str, Any] = {
    "requests": _l("Requests"),
    "support": _l("Support"),
    "portal": _l("Portal"),
    "retention": _l("How long data is kept"),
}
"""The headings under which settings are shown."""

GENERAL = (
    number(
        "returned_lapse_days",
        "requests",
        60,
        _l("Days before a request that needs corrections is closed"),
    ),
    number(
        "stopped_draft_days",
        "requests",
        14,
        _l("Days in which drafts of a stopped service can still be sent"),
        minimum=0,
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
        "portal",
        "ar",
        _l("Language for first-time visitors"),
        choices={"ar": _l("Arabic"), "en": _l("English")},
    ),
    number(
        "retention_registration_days", "retention", 7, _l("Days to keep an unfinished registration")
    ),
    number("retention_draft_days", "retention", 180, _l("Days to keep an unused draft")),
    number(
        "retention_notice_days",
        "retention",
        14,
        _l("Days before deleting an unused draft when its owner is notified"),
        maximum=90,
    ),
    number("retention_message_days", "retention", 180, _l("Days to keep sent e-mails and SMS")),
    number("retention_session_days", "retention", 90, _l("Days to keep ended sessions")),
    number(
        "retention_access_days", "retention", 1095, _l("Days to keep access records"), minimum=366
    ),
)


def registered() -> dict[str, OfficeSetting]:
    """Return the application's settings by key: the general ones and its extensions'."""
    return cast(dict[str, OfficeSetting], current_app.extensions["office_settings"])


def get(key: str) -> Any:
    """Return the office's value of the setting `key`, else the default. Raises: KeyError."""
    return all_values()[key]


def lock_exclusive() -> None:
    """Lock settings against changes until this transaction ends."""
    hold_table(Setting)
    kept.forget()


def all_values() -> dict[str, Any]:
    """Return every setting's value by key."""
    return kept.until_changed("settings", _all_values)


def _all_values() -> dict[str, Any]:
    stored = {row.key: row.value for row in db.session.scalars(sa.select(Setting))}
    return {
        key: office_setting_types.from_json(spec, stored[key]) if key in stored else spec.default
        for key, spec in registered().items()
    }


def parse(key: str, raw: str) -> Any:
    """Parse the input for the setting `key`. Raises: KeyError, BadSetting, BadValue."""
    return office_setting_types.read(registered()[key], raw)


def set(key: str, value: Any, actor: Actor, now: datetime) -> None:
    """Change the setting `key` to `value`, of its kind; audited; flushes.

    Raises: KeyError, BadSetting. The panel checks permission (administrators only).
    """
    spec = registered()[key]
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
    kept.forget()
    audit.record(
        "office:setting:changed",
        obj=row,
        actor_id=actor.id,
        at=now,
        changes={key: [office_setting_types.to_json(before), office_setting_types.to_json(value)]},
    )
