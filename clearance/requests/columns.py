"""Writing the typed columns of a request, below everything that knows of definitions."""

from __future__ import annotations

from typing import Any

from clearance.core import name_folding
from clearance.models import Request
from clearance.services.standard_fields import NAME_COLUMNS


def keep_column(req: Request, name: str, value: Any) -> None:
    """Keep a standard field's value; names are kept folded too, for searching."""
    if value in (None, ""):
        value = None if Request.__table__.c[name].nullable else ""
    setattr(req, name, value)
    if name in NAME_COLUMNS:
        req.name_folded = name_folding.name_index(*(getattr(req, each) for each in NAME_COLUMNS))
