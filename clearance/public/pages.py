"""Information pages (welcome, terms, support, guide), and the context of all templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import g, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from clearance.auth import form_tokens, permissions, sessions
from clearance.core import office_settings
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.core.i18n import format_day, language
from clearance.core.settings import ROOT
from clearance.notifications import announcements
from clearance.public import session_gate
from clearance.services import guards, opening, registry, stops, versions
from clearance.services.schema import Definition

PICTURES = ROOT / "static" / "img" / "guide"


class SupportContacts:
    """The office's contact details; loaded lazily, once per request."""

    phone = property(lambda self: _support("support_phone"))
    email = property(lambda self: _support("support_email"))
    fax = property(lambda self: _support("support_fax"))
    hours = property(lambda self: _support(f"support_hours_{language()}"))


def index() -> str:
    """GET /: about the portal, its services, current announcements."""
    services = [version.definition for version in versions.offered_to(None)]
    return render_template(
        "public/index.html",
        services=services,
        opening=_opening(),
        announcements=announcements.current(utc_now()),
    )


def terms() -> str:
    """GET /terms."""
    values = office_settings.all_values()
    periods = {name: values[f"retention_{name}_days"] for name in ("registration", "draft")}
    return render_template("public/terms.html", periods=periods)


def support() -> str:
    """GET /support: phone, e-mail, fax."""
    return render_template("public/support.html")


def guide() -> str:
    """GET /guide: registering and using the services, step by step."""
    services = [version.definition for version in versions.offered_to(None)]
    return render_template(
        "public/guide.html",
        services=services,
        opening=_opening(),
        picture=_picture,
        settings=office_settings.all_values(),
        has=registry.current().has,
        makes_services=_makes_services(),
    )


def guide_services() -> str:
    """GET /guide/services: making services, step by step; for those who may open the builder."""
    if not _makes_services():
        raise NotFound
    return render_template("public/guide_services.html", picture=_picture)


def common_context() -> dict[str, Any]:
    """Return what all templates need: contacts, and of who is signed in the idle limit and mark.

    Also runs for error pages, so it touches neither the database nor a session not loaded yet.
    """
    context: dict[str, Any] = {
        "support": SupportContacts(),
        "page_behind": session_gate.page_behind,
        "reader": "",
    }
    if g.get("actor_is_read") and current_user.is_authenticated:
        idle = sessions.idle_limit(current_user.role)
        context["idle_seconds"] = int(idle.total_seconds())
        context["reader"] = form_tokens.mark_of(current_user)
        context["stay_url"] = url_for("public.stay")
    return context


def _opening() -> Callable[[Definition], str]:
    """Return what tells of a service that it is stopped, or when it is open; "" for always."""
    found, today = stops.by_service(None), kuwait_today()

    def told(service: Definition) -> str:
        stop = found.get(service.code)
        if stop is None or not stop.holds_on(today):
            return opening.sentence(service, today)
        stopped = str(guards.STOPPED)
        if stop.until is None:
            return stopped
        again = _("You can apply again from %(day)s.", day=format_day(stop.until))
        return f"{stopped} {again}"

    return told


def _support(key: str) -> str:
    if "support_contacts" not in g:
        try:
            g.support_contacts = office_settings.all_values()
        except SQLAlchemyError:
            # The error page for an unavailable database must still render.
            db.session.rollback()
            specs = office_settings.registered().values()
            g.support_contacts = {spec.key: spec.default for spec in specs}
    return str(g.support_contacts[key])


def _makes_services() -> bool:
    is_read = g.get("actor_is_read") and current_user.is_authenticated and current_user.is_full
    return bool(is_read and permissions.keeps_or_reads(current_user))


def _picture(name: str) -> str | None:
    """Return the path under static/ of the guide's picture `name` in the page's language."""
    path = PICTURES / f"{name}-{language()}.png"
    return str(path.relative_to(ROOT / "static")) if path.is_file() else None
