"""When background work last ran, and what is held."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clearance.models.base import Base, UtcDateTime


class JobRun(Base):
    """The last runs of a periodic job; it is judged by the age of `finished_at`.

    name: see `Job.name`. milliseconds: how long the last finished run took. failed_at: of the last
    run that raised.
    """

    __tablename__ = "job_run"

    name: Mapped[str] = mapped_column(sa.String(150), primary_key=True)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    milliseconds: Mapped[int | None]
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Hold(Base):
    """Work that the portal leaves undone for a while; clearance/core/holds.py says which.

    until: None for one that a person ends. why: for the operator, such as the name of a backup.
    """

    __tablename__ = "hold"

    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    why: Mapped[str] = mapped_column(sa.String(250))
