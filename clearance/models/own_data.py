"""Personal data exports requested by users."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clearance.models import base
from clearance.models.base import Base


class DataCopy(Base):
    """An archive of the data held about a user; at most one per user.

    Pending without `made_at`; a worker holds it by `lease` until `leased_until`. `scope` is the
    digest of what its owner could see then; it is not delivered if that changed. `expires_at` is
    when its file is deleted.
    """

    __tablename__ = "data_copy"
    __table_args__ = (sa.UniqueConstraint("user_id", name="uq_data_copy_user_id"),)

    id: Mapped[base.pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    asked_at: Mapped[base.instant]
    attempts: Mapped[int] = mapped_column(default=0)
    lease: Mapped[base.code | None]
    leased_until: Mapped[base.instant | None]
    scope: Mapped[base.digest | None]
    made_at: Mapped[base.instant | None]
    expires_at: Mapped[base.instant | None]
    storage_key: Mapped[base.short | None]
    size: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    sha256: Mapped[base.digest | None]
