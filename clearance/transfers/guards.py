"""Guards of a transfer: who may ask, whom, and whether the broker can still be moved."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import lazy_gettext as _l

from clearance.auth import one_time_codes
from clearance.core import values
from clearance.core.errors import Refusal
from clearance.core.values import BadValue
from clearance.services.facts import Case
from clearance.services.guards import guard

NOT_THEIRS = Refusal(
    _l("The broker is not registered with the organisation that is to release him."),
    _l("A new transfer can be asked for by the organisation that he is registered with."),
)
CANNOT_BE_ASKED = Refusal(
    _l("The broker's registered mobile number is missing or cannot get messages."),
    _l("The office has to register his mobile number first: he consents by a code sent to it."),
    "/support",
)


@guard
def asks_as_general_user(case: Case) -> Refusal | None:
    """Whoever asks is a general user of the organisation."""
    standing = case.facts.standing
    if standing is None or standing.is_general:
        return None
    return Refusal(
        _l("Only a general user can ask for the transfer of a broker."),
        _l("Ask the general user of your organisation to send this request."),
    )


@guard
def broker_is_not_general_broker(case: Case) -> Refusal | None:
    """The broker is not the one in whose name his organisation works."""
    licence, parties = case.licence, case.facts.parties
    is_general = parties.is_general_broker if parties else licence and licence.is_general_broker
    if not is_general:
        return None
    return Refusal(
        _l("The general broker of an organisation cannot be transferred."),
        _l("The office has to register another general broker for the organisation first."),
        "/support",
    )


@guard
def other_organisation_is_known(case: Case) -> Refusal | None:
    """The licence number or transfer code given is an organisation's."""
    parties = case.facts.parties
    if parties is None or not parties.is_named or parties.other is not None:
        return None
    return Refusal(
        _l("No organisation has this licence number or transfer code."),
        _l("Copy it from the licence of the other organisation, or ask its general user for it."),
    )


@guard
def other_organisation_is_another(case: Case) -> Refusal | None:
    """The organisation does not ask itself."""
    parties = case.facts.parties
    if parties is None or parties.other is None or parties.other.id != parties.asking_id:
        return None
    return Refusal(
        _l("This licence number is your own organisation's."),
        _l("Give the licence number of the other organisation."),
    )


@guard
def other_organisation_is_the_same(case: Case) -> Refusal | None:
    """A transfer that was sent goes on with the organisation that was asked."""
    parties = case.facts.parties
    if parties is None or not parties.is_fixed or parties.other is None:
        return None
    if parties.named_id == parties.other.id:
        return None
    return Refusal(
        _l("The other organisation has agreed already; another one cannot be named now."),
        _l("Give its licence number again, or withdraw this request and send a new one."),
    )


@guard
def other_organisation_may_hold_licences(case: Case) -> Refusal | None:
    """The other organisation's legal entity is one that may have brokers."""
    parties = case.facts.parties
    if parties is None or parties.other is None or parties.other.may_hold_licences:
        return None
    return Refusal(
        _l("The other organisation may not hold broker licences."),
        _l("Brokers can be transferred between clearing agents' offices only."),
    )


@guard
def other_organisation_can_answer(case: Case) -> Refusal | None:
    """The other organisation has an active general user."""
    parties = case.facts.parties
    if parties is None or parties.other is None or parties.other.general_users:
        return None
    return Refusal(
        _l("The other organisation has no active general user who could answer."),
        _l("Its people can register in the portal, or ask the office for help."),
        "/support",
    )


@guard
def broker_is_with_a_party(case: Case) -> Refusal | None:
    """The broker is registered with one of the two: before sending either, then who releases."""
    parties = case.facts.parties
    if parties is None or parties.other is None:
        return None
    expected = {parties.releasing_id}
    if parties.releasing_id is None:
        expected = {parties.asking_id, parties.other.id}
    if parties.holder_id in expected:
        return None
    return NOT_THEIRS


@guard
def broker_can_be_asked(case: Case) -> Refusal | None:
    """The broker's registered mobile number can get the code by which he consents."""
    parties = case.facts.parties
    if parties is None or registered_mobile(parties.mobile):
        return None
    return CANNOT_BE_ASKED


@guard
def answer_is_in_time(case: Case) -> Refusal | None:
    """Whoever is asked answers before the transfer lapses (a setting), job or no job."""
    parties = case.facts.parties
    if parties is None or parties.asked_at is None:
        return None
    days = int(case.facts.settings["transfer_silence_days"])
    if case.facts.now <= parties.asked_at + timedelta(days=days):
        return None
    return Refusal(
        _l("The time to answer this transfer is over."),
        _l("A new request can be sent."),
    )


def registered_mobile(mobile: str) -> str | None:
    """The registered number in E.164 when a code can be sent to it, else None."""
    try:
        number = values.mobile_e164(mobile)
    except BadValue:
        return None
    return number if one_time_codes.is_served(number) else None
