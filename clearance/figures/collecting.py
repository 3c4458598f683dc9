"""Count what happened on one Kuwait day, from requests and their events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from clearance.core import reasons
from clearance.core.clock import kuwait_date, kuwait_midnight, working_days_taken
from clearance.core.extensions import db
from clearance.figures.measures import (
    OTHER,
    Dimension,
    Measure,
    Tally,
    Timing,
    office_decisions,
    reviewing,
)
from clearance.models import Event, Request
from clearance.models.enums import Status
from clearance.requests import deadlines
from clearance.requests.timeline import STAGE, kind_of
from clearance.services import versions
from clearance.services.flows import Action
from clearance.services.schema import Definition

_REASON = sa.case((Event.to_status == Status.REJECTED, Event.reason), else_="")
_RETURN, _PASS_ON = kind_of(Action.RETURN), kind_of(Action.APPROVE_STAGE)


@dataclass(frozen=True)
class _Entry:
    """An event that gave a request its status. left, entered: stages before and after."""

    id: int
    at: datetime
    status: str
    left: str | None
    entered: str | None
    reason: str


@dataclass
class Collector:
    """Counts days. holidays: of the office. Definitions, which never change, are kept."""

    holidays: AbstractSet[date]
    _definitions: dict[int, Definition] = field(default_factory=dict)

    def day(self, day: date) -> Tally:
        """Return everything that is counted of `day`."""
        tally, bounds = Tally(), (kuwait_midnight(day), kuwait_midnight(day + timedelta(days=1)))
        self._count_received(tally, *bounds)
        self._count_ended(tally, *bounds)
        self._count_answers(tally, *bounds)
        return tally

    def _count_received(self, tally: Tally, first: datetime, end: datetime) -> None:
        rows = db.session.execute(
            sa.select(Request.service_code, sa.func.count())
            .where(Request.sent_at >= first, Request.sent_at < end)
            .group_by(Request.service_code)
        )
        for code, number in rows:
            tally.count([(Dimension.SERVICE, code)], Measure.RECEIVED, number=number)

    def _count_ended(self, tally: Tally, first: datetime, end: datetime) -> None:
        ended = sa.and_(Request.decided_at >= first, Request.decided_at < end)
        courses = _courses(ended)
        rows = db.session.execute(
            sa.select(
                Request.id,
                Request.service_code,
                Request.service_version_id,
                Request.status,
                Request.sent_at,
                Request.decided_at,
                Request.reviewer_id,
            ).where(ended, Request.sent_at.is_not(None))
        ).all()
        decisions = office_decisions()
        for row in rows:
            if row.status in decisions:
                self._count_decision(tally, row, courses.get(row.id, []))
            else:
                tally.count(_service(row), Measure.CLOSED, row.status)

    def _count_decision(self, tally: Tally, row: Any, course: list[_Entry]) -> None:
        service = self._definition(row.service_version_id)
        final = course[-1] if course and course[-1].status == row.status else None
        before = course[:-1] if final is not None else course
        of_stage = _stage(row, service, final.left if final is not None else None)
        about = [*_service(row), *reviewing(row.service_code, row.reviewer_id)]
        tally.count(about, Measure.DECIDED, row.status)
        tally.count_in(of_stage, Measure.DECIDED, row.status)
        if final is not None and final.reason:
            tally.count(_service(row), Measure.REJECTED_FOR, _reason(final.reason))
        pauses = deadlines.pauses(service, _steps(before))
        took = working_days_taken(row.sent_at, row.decided_at, pauses, self.holidays)
        tally.count(about, Measure.TOOK, took)
        timing = self._timing(row, service, before, row.decided_at)
        if timing is not None:
            tally.count(about, Measure.TIMED, timing)
        self._count_stage(tally, of_stage, row, service, before, row.decided_at)

    def _count_stage(
        self,
        tally: Tally,
        of_stage: list[tuple[Dimension, Any]],
        row: Any,
        service: Definition,
        before: list[_Entry],
        at: datetime,
    ) -> None:
        """Count the time in the stage that a request left at `at`."""
        if not before or not of_stage:
            return
        steps = _steps(before)
        pauses, entered = deadlines.pauses(service, steps), deadlines.stage_entered(steps)
        within = [(begun, end) for begun, end in pauses if end is None or end > entered]
        took = working_days_taken(entered, at, within, self.holidays)
        tally.count_in(of_stage, Measure.TOOK, took)
        timing = self._timing(row, service, before, at)
        if timing is not None:
            tally.count_in(of_stage, Measure.TIMED, timing)

    def _timing(
        self, row: Any, service: Definition, before: list[_Entry], at: datetime
    ) -> Timing | None:
        """Return whether a step at `at` came in time; None without a due date."""
        if not before:
            return None
        due = deadlines.due_after(service, row.sent_at, _steps(before), self.holidays)
        if due is None:
            return None
        return Timing.IN_TIME if kuwait_date(at) <= due else Timing.LATE

    def _count_answers(self, tally: Tally, first: datetime, end: datetime) -> None:
        """Count the steps of the office that leave a request open."""
        rows = db.session.execute(
            sa.select(
                Event.id,
                Event.at,
                Event.kind,
                Event.actor_id,
                Event.reason,
                Event.changes,
                Event.request_id,
                Request.service_code,
                Request.service_version_id,
                Request.sent_at,
            )
            .join(Request, Request.id == Event.request_id)
            .where(Event.kind.in_([_RETURN, _PASS_ON]), Event.at >= first, Event.at < end)
        ).all()
        passed = [row.request_id for row in rows if row.kind == _PASS_ON]
        courses = _courses(Request.id.in_(passed)) if passed else {}
        for row in rows:
            service = self._definition(row.service_version_id)
            of_stage = _stage(row, service, _stages(row.changes)[0])
            reviewer = reviewing(row.service_code, row.actor_id)
            if row.kind == _RETURN:
                tally.count([*_service(row), *reviewer, *of_stage], Measure.RETURNED)
                tally.count(_service(row), Measure.RETURNED_FOR, _reason(row.reason))
            else:
                tally.count_in([*reviewer, *of_stage], Measure.PASSED_ON)
                before = [event for event in courses[row.request_id] if event.id < row.id]
                self._count_stage(tally, of_stage, row, service, before, row.at)

    def _definition(self, version_id: int) -> Definition:
        if version_id not in self._definitions:
            self._definitions[version_id] = versions.get(version_id)
        return self._definitions[version_id]


def _courses(condition: sa.ColumnElement[bool]) -> dict[int, list[_Entry]]:
    """Return the events with a status of the requests that meet `condition`, oldest first."""
    found: dict[int, list[_Entry]] = defaultdict(list)
    rows = db.session.execute(
        sa.select(Event.request_id, Event.id, Event.at, Event.to_status, Event.changes, _REASON)
        .join(Request, Request.id == Event.request_id)
        .where(condition, Event.to_status.is_not(None))
        .order_by(Event.request_id, Event.id)
    )
    for request_id, event_id, at, status, changes, reason in rows:
        left, entered = _stages(changes)
        found[request_id].append(_Entry(event_id, at, status, left, entered, reason))
    return found


def _stages(changes: Any) -> tuple[str | None, str | None]:
    left, entered = (changes or {}).get(STAGE, (None, None))
    return left, entered


def _steps(course: Iterable[_Entry]) -> list[tuple[datetime, str | None, str | None]]:
    return [(entry.at, entry.status, entry.entered) for entry in course]


def _service(row: Any) -> list[tuple[Dimension, Any]]:
    return [(Dimension.SERVICE, row.service_code)]


def _stage(row: Any, service: Definition, name: str | None) -> list[tuple[Dimension, Any]]:
    """Return stage and team of a step taken in the stage called `name`; [] if there is none."""
    if name is None:
        return []
    stage = service.stage(name)
    team = None if stage is None else stage.team
    return [(Dimension.STAGE, f"{row.service_code}.{name}"), (Dimension.TEAM, team)]


def _reason(stored: str) -> str:
    ready = reasons.ready_id(stored)
    return OTHER if ready is None else str(ready)
