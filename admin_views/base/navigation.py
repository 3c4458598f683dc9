"""Menu, bell and organisation switcher of both areas, according to the actor's permissions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, request, url_for
from flask_admin import BaseView
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from admin_views.base.access import reads_requests
from clearance.auth import permissions, sessions
from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.licences import organisation_brokers
from clearance.web import fragments


@dataclass(frozen=True)
class Entry:
    """A menu entry for a view. endpoint: the view's. page: the view's page that it opens.

    children: entries shown below it while any of them is open. tabs: endpoints of further views,
    which its page leads to.
    """

    endpoint: str
    label: Any
    icon: str
    shown_to: Callable[[Actor], bool] = lambda actor: True
    page: str = "index_view"
    children: tuple[Entry, ...] = ()
    tabs: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The endpoint of the page that the entry opens."""
        return f"{self.endpoint}.{self.page}"


def _kept(endpoint: str, label: Any, icon: str = "", **more: Any) -> Entry:
    """Return an entry for administrators and managers."""
    return Entry(endpoint, label, icon, permissions.keeps_or_reads, **more)


_REFERENCE = (
    _kept("office_document_kinds", _l("Document types")),
    _kept("office_broker_types", _l("Broker types")),
    _kept("office_nationalities", _l("Nationalities")),
    _kept("office_legal_entities", _l("Organisation types")),
    _kept("office_choice_lists", _l("Lists of choices")),
    _kept("office_reasons", _l("Standard reasons")),
    _kept("office_teams", _l("Teams")),
    _kept("office_holidays", _l("Holidays")),
)
_TRAIL = (
    _kept("office_audit", _l("Changes")),
    _kept("office_access", _l("Access")),
    Entry("office_reads", _l("Who read what"), "", lambda actor: actor.is_manager),
    _kept("office_retention", _l("Data retention")),
)
_USERS = (
    Entry("my_users", _l("Add a new user"), "", page="create_view"),
    Entry("my_users", _l("Current users"), ""),
)

_MENUS: dict[str, tuple[Entry, ...]] = {
    "my": (
        Entry("my", _l("Home"), "home", page="index"),
        Entry("my_services", _l("My services"), "services", page="index"),
        Entry("my_subscriptions", _l("Subscriptions"), "subscriptions", page="index"),
        Entry("my_brokers", _l("Manage brokers"), "card", organisation_brokers.are_shown_to),
        Entry("my_requests", _l("My requests"), "requests", tabs=("my_drafts",)),
        Entry("my_issued", _l("Issued documents"), "file"),
        Entry("my_account", _l("My account"), "account", page="index"),
        Entry(
            "my_users",
            _l("Manage users"),
            "users",
            permissions.can_manage_selected,
            children=_USERS,
        ),
        Entry(
            "my_organisation",
            _l("My organisation"),
            "organisation",
            lambda actor: actor.standing is not None,
            page="index",
        ),
    ),
    "office": (
        Entry("office", _l("Home"), "home", page="index"),
        Entry("office_requests", _l("Requests"), "requests", reads_requests),
        Entry("office_licences", _l("Licences"), "card", reads_requests),
        Entry("office_brokers", _l("Brokers"), "users", reads_requests),
        Entry("office_organisations", _l("Organisations"), "organisation"),
        Entry("office_subscriptions", _l("Subscriptions"), "subscriptions", reads_requests),
        Entry("office_issued", _l("Issued documents"), "file", reads_requests),
        _kept("office_users", _l("Users"), "users"),
        _kept("office_staff", _l("Staff"), "account"),
        _kept("office_services", _l("Services"), "services"),
        _kept("office_document_kinds", _l("Reference data"), "guide", children=_REFERENCE),
        _kept("office_texts", _l("Notification texts"), "message", page="index"),
        _kept("office_announcements", _l("Announcements"), "info"),
        _kept("office_deliveries", _l("Deliveries"), "mail"),
        _kept("office_audit", _l("Audit trail"), "audit", children=_TRAIL),
        _kept("office_settings", _l("Settings"), "settings", page="index"),
        Entry(
            "office_exports",
            _l("Your exports"),
            "download",
            lambda actor: actor.is_manager,
            page="index",
        ),
        Entry("office_account", _l("My account"), "lock", page="index"),
    ),
}


def init_app(app: Flask) -> None:
    """Give the application its menus, to which extensions add."""
    app.extensions["menus"] = {area: list(entries) for area, entries in _MENUS.items()}


def add_view(area: str, view: BaseView, icon: str, *, after: str, page: str = "index") -> None:
    """Add an extension's view to an area ("my", "office") of the current application.

    Its menu entry opens the view's `page` and follows the entry of the endpoint `after`; it is the
    last one if there is none. Raises: ValueError for an endpoint that is taken.
    """
    (admin,) = (found for found in current_app.extensions["admin"] if found.endpoint == area)
    admin.add_view(view)
    menu: list[Entry] = current_app.extensions["menus"][area]
    places = (place for place, entry in enumerate(menu, 1) if entry.endpoint == after)
    entry = Entry(view.endpoint, view.name, icon, view.accessible_to, page)
    menu.insert(next(places, len(menu)), entry)


def frame(actor: Actor, area: str) -> dict[str, Any]:
    """Return the template variables for the frame of every page of `area`."""
    return {
        "nav": lambda: menu(actor, area),
        "bell_count": actor.unread,
        "bell_url": "/my/notices/" if area == "my" else "/office/notices/",
        "switcher": switcher(actor) if area == "my" else None,
        "idle_seconds": int(sessions.idle_limit(actor.role).total_seconds()),
        "stay_url": url_for("public.stay"),
    }


def menu(actor: Actor, area: str) -> Markup:
    """Return the entries of `area`'s menu that exist and that `actor` may open.

    Drawn once for all who may open the same ones, for each place in the menu.
    """
    entries = _shown(current_app.extensions["menus"][area], actor)
    below = [child for entry in entries for child in _shown(entry.children, actor)]
    targets = tuple(entry.target for entry in (*entries, *below))
    here = request.endpoint if request.endpoint in targets else request.blueprint

    def drawn() -> Markup:
        lines = [_line(entry, actor) for entry in entries]
        return fragments.draw("admin/menu.html", "entries", lines)

    return fragments.once(("menu", targets, here), drawn)


def pages(actor: Actor, area: str) -> Iterator[tuple[Any, str]]:
    """Yield (label, URL) of the pages of `area`'s menu that `actor` may open, each once."""
    seen = set()
    for entry in _shown(current_app.extensions["menus"][area], actor):
        for page in (entry, *_shown(entry.children, actor)):
            url = url_for(page.target)
            if (page.label, url) not in seen:
                seen.add((page.label, url))
                yield page.label, url


def _shown(entries: Iterable[Entry], actor: Actor) -> list[Entry]:
    return [
        entry
        for entry in entries
        if entry.target in current_app.view_functions and entry.shown_to(actor)
    ]


def _line(entry: Entry, actor: Actor) -> dict[str, Any]:
    here = request.blueprint
    is_open = here in {entry.endpoint, *entry.tabs, *(child.endpoint for child in entry.children)}
    return {
        "label": entry.label,
        "url": url_for(entry.target),
        "icon": entry.icon,
        "active": is_open,
        "children": _children(entry, actor) if is_open else (),
    }


def _children(entry: Entry, actor: Actor) -> list[dict[str, Any]]:
    """Return the entries below an open one; of pages of the same view, only one is active."""
    shown = _shown(entry.children, actor)
    lines = [_line(child, actor) for child in shown]
    pages = {child.target for child in shown}
    if len({child.endpoint for child in shown}) < len(shown):
        here = request.endpoint if request.endpoint in pages else shown[-1].target
        for child, line in zip(shown, lines, strict=True):
            line["active"] = child.target == here
    return lines


def switcher(actor: Actor) -> dict[str, Any] | None:
    """Return the organisation switcher (الشركات المتاحة), for members of several organisations."""
    if len(actor.standings) < 2 or actor.standing is None:
        return None
    lang = i18n.language()
    return {
        "url": url_for("my.switch"),
        "choices": [
            (standing.organisation_id, standing.name_in(lang)) for standing in actor.standings
        ],
        "current": actor.standing.organisation_id,
    }
