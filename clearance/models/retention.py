"""Legal holds, and what each run of the purge removed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clearance.models import base
from clearance.models.account import User
from clearance.models.base import Base
from clearance.models.request import Request

_IN_FORCE = sa.text("lifted_at IS NULL")
_SUBJECTS = ("request_id", "user_id", "civil_id")
_GIVEN = " + ".join(f"CASE WHEN {name} IS NULL THEN 0 ELSE 1 END" for name in _SUBJECTS)


class LegalHold(Base):
    """A request, account or civil number whose data the purge leaves alone, until lifted."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        sa.CheckConstraint(f"{_GIVEN} = 1", name="one_subject"),
        *(
            sa.Index(
                f"uq_legal_hold_{column}",
                column,
                unique=True,
                sqlite_where=_IN_FORCE,
                postgresql_where=_IN_FORCE,
            )
            for column in _SUBJECTS
        ),
    )

    id: Mapped[base.pk]
    request_id: Mapped[int | None] = mapped_column(sa.ForeignKey("request.id"))
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    civil_id: Mapped[base.civil | None]
    reason: Mapped[base.text]
    set_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    set_at: Mapped[base.instant]
    lifted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    lifted_at: Mapped[base.instant | None]
    lift_reason: Mapped[base.text] = mapped_column(default="")

    request: Mapped[Request | None] = relationship()
    user: Mapped[User | None] = relationship(foreign_keys=[user_id])
    set_by: Mapped[User] = relationship(foreign_keys=[set_by_id])
    lifted_by: Mapped[User | None] = relationship(foreign_keys=[lifted_by_id])


class Purge(Base):
    """One run of the purge that removed something.

    removed: kind → {"count", "days"} (days: the period then, None for what simply expires).
    held: kind → how many rows a legal hold kept.
    """

    __tablename__ = "purge"

    id: Mapped[base.pk]
    at: Mapped[base.instant]
    removed: Mapped[base.data]
    held: Mapped[base.data]

    @property
    def total(self) -> int:
        """How many rows and files were removed."""
        counts: list[dict[str, Any]] = list(self.removed.values())
        return sum(each["count"] for each in counts)
