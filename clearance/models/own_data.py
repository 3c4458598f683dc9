"""Personal data exports requested by users."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clearance.models import base
from clearance.models.base import Base


class DataCopy(Base):
    """An archive of the data held about a user; at most one per user.

    Asked for when there is no `made_at`; a worker then holds it by `lease` until `leased_until`.
    `scope` is the digest of what its owner might see when it was made: with other rights it is not
    given out. `expires_at` is when its file goes.
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
