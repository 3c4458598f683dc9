"""Requests (طلب) and related records: documents, remarks, messages, notes, consents."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clearance.models import base
from clearance.models.account import Organisation, User
from clearance.models.base import Base, Json, one_of
from clearance.models.enums import Status
from clearance.models.names import PersonName
from clearance.models.register import Broker, Licence
from clearance.models.service import ServiceVersion

_UNDECIDED = sa.text("decided_at IS NULL")
_DECIDED = sa.text("decided_at IS NOT NULL")
_CLAIMS = sa.text("exclusive_key IS NOT NULL")
_TRANSFERS = sa.text("other_organisation_id IS NOT NULL")
_OF_GRID = sa.text("grid_key IS NOT NULL")
_AT_THE_OFFICE = sa.text("decided_at IS NULL AND (due_on IS NOT NULL OR team_code IS NOT NULL)")


class Request(PersonName, Base):
    """An application for a service; standard fields are columns, service-specific ones `answers`.

    `exclusive_key` is set while the request excludes others of its kind (one open request per
    licence, one open or passed exam per civil number); its uniqueness enforces that. `stage` is the
    one in which it is reviewed, or to which it returns once corrected; `team_code` the team whose
    turn it is; `approvals` has who approved which earlier stage, `first_approver_id` who approved
    the first of them. `late_told_for` is the due date whose passing the office was notified of,
    `deletion_told_at` when the owner of an unused draft was. `subject_seen` is the registered
    licence and broker at sending; `granted_expiry` the date the office granted.
    `other_organisation_id` is the other side of a transfer. `grid_key` is shared by requests begun
    together for several brokers. `handed_to_id` is the colleague responsible for it since its
    creator was disabled; creator and sender stay as they were. `moved` is what a draft's move to a
    later version changed, until its applicant saves it.
    """

    __tablename__ = "request"
    __table_args__ = (
        sa.UniqueConstraint("number", name="uq_request_number"),
        sa.UniqueConstraint("exclusive_key", name="uq_request_exclusive_key"),
        sa.UniqueConstraint("form_key", name="uq_request_form_key"),
        sa.CheckConstraint("(status = 'draft') = (number IS NULL)", name="number_when_sent"),
        sa.Index("ix_request_queue", "sent_at", "id"),
        sa.Index("ix_request_status_sent", "status", "sent_at", "id"),
        sa.Index("ix_request_reviewer_sent", "reviewer_id", "sent_at", "id"),
        sa.Index("ix_request_reviewer_status", "reviewer_id", "status", "sent_at", "id"),
        sa.Index("ix_request_organisation", "organisation_id", "created_at", "id"),
        sa.Index("ix_request_organisation_sent", "organisation_id", "sent_at", "id"),
        sa.Index("ix_request_organisation_status", "organisation_id", "status", "sent_at", "id"),
        sa.Index(
            "ix_request_organisation_service", "organisation_id", "service_code", "sent_at", "id"
        ),
        sa.Index("ix_request_service_sent", "service_code", "sent_at", "id"),
        sa.Index("ix_request_service_status", "service_code", "status", "sent_at", "id"),
        sa.Index("ix_request_civil_service", "civil_id", "service_code", "status"),
        sa.Index("ix_request_mobile", "mobile"),
        sa.Index("ix_request_licence", "licence_id", "status"),
        sa.Index("ix_request_claim", "licence_id", sqlite_where=_CLAIMS, postgresql_where=_CLAIMS),
        sa.Index("ix_request_due", "status", "due_on"),
        # For sorting by due date: those without one come after all others.
        sa.Index("ix_request_due_order", sa.text("coalesce(due_on, '9999-12-31')"), "id"),
        sa.Index(
            "ix_request_other_organisation",
            *("other_organisation_id", "sent_at", "id"),
            sqlite_where=_TRANSFERS,
            postgresql_where=_TRANSFERS,
        ),
        sa.Index(
            "ix_request_transfer",
            *("organisation_id", "sent_at", "id"),
            sqlite_where=_TRANSFERS,
            postgresql_where=_TRANSFERS,
        ),
        sa.Index(
            "ix_request_grid",
            "grid_key",
            sqlite_where=_OF_GRID,
            postgresql_where=_OF_GRID,
        ),
        # For the office's queues and figures: partial indexes with all columns they use.
        sa.Index(
            "ix_request_undecided",
            *("sent_at", "id", "status", "due_on", "reviewer_id", "service_code"),
            *("team_code", "stage"),
            sqlite_where=_UNDECIDED,
            postgresql_where=_UNDECIDED,
        ),
        sa.Index(
            "ix_request_at_office_reviewer",
            *("reviewer_id", "due_on", "sent_at", "id"),
            sqlite_where=_AT_THE_OFFICE,
            postgresql_where=_AT_THE_OFFICE,
        ),
        sa.Index(
            "ix_request_at_office_service",
            *("service_code", "sent_at"),
            sqlite_where=_AT_THE_OFFICE,
            postgresql_where=_AT_THE_OFFICE,
        ),
        sa.Index(
            "ix_request_decided",
            "decided_at",
            sqlite_where=_DECIDED,
            postgresql_where=_DECIDED,
        ),
    )

    id: Mapped[base.pk]
    service_code: Mapped[base.code] = mapped_column(sa.ForeignKey("service.code"))
    service_version_id: Mapped[int] = mapped_column(sa.ForeignKey("service_version.id"))
    number: Mapped[base.code | None]
    status: Mapped[base.code] = mapped_column(default=Status.DRAFT)
    stage: Mapped[base.code | None]
    team_code: Mapped[base.code | None] = mapped_column(sa.ForeignKey("team.code"))
    version: Mapped[int] = mapped_column(default=1)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    created_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    sender_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    handed_to_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    reviewer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    first_approver_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    approvals: Mapped[dict[str, int]] = mapped_column(Json, default=dict, server_default="{}")
    licence_id: Mapped[int | None] = mapped_column(sa.ForeignKey("licence.id"))
    broker_id: Mapped[int | None] = mapped_column(sa.ForeignKey("broker.id"))
    other_organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"))
    exclusive_key: Mapped[base.short | None]
    form_key: Mapped[base.digest | None]
    grid_key: Mapped[base.digest | None]

    broker_type: Mapped[base.code | None] = mapped_column(sa.ForeignKey("broker_type.code"))
    # A draft may have no names yet.
    name_ar_1: Mapped[base.short] = mapped_column(default="")
    name_en_1: Mapped[base.short] = mapped_column(default="")
    name_folded: Mapped[str] = mapped_column(sa.String(700), default="")
    nationality: Mapped[base.code | None]
    civil_id: Mapped[base.civil | None]
    civil_id_expiry: Mapped[date | None]
    passport_no: Mapped[base.code] = mapped_column(default="")
    passport_expiry: Mapped[date | None]
    licence_expiry: Mapped[date | None]
    guarantee_no: Mapped[base.short] = mapped_column(default="")
    guarantee_expiry: Mapped[date | None]
    mobile: Mapped[base.phone] = mapped_column(default="")
    email: Mapped[base.address] = mapped_column(default="")
    address: Mapped[base.line] = mapped_column(default="")
    answers: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    moved: Mapped[dict[str, Any] | None] = mapped_column(Json)
    subject_seen: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, server_default="{}")
    granted_expiry: Mapped[date | None]

    created_at: Mapped[base.instant]
    saved_at: Mapped[base.instant]
    sent_at: Mapped[base.instant | None]
    returned_at: Mapped[base.instant | None]
    decided_at: Mapped[base.instant | None]
    due_on: Mapped[date | None]
    late_told_for: Mapped[date | None]
    deletion_told_at: Mapped[base.instant | None]

    service_version: Mapped[ServiceVersion] = relationship()
    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])
    other_organisation: Mapped[Organisation | None] = relationship(
        foreign_keys=[other_organisation_id]
    )
    created_by: Mapped[User] = relationship(foreign_keys=[created_by_id])
    sender: Mapped[User | None] = relationship(foreign_keys=[sender_id])
    handed_to: Mapped[User | None] = relationship(foreign_keys=[handed_to_id])
    reviewer: Mapped[User | None] = relationship(foreign_keys=[reviewer_id])
    licence: Mapped[Licence | None] = relationship()
    broker: Mapped[Broker | None] = relationship()
    documents: Mapped[list[Document]] = relationship(
        back_populates="request", order_by="Document.id"
    )
    remarks: Mapped[list[Remark]] = relationship(order_by="Remark.id")


class Document(Base):
    """An uploaded file (وثيقة); the file storage holds its bytes."""

    __tablename__ = "document"

    id: Mapped[base.pk]
    request_id: Mapped[int] = mapped_column(sa.ForeignKey("request.id"), index=True)
    kind: Mapped[base.code] = mapped_column(sa.ForeignKey("document_kind.code"))
    label: Mapped[base.name]
    media_type: Mapped[base.code]
    size: Mapped[int]
    sha256: Mapped[base.digest]
    storage_key: Mapped[base.short]
    pages: Mapped[int] = mapped_column(default=1)
    uploaded_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), index=True)
    uploaded_at: Mapped[base.instant]
    is_locked: Mapped[bool] = mapped_column(default=False)

    request: Mapped[Request] = relationship(back_populates="documents")


class Remark(Base):
    """A remark on a field or document of a returned request; open until it is sent again.

    answer: why the applicant has nothing to change, if nothing was changed.
    """

    __tablename__ = "remark"
    __table_args__ = (
        sa.CheckConstraint("(field IS NULL) <> (document_kind IS NULL)", name="one_place"),
    )

    id: Mapped[base.pk]
    request_id: Mapped[int] = mapped_column(sa.ForeignKey("request.id"), index=True)
    field: Mapped[base.code | None]
    document_kind: Mapped[base.code | None]
    text: Mapped[base.text]
    answer: Mapped[base.text | None]
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    created_at: Mapped[base.instant]
    settled_at: Mapped[base.instant | None]


class Message(Base):
    """A line of the conversation between the office and the applicant."""

    __tablename__ = "message"

    id: Mapped[base.pk]
    request_id: Mapped[int] = mapped_column(sa.ForeignKey("request.id"), index=True)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    body: Mapped[base.text]
    created_at: Mapped[base.instant]

    author: Mapped[User] = relationship()


class InternalNote(Base):
    """An internal note of the office, never shown to the agent."""

    __tablename__ = "internal_note"

    id: Mapped[base.pk]
    request_id: Mapped[int] = mapped_column(sa.ForeignKey("request.id"), index=True)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    body: Mapped[base.text]
    created_at: Mapped[base.instant]

    author: Mapped[User] = relationship()


class TransferConsent(Base):
    """One of the three consents of a transfer: releasing and receiving office, and the broker."""

    __tablename__ = "transfer_consent"
    __table_args__ = (
        sa.UniqueConstraint("request_id", "party", name="uq_transfer_consent_party"),
        sa.UniqueConstraint("token_hash", name="uq_transfer_consent_token"),
        one_of("party", {"releasing", "receiving", "broker"}),
        one_of("answer", {"waiting", "given", "declined"}),
    )

    id: Mapped[base.pk]
    request_id: Mapped[int] = mapped_column(sa.ForeignKey("request.id"))
    party: Mapped[base.code]
    organisation_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("organisation.id"), index=True
    )
    answer: Mapped[base.code] = mapped_column(default="waiting")
    token_hash: Mapped[base.digest | None]
    answered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    asked_at: Mapped[base.instant]
    answered_at: Mapped[base.instant | None]
