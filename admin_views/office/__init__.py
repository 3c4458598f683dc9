"""The office: what reviewers, managers and administrators see and do."""

from __future__ import annotations

from typing import Any

from flask_admin import BaseView, expose
from flask_babel import lazy_gettext as _l

from admin_views.base import GuardedView
from clearance.actor import Actor


class OfficeHome(GuardedView):
    """First page of the office."""

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_staff

    @expose("/")
    def index(self) -> Any:
        """Show the office's first page."""
        return self.render("office/index.html")


def index() -> BaseView:
    """The office's index view."""
    return OfficeHome(name=_l("Home"), endpoint="office", url="/office")


def views() -> list[BaseView]:
    """Every other view of the office, in the order of the menu."""
    return []
