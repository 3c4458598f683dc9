"""Views of lists: saved, renamed, shared, brought up to date and removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core import audit, values
from clearance.core.actor import Actor
from clearance.core.errors import BadFields, DomainError, NotFound, StaleEdit
from clearance.core.extensions import db
from clearance.lists.state import ListState
from clearance.models import SavedView, User
from clearance.models.enums import Role

NAME_MAX_LENGTH = 80
MOST_VIEWS = 30


class TooManyViews(DomainError):
    """A person has as many views of a list as they may have."""

    message = _l("You have 30 views of this list. Remove one before you save another.")


@dataclass(frozen=True)
class View:
    """The properties of a view that its form shows."""

    name: str
    is_shared: bool = False


def may_share(actor: Actor) -> bool:
    """Return whether the actor may share views, and change shared ones."""
    return actor.role == Role.MANAGER


def may_change(view: SavedView, actor: Actor) -> bool:
    """Return whether the actor may change or remove a view."""
    return view.owner_id == actor.id or (view.is_shared and may_share(actor))


def save(actor: Actor, list_name: str, view: View, state: ListState, now: datetime) -> SavedView:
    """Save a list's state under a name; flushes.

    Raises: BadFields (name), TooManyViews, NotFound (sharing without the right to).
    """
    _require_right(actor, view)
    _lock_names(actor.id)
    own = sa.select(sa.func.count()).where(
        SavedView.owner_id == actor.id, SavedView.list_name == list_name
    )
    if (db.session.scalar(own) or 0) >= MOST_VIEWS:
        raise TooManyViews
    saved = SavedView(
        list_name=list_name,
        owner_id=actor.id,
        name=_free_name(view.name, actor.id, list_name),
        is_shared=view.is_shared,
        state=state.as_json(),
        created_at=now,
    )
    db.session.add(saved)
    db.session.flush()
    if saved.is_shared:
        audit.record("list:view:shared", obj=saved, actor_id=actor.id, at=now)
    return saved


def change(saved: SavedView, actor: Actor, view: View, now: datetime, *, version: int) -> None:
    """Rename a view, share it or stop sharing it; flushes.

    version: the view's as the actor saw it. Raises: BadFields (name), NotFound, StaleEdit.
    """
    _hold(saved, actor)
    _require_right(actor, view, before=saved.is_shared)
    before = View(saved.name, saved.is_shared)
    if saved.version != version:
        raise StaleEdit({"name": (before.name, view.name)}, saved.version)
    was_shared = saved.is_shared
    saved.name = _free_name(view.name, saved.owner_id, saved.list_name, except_id=saved.id)
    saved.is_shared = view.is_shared
    _changed(saved, actor, now, is_told=was_shared or saved.is_shared, before=before)


def copy_state(saved: SavedView, actor: Actor, state: ListState, now: datetime) -> None:
    """Let a view show what the actor's list shows now; flushes. Raises: NotFound."""
    _hold(saved, actor)
    saved.state = state.as_json()
    _changed(saved, actor, now, is_told=saved.is_shared, before=View(saved.name, saved.is_shared))


def remove(saved: SavedView, actor: Actor, now: datetime) -> None:
    """Remove a view; lists that open with it open as delivered. Flushes. Raises: NotFound."""
    _hold(saved, actor)
    if saved.is_shared:
        audit.record("list:view:removed", obj=saved, actor_id=actor.id, at=now)
    db.session.delete(saved)
    db.session.flush()


def _lock_names(owner_id: int) -> None:
    """Lock the owner's row, so that nobody else gives a view of theirs the same name."""
    db.session.execute(sa.select(User.id).where(User.id == owner_id).with_for_update())


def _hold(saved: SavedView, actor: Actor) -> None:
    _lock_names(saved.owner_id)
    db.session.refresh(saved, with_for_update=True)
    if not may_change(saved, actor):
        raise NotFound


def _require_right(actor: Actor, view: View, *, before: bool = False) -> None:
    if view.is_shared != before and not may_share(actor):
        raise NotFound


def _changed(saved: SavedView, actor: Actor, now: datetime, *, is_told: bool, before: View) -> None:
    saved.version += 1
    db.session.flush()
    if not is_told:
        return
    pairs = {"name": (before.name, saved.name), "is_shared": (before.is_shared, saved.is_shared)}
    changes = {name: list(pair) for name, pair in pairs.items() if pair[0] != pair[1]}
    audit.record("list:view:changed", obj=saved, actor_id=actor.id, at=now, changes=changes)


def _free_name(typed: str, owner_id: int, list_name: str, except_id: int = 0) -> str:
    name = values.clean_text(typed)
    if not name:
        raise BadFields({"name": _l("Enter a name for the view.")})
    if len(name) > NAME_MAX_LENGTH:
        raise BadFields({"name": _l("The name has at most 80 characters.")})
    taken = sa.select(SavedView.id).where(
        SavedView.owner_id == owner_id,
        SavedView.list_name == list_name,
        SavedView.name == name,
        SavedView.id != except_id,
    )
    if db.session.scalar(taken) is not None:
        raise BadFields({"name": _l("There is already a view with this name.")})
    return name
