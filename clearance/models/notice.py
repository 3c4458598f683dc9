"""Notices, their deliveries, message texts and announcements."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clearance.models import base
from clearance.models.base import Base, Json, one_of
from clearance.models.enums import Channel, DeliveryStatus


class Notice(Base):
    """A notice to one user; its text is rendered in the reader's language when shown.

    wording: language → [title, body] to render instead of the portal's texts, of a service with
    words of its own; None for the portal's.
    """

    __tablename__ = "notice"
    __table_args__ = (
        sa.Index("ix_notice_user", "user_id", "id"),
        sa.Index("ix_notice_unread", "user_id", "read_at"),
    )

    id: Mapped[base.pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"))
    request_id: Mapped[int | None] = mapped_column(sa.ForeignKey("request.id"), index=True)
    event: Mapped[base.short]
    params: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    wording: Mapped[dict[str, Any] | None] = mapped_column(Json)
    url: Mapped[base.line] = mapped_column(default="")
    created_at: Mapped[base.instant]
    read_at: Mapped[base.instant | None]


class Delivery(Base):
    """One message on one channel, with its lease, retries and outcome.

    `body` of a secret (a code) is encrypted and erased when sent or expired. `request_id` is what
    a message to a person without a notice is about, as a candidate or a broker.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        one_of("channel", Channel),
        one_of("status", DeliveryStatus),
        sa.UniqueConstraint("message_id", name="uq_delivery_message_id"),
        sa.Index("ix_delivery_due", "status", "priority", "next_at", "id"),
        sa.Index("ix_delivery_created", "created_at", "id"),
        sa.Index("ix_delivery_status", "status", "created_at", "id"),
        sa.Index("ix_delivery_event", "event", "created_at", "id"),
    )

    id: Mapped[base.pk]
    notice_id: Mapped[int | None] = mapped_column(sa.ForeignKey("notice.id"), index=True)
    request_id: Mapped[int | None]
    event: Mapped[base.short]
    channel: Mapped[base.code]
    address: Mapped[base.address]
    language: Mapped[base.code]
    subject: Mapped[base.line] = mapped_column(default="")
    body: Mapped[base.text]
    is_secret: Mapped[bool] = mapped_column(default=False)
    priority: Mapped[int] = mapped_column(default=5)
    status: Mapped[base.code] = mapped_column(default=DeliveryStatus.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[base.instant]
    next_at: Mapped[base.instant]
    leased_until: Mapped[base.instant | None]
    lease: Mapped[base.code | None]
    expires_at: Mapped[base.instant | None]
    sent_at: Mapped[base.instant | None]
    last_error: Mapped[base.line] = mapped_column(default="")
    message_id: Mapped[base.short]


class MessageText(Base):
    """The office's own wording of an event on a channel, replacing the one shipped."""

    __tablename__ = "message_text"
    __table_args__ = (
        sa.UniqueConstraint("event", "channel", "language", name="uq_message_text_event"),
    )

    id: Mapped[base.pk]
    event: Mapped[base.short]
    channel: Mapped[base.code]
    language: Mapped[base.code]
    subject: Mapped[base.line] = mapped_column(default="")
    body: Mapped[base.text]
    version: Mapped[int] = mapped_column(default=1)


class Announcement(Base):
    """A public announcement in both languages; an exam's announcement names its exam."""

    __tablename__ = "announcement"

    id: Mapped[base.pk]
    title_ar: Mapped[base.line]
    title_en: Mapped[base.line]
    body_ar: Mapped[base.text]
    body_en: Mapped[base.text]
    exam_id: Mapped[int | None] = mapped_column(sa.ForeignKey("exam.id"))
    published_at: Mapped[base.instant] = mapped_column(index=True)
    ends_at: Mapped[base.instant | None]
