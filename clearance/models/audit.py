"""Audit trail models: hash-chained business events, and access events."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clearance.models import base
from clearance.models.base import Base, Json


class Event(Base):
    """A business event, for request timelines and the audit trail; insert-only."""

    __tablename__ = "event"
    __table_args__ = (
        sa.Index("ix_event_request", "request_id", "id"),
        sa.Index("ix_event_object", "object_id", "object_type", "id"),
        sa.Index("ix_event_at", "at", "id"),
        sa.Index("ix_event_kind", "kind", "at", "id"),
    )

    id: Mapped[base.pk]
    at: Mapped[base.instant]
    kind: Mapped[base.short]
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"))
    request_id: Mapped[int | None] = mapped_column(sa.ForeignKey("request.id"))
    object_type: Mapped[base.code]
    object_id: Mapped[base.short]
    from_status: Mapped[base.code | None]
    to_status: Mapped[base.code | None]
    reason: Mapped[base.text] = mapped_column(default="")
    changes: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    ip: Mapped[base.code] = mapped_column(default="")
    session_hash: Mapped[base.code] = mapped_column(default="")


class EventSeal(Base):
    """A link of the hash chain: hash of the event and the previous seal; insert-only."""

    __tablename__ = "event_seal"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("event.id"), unique=True)
    hash: Mapped[base.digest]


class ChainHead(Base):
    """The one row that holds the last seal; updated last before a commit."""

    __tablename__ = "chain_head"
    __table_args__ = (sa.CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int]
    hash: Mapped[base.digest]


READS = ("account:data:read", "document:read", "issued:read", "request:read", "user:read")
"""Kinds of access events that belong in the register of who read whose papers."""
_READS = sa.text(f"kind IN {READS}")


class AccessEvent(Base):
    """Sign-ins, reads, refusals, codes: not chained, never changed, kept for a year at least."""

    __tablename__ = "access_event"
    __table_args__ = (
        sa.Index("ix_access_event_user", "user_id", "id"),
        sa.Index("ix_access_event_at", "at", "id"),
        sa.Index("ix_access_event_kind", "kind", "at", "id"),
        sa.Index("ix_access_event_object", "object_id", "at", "id"),
        sa.Index("ix_access_event_reads", "at", "id", sqlite_where=_READS, postgresql_where=_READS),
    )

    id: Mapped[base.pk]
    at: Mapped[base.instant]
    kind: Mapped[base.short]
    user_id: Mapped[int | None]
    ip: Mapped[base.code] = mapped_column(default="")
    session_hash: Mapped[base.code] = mapped_column(default="")
    object_type: Mapped[base.code] = mapped_column(default="")
    object_id: Mapped[base.short] = mapped_column(default="")
    result: Mapped[base.code] = mapped_column(default="")
    detail: Mapped[base.line] = mapped_column(default="")
