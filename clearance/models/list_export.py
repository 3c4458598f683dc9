"""Lists that a job writes into workbooks."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clearance.models import base
from clearance.models.base import Base, one_of
from clearance.models.enums import ExportStatus


class ListExport(Base):
    """A workbook of a long list, ordered by a person.

    list: the endpoint of its view. title: its name in both languages. query: search, filters and
    sorting as in the list's address; filters: the same in words. organisation_id: that which was
    chosen. scope: the digest of what the person could see; the file is neither made nor delivered
    if that changed. total: rows counted when it was ordered; written: rows so far. A worker holds
    it by `lease` until `leased_until`. expires_at: when the file is deleted.
    """

    __tablename__ = "list_export"
    __table_args__ = (
        one_of("status", ExportStatus),
        sa.Index("ix_list_export_user_id", "user_id"),
    )

    id: Mapped[base.pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"))
    list: Mapped[base.short]
    title: Mapped[base.data]
    query: Mapped[base.text]
    filters: Mapped[base.text]
    language: Mapped[base.code]
    scope: Mapped[base.digest]
    asked_at: Mapped[base.instant]
    total: Mapped[int]
    written: Mapped[int] = mapped_column(default=0)
    status: Mapped[base.code] = mapped_column(default=str(ExportStatus.WAITING))
    attempts: Mapped[int] = mapped_column(default=0)
    lease: Mapped[base.code | None]
    leased_until: Mapped[base.instant | None]
    expires_at: Mapped[base.instant | None]
    storage_key: Mapped[base.short | None]
    size: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    sha256: Mapped[base.digest | None]
