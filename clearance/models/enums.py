"""Enumerations: stored codes and their translated labels."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l


class Role(StrEnum):
    """Role of a user; agents' rights come from their memberships."""

    AGENT = "agent"
    REVIEWER = "reviewer"
    MANAGER = "manager"
    ADMINISTRATOR = "administrator"


STAFF_ROLES = frozenset({Role.REVIEWER, Role.MANAGER, Role.ADMINISTRATOR})


class Gender(StrEnum):
    """Gender as on the civil ID card."""

    MALE = "male"
    FEMALE = "female"


class LicenceStatus(StrEnum):
    """State of a licence in the register."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class SuspendedBy(StrEnum):
    """Who suspended a licence; only the holder's own suspension can be lifted on request."""

    OFFICE = "office"
    HOLDER = "holder"


class ValidityLink(StrEnum):
    """What limits a licence's effective validity; the earliest end applies."""

    LICENCE = "licence"
    GUARANTEE = "guarantee"
    CIVIL_ID = "civil_id"
    PASSPORT = "passport"


class LicenceStep(StrEnum):
    """Changes of a licence or its broker, as recorded in their history."""

    TAKEN_FROM_CUSTOMS = "taken_from_customs"
    ISSUED = "issued"
    RENEWED = "renewed"
    SUSPENDED = "suspended"
    REACTIVATED = "reactivated"
    REINSTATED = "reinstated"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    TRANSFERRED = "transferred"
    CORRECTED = "corrected"
    UPDATED = "updated"


class IssuedKind(StrEnum):
    """Kind of issued PDF."""

    CERTIFICATE = "certificate"
    CARD = "card"
    LETTER = "letter"


class IssuedState(StrEnum):
    """Current validity of an issued document; derived from its licence, never stored."""

    GENUINE = "genuine"
    VOID = "void"
    EXPIRED = "expired"


class VoidReason(StrEnum):
    """Why an issued document was voided permanently."""

    REPLACED = "replaced"
    LOST = "lost"
    CANCELLED = "cancelled"


class ReasonFor(StrEnum):
    """Steps with ready reasons, of requests and of office actions."""

    RETURN = "return"
    REJECT = "reject"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    CORRECT = "correct"
    VOID = "void"
    REFUSE_SUBSCRIPTION = "refuse_subscription"


class SubscriptionStatus(StrEnum):
    """State of an organisation's subscription. LEFT: it gave up the service or its request."""

    ASKED = "asked"
    ACTIVE = "active"
    REFUSED = "refused"
    LEFT = "left"


class Status(StrEnum):
    """Status of a request; services/flows.py defines the transitions."""

    DRAFT = "draft"
    AWAITING_OTHER_PARTY = "awaiting_other_party"
    AWAITING_BROKER = "awaiting_broker"
    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    RETURNED = "returned"
    PREAPPROVED = "preapproved"
    SEATED = "seated"
    CONFIRMED = "confirmed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    DECLINED = "declined"
    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"


OPEN_STATUSES = frozenset(
    {
        Status.AWAITING_OTHER_PARTY,
        Status.AWAITING_BROKER,
        Status.SUBMITTED,
        Status.UNDER_REVIEW,
        Status.RETURNED,
        Status.PREAPPROVED,
        Status.SEATED,
        Status.CONFIRMED,
    }
)


class Channel(StrEnum):
    """Channels of outgoing messages."""

    EMAIL = "email"
    SMS = "sms"


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


class DeliveryStatus(StrEnum):
    """State of one message on one channel."""

    QUEUED = "queued"
    SENT = "sent"
    GIVEN_UP = "given_up"
    EXPIRED = "expired"


class SeatStatus(StrEnum):
    """State of a seat offered in an exam."""

    OFFERED = "offered"
    CONFIRMED = "confirmed"
    RELEASED = "released"


GENDER_LABELS: dict[str, Any] = {Gender.MALE: _l("Male"), Gender.FEMALE: _l("Female")}

ROLE_LABELS: dict[str, Any] = {
    Role.AGENT: _l("Clearance agent"),
    Role.REVIEWER: _l("Reviewer"),
    Role.MANAGER: _l("Manager"),
    Role.ADMINISTRATOR: _l("Administrator"),
}

LICENCE_STATUS_LABELS: dict[str, Any] = {
    LicenceStatus.ACTIVE: _l("Active"),
    LicenceStatus.SUSPENDED: _l("Suspended"),
    LicenceStatus.CANCELLED: _l("Cancelled"),
    LicenceStatus.EXPIRED: _l("Expired"),
}

LICENCE_STATUS_TONES: dict[str, str] = {
    LicenceStatus.ACTIVE: "success",
    LicenceStatus.SUSPENDED: "warning",
    LicenceStatus.CANCELLED: "danger",
    LicenceStatus.EXPIRED: "danger",
}

SUSPENDED_BY_LABELS: dict[str, Any] = {
    SuspendedBy.OFFICE: _l("By the office"),
    SuspendedBy.HOLDER: _l("At the holder's request"),
}

VALIDITY_LINK_LABELS: dict[str, Any] = {
    ValidityLink.LICENCE: _l("Licence"),
    ValidityLink.GUARANTEE: _l("Bank guarantee"),
    ValidityLink.CIVIL_ID: _l("Civil ID"),
    ValidityLink.PASSPORT: _l("Passport"),
}

LICENCE_STEP_LABELS: dict[str, Any] = {
    LicenceStep.TAKEN_FROM_CUSTOMS: _l("Taken from the customs system"),
    LicenceStep.ISSUED: _l("Licence issued"),
    LicenceStep.RENEWED: _l("Licence renewed"),
    LicenceStep.SUSPENDED: _l("Licence suspended"),
    LicenceStep.REACTIVATED: _l("Licence reactivated"),
    LicenceStep.REINSTATED: _l("Suspension lifted by the office"),
    LicenceStep.CANCELLED: _l("Licence cancelled"),
    LicenceStep.EXPIRED: _l("Licence expired"),
    LicenceStep.TRANSFERRED: _l("Broker transferred"),
    LicenceStep.CORRECTED: _l("Register corrected by the office"),
    LicenceStep.UPDATED: _l("Particulars updated"),
}

ISSUED_KIND_LABELS: dict[str, Any] = {
    IssuedKind.CERTIFICATE: _l("Licence certificate"),
    IssuedKind.CARD: _l("Identity card"),
    IssuedKind.LETTER: _l("To whom it may concern"),
}

ISSUED_STATE_LABELS: dict[str, Any] = {
    IssuedState.GENUINE: _l("Valid"),
    IssuedState.VOID: _l("Void"),
    IssuedState.EXPIRED: _l("Validity ended"),
}

ISSUED_STATE_TONES: dict[str, str] = {
    IssuedState.GENUINE: "success",
    IssuedState.VOID: "danger",
    IssuedState.EXPIRED: "warning",
}

VOID_REASON_LABELS: dict[str, Any] = {
    VoidReason.REPLACED: _l("Replaced by a newer one"),
    VoidReason.LOST: _l("Reported lost"),
    VoidReason.CANCELLED: _l("The licence was cancelled"),
}

REASON_FOR_LABELS: dict[str, Any] = {
    ReasonFor.RETURN: _l("Return for completion"),
    ReasonFor.REJECT: _l("Reject"),
    ReasonFor.SUSPEND: _l("Suspend the licence"),
    ReasonFor.REINSTATE: _l("Lift the suspension"),
    ReasonFor.CORRECT: _l("Correct the register"),
    ReasonFor.VOID: _l("Make an issued document void"),
    ReasonFor.REFUSE_SUBSCRIPTION: _l("Refuse a subscription"),
}

SUBSCRIPTION_STATUS_LABELS: dict[str, Any] = {
    SubscriptionStatus.ASKED: _l("Awaiting the office"),
    SubscriptionStatus.ACTIVE: _l("Subscribed"),
    SubscriptionStatus.REFUSED: _l("Subscription refused"),
    SubscriptionStatus.LEFT: _l("Left"),
}

SUBSCRIPTION_STATUS_TONES: dict[str, str] = {
    SubscriptionStatus.ASKED: "warning",
    SubscriptionStatus.ACTIVE: "success",
    SubscriptionStatus.REFUSED: "danger",
    SubscriptionStatus.LEFT: "neutral",
}

# By the `subscription` of a service definition.
SUBSCRIPTION_TERMS: dict[str, Any] = {
    "automatic": _l("Every organisation that the service is for has it without asking."),
    "on_request": _l("It is subscribed to at once when a general user asks for it."),
    "by_approval": _l("The office decides on each subscription."),
}

STATUS_LABELS: dict[str, Any] = {
    Status.DRAFT: _l("Draft"),
    Status.AWAITING_OTHER_PARTY: _l("Awaiting the other party"),
    Status.AWAITING_BROKER: _l("Awaiting the broker's consent"),
    Status.SUBMITTED: _l("Submitted"),
    Status.UNDER_REVIEW: _l("Under review"),
    Status.RETURNED: _l("Returned for completion"),
    Status.PREAPPROVED: _l("Preliminary approval"),
    Status.SEATED: _l("Nominated for the exam"),
    Status.CONFIRMED: _l("Attendance confirmed"),
    Status.APPROVED: _l("Approved"),
    Status.REJECTED: _l("Rejected"),
    Status.WITHDRAWN: _l("Withdrawn"),
    Status.LAPSED: _l("Lapsed"),
    Status.DECLINED: _l("Declined by a party"),
    Status.PASSED: _l("Passed"),
    Status.FAILED: _l("Failed"),
    Status.ABSENT: _l("Absent"),
}

STATUS_TONES: dict[str, str] = {
    Status.DRAFT: "quiet",
    Status.AWAITING_OTHER_PARTY: "waiting",
    Status.AWAITING_BROKER: "waiting",
    Status.SUBMITTED: "info",
    Status.UNDER_REVIEW: "info",
    Status.RETURNED: "warning",
    Status.PREAPPROVED: "info",
    Status.SEATED: "warning",
    Status.CONFIRMED: "info",
    Status.APPROVED: "success",
    Status.REJECTED: "danger",
    Status.WITHDRAWN: "quiet",
    Status.LAPSED: "quiet",
    Status.DECLINED: "danger",
    Status.PASSED: "success",
    Status.FAILED: "danger",
    Status.ABSENT: "danger",
}
