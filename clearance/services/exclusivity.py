"""The exclusive key, whose uniqueness allows one open request per person or licence."""

from __future__ import annotations

CONSTRAINT = "uq_request_exclusive_key"


def exclusivity_key(
    exclusive: str, service_code: str, *, civil_id: str | None, licence_id: int | None
) -> str | None:
    """Return the key, or None when nothing is excluded or the subject is not known yet.

    exclusive: "person" (one of this service per civil number), "licence" (one per licence
    across services) or "none". Source: specification section 5, Open.
    """
    if exclusive == "person" and civil_id:
        return f"{service_code}:{civil_id}"
    if exclusive == "licence" and licence_id is not None:
        return f"licence:{licence_id}"
    return None
