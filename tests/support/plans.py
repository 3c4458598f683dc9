"""What a database plans for statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db
from tests.support.statements import READS, listening

Plan = list[str]
_SCAN = re.compile(r"^SCAN (\w+)|Seq Scan on \"?(\w+)")


def plan_of(statement: sa.Select[Any]) -> Plan:
    """Return the lines of the statement's plan."""
    compiled = statement.compile(db.engine, compile_kwargs={"literal_binds": True})
    return _explain(db.session.connection(), str(compiled).replace("%%", "%"), None)


@contextmanager
def planned(app: Flask) -> Iterator[list[tuple[str, Plan]]]:
    """Yield the list in which each query of the block is found with its plan, when it has ended."""
    sent: list[tuple[str, Any]] = []
    found: list[tuple[str, Plan]] = []
    with listening(app, READS, lambda *query: sent.append(query)):
        yield found
    with app.app_context():
        engine = db.engine
    with engine.connect() as connection:
        found += [(statement, _explain(connection, statement, given)) for statement, given in sent]


def scanned_tables(plan: Plan) -> set[str]:
    """Return the tables, by name or alias, that the plan reads from end to end.

    A full-text table is none: SQLite calls every look-up in it a scan.
    """
    found = (_SCAN.search(line) for line in plan)
    names = [match[1] or match[2] for match in found if match]
    return {re.sub(r"_[0-9]+$", "", name) for name in names if not name.endswith("_names")}


def _explain(connection: sa.Connection, statement: str, parameters: Any) -> Plan:
    """Explain a statement.

    PostgreSQL is told to avoid sequential scans: with the few rows of a test it would prefer them,
    so that no index serves where one is left.
    """
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [row[-1] for row in rows]
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
    return [row[0].strip() for row in rows]
