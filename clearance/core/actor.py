"""The authenticated person behind a request: identity, role and memberships."""

from __future__ import annotations

from dataclasses import dataclass, field

from clearance.models.enums import STAFF_ROLES, Role, SessionStage
from clearance.models.names import account_name


@dataclass(frozen=True)
class ActiveMembership:
    """One active membership. services: granted codes (general users have every subscribed one)."""

    organisation_id: int
    organisation_name_ar: str
    organisation_name_en: str
    is_general: bool
    services: frozenset[str]

    def may_use(self, service_code: str) -> bool:
        """Return whether this membership grants the service."""
        return self.is_general or service_code in self.services

    def name_in(self, lang: str) -> str:
        """Return the organisation's name in `lang` ("ar" or "en")."""
        if lang == "ar":
            return self.organisation_name_ar or self.organisation_name_en
        return self.organisation_name_en or self.organisation_name_ar


@dataclass(frozen=True)
class Actor:
    """The acting person, reloaded on every request so that changes take effect at once.

    user_id is None for an unverified registration. organisation_id: the chosen organisation.
    teams: codes of a reviewer's teams. uses_keys: whether single keys work in lists. unread: the
    number of unread notices, 100 for more than 99.
    """

    user_id: int | None
    role: str
    first_name: str
    last_name: str
    email: str
    language: str
    legal_entity: str | None = None
    civil_id: str | None = None
    latin_name: str = ""
    uses_keys: bool = True
    standings: tuple[ActiveMembership, ...] = ()
    organisation_id: int | None = None
    teams: frozenset[str] = frozenset()
    unread: int = 0
    stage: str = SessionStage.FULL
    session_id: int | None = None
    registration_id: int | None = None
    key: str = field(default="", repr=False)

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """Return the session key, which Flask-Login keeps in the signed cookie."""
        return self.key

    @property
    def id(self) -> int:
        """The user's id. Raises: ValueError for an unverified registration."""
        if self.user_id is None:
            raise ValueError("a registration has no user yet")
        return self.user_id

    def name_in(self, lang: str) -> str:
        """Return the name to show in `lang` ("ar" or "en")."""
        return account_name(self, lang)

    @property
    def is_full(self) -> bool:
        """Whether signing in is complete."""
        return self.stage == SessionStage.FULL and self.user_id is not None

    @property
    def is_agent(self) -> bool:
        """Whether this is an agent (and not staff)."""
        return self.role == Role.AGENT

    @property
    def is_staff(self) -> bool:
        """Whether this is a reviewer, manager or administrator."""
        return self.role in STAFF_ROLES

    @property
    def is_reviewer(self) -> bool:
        """Whether this person decides on requests."""
        return self.role == Role.REVIEWER

    @property
    def is_manager(self) -> bool:
        """Whether this person may read everything and decide nothing."""
        return self.role == Role.MANAGER

    @property
    def is_administrator(self) -> bool:
        """Whether this person manages services, texts, reference data and staff."""
        return self.role == Role.ADMINISTRATOR

    @property
    def standing(self) -> ActiveMembership | None:
        """The membership in the chosen organisation, else the first, else none."""
        for standing in self.standings:
            if standing.organisation_id == self.organisation_id:
                return standing
        return self.standings[0] if self.standings else None

    @property
    def organisation_ids(self) -> frozenset[int]:
        """Organisations in which this person is active."""
        return frozenset(standing.organisation_id for standing in self.standings)

    def standing_in(self, organisation_id: int) -> ActiveMembership | None:
        """Return the active membership in that organisation, or None."""
        for standing in self.standings:
            if standing.organisation_id == organisation_id:
                return standing
        return None
