"""Columns, default view and row height that a person chooses."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from clearance.core.actor import Actor
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.lists.state import arrangement_of
from clearance.models import ListLayout, User


def choose_columns(actor: Actor, list_name: str, columns: Sequence[str] | None) -> None:
    """Keep the columns of a list, in order; None goes back to those delivered. Flushes."""
    _layout(actor, list_name).columns = list(columns) if columns is not None else None
    db.session.flush()


def choose_rows(actor: Actor, *, is_roomy: bool) -> None:
    """Keep whether the rows of all lists are roomy. Flushes."""
    db.session.execute(sa.update(User).where(User.id == actor.id).values(has_roomy_lists=is_roomy))


def open_with(actor: Actor, list_name: str, view_id: int | None) -> None:
    """Keep the view that a list opens with; None for none. Flushes.

    Raises: NotFound for a view that the actor may not open.
    """
    if view_id is not None and arrangement_of(actor.id, list_name).view(view_id) is None:
        raise NotFound
    _layout(actor, list_name).view_id = view_id
    db.session.flush()


def _layout(actor: Actor, list_name: str) -> ListLayout:
    """Return the layout's row, locked; a new one if there is none.

    The user's row is locked first, so that two tabs do not both make a new one.
    """
    db.session.execute(sa.select(User.id).where(User.id == actor.id).with_for_update())
    layout = db.session.get(ListLayout, (actor.id, list_name))
    if layout is None:
        layout = ListLayout(user_id=actor.id, list_name=list_name)
        db.session.add(layout)
    return layout
