"""Pages to read: welcome, terms, support, guide; and what every page of the portal shows."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, url_for
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from clearance.auth import sessions
from clearance.core import office_settings
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.i18n import language
from clearance.core.settings import ROOT
from clearance.notifications import announcements
from clearance.services import versions

PICTURES = ROOT / "static" / "img" / "guide"


class SupportContacts:
    """How to reach the office; read only when a page shows it, once a request."""

    @property
    def phone(self) -> str:
        """Telephone number as people write it."""
        return _support("support_phone")

    @property
    def email(self) -> str:
        """E-mail address."""
        return _support("support_email")

    @property
    def fax(self) -> str:
        """Fax number."""
        return _support("support_fax")

    @property
    def hours(self) -> str:
        """When somebody answers, in the page's language."""
        return _support(f"support_hours_{language()}")


def index() -> str:
    """GET /: what the portal is, its services, current announcements."""
    services = [version.definition for version in versions.all_current()]
    return render_template(
        "public/index.html",
        services=services,
        announcements=announcements.current(utc_now()),
    )


def terms() -> str:
    """GET /terms."""
    return render_template("public/terms.html")


def support() -> str:
    """GET /support: phone, e-mail, fax."""
    return render_template("public/support.html")


def guide() -> str:
    """GET /guide: registering and using the services, step by step."""
    services = [version.definition for version in versions.all_current()]
    settings = office_settings.all_values()
    return render_template(
        "public/guide.html",
        services=services,
        picture=_picture,
        lapse_days=settings["returned_lapse_days"],
        validity_years=settings["exam_validity_years"],
        renewal_days=settings["renewal_window_days"],
        transfer_days=settings["transfer_silence_days"],
    )


def common_context() -> dict[str, Any]:
    """Give every template the support contacts and, signed in, the idle limit.

    Runs for error pages too, so it touches neither the database nor a session that is not read yet.
    """
    context: dict[str, Any] = {"support": SupportContacts()}
    if g.get("actor_is_read") and current_user.is_authenticated:
        idle = sessions.idle_limit(current_user.role)
        context["idle_seconds"] = int(idle.total_seconds())
        context["stay_url"] = url_for("public.stay")
    return context


def _support(key: str) -> str:
    known: dict[str, str] = g.setdefault("support_contacts", {})
    if key not in known:
        try:
            known[key] = str(office_settings.get(key) or "")
        except SQLAlchemyError:
            # The page that says the database is away must still be shown.
            db.session.rollback()
            known[key] = str(office_settings.SETTINGS[key].default)
    return known[key]


def _picture(name: str) -> str | None:
    """Return the path under static/ of the guide's picture `name` in the page's language."""
    path = PICTURES / f"{name}-{language()}.png"
    return str(path.relative_to(ROOT / "static")) if path.is_file() else None
