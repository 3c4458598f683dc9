"""The one tree of errors that a use case may raise; their texts are lazily translated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l


@dataclass(frozen=True)
class Refusal:
    """Why something may not be done now, and what would change it.

    text, change: lazily translated sentences; change may be empty. url: an address inside the
    portal that helps (an open request), or "".
    """

    text: Any
    change: Any = ""
    url: str = ""


class DomainError(Exception):
    """An answer to the person, not a fault: shown beside the action in the page's language."""

    status_code = 409

    def __init__(self, message: Any) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


class NotFound(DomainError):
    """Missing, foreign or another role's: all alike."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(_l("This page does not exist or is not available to you."))


class PermissionDenied(DomainError):
    """The actor may see the thing but this step is not theirs."""

    status_code = 403


class ClosedNow(PermissionDenied):
    """One's own row that cannot be acted on in its present state (security rule 22: 409)."""

    status_code = 409


class BadReason(DomainError):
    """What was written as the reason of a step cannot be kept."""

    status_code = 400


class ReasonRequired(BadReason):
    """A step that the agent must be able to understand came without its reason."""

    def __init__(self) -> None:
        super().__init__(_l("Write a reason: the applicant reads it."))


class Refused(DomainError):
    """A guard's refusal; the same text that the button showed."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


class TransitionNotAllowed(DomainError):
    """Somebody or something moved the row on meanwhile, or the step does not exist from here."""


class StaleEdit(DomainError):
    """Somebody else changed the row while the form was open.

    changed: field → (what stands now, what was to be written), where the two differ. version: the
    row's now. Source: security rule 56.
    """

    def __init__(self, changed: Mapping[str, tuple[Any, Any]], version: int) -> None:
        super().__init__(
            _l("Somebody else changed this meanwhile. Compare both values and decide again.")
        )
        self.changed = dict(changed)
        self.version = version


class TooManyTries(DomainError):
    """A limit of the throttle table is reached. retry_after: whole seconds to wait."""

    status_code = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(_l("Too many attempts. Please wait a little and try again."))
        self.retry_after = retry_after


class ServiceUnavailable(DomainError):
    """Something the portal leans on is down; nothing was lost, trying later is right."""

    status_code = 503
    retry_after = 30  # seconds
