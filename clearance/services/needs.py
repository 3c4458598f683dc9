"""What a definition must have before it may name a guard or an effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Terms(Protocol):
    """What needs are checked against: a service's definition."""

    @property
    def subject(self) -> str:
        """What its requests are about: "person" or "licence"."""

    @property
    def flow(self) -> str:
        """The name of its flow."""

    @property
    def start(self) -> str:
        """How a request begins."""

    @property
    def field_names(self) -> frozenset[str]:
        """Names of all its fields."""

    @property
    def role_names(self) -> frozenset[str]:
        """The roles that its own fields have."""


@dataclass(frozen=True)
class Needs:
    """Requirements on a definition; empty ones are met by every definition.

    subject, flow, start: the only value allowed. fields: names it must have. roles: of its answers.
    """

    subject: str = ""
    flow: str = ""
    start: str = ""
    fields: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    def faults(self, terms: Terms) -> list[str]:
        """Return what `terms` lacks, in words for the author of the definition."""
        found = [
            f"needs {key}: {wanted}"
            for key in ("subject", "flow", "start")
            if (wanted := getattr(self, key)) and getattr(terms, key) != wanted
        ]
        found += [
            f"needs the field {name}" for name in self.fields if name not in terms.field_names
        ]
        missing = [role for role in self.roles if role not in terms.role_names]
        return found + [f"needs roles: {role}" for role in missing]


ANY = Needs()
"""Met by every definition."""
