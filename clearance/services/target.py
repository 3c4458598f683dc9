"""What a request is about, and the exclusive key that allows one open request about it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from clearance.models import Request

CONSTRAINT = "uq_request_exclusive_key"


@dataclass(frozen=True)
class Target:
    """The person, by civil number, and the record that a request is about, as far as known."""

    civil_id: str | None = None
    record_id: int | None = None

    @classmethod
    def of(cls, req: Request) -> Target:
        """Return what `req` is about."""
        return cls(req.civil_id, req.licence_id)

    def exclusive_key(self, exclusive: str, service_code: str) -> str | None:
        """Return the key, or None when nothing is excluded or the target is not known yet.

        exclusive: "person" (one of this service per civil number), "none", or the kind of record
        (one per record across services). Source: specification section 5, Open.
        """
        if exclusive == "person":
            return f"{service_code}:{self.civil_id}" if self.civil_id else None
        if exclusive == "none" or self.record_id is None:
            return None
        return f"{exclusive}:{self.record_id}"

    def request_ids(self) -> sa.CompoundSelect[int] | None:
        """Select the ids of requests about the same person or record; None if neither is known."""
        ways = []
        if self.civil_id:
            ways.append(Request.civil_id == self.civil_id)
        if self.record_id is not None:
            ways.append(Request.licence_id == self.record_id)
        # A union, so that every condition uses its own index.
        return sa.union(*(sa.select(Request.id).where(way) for way in ways)) if ways else None
