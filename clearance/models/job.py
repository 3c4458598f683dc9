"""When background work last ran."""

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
