"""What people keep of lists: columns of their own, and views under a name."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clearance.models import base
from clearance.models.base import Base, Json


class SavedView(Base):
    """Search, filters, order and columns of a list under a name.

    `list_name` is the endpoint of the list's view. A shared one is offered to everybody who may
    open the list. `state` is written and read by `clearance.lists.state`.
    """

    __tablename__ = "saved_view"
    __table_args__ = (
        sa.UniqueConstraint("owner_id", "list_name", "name", name="uq_saved_view_name"),
        sa.Index("ix_saved_view_list", "list_name", "is_shared"),
    )

    id: Mapped[base.pk]
    list_name: Mapped[base.code]
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    name: Mapped[base.short]
    is_shared: Mapped[bool] = mapped_column(default=False)
    state: Mapped[base.data]
    created_at: Mapped[base.instant]
    version: Mapped[int] = mapped_column(default=1)


class ListLayout(Base):
    """How a person wants one list: its columns in order (null: as delivered), and its view."""

    __tablename__ = "list_layout"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True)
    list_name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    columns: Mapped[list[Any] | None] = mapped_column(Json)
    view_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("saved_view.id", ondelete="SET NULL"), index=True
    )
