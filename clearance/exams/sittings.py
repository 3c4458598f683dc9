"""Exam sittings: creation, changes, phases and public announcement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.clock import KUWAIT, kuwait_date
from clearance.core.errors import (
    BadFields,
    DomainError,
    NotFound,
    PermissionDenied,
    Refusal,
    Refused,
)
from clearance.core.extensions import db
from clearance.core.i18n import format_day
from clearance.exams import notifications as exam_notices
from clearance.models import Announcement, Exam, ExamSeat
from clearance.models.enums import Labelled, SeatStatus

SEATS_MAX = 500  # all are seated, and given results, in one transaction of a few seconds


class Phase(Labelled):
    """Phase of a sitting."""

    PLANNED = "planned", _l("Not announced yet")
    CONFIRMING = "confirming", _l("Confirmations open"), "info"
    CLOSED = "closed", _l("Confirmations closed"), "success"
    HELD = "held", _l("Waiting for results"), "warning"
    FINISHED = "finished", _l("Finished")


@dataclass(frozen=True)
class Plan:
    """Editable data of a sitting. held_at: aware; confirm_by: last Kuwait day, inclusive."""

    held_at: datetime
    place_ar: str
    place_en: str
    seats: int
    confirm_by: date


class BadPlan(BadFields):
    """The plan breaks a rule. faults: field of `Plan` → lazy text."""


class StalePlan(DomainError):
    """The sitting changed meanwhile. stored, version: its current plan and version."""

    message = _l(
        "Someone else, or you in another tab, changed this exam in the meantime. Compare "
        "the values and save again."
    )

    def __init__(self, stored: Plan, version: int) -> None:
        super().__init__()
        self.stored = stored
        self.version = version


def can_read(actor: Actor) -> bool:
    """Return whether `actor` sees sittings, candidates and results."""
    return actor.is_reviewer or actor.is_manager


def can_run(actor: Actor) -> bool:
    """Return whether `actor` may create and announce sittings and record results."""
    return actor.is_reviewer


def plan_of(exam: Exam) -> Plan:
    """Return the current plan of `exam`."""
    return Plan(**{field.name: getattr(exam, field.name) for field in fields(Plan)})


def find(exam_id: int) -> Exam:
    """Return the sitting, reloaded as seats are counted in SQL. Raises: NotFound."""
    exam = db.session.get(Exam, exam_id, populate_existing=True)
    if exam is None:
        raise NotFound
    return exam


def faults(plan: Plan, now: datetime, *, current: Exam | None = None) -> dict[str, Any]:
    """Return what is wrong with `plan`: field → lazy text.

    current: the sitting to change; its `confirm_by` may stay in the past.
    Source: specification section 7.
    """
    today = kuwait_date(now)
    found: dict[str, Any] = {}
    if plan.held_at <= now:
        found["held_at"] = _l("The exam must be in the future. Enter a later date or time.")
    is_new_day = current is None or plan.confirm_by != current.confirm_by
    if plan.confirm_by >= kuwait_date(plan.held_at):
        found["confirm_by"] = _l("The last day to confirm must be before the exam day.")
    elif is_new_day and plan.confirm_by < today:
        found["confirm_by"] = _l("The last day to confirm has passed. Enter today or a later day.")
    for name in ("place_ar", "place_en"):
        if not getattr(plan, name).strip():
            found[name] = _l("Enter where the exam takes place.")
    taken = current.seats_taken if current is not None else 0
    if not 1 <= plan.seats <= SEATS_MAX:
        found["seats"] = _l("Enter a number of seats from 1 to %(most)d.", most=SEATS_MAX)
    elif plan.seats < taken:
        found["seats"] = _l(
            "%(taken)d seats are already taken, so the number cannot be lower.", taken=taken
        )
    return found


def make(plan: Plan, *, actor: Actor, now: datetime) -> Exam:
    """Create a sitting, not announced yet. Flushes. Raises: PermissionDenied, BadPlan."""
    must_run(actor)
    _must_fit(faults(plan, now))
    exam = Exam(**asdict(plan), created_by_id=actor.id, created_at=now)
    db.session.add(exam)
    db.session.flush()
    changes = {name: [None, audit.as_json(value)] for name, value in asdict(plan).items()}
    audit.record("exam:sitting:created", obj=exam, actor_id=actor.id, at=now, changes=changes)
    return exam


def change(exam_id: int, plan: Plan, *, version: int, actor: Actor, now: datetime) -> Exam:
    """Change a sitting not yet held; flushes. Notifies those seated of new dates or places.

    version: as the actor saw it. A new last day that has not passed reopens confirmations.
    Raises: NotFound, PermissionDenied, Refused (held already), StalePlan, BadPlan.
    """
    must_run(actor)
    exam = lock(exam_id)
    refusal = change_refusal(exam, now)
    if refusal is not None:
        raise Refused(refusal)
    before = plan_of(exam)
    if exam.version != version:
        raise StalePlan(before, exam.version)
    _must_fit(faults(plan, now, current=exam))
    changes = {
        name: [audit.as_json(old), audit.as_json(getattr(plan, name))]
        for name, old in asdict(before).items()
        if old != getattr(plan, name)
    }
    if not changes:
        return exam
    for name in changes:
        setattr(exam, name, getattr(plan, name))
    exam.version += 1
    if "confirm_by" in changes and plan.confirm_by >= kuwait_date(now):
        _reopen(exam)
    audit.record("exam:sitting:changed", obj=exam, actor_id=actor.id, at=now, changes=changes)
    if exam.announced_at is not None:
        write_announcement(exam, now)
        if is_new_appointment(before, plan):
            exam_notices.tell_seated(exam, now)
    return exam


def is_new_appointment(before: Plan, after: Plan) -> bool:
    """Return whether candidates must be notified: more than the number of seats changed."""
    return replace(before, seats=after.seats) != after


def change_refusal(exam: Exam, now: datetime) -> Refusal | None:
    """Return why the sitting may not be changed any more, or None."""
    if now < exam.held_at:
        return None
    return Refusal(_l("This exam has taken place and can no longer be changed."))


def is_closed(exam: Exam, now: datetime) -> bool:
    """Return whether the last day to confirm has passed."""
    return kuwait_date(now) > exam.confirm_by


def is_final(exam: Exam, now: datetime) -> bool:
    """Return whether the list of candidates is final."""
    is_begun = exam.announced_at is not None or exam.seats_taken > 0
    return is_begun and is_closed(exam, now)


def phase(exam: Any, now: datetime, *, unresolved: int) -> Phase:
    """Return the phase. unresolved: number of confirmed candidates without a result.

    exam: an Exam, or a row with its columns.
    """
    if now >= exam.held_at:
        return Phase.HELD if unresolved else Phase.FINISHED
    if exam.announced_at is None:
        return Phase.PLANNED
    return Phase.CLOSED if is_closed(exam, now) else Phase.CONFIRMING


def lock(exam_id: int) -> Exam:
    """Lock the sitting until the transaction ends; return it reloaded. Raises: NotFound."""
    exam = db.session.scalar(
        sa.select(Exam)
        .where(Exam.id == exam_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if exam is None:
        raise NotFound
    return exam


def must_run(actor: Actor) -> None:
    """Require that `actor` may run sittings. Raises: PermissionDenied."""
    if not can_run(actor):
        raise PermissionDenied(_l("Only reviewers can do this."))


def _must_fit(found: Mapping[str, Any]) -> None:
    if found:
        raise BadPlan(found)


def _reopen(exam: Exam) -> None:
    exam.final_at = None
    db.session.execute(
        sa.update(ExamSeat)
        .where(ExamSeat.exam_id == exam.id, ExamSeat.status == SeatStatus.OFFERED)
        .values(reminded_at=None)
    )


def write_announcement(exam: Exam, now: datetime) -> Announcement:
    """Create or update the sitting's public announcement; flushes."""
    announced = sa.select(Announcement).where(Announcement.exam_id == exam.id)
    row = db.session.scalar(announced.with_for_update())  # the office may delete it meanwhile
    if row is None:
        row = Announcement(exam_id=exam.id, published_at=now)
        db.session.add(row)
    for lang in ("ar", "en"):
        title, body = _wording(exam, lang)
        setattr(row, f"title_{lang}", title)
        setattr(row, f"body_{lang}", body)
    row.ends_at = exam.held_at
    db.session.flush()
    return row


def _wording(exam: Exam, lang: str) -> tuple[str, str]:
    held_at = exam.held_at.astimezone(KUWAIT)
    values = {
        "date": format_day(held_at.date()),
        "time": held_at.strftime("%H:%M"),
        "place": exam.place_in(lang),
        "confirm_by": format_day(exam.confirm_by),
    }
    with force_locale(lang):
        title = _("Announcement of the exam on %(date)s", **values)
        body = _(
            "The exam takes place on %(date)s at %(time)s, at: %(place)s. Candidates who "
            "were offered a seat confirm their attendance on the request page by "
            "%(confirm_by)s. The others are offered a seat in a later exam.",
            **values,
        )
    return title, body
