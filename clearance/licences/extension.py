"""What licences bring to the engine: seven services, their guards, effects and records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.core.office_setting_types import OfficeSetting, SettingKind, number
from clearance.licences import (
    effects,
    expiry_job,
    guards,
    register,
    register_snapshot,
    review_warnings,
    starts,
)
from clearance.models.enums import LicenceStep
from clearance.services.effects import Effect
from clearance.services.extension import Extension, Job, Trail, named_in
from clearance.services.guards import Guard


def _without_expiry(document: dict[str, Any]) -> dict[str, Any]:
    """Drop what schema 0 said of the granted expiry: its effects ask for it since."""
    return {key: value for key, value in document.items() if key != "grants_expiry"}


EXTENSION = Extension(
    name="licences",
    guards=named_in(guards, Guard),
    effects=named_in(effects, Effect),
    starts=(starts.BROKER_CARD,),
    prefixes=(register.NUMBER_PREFIX,),
    snapshots=(register_snapshot.SNAPSHOT,),
    warnings=(review_warnings.warnings,),
    trail=Trail(
        events={f"register:{step}": step.label for step in LicenceStep},
        accesses={
            "licence:read": _l("A licence was viewed"),
            "broker:read": _l("A broker was viewed"),
        },
        tables={"broker": _l("Broker"), "licence": _l("Licence")},
    ),
    setting_groups={"licences": _l("Licences")},
    settings=(
        number("renewal_window_days", "licences", 60, _l("Days before expiry when renewal opens")),
        number(
            "licence_validity_years",
            "licences",
            3,
            _l("Default years for a new licence"),
            maximum=20,
        ),
        OfficeSetting(
            "reminder_days",
            SettingKind.NUMBERS,
            "licences",
            (60, 30, 7),
            _l("Days before expiry when reminders are sent"),
            minimum=1,
        ),
    ),
    jobs=(Job(expiry_job.daily, seconds=1800),),
    constraints=dict.fromkeys(guards.ONE_LICENCE, guards.HAS_LICENCE),
    lifts={0: _without_expiry},
    definitions=Path(__file__).parent / "definitions",
    notices=Path(__file__).parent / "texts",
    demo="clearance.demo.stories_licences:stories",
)
