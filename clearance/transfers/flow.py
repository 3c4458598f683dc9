"""The flow of transfers: the other organisation and the broker consent before the review."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from flask_babel import lazy_gettext as _l

from clearance.auth import permissions
from clearance.core.actor import Actor
from clearance.licences import guards as licence_guards
from clearance.models import Request
from clearance.models.enums import Status
from clearance.services import effects as standard_effects
from clearance.services import flows
from clearance.services.flows import Flow, State, Step, StepName, statuses
from clearance.transfers import effects as transfer_effects
from clearance.transfers import guards as transfer_guards
from clearance.transfers.statuses import UNANSWERED, TransferStatus

_BROKER = _l("The broker")


class TransferAction(StepName):
    """The steps of the parties."""

    ACCEPT = (
        "accept",
        _l("Accept the transfer"),
        _l("The other organisation accepted the transfer"),
        "primary",
    )
    DECLINE = (
        "decline",
        _l("Decline the transfer"),
        _l("The other organisation declined the transfer"),
        "danger",
    )
    CONSENT = (
        "consent",
        _l("Consent to the transfer"),
        _l("The broker consented to the transfer"),
        "primary",
        _BROKER,
    )
    REFUSE = (
        "refuse",
        _l("Decline the transfer"),
        _l("The broker declined the transfer"),
        "danger",
        _BROKER,
    )
    SEND_LINK = (
        "send_link",
        _l("Send the broker a new link"),
        _l("The broker was sent a new link"),
    )


class TransferSide(StrEnum):
    """The parties that steps are offered to. The broker has no account."""

    OTHER_PARTY = "other_party"
    EITHER_PARTY = "either_party"
    BROKER = "broker"


def _other_party(req: Request, actor: Actor | None) -> int | None:
    return req.other_organisation_id


def _own_party(req: Request, actor: Actor | None) -> int | None:
    """Return the party that the actor belongs to."""
    is_asking = actor is None or actor.standing_in(req.organisation_id) is not None
    return req.organisation_id if is_asking else req.other_organisation_id


_ACCEPT = Step(
    TransferAction.ACCEPT,
    statuses(TransferStatus.AWAITING_OTHER_PARTY),
    TransferStatus.AWAITING_BROKER,
    TransferSide.OTHER_PARTY,
    permissions.can_respond_to_transfer,
    guards=(
        transfer_guards.answer_is_in_time,
        licence_guards.licence_is_active,
        transfer_guards.broker_is_with_a_party,
        transfer_guards.other_organisation_may_hold_licences,
        transfer_guards.broker_can_be_asked,
    ),
    effects=(transfer_effects.note_acceptance,),
    by=_other_party,
)
_CONSENT = Step(
    TransferAction.CONSENT,
    statuses(TransferStatus.AWAITING_BROKER),
    Status.SUBMITTED,
    TransferSide.BROKER,
    permissions.is_portal,
    guards=(transfer_guards.answer_is_in_time, transfer_guards.broker_is_with_a_party),
    effects=(transfer_effects.record_broker_consent,),
)

TRANSFER = Flow(
    "transfer",
    (
        replace(
            flows.SEND,
            target=TransferStatus.AWAITING_OTHER_PARTY,
            effects=(*flows.SEND.effects, transfer_effects.ask_other_party),
        ),
        flows.SEND_AGAIN,
        _ACCEPT,
        replace(
            _ACCEPT,
            action=TransferAction.DECLINE,
            target=TransferStatus.DECLINED,
            guards=(),
            effects=(standard_effects.note_decision, transfer_effects.record_decline),
        ),
        _CONSENT,
        replace(
            _CONSENT,
            action=TransferAction.REFUSE,
            target=TransferStatus.DECLINED,
            guards=(),
            effects=(standard_effects.note_decision, transfer_effects.note_brokers_refusal),
        ),
        Step(
            TransferAction.SEND_LINK,
            statuses(TransferStatus.AWAITING_BROKER),
            None,
            TransferSide.EITHER_PARTY,
            permissions.is_transfer_party,
            guards=(*_CONSENT.guards, transfer_guards.broker_can_be_asked),
            effects=(transfer_effects.ask_broker,),
            by=_own_party,
        ),
        replace(
            flows.LAPSE,
            sources=UNANSWERED,
            effects=(standard_effects.note_decision, transfer_effects.record_no_response),
            tells="",
        ),
        replace(
            flows.WITHDRAW,
            sources=flows.WITHDRAW.sources | UNANSWERED,
            effects=(*flows.WITHDRAW.effects, transfer_effects.close),
        ),
        flows.TAKE,
        flows.GIVE_BACK,
        flows.ASSIGN,
        flows.APPROVE,
        flows.RETURN,
        replace(flows.REJECT, effects=(*flows.REJECT.effects, transfer_effects.close)),
        replace(flows.LAPSE, effects=(*flows.LAPSE.effects, transfer_effects.close)),
    ),
    (
        *flows.STATES,
        State(
            TransferStatus.AWAITING_OTHER_PARTY,
            _l("The office starts only after the other office has accepted."),
            awaits_applicant=True,
        ),
        State(
            TransferStatus.AWAITING_BROKER,
            _l("The office starts only after the broker has consented."),
            awaits_applicant=True,
        ),
        State(
            TransferStatus.DECLINED,
            _l("The request is closed because another party declined."),
        ),
    ),
    has_parties=True,
    words=_l("One decision, after two offices and the broker consented"),
)
