"""Documents that the office issued: certificates, cards, letters."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clearance.models import base
from clearance.models.base import Base, Json


class IssuedDocument(Base):
    """One issued PDF with its check code; once per decision and kind."""

    __tablename__ = "issued_document"
    __table_args__ = (
        sa.UniqueConstraint("check_code", name="uq_issued_document_check_code"),
        sa.UniqueConstraint("request_id", "kind", name="uq_issued_document_once"),
    )

    id: Mapped[base.pk]
    request_id: Mapped[int | None] = mapped_column(sa.ForeignKey("request.id"))
    licence_id: Mapped[int | None] = mapped_column(sa.ForeignKey("licence.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    kind: Mapped[base.code]
    check_code: Mapped[base.code]
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    storage_key: Mapped[base.short | None]
    sha256: Mapped[base.digest | None]
    issued_at: Mapped[base.instant]
    voided_at: Mapped[base.instant | None]
    void_reason: Mapped[base.line] = mapped_column(default="")
