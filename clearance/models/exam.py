"""Exam sittings and the seats in them."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clearance.models import base
from clearance.models.base import Base, one_of
from clearance.models.enums import SeatStatus
from clearance.models.request import Request


class Exam(Base):
    """An exam sitting. confirm_by: last Kuwait day to confirm, inclusive."""

    __tablename__ = "exam"
    __table_args__ = (
        sa.CheckConstraint("seats > 0", name="seats"),
        sa.CheckConstraint("seats_taken BETWEEN 0 AND seats", name="never_oversold"),
    )

    id: Mapped[base.pk]
    held_at: Mapped[base.instant] = mapped_column(index=True)
    place_ar: Mapped[base.line]
    place_en: Mapped[base.line]
    seats: Mapped[int]
    seats_taken: Mapped[int] = mapped_column(default=0)
    confirm_by: Mapped[date]
    announced_at: Mapped[base.instant | None]
    final_at: Mapped[base.instant | None]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    created_at: Mapped[base.instant]
    version: Mapped[int] = mapped_column(default=1)

    places: Mapped[list[ExamSeat]] = relationship(back_populates="exam", order_by="ExamSeat.id")

    def place_in(self, lang: str) -> str:
        """Place of the exam in `lang` ("ar" or "en")."""
        return self.place_ar if lang == "ar" else self.place_en


class ExamSeat(Base):
    """A candidate's seat in a sitting; a released one stays as history."""

    __tablename__ = "exam_seat"
    __table_args__ = (
        sa.UniqueConstraint("exam_id", "request_id", name="uq_exam_seat_request"),
        one_of("status", SeatStatus),
        sa.CheckConstraint("result IN ('passed', 'failed', 'absent')", name="result"),
        sa.Index("ix_exam_seat_request", "request_id"),
    )

    id: Mapped[base.pk]
    exam_id: Mapped[int] = mapped_column(sa.ForeignKey("exam.id"))
    request_id: Mapped[int] = mapped_column(sa.ForeignKey("request.id"))
    status: Mapped[base.code] = mapped_column(default=SeatStatus.OFFERED)
    offered_at: Mapped[base.instant]
    reminded_at: Mapped[base.instant | None]
    confirmed_at: Mapped[base.instant | None]
    result: Mapped[base.code | None]
    result_at: Mapped[base.instant | None]

    exam: Mapped[Exam] = relationship(back_populates="places")
    request: Mapped[Request] = relationship()
