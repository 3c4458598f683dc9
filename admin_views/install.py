"""Registration of the views of both areas."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_admin import Admin, BaseView
from flask_admin.theme import Theme
from flask_babel import lazy_gettext as _l

from admin_views import my, office
from admin_views.base import navigation, open_lists
from admin_views.shared import issued_files, notifications, request_lists
from clearance.requests import stages

# A nonexistent folder, so that no stock Flask-Admin template is used.
THEME = Theme(folder="clearance", base_template="admin/base.html")


def init_app(app: Flask) -> None:
    """Install the agents' area at /my and the office at /office; extensions add their views."""
    navigation.init_app(app)
    open_lists.init_app(app)
    app.jinja_env.globals.update(
        issued_rows=issued_files.rows,
        notice_target=notifications.target_of,
        status_words=stages.words_of_status,
        stage_title=stages.title_of,
        due_words=request_lists.due_words,
    )
    with app.app_context():
        _install(app, "my", _l("Broker services"), my.index(), my.views())
        _install(app, "office", _l("Office"), office.index(), office.views())


def _install(app: Flask, area: str, name: Any, index: BaseView, views: list[BaseView]) -> None:
    admin = Admin(app, name=name, url=f"/{area}", endpoint=area, index_view=index, theme=THEME)
    admin.add_views(*views)
