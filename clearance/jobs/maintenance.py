"""Nightly maintenance: remove what is over, refresh the planner's statistics, and what joins in."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from clearance.auth import sealed_factors
from clearance.core import audit
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.jobs import retention

SAMPLED_ROWS = 1_000
"""Index entries that SQLite reads of each index for its statistics: the lock lasts a moment."""

_IS_OWNER = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'event'::regclass"

Step = Callable[[datetime], object]


def purge(now: datetime) -> str:
    """Remove what has expired. Returns how many rows in all. Commits by itself."""
    return f"{sum(retention.purge(now).values())} rows"


def refresh_statistics(now: datetime) -> str:
    """Let the database count what its tables and indexes hold. Commits by itself.

    Without statistics SQLite guesses which of several indexes finds fewer rows. It waits for the
    writer like any other write, and PostgreSQL reads samples beside all other work: for a role
    that does not own the tables by a function of deploy/postgresql-roles.sql.
    """
    with own_transaction() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA analysis_limit={SAMPLED_ROWS}")
            connection.execute(sa.text("ANALYZE"))
            return "done"
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        if connection.scalar(sa.text(_IS_OWNER)):
            connection.execute(sa.text("ANALYZE"))
        elif connection.scalar(sa.text("SELECT to_regprocedure('clearance_analyze()')")):
            connection.execute(sa.text("SELECT clearance_analyze()"))
        else:
            return "NOT done: run deploy/postgresql-roles.sql again"
    return "done"


def renew_secrets(_now: datetime) -> str:
    """Seal second factors under the present SECRET_KEY, so that an older one may go."""
    return f"{sealed_factors.renew()} sealed anew"


STEPS: dict[str, Step] = {
    "purge": purge,
    "secrets": renew_secrets,
    "statistics": refresh_statistics,
}
"""What is run, in this order, each in transactions of its own; others add theirs."""


def run(now: datetime) -> dict[str, str]:
    """Run all steps; return the result of each by its name. Recorded as an access event.

    A step that fails ends the run, and the job is tried again a minute later.
    """
    done = {}
    db.session.rollback()
    for name, step in STEPS.items():
        began = time.monotonic()
        result = step(now)
        done[name] = f"{result}, {time.monotonic() - began:.1f} s"
    detail = "; ".join(f"{name}: {result}" for name, result in done.items())
    audit.access("maintenance:run:done", result="done", detail=detail)
    return done
