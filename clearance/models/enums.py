"""Enumerations: stored codes with their translated labels and tones."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext


class Labelled(StrEnum):
    """A closed list of codes, each with its label and tone; written `CODE = "code", _l("Label")`.

    A member is its code as a plain string. label: lazy, in the page's language. tone: the colour
    of its badge (success, info, warning, danger, neutral). short: the label for lists, where the
    label is long.
    """

    label: Any
    tone: str
    short: Any

    def __new__(cls, code: str, label: Any = "", tone: str = "neutral", short: Any = None) -> Self:
        """Return the member of `code`; the defaults are for lookups, which give the code alone."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.label, member.tone, member.short = label, tone, short or label
        return member

    @classmethod
    def choices(cls) -> list[tuple[str, Any]]:
        """Return the codes with their labels, in the order of the list."""
        return [(str(member), member.label) for member in cls]

    @classmethod
    def label_of(cls, code: str | None) -> Any:
        """Return the label of a stored code, or the code itself if it is not in the list."""
        return next((member.label for member in cls if member == code), code)


class Role(Labelled):
    """Role of a user; agents' rights come from their memberships."""

    AGENT = "agent", _l("Applicant")
    REVIEWER = "reviewer", _l("Reviewer")
    MANAGER = "manager", _l("Manager")
    ADMINISTRATOR = "administrator", _l("Administrator")


STAFF_ROLES = frozenset({Role.REVIEWER, Role.MANAGER, Role.ADMINISTRATOR})


class Gender(Labelled):
    """Gender as on the civil ID card."""

    MALE = "male", _l("Male")
    FEMALE = "female", _l("Female")


class LicenceStatus(Labelled):
    """State of a licence in the register."""

    ACTIVE = "active", lazy_pgettext("licence", "Active"), "success"
    SUSPENDED = "suspended", _l("Suspended"), "warning"
    CANCELLED = "cancelled", _l("Cancelled"), "danger"
    EXPIRED = "expired", _l("Expired"), "danger"


class SuspendedBy(Labelled):
    """Who suspended a licence; only the holder's own suspension can be lifted on request."""

    OFFICE = "office", _l("By the office")
    HOLDER = "holder", _l("At the holder's request")


class ValidityLink(Labelled):
    """What limits a licence's effective validity; the earliest end applies."""

    LICENCE = "licence", _l("Licence")
    GUARANTEE = "guarantee", _l("Bank guarantee")
    CIVIL_ID = "civil_id", _l("Civil ID card")
    PASSPORT = "passport", _l("Passport")


class LicenceStep(Labelled):
    """Changes of a licence or its broker, as recorded in their history."""

    TAKEN_FROM_CUSTOMS = "taken_from_customs", _l("Taken from the customs system")
    ISSUED = "issued", _l("Licence issued"), "success"
    RENEWED = "renewed", _l("Licence renewed"), "success"
    SUSPENDED = "suspended", _l("Licence suspended"), "warning"
    REACTIVATED = "reactivated", _l("Licence reactivated"), "success"
    REINSTATED = "reinstated", _l("Suspension lifted by the office"), "success"
    CANCELLED = "cancelled", _l("Licence cancelled"), "danger"
    EXPIRED = "expired", _l("Licence expired"), "warning"
    TRANSFERRED = "transferred", _l("Broker transferred")
    CORRECTED = "corrected", _l("Register corrected by the office")
    UPDATED = "updated", _l("Details updated")


class IssuedKind(Labelled):
    """Kind of issued PDF."""

    CERTIFICATE = "certificate", _l("Licence certificate")
    CARD = "card", _l("Broker ID card")
    LETTER = "letter", _l("To whom it may concern")
    STATEMENT = "statement", _l("Statement")


class IssuedState(Labelled):
    """Current validity of an issued document; derived from its licence, never stored."""

    GENUINE = "genuine", _l("Valid"), "success"
    VOID = "void", _l("Void"), "danger"
    EXPIRED = "expired", _l("Expired"), "warning"


class VoidReason(Labelled):
    """Why an issued document was voided permanently."""

    REPLACED = "replaced", _l("Replaced by a newer one")
    LOST = "lost", _l("Reported lost")
    CANCELLED = "cancelled", _l("The licence was cancelled")


class ReasonFor(Labelled):
    """Steps with ready reasons, of requests and of office actions."""

    RETURN = "return", _l("Ask for corrections")
    REJECT = "reject", _l("Reject")
    SUSPEND = "suspend", _l("Suspend the licence")
    REINSTATE = "reinstate", _l("Lift the suspension")
    CORRECT = "correct", _l("Correct the register")
    VOID = "void", _l("Void an issued document")
    REFUSE_SUBSCRIPTION = "refuse_subscription", _l("Reject a subscription")


class SubscriptionStatus(Labelled):
    """State of an organisation's subscription. LEFT: it gave up the service or its request."""

    ASKED = "asked", _l("Waiting for the office"), "warning", _l("Waiting")
    ACTIVE = "active", _l("Subscribed"), "success"
    REFUSED = "refused", _l("Subscription rejected"), "danger", _l("Rejected")
    LEFT = "left", _l("Ended")


class Status(Labelled):
    """Request statuses of the standard flows; other flows add their own (services/flows.py)."""

    DRAFT = "draft", _l("Draft"), "quiet"
    SUBMITTED = "submitted", _l("Sent to the office"), "info", lazy_pgettext("short", "Sent")
    UNDER_REVIEW = "under_review", _l("Under review"), "info"
    RETURNED = "returned", _l("Corrections needed"), "warning", lazy_pgettext("short", "Returned")
    PREAPPROVED = (
        "preapproved",
        _l("Preliminary approval"),
        "info",
        lazy_pgettext("short", "Preapproved"),
    )
    APPROVED = "approved", _l("Approved"), "success"
    REJECTED = "rejected", _l("Rejected"), "danger"
    WITHDRAWN = "withdrawn", _l("Withdrawn"), "quiet"
    LAPSED = "lapsed", _l("Closed (no response)"), "quiet", lazy_pgettext("short", "Closed")


class Channel(Labelled):
    """Channels of outgoing messages."""

    EMAIL = "email", _l("E-mail")
    SMS = "sms", _l("SMS")


class CodePurpose(StrEnum):
    """Purpose of a one-time code; never valid for another."""

    VERIFY = "verify"
    RESET = "reset"
    FACTOR = "factor"
    CONTACT = "contact"
    CONSENT = "consent"


class SessionStage(StrEnum):
    """How far a browser has signed in; only FULL opens the portal."""

    PASSWORD = "password"  # noqa: S105 - a stage's name: a password of their own is due
    VERIFY = "verify"
    FACTOR = "factor"
    FULL = "full"


class DeliveryStatus(Labelled):
    """State of one message on one channel."""

    QUEUED = "queued", _l("Waiting"), "info"
    SENT = "sent", _l("Sent"), "success"
    GIVEN_UP = "given_up", _l("Undelivered"), "danger"
    EXPIRED = "expired", _l("Expired")


class ExportStatus(Labelled):
    """State of a list that a job writes into a workbook."""

    WAITING = "waiting", _l("Being made"), "info"
    READY = "ready", _l("Ready"), "success"
    REFUSED = "refused", _l("Not made"), "danger"
    TOO_LONG = "too_long", _l("Too long"), "danger"
    FAILED = "failed", lazy_pgettext("export", "Failed"), "danger"


class SeatStatus(Labelled):
    """State of a seat offered in an exam."""

    OFFERED = "offered", _l("Waiting for confirmation"), "warning"
    CONFIRMED = "confirmed", _l("Attendance confirmed"), "success"
    RELEASED = "released", _l("Seat released")


# By the `subscription` of a service definition.
SUBSCRIPTION_TERMS: dict[str, Any] = {
    "automatic": _l("Every organisation of the right type has it automatically."),
    "on_request": _l("The subscription starts as soon as a general user requests it."),
    "by_approval": _l("The office decides on each subscription."),
}
