"""What this process keeps of the office's settings, services and teams until one of them changes.

Triggers give every change a new random token (`ChangeStamp`), so nothing old is used, whichever
process or person wrote the change. A GET reads the tokens together with its session; what writes
reads them in its own transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from flask import Flask, current_app, g, has_app_context, has_request_context
from sqlalchemy import event
from sqlalchemy.orm import Session

from clearance.core.extensions import db
from clearance.core.request_kind import is_posted
from clearance.models import ChangeStamp

BLANK: Any = sa.literal_column("' '")
"""A separator that is part of the statement's text: a bound one is put in at each execution."""

STAMP = sa.select(sa.func.aggregate_strings(ChangeStamp.token, BLANK)).scalar_subquery()
"""The tokens of all watched tables in one text; NULL where nothing is watched."""

_READ = sa.select(STAMP)
_T = TypeVar("_T")


def until_changed(name: str, read: Callable[[], _T]) -> _T:
    """Return `read()`, whose result is kept as `name` until a watched table changes.

    What is kept is shared by all threads, so nobody may change it.
    """
    stamp = _stamp()
    if stamp is None:
        return read()
    store: dict[str, tuple[str, Any]] = current_app.extensions["kept"]
    found = store.get(name)
    if found is None or found[0] != stamp:
        found = store[name] = (stamp, read())
    return cast(_T, found[1])


def init_app(app: Flask) -> None:
    """Keep nothing yet, and read the stamp again after a rollback."""
    app.extensions["kept"] = {}
    if not event.contains(Session, "after_soft_rollback", _after_rollback):
        event.listen(Session, "after_soft_rollback", _after_rollback)


def remember(stamp: str | None) -> None:
    """Use a stamp that was read with the session, unless this request may write."""
    if stamp is not None and has_request_context() and not is_posted():
        g.change_stamp = stamp


def forget() -> None:
    """Read the stamp again, because this transaction changed a watched table."""
    g.pop("change_stamp", None)


def _after_rollback(_session: Session, _transaction: Any) -> None:
    if has_app_context():
        forget()


def _stamp() -> str | None:
    if not has_request_context():
        return cast("str | None", db.session.scalar(_READ))
    if "change_stamp" not in g:
        g.change_stamp = db.session.scalar(_READ)
    return cast("str | None", g.change_stamp)
