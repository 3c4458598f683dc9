"""The managers' dashboard: figures from the summaries, charts, and the same as files."""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l

from admin_views.base import navigation
from admin_views.office.dashboard.views import Dashboard


def add_view(app: Flask) -> None:
    """Add the dashboard to the office, below its home page."""
    view = Dashboard(name=_l("Dashboard"), endpoint="office_dashboard", url="/office/dashboard")
    navigation.add_view("office", view, "dashboard", after="office")
