"""What notices about a request name."""

from __future__ import annotations

from typing import Any

from clearance.models import Request
from clearance.services import versions


def about(req: Request) -> dict[str, Any]:
    """Return the number, service and person of `req`; the name is empty while it is unknown."""
    title = versions.for_request(req).title
    return {
        "number": req.number or "",
        "service": {"ar": title.ar, "en": title.en},
        "name": {"ar": req.name_ar, "en": req.name_en},
    }
