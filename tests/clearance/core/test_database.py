"""Transactions: a GET cannot write, writers wait for each other, trails cannot be changed."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from clearance.core.database import own_transaction, shared_alias
from clearance.core.extensions import db
from clearance.models import Counter, User

pytestmark = pytest.mark.databases


def db_kind(app: Flask) -> str:
    with app.app_context():
        return db.engine.dialect.name


def test_get_cannot_write(app: Flask) -> None:
    with app.test_request_context("/", method="GET"):
        db.session.add(Counter(prefix="XX", year=26, last=1))
        with pytest.raises(DBAPIError, match=r"(?i)read-?only"):
            db.session.flush()
        db.session.rollback()


def test_post_writes_and_the_same_connections_read_again(app: Flask) -> None:
    with app.test_request_context("/", method="POST"):
        db.session.add(Counter(prefix="XX", year=26, last=1))
        db.session.commit()
    with app.test_request_context("/", method="GET"):
        assert db.session.get(Counter, ("XX", 26)).last == 1


def test_a_connection_that_wrote_cannot_write_in_a_get_and_then_writes_again(app: Flask) -> None:
    for year in (26, 27):
        with app.test_request_context("/", method="POST"):
            db.session.add(Counter(prefix="XX", year=year, last=1))
            db.session.commit()
        with app.test_request_context("/", method="GET"):
            db.session.add(Counter(prefix="XX", year=28, last=1))
            with pytest.raises(DBAPIError, match=r"(?i)read-?only"):
                db.session.flush()
            db.session.rollback()


def test_pages_that_only_read_leave_the_statements_of_their_connection_compiled(app: Flask) -> None:
    if db_kind(app) != "sqlite":
        return  # which has one setting for each transaction
    seen: list[str] = []
    with app.test_request_context("/", method="GET"):
        driver: Any = db.session.connection().connection.driver_connection
        driver.set_trace_callback(seen.append)
        db.session.rollback()
    with app.test_request_context("/", method="GET"):
        db.session.execute(sa.select(Counter)).all()
    driver.set_trace_callback(None)
    assert "BEGIN" in seen
    assert not [text for text in seen if "query_only" in text]


def test_own_transaction_writes_even_in_a_get_and_outlives_its_rollback(app: Flask) -> None:
    with app.test_request_context("/", method="GET"):
        db.session.execute(sa.select(Counter)).all()
        with own_transaction() as connection:
            connection.execute(sa.insert(Counter).values(prefix="YY", year=26, last=5))
        db.session.rollback()
    with app.app_context():
        assert db.session.get(Counter, ("YY", 26)).last == 5


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_thread_that_would_wait_for_itself_is_told_at_once(app: Flask, method: str) -> None:
    if db_kind(app) != "sqlite":
        return  # PostgreSQL has a writer for each connection
    with app.test_request_context("/", method=method):
        db.session.execute(sa.select(Counter)).all()
        with pytest.raises(RuntimeError, match="writes already"), own_transaction():
            raise AssertionError("it must not begin")
        db.session.rollback()
        with own_transaction() as connection:
            connection.execute(sa.insert(Counter).values(prefix="YY", year=26, last=5))
        assert db.session.get(Counter, ("YY", 26)) is not None


def test_parallel_writers_lose_nothing(app: Flask) -> None:
    with app.app_context():
        db.session.add(Counter(prefix="ZZ", year=26, last=0))
        db.session.commit()

    def raise_once(_: int) -> None:
        with app.app_context():
            counter = db.session.execute(
                sa.select(Counter).where(Counter.prefix == "ZZ").with_for_update()
            ).scalar_one()
            counter.last += 1
            db.session.commit()
            db.session.remove()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(raise_once, range(80)))
    with app.app_context():
        assert db.session.get(Counter, ("ZZ", 26)).last == 80


def test_threads_that_use_a_shared_alias_first_at_once_all_select_from_it(
    context: Flask,
) -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            for _attempt in range(100):
                alias, together = shared_alias(User), Barrier(4)

                def selected(_number: int, alias: Any = alias, together: Any = together) -> str:
                    together.wait()
                    return str(sa.select(alias.first_name, alias.last_name))

                (text,) = set(pool.map(selected, range(4)))
                assert text.count("user") == text.count("user_1") + 1
    finally:
        sys.setswitchinterval(before)
