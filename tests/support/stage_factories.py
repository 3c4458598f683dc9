"""A service that is reviewed in stages, for tests."""

from __future__ import annotations

from typing import Any

from tests.support import request_factories as requests

CHECK: dict[str, Any] = {"name": "check", "title": {"ar": "التدقيق", "en": "Check"}}
VISIT: dict[str, Any] = {
    "name": "visit",
    "title": {"ar": "المعاينة", "en": "Site visit"},
    "when": {"field": "crew", "at_least": 10},
}
SIGN: dict[str, Any] = {
    "name": "sign",
    "title": {"ar": "التوقيع", "en": "Signature"},
    "another_person": True,
}
CREW = {"name": "crew", "type": "number", "label": {"ar": "الطاقم", "en": "Crew"}}
VISITED: dict[str, Any] = {
    "name": "visited_on",
    "type": "date",
    "required": True,
    "label": {"ar": "تاريخ المعاينة", "en": "Visited on"},
}


def publish(*of: dict[str, Any], **changes: Any) -> None:
    """A service with these stages, whose form asks for the number of the crew."""
    requests.publish(
        requests.TRIVIAL.replace("flow: standard\n", ""),
        schema=2,
        **{
            "code": "permit",
            "prefix": "PM",
            "fields": [{"name": "number", "mode": "shown"}, {"name": "name_ar_1"}, CREW],
            "stages": list(of),
            **changes,
        },
    )
