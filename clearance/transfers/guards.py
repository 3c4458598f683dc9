"""Guards of transfers: the parties, the broker and the time to answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.auth import one_time_codes
from clearance.core import values
from clearance.core.errors import Refusal
from clearance.core.values import BadValue
from clearance.licences.facts import licence_of
from clearance.services.facts import Case
from clearance.services.guards import Guard, guard
from clearance.services.needs import Needs
from clearance.transfers.parties import NAMED_BY, Parties, parties_of

TRANSFER = Needs(
    subject="licence",
    flow="transfer",
    roles={NAMED_BY: _l("Licence number of the other office")},
)

NOT_THEIRS = Refusal(
    _l("The broker is not registered with the organisation they are leaving."),
    _l("The organisation the broker is registered with can request a new transfer."),
)
CANNOT_BE_ASKED = Refusal(
    _l("The broker's registered mobile number is missing or cannot receive messages."),
    _l(
        "The office must first register the broker's mobile number. The broker consents "
        "with a code sent to it."
    ),
    "/support",
)


@guard(words=_l("The applicant is a general user."), needs=TRANSFER)
def asks_as_general_user(case: Case) -> Refusal | None:
    """Require a general user."""
    standing = case.facts.standing
    if standing is None or standing.is_general:
        return None
    return Refusal(
        _l("Only a general user can request a transfer."),
        _l("Ask the general user of your organisation to send this request."),
    )


@guard(words=_l("The broker is not their organisation's general broker."), needs=TRANSFER)
def broker_is_not_general_broker(case: Case) -> Refusal | None:
    """Require that the broker is not his organisation's general broker."""
    licence, parties = licence_of(case), parties_of(case)
    is_general = parties.is_general_broker if parties else licence and licence.is_general_broker
    if not is_general:
        return None
    return Refusal(
        _l("The general broker of an organisation cannot be transferred."),
        _l("The office must first register another general broker for the organisation."),
        "/support",
    )


def _requires(words: Any, refusal: Refusal) -> Callable[[Callable[[Parties], bool]], Guard]:
    """Make a guard of the decorated condition on the parties; without parties it refuses nothing.

    words: as for `guard`. refusal: if the condition is not met.
    """

    def decorate(is_met: Callable[[Parties], bool]) -> Guard:
        @wraps(is_met)
        def check(case: Case) -> Refusal | None:
            parties = parties_of(case)
            return None if parties is None or is_met(parties) else refusal

        return guard(words=words, needs=TRANSFER)(check)

    return decorate


@_requires(
    _l("The number entered belongs to an organisation."),
    Refusal(
        _l("No organisation has this licence number or transfer code."),
        _l("Copy it from the other organisation's licence, or ask its general user."),
    ),
)
def other_organisation_is_known(parties: Parties) -> bool:
    """Require that the licence number or transfer code belongs to an organisation."""
    return not parties.is_named or parties.other is not None


@_requires(
    _l("The other organisation is not your own."),
    Refusal(
        _l("This licence number is your own organisation's."),
        _l("Enter the other organisation's licence number."),
    ),
)
def other_organisation_is_another(parties: Parties) -> bool:
    """Require another organisation than the asking one."""
    return parties.other is None or parties.other.id != parties.asking_id


@_requires(
    _l("The other organisation has not changed since it was asked."),
    Refusal(
        _l("The other organisation has already agreed, so you cannot name a different one now."),
        _l("Enter its licence number again, or withdraw this request and send a new one."),
    ),
)
def other_organisation_is_the_same(parties: Parties) -> bool:
    """Require that a sent transfer still names the organisation that was asked."""
    return not parties.is_fixed or parties.other is None or parties.named_id == parties.other.id


@_requires(
    _l("The other organisation can hold broker licences."),
    Refusal(
        _l("The other organisation cannot hold broker licences."),
        _l("Brokers can only be transferred between clearing offices."),
    ),
)
def other_organisation_may_hold_licences(parties: Parties) -> bool:
    """Require that the other organisation's legal entity may hold licences."""
    return parties.other is None or parties.other.may_hold_licences


@_requires(
    _l("The other organisation has a general user who can respond."),
    Refusal(
        _l("The other organisation has no active general user who can respond."),
        _l("It can register in the portal or ask the office for help."),
        "/support",
    ),
)
def other_organisation_can_answer(parties: Parties) -> bool:
    """Require that the other organisation has an active general user."""
    return parties.other is None or parties.other.general_users > 0


@_requires(_l("The broker is registered with one of the two organisations."), NOT_THEIRS)
def broker_is_with_a_party(parties: Parties) -> bool:
    """Require the broker to be with either party before sending, then with the releasing one."""
    if parties.other is None or parties.releasing_id == parties.holder_id:
        return True
    either = {parties.asking_id, parties.other.id}
    return parties.releasing_id is None and parties.holder_id in either


@_requires(_l("The broker's registered mobile number can receive messages."), CANNOT_BE_ASKED)
def broker_can_be_asked(parties: Parties) -> bool:
    """Require that the broker's registered mobile can receive the consent code."""
    return registered_mobile(parties.mobile) is not None


@guard(words=_l("The time to respond has not passed."), needs=TRANSFER)
def answer_is_in_time(case: Case) -> Refusal | None:
    """Require that the time to answer (a setting) has not passed, even if no job ran yet."""
    parties = parties_of(case)
    if parties is None or parties.asked_at is None:
        return None
    days = int(case.facts.settings["transfer_silence_days"])
    if case.facts.now <= parties.asked_at + timedelta(days=days):
        return None
    return Refusal(
        _l("The time to respond to this transfer has passed."),
        _l("You can send a new request."),
    )


def registered_mobile(mobile: str) -> str | None:
    """Return the registered number in E.164 if codes can be sent to it, else None."""
    try:
        number = values.mobile_e164(mobile)
    except BadValue:
        return None
    return number if one_time_codes.is_served(number) else None
