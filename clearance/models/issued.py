"""Documents that the office issued: certificates, cards, letters."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clearance.models import base
from clearance.models.base import Base, Json, one_of
from clearance.models.enums import IssuedKind
from clearance.models.register import Licence
from clearance.models.request import Request

_ONE_LIVING = sa.text("voided_at IS NULL AND kind <> 'letter'")
_UNMADE = sa.text("storage_key IS NULL")


class ReceiptKey(Base):
    """A public key that signed receipts of issued files; kept for good, so that they stay provable.

    kid: its name in the receipts. x, y: of its point, as in a JSON Web Key. withdrawn_at: since
    when its receipts prove nothing, as others may have it.
    """

    __tablename__ = "receipt_key"

    kid: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    x: Mapped[base.short]
    y: Mapped[base.short]
    since: Mapped[base.instant]
    withdrawn_at: Mapped[base.instant | None]


class IssuedDocument(Base):
    """An issued PDF with its check code; one per request, kind and name.

    A statement belongs to no licence; it has the `name` that its service's definition gives it, a
    number, and a title in both languages. `content` is all printed data as issued; the file is
    rendered from it later, and `storage_key` is None until then. `valid_until` is a Kuwait day,
    inclusive; None: no end. A licence has at most one unvoided certificate and one unvoided card.
    """

    __tablename__ = "issued_document"
    __table_args__ = (
        sa.UniqueConstraint("check_code", name="uq_issued_document_check_code"),
        sa.UniqueConstraint("number", name="uq_issued_document_number"),
        sa.UniqueConstraint("request_id", "kind", "name", name="uq_issued_document_once"),
        one_of("kind", IssuedKind),
        sa.Index(
            "uq_issued_document_one_living",
            "licence_id",
            "kind",
            unique=True,
            sqlite_where=_ONE_LIVING,
            postgresql_where=_ONE_LIVING,
        ),
        sa.Index("ix_issued_document_organisation", "organisation_id", "issued_at", "id"),
        sa.Index("ix_issued_document_issued", "issued_at", "id"),
        sa.Index("ix_issued_document_kind", "kind", "issued_at", "id"),
        sa.Index("ix_issued_document_sha256", "sha256"),
        sa.Index(
            "ix_issued_document_unmade",
            "id",
            sqlite_where=_UNMADE,
            postgresql_where=_UNMADE,
        ),
    )

    id: Mapped[base.pk]
    request_id: Mapped[int | None] = mapped_column(sa.ForeignKey("request.id"))
    licence_id: Mapped[int | None] = mapped_column(sa.ForeignKey("licence.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    kind: Mapped[base.code]
    name: Mapped[base.code] = mapped_column(default="")
    number: Mapped[base.code | None]
    title: Mapped[dict[str, str] | None] = mapped_column(Json)
    language: Mapped[base.code]
    check_code: Mapped[base.code]
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    storage_key: Mapped[base.short | None]
    sha256: Mapped[base.digest | None]
    issued_at: Mapped[base.instant]
    valid_until: Mapped[date | None]
    voided_at: Mapped[base.instant | None]
    void_reason: Mapped[base.text] = mapped_column(default="")

    request: Mapped[Request | None] = relationship()
    licence: Mapped[Licence | None] = relationship()
