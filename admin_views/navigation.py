"""Menu, bell and organisation switcher of the two areas, by what the reader may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import current_app, request, url_for
from flask_babel import lazy_gettext as _l

from clearance import exams, i18n, policies, sessions
from clearance.actor import Actor
from clearance.extensions import db
from clearance.models import Notice


@dataclass(frozen=True)
class Entry:
    """One line of a menu; endpoint is the view's, its list or index page is opened."""

    endpoint: str
    label: Any
    icon: str
    shown_to: Callable[[Actor], bool] = lambda actor: True
    page: str = "index_view"

    @property
    def target(self) -> str:
        """The endpoint of the page that the line opens."""
        return f"{self.endpoint}.{self.page}"


def _reads_requests(actor: Actor) -> bool:
    return actor.role in policies.READING_ROLES


MENUS: dict[str, tuple[Entry, ...]] = {
    "my": (
        Entry("my", _l("Home"), "home", page="index"),
        Entry("my_services", _l("My services"), "services", page="index"),
        Entry("my_requests", _l("My requests"), "requests"),
        Entry("my_account", _l("My account"), "account", page="index"),
    ),
    "office": (
        Entry("office", _l("Home"), "home", page="index"),
        Entry("office_requests", _l("Requests"), "requests", _reads_requests),
        Entry("office_exams", _l("Exams"), "exam", exams.can_read),
    ),
}


def frame(actor: Actor, area: str) -> dict[str, Any]:
    """What every page of `area` shows around its content, for the templates."""
    return {
        "nav": lambda: menu(actor, area),
        "bell_count": unread(actor),
        "bell_url": "/my/notices/" if area == "my" else "/office/notices/",
        "switcher": switcher(actor) if area == "my" else None,
        "idle_seconds": int(sessions.idle_limit(actor.role).total_seconds()),
        "stay_url": url_for("public.stay"),
    }


def menu(actor: Actor, area: str) -> list[dict[str, Any]]:
    """The lines of `area`'s menu that exist and that `actor` may open."""
    here = request.blueprint
    return [
        {
            "label": entry.label,
            "url": url_for(entry.target),
            "icon": entry.icon,
            "active": entry.endpoint == here,
            "children": (),
        }
        for entry in MENUS[area]
        if entry.target in current_app.view_functions and entry.shown_to(actor)
    ]


def unread(actor: Actor) -> int:
    """How many notices the person has not read."""
    statement = (
        sa.select(sa.func.count())
        .select_from(Notice)
        .where(Notice.user_id == actor.user_id, Notice.read_at.is_(None))
    )
    return db.session.scalar(statement) or 0


def switcher(actor: Actor) -> dict[str, Any] | None:
    """The choice of organisation (الشركات المتاحة), offered to whom serves several."""
    if len(actor.standings) < 2 or actor.standing is None:
        return None
    lang = i18n.language()
    return {
        "url": url_for("my.switch"),
        "choices": [(each.organisation_id, each.name_in(lang)) for each in actor.standings],
        "current": actor.standing.organisation_id,
    }


def safe_path(typed: str | None) -> str | None:
    """`typed` if it is a path inside this portal, else None (security rule 27)."""
    if not typed or not typed.startswith("/") or len(typed) > 2000:
        return None
    if typed.startswith("//") or "\\" in typed or not typed.isprintable():
        return None
    parts = urlsplit(typed)
    return None if parts.scheme or parts.netloc else typed
