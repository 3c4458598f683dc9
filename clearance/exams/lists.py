"""Read-only queries on a sitting: counts, candidates, final list."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.core.urls import exam_url
from clearance.exams.statuses import ExamStatus
from clearance.models import BrokerType, Exam, ExamSeat, Organisation, Request
from clearance.models.enums import SeatStatus
from clearance.models.names import NAME_COLUMNS, joined_name
from clearance.services.extension import Known

SHOWN_SEATS = 10
# The last day to confirm a request's seat.
CONFIRM_BY = (
    sa.select(Exam.confirm_by)
    .join(ExamSeat, ExamSeat.exam_id == Exam.id)
    .where(ExamSeat.request_id == Request.id, ExamSeat.status != SeatStatus.RELEASED)
    .correlate(Request)
    .limit(1)
    .scalar_subquery()
)


@dataclass(frozen=True)
class Counts:
    """Numbers of a sitting's candidates by state and result."""

    offered: int = 0
    confirmed: int = 0
    released: int = 0
    passed: int = 0
    failed: int = 0
    absent: int = 0

    @property
    def resolved(self) -> int:
        """Number of candidates with a result."""
        return self.passed + self.failed + self.absent

    @property
    def unresolved(self) -> int:
        """Number of confirmed candidates without a result."""
        return self.confirmed - self.resolved


def known_of(civil_id: str) -> list[Known]:
    """Return a person's seats, the latest sitting first, with their result or state."""
    rows = db.session.execute(
        sa.select(Exam.id, Exam.held_at, ExamSeat.status, ExamSeat.result)
        .join(ExamSeat, ExamSeat.exam_id == Exam.id)
        .join(Request, Request.id == ExamSeat.request_id)
        .where(Request.civil_id == civil_id, ExamSeat.status != SeatStatus.RELEASED)
        .order_by(Exam.held_at.desc(), ExamSeat.id.desc())
        .limit(SHOWN_SEATS)
    )
    states = {SeatStatus.OFFERED: ExamStatus.SEATED, SeatStatus.CONFIRMED: ExamStatus.CONFIRMED}
    return [
        Known(exam_url(exam_id), held_at, result or states[SeatStatus(status)])
        for exam_id, held_at, status, result in rows
    ]


def counts(exam_id: int) -> Counts:
    """Count the candidates of a sitting by state and result."""
    rows = db.session.execute(
        sa.select(ExamSeat.status, ExamSeat.result, sa.func.count())
        .where(ExamSeat.exam_id == exam_id)
        .group_by(ExamSeat.status, ExamSeat.result)
    )
    found: dict[str, int] = {}
    for status, result, number in rows:
        found[status] = found.get(status, 0) + number
        if result:
            found[result] = found.get(result, 0) + number
    return Counts(**found)


def seats_in(exam_id: Any, *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    """Return a subquery that counts a sitting's seats under the conditions."""
    counting = sa.select(sa.func.count()).select_from(ExamSeat)
    return counting.where(ExamSeat.exam_id == exam_id, *conditions).scalar_subquery()


def candidates(
    exam_id: int,
    *,
    statuses: Collection[str] = tuple(SeatStatus),
    without_result: bool = False,
    limit: int | None = None,
    offset: int = 0,
) -> list[Any]:
    """Return a sitting's candidates in the order of sending, as rows for lists."""
    statement = _statement(exam_id, statuses)
    if without_result:
        statement = statement.where(ExamSeat.result.is_(None))
    return list(db.session.execute(statement.limit(limit).offset(offset)))


def final_list(exam_id: int) -> list[Any]:
    """Return the confirmed candidates in the order of sending."""
    return candidates(exam_id, statuses=[SeatStatus.CONFIRMED])


def _statement(exam_id: int, statuses: Collection[str]) -> sa.Select[Any]:
    columns: list[Any] = [
        ExamSeat.id,
        ExamSeat.status,
        ExamSeat.offered_at,
        ExamSeat.confirmed_at,
        ExamSeat.result,
        Request.id.label("request_id"),
        Request.number,
        Request.civil_id,
        Request.mobile,
        Request.sent_at,
        *(getattr(Request, name) for name in NAME_COLUMNS),
        BrokerType.name_ar.label("broker_type_ar"),
        BrokerType.name_en.label("broker_type_en"),
        Organisation.name_ar.label("organisation_ar"),
        Organisation.name_en.label("organisation_en"),
    ]
    return (
        sa.select(*columns)
        .join(Request, Request.id == ExamSeat.request_id)
        .join(Organisation, Organisation.id == Request.organisation_id)
        .outerjoin(BrokerType, BrokerType.code == Request.broker_type)
        .where(ExamSeat.exam_id == exam_id, ExamSeat.status.in_(list(statuses)))
        .order_by(Request.sent_at, Request.id)
    )


def name_of(row: Any, lang: str) -> str:
    """Return the candidate's name in `lang`, else in the other language."""
    return joined_name(row, lang) or joined_name(row, "en" if lang == "ar" else "ar")
