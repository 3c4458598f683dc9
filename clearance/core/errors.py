"""Errors that use cases raise, with lazily translated texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l


@dataclass(frozen=True)
class Refusal:
    """Why something may not be done now, and what would change it.

    text, change: lazily translated sentences; change may be empty. url: a portal path that helps
    (an open request), or "".
    """

    text: Any
    change: Any = ""
    url: str = ""


class DomainError(Exception):
    """An expected failure, shown beside the action in the page's language.

    message: a class whose text is always the same has it as an attribute.
    """

    status_code = 409
    message: Any = ""

    def __init__(self, message: Any = None) -> None:
        if message is not None:
            self.message = message
        super().__init__(self.message)

    def __str__(self) -> str:
        return str(self.message)


class NotFound(DomainError):
    """Missing, another organisation's or another role's; indistinguishable on purpose."""

    status_code = 404
    message = _l("This page does not exist, or you do not have access to it.")


class PermissionDenied(DomainError):
    """The actor may see the object but not perform this step."""

    status_code = 403


class ClosedNow(PermissionDenied):
    """The actor's own row is in the wrong state for the step (security rule 22: 409)."""

    status_code = 409


class BadReason(DomainError):
    """The reason given for a step is invalid."""

    status_code = 400


class BadFields(DomainError):
    """Values that break a rule. faults: field → lazy text."""

    status_code = 400

    def __init__(self, faults: Mapping[str, Any]) -> None:
        super().__init__(next(iter(faults.values())))
        self.faults = dict(faults)


class ReasonRequired(BadReason):
    """A step that needs a reason came without one."""

    message = _l("Enter a reason. The applicant will see it.")


class Refused(DomainError):
    """A guard's refusal, with the same text as on the button."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


class TransitionNotAllowed(DomainError):
    """The row changed meanwhile, or the step does not exist from its status."""


class StaleEdit(DomainError):
    """Somebody else changed the row while the form was open.

    changed: field → (stored value, submitted value) where they differ. version: the row's now.
    Source: security rule 56.
    """

    message = _l(
        "Someone else, or you in another tab, changed this in the meantime. "
        "Compare both values and decide again."
    )

    def __init__(self, changed: Mapping[str, tuple[Any, Any]], version: int) -> None:
        super().__init__()
        self.changed = dict(changed)
        self.version = version


class TooManyTries(DomainError):
    """A rate limit is reached. retry_after: whole seconds to wait."""

    status_code = 429
    message = _l("Too many attempts. Wait a little and try again.")

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


class ServiceUnavailable(DomainError):
    """A dependency is down; nothing was lost, and a later retry may succeed."""

    status_code = 503
    message = _l("The portal cannot accept this right now. Nothing was lost. Try again shortly.")
    retry_after = 30  # seconds
