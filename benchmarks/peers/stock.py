"""Stock Flask-Admin over the same tables, without sign-in; its paging counts and skips rows."""

from __future__ import annotations

import os
from datetime import date, datetime
from typing import Any

from flask import Flask
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """The portal's tables, as far as the list shows them."""


class Organisation(Base):
    """An organisation."""

    __tablename__ = "organisation"
    id: Mapped[int] = mapped_column(primary_key=True)
    name_ar: Mapped[str]

    def __str__(self) -> str:
        return self.name_ar


class User(Base):
    """A reviewer."""

    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    first_name: Mapped[str]
    last_name: Mapped[str]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Request(Base):
    """A request."""

    __tablename__ = "request"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str | None]
    service_code: Mapped[str]
    name_ar_1: Mapped[str]
    name_ar_2: Mapped[str]
    name_ar_3: Mapped[str]
    name_ar_4: Mapped[str]
    name_folded: Mapped[str]
    civil_id: Mapped[str | None]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    status: Mapped[str]
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    sent_at: Mapped[datetime | None]
    due_on: Mapped[date | None]
    organisation: Mapped[Organisation] = relationship()
    reviewer: Mapped[User | None] = relationship()


class Requests(ModelView):
    """The list, configured as its documentation says."""

    can_create = can_edit = can_delete = False
    page_size = 25
    column_list = (
        *("number", "service_code", "name", "civil_id", "organisation", "status", "reviewer"),
        *("sent_at", "due_on"),
    )
    column_formatters = {
        "name": lambda _view, _context, row, _name: " ".join(
            filter(None, (row.name_ar_1, row.name_ar_2, row.name_ar_3, row.name_ar_4))
        )
    }
    column_default_sort = ("sent_at", True)
    column_filters = ("status",)
    column_searchable_list = ("number", "civil_id", "name_folded")

    def get_query(self) -> Any:
        """Leave the drafts out."""
        return super().get_query().filter(Request.status != "draft")

    def get_count_query(self) -> Any:
        """Leave the drafts out."""
        return super().get_count_query().filter(Request.status != "draft")


application = Flask(__name__)
application.config.update(
    SECRET_KEY="benchmark", SQLALCHEMY_DATABASE_URI=os.environ["PEERS_DATABASE"]
)
db = SQLAlchemy(application, model_class=Base, disable_autonaming=True)
Admin(application).add_view(Requests(Request, db, endpoint="requests"))
