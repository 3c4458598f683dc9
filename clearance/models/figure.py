"""Summaries for the dashboard, filled by one job; see clearance/figures."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clearance.models import base
from clearance.models.base import Base, Json


class Figure(Base):
    """One number of one period, or of the present; written by figures/summaries.py alone.

    span, start: the period and its first Kuwait day. dimension, key: what it is about, such as a
    service and its code. measure, value: what was counted, such as decisions and their status.
    """

    __tablename__ = "figure"

    span: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    dimension: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    start: Mapped[date] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(100), primary_key=True)
    measure: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    value: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    number: Mapped[int]


class FigureState(Base):
    """The one row that says how far the summaries are.

    complete_through: the last Kuwait day whose figures are final; None to begin anew. made_at: the
    time that all figures are of. holidays: the past ones that durations were counted with, in ISO
    format. reported: the last day of the week that managers were last sent.
    """

    __tablename__ = "figure_state"
    __table_args__ = (sa.CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    complete_through: Mapped[date | None]
    made_at: Mapped[base.instant | None]
    holidays: Mapped[list[str]] = mapped_column(Json, default=list)
    reported: Mapped[date | None]
