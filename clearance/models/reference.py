"""Small office tables: holidays, settings, number counters."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clearance.models import base
from clearance.models.base import Base, Json


class Holiday(Base):
    """A Kuwait day on which the office does not work."""

    __tablename__ = "holiday"

    day: Mapped[date] = mapped_column(primary_key=True)
    name_ar: Mapped[base.name]
    name_en: Mapped[base.name]


class Setting(Base):
    """A value set in the panel; clearance/core/office_settings.py has kinds and defaults."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    value: Mapped[Any] = mapped_column(Json)
    version: Mapped[int] = mapped_column(default=1)


class ChangeStamp(Base):
    """A token that triggers replace at every change of a table; core/kept.py says what for."""

    __tablename__ = "change_stamp"

    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    token: Mapped[str] = mapped_column(sa.String(40))


class Counter(Base):
    """The last serial allocated for a prefix in a Kuwait year."""

    __tablename__ = "counter"

    prefix: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)
