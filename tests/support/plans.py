"""What a database plans for a statement."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from clearance.core.extensions import db


def plan_of(statement: sa.Select[Any]) -> list[str]:
    """Return the lines of the statement's plan.

    PostgreSQL is told to avoid sequential scans: with the few rows of a test it would prefer them,
    so that one that is left means that no index serves.
    """
    text = str(statement.compile(db.engine, compile_kwargs={"literal_binds": True}))
    if db.engine.dialect.name == "sqlite":
        return [
            row[-1] for row in db.session.execute(sa.text(f"EXPLAIN QUERY PLAN {_whole(text)}"))
        ]
    db.session.execute(sa.text("SET LOCAL enable_seqscan = off"))
    return [row[0].strip() for row in db.session.execute(sa.text(f"EXPLAIN {_whole(text)}"))]


def _whole(text: str) -> str:
    return text.replace(":", "\\:").replace("%%", "%")


def scanned(statement: sa.Select[Any]) -> list[str]:
    """Return the lines of the plan that read a whole table."""
    signs = ("SCAN ", "Seq Scan on ")
    return [
        line
        for line in plan_of(statement)
        if any(sign in line for sign in signs) and "VIRTUAL TABLE" not in line
    ]
