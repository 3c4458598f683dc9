"""Two posts that cross: the second runs from beginning to end at a chosen instant of the first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from clearance.core.extensions import db

LONGEST = 20  # seconds; a rival that waits for a lock of the first one gives up after ten


class Instant(StrEnum):
    """When the first one is interrupted, once."""

    LOCK = "before its first lock"
    COMMIT = "after its first commit"
    ROLLBACK = "after its first rollback"


@contextmanager
def crossed(
    app: Flask, instant: Instant, rival: Callable[[], Any], *, table: str = ""
) -> Iterator[list[Any]]:
    """Let `rival` run in a thread of its own at that instant of this thread's work in the block.

    table: of whose rows the first lock counts; "" for any. Gives the list of what the rival
    returned: empty when the instant never came. On SQLite nobody comes in before a lock, which the
    writing transaction itself is.
    """
    me, came = threading.get_ident(), []

    def interrupt() -> None:
        if threading.get_ident() != me or came:
            return
        came.append(None)
        with ThreadPoolExecutor(1) as pool:
            came[0] = pool.submit(rival).result(LONGEST)

    def on_statement(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        is_lock = " FOR UPDATE" in statement or " FOR NO KEY UPDATE" in statement
        if is_lock and f"FROM {table}" in statement:
            interrupt()

    def on_end(session: Session) -> None:
        if not session.in_nested_transaction():
            interrupt()

    with app.app_context():
        engine = db.engine
    target, name, listener = {
        Instant.LOCK: (engine, "before_cursor_execute", on_statement),
        Instant.COMMIT: (Session, "after_commit", on_end),
        Instant.ROLLBACK: (Session, "after_rollback", on_end),
    }[instant]
    event.listen(target, name, listener)
    try:
        yield came
    finally:
        event.remove(target, name, listener)
