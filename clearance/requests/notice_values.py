"""What notices about a request name."""

from __future__ import annotations

from typing import Any

from clearance import notifications
from clearance.models import Request
from clearance.models.names import short_name
from clearance.services import versions


def about(req: Request) -> dict[str, Any]:
    """Return the number, service and person of `req`; the names are empty while unknown."""
    title = versions.for_request(req).title
    return {
        "number": req.number or "",
        "service": {"ar": title.ar, "en": title.en},
        "name": _names(req),
        "short_name": {"ar": short_name(req, "ar"), "en": short_name(req, "en")},
    }


def person(req: Request, event: str) -> notifications.Person:
    """Return the person whom `req` is about, to be told of `event` at the addresses in it."""
    return notifications.Person(event, _names(req), req.civil_id, req.email, req.mobile)


def _names(req: Request) -> dict[str, str]:
    return {"ar": req.name_ar, "en": req.name_en}
