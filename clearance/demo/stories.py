"""Requests of the demo world, lived through by the use cases at their own times, in every state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count

from clearance import exam_results, exam_seating, exams, storage, workflow
from clearance.actor import Actor
from clearance.calendar import KUWAIT, kuwait_date
from clearance.demo import pictures
from clearance.demo.names import candidate
from clearance.demo.people import Cast
from clearance.exam_results import Result
from clearance.extensions import db
from clearance.models import Document, Exam, ExamSeat, Request
from clearance.procedures.flows import Action
from clearance.sessions import actor_of
from clearance.workflow import Decision, RemarkInput

SERVICE = "exam"
RETURN_REASON = "البيانات لا تطابق الوثائق المرفقة، يرجى تصحيحها."
REJECT_REASON = "لا تتوفر في مقدم الطلب الشروط المطلوبة للخدمة."
ADDRESS_REMARK = "يرجى كتابة العنوان كاملاً مع رقم القطعة والمنزل."
PHOTO_REMARK = "الصورة غير واضحة، يرجى تحميل صورة حديثة بخلفية بيضاء."


def play(cast: Cast, now: datetime) -> None:
    """Play every story up to `now`, committing after each step."""
    _Stage(cast, now).play()


@dataclass
class _Stage:
    """The actors of the stories and the running number of invented candidates."""

    cast: Cast
    now: datetime

    def __post_init__(self) -> None:
        self._people: Iterator[int] = count(1)
        self._keys: Iterator[int] = count(1)
        self._actors = {name: actor_of(user) for name, user in self.cast.users.items()}
        self._pictures = pictures.specimens()

    def play(self) -> None:
        """Past exam first, then what is under way, then what waits."""
        self._past_exam()
        self._ended_without_exam()
        self._coming_exam()
        self._in_the_office()
        self._drafts()

    def at(self, days: int, hour: int = 10) -> datetime:
        """The instant at `hour` Kuwait time, `days` from today (negative: ago)."""
        day = kuwait_date(self.now) + timedelta(days=days)
        return datetime.combine(day, time(hour), KUWAIT).astimezone(UTC)

    def _past_exam(self) -> None:
        agents = ("general", "additional", "general", "receiver", "receiver", "general")
        ready = [self._preapproved(name, -75 + place) for place, name in enumerate(agents)]
        exam = self._exam(-35, seats=6, confirm_by=-40, made=-60)
        self._announce(exam, -59)
        for req, name in zip(ready[:5], agents, strict=False):
            self._do(req, Action.CONFIRM, name, -50)
        exam_seating.close_overdue(self.at(-38))
        db.session.commit()
        self._results(exam, [Result.PASSED, Result.FAILED, Result.ABSENT, Result.PASSED])

    def _ended_without_exam(self) -> None:
        rejected = self._sent("general", -30)
        self._do(rejected, Action.REJECT, "reviewer2", -27, REJECT_REASON)
        withdrawn = self._sent("additional", -26)
        self._do(withdrawn, Action.WITHDRAW, "additional", -25)
        lapsed = self._sent("general", -110)
        self._do(lapsed, Action.RETURN, "reviewer", -105, RETURN_REASON)
        workflow.lapse_returned(self.at(-40))
        db.session.commit()

    def _coming_exam(self) -> None:
        agents = ("general", "additional", "receiver", "general")
        ready = [self._preapproved(name, -22 + place) for place, name in enumerate(agents)]
        exam = self._exam(16, seats=5, confirm_by=9, made=-8)
        self._announce(exam, -7)
        self._do(ready[1], Action.CONFIRM, "additional", -6)
        self._do(ready[2], Action.CONFIRM, "receiver", -5)
        for name in ("general", "receiver"):
            self._preapproved(name, -6)

    def _in_the_office(self) -> None:
        returned = self._sent("general", -9)
        remarks = (
            RemarkInput(ADDRESS_REMARK, field="address"),
            RemarkInput(PHOTO_REMARK, document_kind="photo"),
        )
        decision = Decision(remarks=remarks)
        self._do(returned, Action.RETURN, "reviewer", -6, RETURN_REASON, decision)
        for name, reviewer, days in (
            ("general", "reviewer", -13),
            ("additional", "reviewer", -4),
            ("receiver", "reviewer2", -3),
        ):
            req = self._sent(name, days)
            self._do(req, Action.TAKE, reviewer, days + 1)
        for name, days in (("general", -11), ("additional", -2), ("receiver", -1), ("general", -1)):
            self._sent(name, days)

    def _drafts(self) -> None:
        self._draft("general", -1, is_complete=False)
        self._draft("additional", 0, is_complete=True)

    def _draft(self, name: str, days: int, *, is_complete: bool = True) -> Request:
        actor, now = self._actors[name], min(self.at(days), self.now)
        person = candidate(next(self._people))
        req = workflow.start(SERVICE, actor, now, broker_type="private")
        values: dict[str, object] = {
            "nationality": "KW",
            "civil_id": person.civil_id,
            "civil_id_expiry": kuwait_date(self.now) + timedelta(days=800),
        }
        values |= {f"name_ar_{n}": text for n, text in enumerate(person.names_ar, 1)}
        values |= {f"name_en_{n}": text for n, text in enumerate(person.names_en, 1)}
        if is_complete:
            values |= {
                "mobile": person.mobile,
                "email": person.email,
                "address": person.address,
            }
        workflow.save(req, values, actor, now)
        if is_complete:
            self._attach(req, actor, now)
        db.session.commit()
        return req

    def _attach(self, req: Request, actor: Actor, now: datetime) -> None:
        for kind, (label, data) in self._pictures.items():
            stored = storage.put(data, "image/jpeg")
            document = Document(
                request_id=req.id,
                kind=kind,
                label=label,
                media_type="image/jpeg",
                size=stored.size,
                sha256=stored.sha256,
                storage_key=stored.key,
                uploaded_by_id=actor.id,
                uploaded_at=now,
            )
            storage.follow(document)
            db.session.add(document)
            req.organisation.stored_bytes += stored.size
        db.session.flush()

    def _sent(self, name: str, days: int) -> Request:
        req = self._draft(name, days)
        self._do(req, Action.SEND, name, days, hour=11)
        return req

    def _preapproved(self, name: str, days: int) -> Request:
        req = self._sent(name, days)
        self._do(req, Action.PREAPPROVE, "reviewer" if days % 2 else "reviewer2", days + 2)
        return req

    def _do(
        self,
        req: Request,
        action: Action,
        name: str,
        days: int,
        reason: str = "",
        decision: Decision | None = None,
        hour: int = 12,
    ) -> None:
        workflow.perform(
            req,
            action,
            actor=self._actors[name],
            now=min(self.at(days, hour), self.now),
            version=req.version,
            reason=reason,
            data=decision,
        )
        db.session.commit()

    def _exam(self, days: int, *, seats: int, confirm_by: int, made: int) -> Exam:
        plan = exams.Plan(
            held_at=self.at(days, 9),
            place_ar="مركز التدريب الجمركي، قاعة 2",
            place_en="Customs Training Centre, Hall 2",
            seats=seats,
            confirm_by=self._day(confirm_by),
        )
        key = f"demo-exam-{next(self._keys)}"
        exam = exams.make(plan, form_key=key, actor=self._actors["reviewer"], now=self.at(made))
        db.session.commit()
        return exam

    def _day(self, days: int) -> date:
        return kuwait_date(self.now) + timedelta(days=days)

    def _announce(self, exam: Exam, days: int) -> None:
        exam_seating.announce(exam.id, actor=self._actors["reviewer"], now=self.at(days, 13))
        db.session.commit()

    def _results(self, exam: Exam, results: list[Result]) -> None:
        seats = (
            db.session.query(ExamSeat)
            .filter_by(exam_id=exam.id, status="confirmed")
            .order_by(ExamSeat.id)
        )
        given = {seat.id: result for seat, result in zip(seats, results * 2, strict=False)}
        exam_results.record(exam.id, given, actor=self._actors["reviewer2"], now=self.at(-34, 12))
        db.session.commit()
