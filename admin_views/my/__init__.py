"""The agents' area: services, requests, notices and the account of who is signed in."""

from __future__ import annotations

from flask_admin import BaseView
from flask_babel import lazy_gettext as _l

from admin_views.my.home import MyHome


def index() -> BaseView:
    """The area's index view."""
    return MyHome(name=_l("Home"), endpoint="my", url="/my")


def views() -> list[BaseView]:
    """Every other view of the area, in the order of the menu."""
    return []
