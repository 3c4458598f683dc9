"""The office: what reviewers, managers and administrators see and do."""

from __future__ import annotations

from typing import Any

from flask_admin import BaseView, expose
from flask_babel import lazy_gettext as _l

from admin_views.base import GuardedView
from admin_views.office.exams import OfficeExams
from clearance.actor import Actor
from clearance.models import Exam


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
    return [OfficeExams(Exam, name=_l("Exams"), endpoint="office_exams", url="/office/exams")]
