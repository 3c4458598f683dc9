"""When periodic jobs last ran: written by the worker, read by the operator's commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from clearance.core.conditional_writes import insert_into
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.models import JobRun
from clearance.services.extension import Job

SLACK = timedelta(minutes=5)


def finished(job: Job, at: datetime, seconds: float) -> None:
    """Record that a run of the job ended well; in a transaction of its own."""
    with own_transaction() as connection:
        insert = insert_into(JobRun, connection.dialect.name)
        new = insert.excluded
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["name"],
                set_={"finished_at": new.finished_at, "milliseconds": new.milliseconds},
            ),
            {"name": job.name, "finished_at": at, "milliseconds": round(seconds * 1000)},
        )


def failed(job: Job, at: datetime) -> None:
    """Record that a run of the job raised; in a transaction of its own."""
    with own_transaction() as connection:
        insert = insert_into(JobRun, connection.dialect.name)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["name"], set_={"failed_at": insert.excluded.failed_at}
            ),
            {"name": job.name, "failed_at": at},
        )


def overdue(jobs: Iterable[Job], now: datetime) -> Iterator[tuple[Job, datetime | None]]:
    """Yield the jobs whose last finished run is older than two of their spans, and that run's end.

    None for a job that never finished.
    """
    rows = db.session.execute(sa.select(JobRun.name, JobRun.finished_at))
    ends = {name: finished_at for name, finished_at in rows}
    for job in jobs:
        end = ends.get(job.name)
        if end is None or now - end > 2 * timedelta(seconds=job.seconds) + SLACK:
            yield job, end
