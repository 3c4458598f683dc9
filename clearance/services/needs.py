"""What a definition must have before it may name a guard or an effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from flask_babel import lazy_gettext as _l

from clearance.services import property_words
from clearance.services.standard_fields import STANDARD_FIELDS


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

    subject, flow, start: the only value allowed. fields: names it must have. roles: of its answers,
    each with what people call such an answer.
    """

    subject: str = ""
    flow: str = ""
    start: str = ""
    fields: tuple[str, ...] = ()
    roles: Mapping[str, Any] = field(default_factory=dict)

    def lacks(self, terms: Terms, meaning: Callable[[str, str], Any]) -> Iterator[Any]:
        """Yield what `terms` lacks, as lazy texts that follow “needs”.

        meaning: what people call a value of a property.
        """
        for key in ("subject", "flow", "start"):
            wanted = getattr(self, key)
            if wanted and getattr(terms, key) != wanted:
                yield _l(
                    "“%(property)s: %(value)s”",
                    property=property_words.PROPERTIES[key],
                    value=meaning(key, wanted),
                )
        for name in self.fields:
            if name not in terms.field_names:
                standard = STANDARD_FIELDS.get(name)
                yield _l("the field “%(name)s”", name=standard.label if standard else name)
        for role, words in self.roles.items():
            if role not in terms.role_names:
                yield _l("a field for “%(answer)s”", answer=words)


ANY = Needs()
"""Met by every definition."""
