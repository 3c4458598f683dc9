"""What is stored, for tests that look behind the pages."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db
from clearance.models import Request


def count_of(model: Any, **columns: Any) -> int:
    """How many rows there are of `model` (with these values in their columns), in this context."""
    statement = sa.select(sa.func.count()).select_from(model).filter_by(**columns)
    return db.session.scalar(statement) or 0


def all_requests(app: Flask) -> list[Request]:
    """Every request, the oldest first."""
    with app.app_context():
        return list(db.session.scalars(sa.select(Request).order_by(Request.id)))
