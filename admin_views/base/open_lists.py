"""Opening a list as a person reads it, outside that person's own request for its page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from flask import Flask, current_app, g
from flask_admin.model.base import ViewArgs

from admin_views.base.keyset_list import KeysetModelView
from clearance import exports
from clearance.core.actor import Actor
from clearance.core.errors import NotFound
from clearance.web.sheets import Table


def init_app(app: Flask) -> None:
    """Let the exports' job read lists."""
    exports.init_app(app, _tables)


@contextmanager
def opened(
    endpoint: str, query: str, actor: Actor, language: str
) -> Iterator[tuple[KeysetModelView, ViewArgs]]:
    """Open a list that the actor may export, with the arguments of its address.

    In the block it is as in a request of theirs for its page, with a session of its own. Raises:
    NotFound if they may not export it; HTTPException for arguments that the list does not take.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy
    found = (view for admin in app.extensions["admin"] for view in admin._views)
    view = next((view for view in found if view.endpoint == endpoint), None)
    if not isinstance(view, KeysetModelView):
        raise NotFound
    with app.app_context(), app.test_request_context(f"{view.url}/?{query}"):
        g.language, g._login_user = language, actor
        if not (view.is_accessible() and view.can_export):
            raise NotFound
        yield view, view._get_list_extra_args()


@contextmanager
def _tables(endpoint: str, query: str, actor: Actor, language: str) -> Iterator[Sequence[Table]]:
    with opened(endpoint, query, actor, language) as (view, args):
        yield view.export_tables(args)
