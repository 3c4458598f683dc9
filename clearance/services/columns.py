"""Write a request's typed columns, independently of service definitions."""

from __future__ import annotations

from typing import Any

from clearance.core import name_folding
from clearance.models import Request
from clearance.models.names import NAME_COLUMNS


def keep_column(req: Request, name: str, value: Any) -> None:
    """Set a standard field's value; names also update the folded search column."""
    if value in (None, ""):
        value = None if Request.__table__.c[name].nullable else ""
    setattr(req, name, value)
    if name in NAME_COLUMNS:
        req.name_folded = name_folding.name_index(
            *(getattr(req, column) for column in NAME_COLUMNS)
        )
