"""Services and versions of their definitions, document kinds, subscriptions, ready reasons."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clearance.models import base
from clearance.models.account import User
from clearance.models.base import Base, Json, one_of
from clearance.models.enums import ReasonFor, SubscriptionStatus


class Service(Base):
    """A service the portal offers; its newest version defines its form and effects.

    position: in the office's order. is_active: false for an archived one. stopped_on: the first
    Kuwait day on which it is stopped; resumes_on: the first on which it no longer is, None for no
    end. stop_notice: what its card says meanwhile, by language. pilot_until: the last day on which
    it is offered to the organisations of its pilot although it is stopped.
    """

    __tablename__ = "service"
    __table_args__ = (sa.UniqueConstraint("prefix", name="uq_service_prefix"),)

    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    prefix: Mapped[base.code]
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)
    stopped_on: Mapped[date | None]
    resumes_on: Mapped[date | None]
    stop_notice: Mapped[dict[str, Any] | None] = mapped_column(Json)
    pilot_until: Mapped[date | None]


class ServicePilot(Base):
    """An organisation to which a stopped service is offered until `Service.pilot_until`."""

    __tablename__ = "service_pilot"

    service_code: Mapped[str] = mapped_column(
        sa.String(40), sa.ForeignKey("service.code"), primary_key=True
    )
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), primary_key=True)


class ServiceVersion(Base):
    """A published definition; immutable, and kept by the requests that were sent with it.

    is_text_revision: it differs from the version before in words alone. drafts_move_on: the Kuwait
    day from which drafts of earlier versions move to it; None if they stay.
    """

    __tablename__ = "service_version"
    __table_args__ = (
        sa.UniqueConstraint("service_code", "number", name="uq_service_version_number"),
    )

    id: Mapped[base.pk]
    service_code: Mapped[base.code] = mapped_column(sa.ForeignKey("service.code"))
    number: Mapped[int]
    definition: Mapped[dict[str, Any]] = mapped_column(Json)
    published_at: Mapped[base.instant]
    published_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    is_text_revision: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    drafts_move_on: Mapped[date | None]


class ServiceDraft(Base):
    """A definition that is being changed, one per service; not valid until it is published.

    `base_version_id` is the version in use when it was begun, none for a new service.
    """

    __tablename__ = "service_draft"

    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(Json)
    version: Mapped[int] = mapped_column(default=1)
    base_version_id: Mapped[int | None] = mapped_column(sa.ForeignKey("service_version.id"))
    changed_at: Mapped[base.instant]
    changed_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))

    changed_by: Mapped[User] = relationship()


class ServiceDraftChange(Base):
    """One change of a draft, to undo it: property → [before, after], or part of a list → these."""

    __tablename__ = "service_draft_change"
    __table_args__ = (sa.Index("ix_service_draft_change_draft", "draft_code", "id"),)

    id: Mapped[base.pk]
    draft_code: Mapped[base.code] = mapped_column(
        sa.ForeignKey("service_draft.code", ondelete="CASCADE")
    )
    changes: Mapped[dict[str, Any]] = mapped_column(Json)
    is_undone: Mapped[bool] = mapped_column(default=False)


class DocumentKind(Base):
    """Kind of document (نوع الوثيقة); editable reference data."""

    __tablename__ = "document_kind"

    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name_ar: Mapped[base.name]
    name_en: Mapped[base.name]
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)


class ChoiceList(Base):
    """Choices that fields of several services offer; editable reference data.

    items: as `field_specs.Choice` has them, in the office's order. None is ever deleted.
    """

    __tablename__ = "choice_list"

    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name_ar: Mapped[base.name]
    name_en: Mapped[base.name]
    items: Mapped[list[dict[str, Any]]] = mapped_column(Json)


class Subscription(Base):
    """An organisation's right to a service (الاشتراك بالخدمات).

    decided_at: when its status was set by the office, automatically, or by the organisation giving
    it up; decided_by_id: the officer, or the user who gave it up. reason: of a refusal.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        sa.UniqueConstraint("organisation_id", "service_code", name="uq_subscription_service"),
        one_of("status", SubscriptionStatus),
    )

    id: Mapped[base.pk]
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    service_code: Mapped[base.code] = mapped_column(sa.ForeignKey("service.code"))
    status: Mapped[base.code]
    reason: Mapped[base.text] = mapped_column(default="")
    asked_at: Mapped[base.instant]
    decided_at: Mapped[base.instant | None]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    version: Mapped[int] = mapped_column(default=1)


class Reason(Base):
    """A ready reason that reviewers choose from, for a step that needs one."""

    __tablename__ = "reason"
    __table_args__ = (one_of("action", ReasonFor),)

    id: Mapped[base.pk]
    action: Mapped[base.code]
    text_ar: Mapped[base.text]
    text_en: Mapped[base.text]
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)
