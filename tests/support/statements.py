"""The SQL statements that a piece of work sends to the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db

READS = ("SELECT", "WITH")


@contextmanager
def statements_of(app: Flask, beginning: str = "") -> Iterator[list[str]]:
    """The list in which each statement with that beginning is found when it is sent, in order."""
    sent: list[str] = []
    with listening(app, beginning, lambda statement, _params: sent.append(statement)):
        yield sent


@contextmanager
def listening(
    app: Flask, beginning: str | tuple[str, ...], note: Callable[[str, Any], object]
) -> Iterator[None]:
    """Call `note` with each statement with one of these beginnings, and with what is bound."""

    def hear(_connection: Any, _cursor: Any, statement: str, params: Any, *_rest: Any) -> None:
        if statement.startswith(beginning):
            note(statement, params)

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", hear)
    try:
        yield
    finally:
        sa.event.remove(engine, "before_cursor_execute", hear)
