"""Effects that issue or void documents when a request is approved."""

from __future__ import annotations

from clearance import issuing
from clearance.licences.effects import change_licence, licence_of
from clearance.models.enums import IssuedKind, LicenceStatus, LicenceStep, VoidReason
from clearance.services.effects import StepContext, approval_effect


@approval_effect
def cancel_licence(step: StepContext) -> None:
    """The licence is cancelled for good, and so is all that was issued for it."""
    values = {"status": LicenceStatus.CANCELLED, "suspended_by": None}
    change_licence(step, LicenceStep.CANCELLED, values)
    issuing.void_all(licence_of(step), VoidReason.CANCELLED, step.now)


@approval_effect
def void_card(step: StepContext) -> None:
    """The lost card counts no more."""
    issuing.void_valid_documents(licence_of(step), IssuedKind.CARD, VoidReason.LOST, step.now)


@approval_effect
def issue_certificate(step: StepContext) -> None:
    """A licence certificate as the licence now stands."""
    issuing.issue(IssuedKind.CERTIFICATE, licence_of(step), step.req, now=step.now)


@approval_effect
def issue_card(step: StepContext) -> None:
    """An identity card."""
    issuing.issue(IssuedKind.CARD, licence_of(step), step.req, now=step.now)


@approval_effect
def issue_letter(step: StepContext) -> None:
    """A letter stating the licence's status, in the language that was asked for."""
    issuing.issue(IssuedKind.LETTER, licence_of(step), step.req, now=step.now)
