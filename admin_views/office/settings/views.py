"""Office settings: a form with typed values, every change audited."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import ForKeepers, current_actor, require
from admin_views.base.form_post import claim_key, fingerprint
from admin_views.base.model_view import GuardedView
from clearance.core import office_settings
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.office_setting_types import BadSetting
from clearance.core.request_kind import is_posted
from clearance.core.values import BadValue
from clearance.services import registry


class OfficeSettings(ForKeepers, GuardedView):
    """Office settings; managers read, administrators edit."""

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        """Show and save all settings; if another user saved meanwhile, show both values."""
        if not is_posted():
            stored = office_settings.all_values()
            return self._show({key: _written(value) for key, value in stored.items()}, {}, stored)
        require(current_actor().is_administrator)
        here = url_for("office_settings.index")
        if earlier := claim_key(here):
            return redirect(earlier, code=303)
        office_settings.lock_exclusive()
        stored = office_settings.all_values()
        typed = {key: request.form.get(key, "") for key in stored}
        if "_language" in request.form:
            return self._show(typed, {}, stored)
        parsed, faults = _parsed(typed)
        if request.form.get("seen") != fingerprint(stored):
            flash(
                _(
                    "Someone else, or you in another tab, saved settings in the meantime. "
                    "Compare and save again."
                ),
                "error",
            )
            stale = {key: new for key, new in parsed.items() if new != stored[key]}
            faults |= {key: _saved_meanwhile(stored[key]) for key in stale}
            return self._show(typed, faults, stored), 409
        if faults:
            return self._show(typed, faults, stored), 400
        for key, value in parsed.items():
            office_settings.set(key, value, current_actor(), utc_now())
        db.session.commit()
        flash(_("The settings were saved."), "success")
        return redirect(here, code=303)

    def _show(self, typed: dict[str, str], faults: dict[str, str], stored: dict[str, Any]) -> Any:
        specs = office_settings.registered().values()
        groups = [
            (label, [spec for spec in specs if spec.group == group])
            for group, label in registry.current().setting_groups.items()
        ]
        return self.render(
            "office/settings/settings.html",
            groups=groups,
            typed=typed,
            faults=faults,
            seen=fingerprint(stored),
            can_change=current_actor().is_administrator,
        )


def _parsed(typed: dict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return (parsed values, faults) by key."""
    values, faults = {}, {}
    for key, raw in typed.items():
        try:
            values[key] = office_settings.parse(key, raw)
        except (BadSetting, BadValue) as fault:
            faults[key] = str(getattr(fault, "message", fault))
    return values, faults


def _written(value: Any) -> str:
    return ", ".join(str(part) for part in value) if isinstance(value, tuple) else str(value)


def _saved_meanwhile(value: Any) -> str:
    return str(_("Now saved: %(value)s", value=_written(value)))
