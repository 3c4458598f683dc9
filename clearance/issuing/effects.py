"""Approval effects that issue or void documents."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from clearance import issuing
from clearance.core import numbering
from clearance.issuing.operations import LETTER_ADDRESSEE, LETTER_LANGUAGE, LETTER_PURPOSE
from clearance.licences.effects import change_licence, licence_of
from clearance.licences.guards import LICENCE
from clearance.models.enums import IssuedKind, LicenceStatus, LicenceStep, VoidReason
from clearance.services.effects import StepContext, approval_effect
from clearance.services.needs import Needs

LETTER = Needs(
    subject="licence",
    roles={
        LETTER_LANGUAGE: _l("Language of the letter"),
        LETTER_ADDRESSEE: _l("Addressee of the letter"),
        LETTER_PURPOSE: _l("Purpose of the letter"),
    },
)


@approval_effect(
    words=_l("The licence is cancelled permanently, and everything issued for it becomes void."),
    needs=LICENCE,
    is_final=True,
)
def cancel_licence(step: StepContext) -> None:
    """Cancel the licence permanently and void all documents issued for it."""
    values = {"status": LicenceStatus.CANCELLED, "suspended_by": None}
    change_licence(step, LicenceStep.CANCELLED, values)
    issuing.void_all(licence_of(step), VoidReason.CANCELLED, step.now)


@approval_effect(words=_l("The current broker ID card becomes void."), needs=LICENCE)
def void_card(step: StepContext) -> None:
    """Void the lost card."""
    issuing.void_valid_documents(licence_of(step), IssuedKind.CARD, VoidReason.LOST, step.now)


@approval_effect(words=_l("A licence certificate is issued. Any earlier certificate becomes void."))
def issue_certificate(step: StepContext) -> None:
    """Issue a licence certificate with the licence's current data."""
    issuing.issue(IssuedKind.CERTIFICATE, licence_of(step), step.req, now=step.now)


@approval_effect(words=_l("A broker ID card is issued. Any earlier card becomes void."))
def issue_card(step: StepContext) -> None:
    """Issue an identity card."""
    issuing.issue(IssuedKind.CARD, licence_of(step), step.req, now=step.now)


@approval_effect(words=_l("The letter is issued."), needs=LETTER)
def issue_letter(step: StepContext) -> None:
    """Issue a letter stating the licence's status, in the requested language."""
    issuing.issue(IssuedKind.LETTER, licence_of(step), step.req, now=step.now)


@approval_effect(words=_l("The service's own documents are issued."))
def issue_statements(step: StepContext) -> None:
    """Issue the statements composed from the service's definition."""
    numbering.hold([statement.prefix for statement in step.statements], step.now)
    for statement in step.statements:
        issuing.issue_statement(statement, step.req, now=step.now)
