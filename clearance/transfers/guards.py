"""Guards of transfers: the parties, the broker and the time to answer."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import lazy_gettext as _l

from clearance.auth import one_time_codes
from clearance.core import values
from clearance.core.errors import Refusal
from clearance.core.values import BadValue
from clearance.licences.facts import licence_of
from clearance.services.facts import Case
from clearance.services.guards import guard
from clearance.services.needs import Needs
from clearance.transfers.parties import NAMED_BY, parties_of

TRANSFER = Needs(subject="licence", flow="transfer", roles=(NAMED_BY,))

NOT_THEIRS = Refusal(
    _l("The broker is not registered with the organisation that is to release him."),
    _l("A new transfer can be asked for by the organisation that he is registered with."),
)
CANNOT_BE_ASKED = Refusal(
    _l("The broker's registered mobile number is missing or cannot get messages."),
    _l("The office has to register his mobile number first: he consents by a code sent to it."),
    "/support",
)


@guard(words=_l("A general user asks."), needs=TRANSFER)
def asks_as_general_user(case: Case) -> Refusal | None:
    """Require a general user."""
    standing = case.facts.standing
    if standing is None or standing.is_general:
        return None
    return Refusal(
        _l("Only a general user can ask for the transfer of a broker."),
        _l("Ask the general user of your organisation to send this request."),
    )


@guard(words=_l("The broker is not his organisation's general broker."), needs=TRANSFER)
def broker_is_not_general_broker(case: Case) -> Refusal | None:
    """Require that the broker is not his organisation's general broker."""
    licence, parties = licence_of(case), parties_of(case)
    is_general = parties.is_general_broker if parties else licence and licence.is_general_broker
    if not is_general:
        return None
    return Refusal(
        _l("The general broker of an organisation cannot be transferred."),
        _l("The office has to register another general broker for the organisation first."),
        "/support",
    )


@guard(words=_l("The number given names an organisation."), needs=TRANSFER)
def other_organisation_is_known(case: Case) -> Refusal | None:
    """Require that the licence number or transfer code belongs to an organisation."""
    parties = parties_of(case)
    if parties is None or not parties.is_named or parties.other is not None:
        return None
    return Refusal(
        _l("No organisation has this licence number or transfer code."),
        _l("Copy it from the licence of the other organisation, or ask its general user for it."),
    )


@guard(words=_l("The other organisation is not your own."), needs=TRANSFER)
def other_organisation_is_another(case: Case) -> Refusal | None:
    """Require another organisation than the asking one."""
    parties = parties_of(case)
    if parties is None or parties.other is None or parties.other.id != parties.asking_id:
        return None
    return Refusal(
        _l("This licence number is your own organisation's."),
        _l("Give the licence number of the other organisation."),
    )


@guard(words=_l("The other organisation stays the one that was asked."), needs=TRANSFER)
def other_organisation_is_the_same(case: Case) -> Refusal | None:
    """Require that a sent transfer still names the organisation that was asked."""
    parties = parties_of(case)
    if parties is None or not parties.is_fixed or parties.other is None:
        return None
    if parties.named_id == parties.other.id:
        return None
    return Refusal(
        _l("The other organisation has agreed already; another one cannot be named now."),
        _l("Give its licence number again, or withdraw this request and send a new one."),
    )


@guard(words=_l("The other organisation may hold broker licences."), needs=TRANSFER)
def other_organisation_may_hold_licences(case: Case) -> Refusal | None:
    """Require that the other organisation's legal entity may hold licences."""
    parties = parties_of(case)
    if parties is None or parties.other is None or parties.other.may_hold_licences:
        return None
    return Refusal(
        _l("The other organisation may not hold broker licences."),
        _l("Brokers can be transferred between clearing agents' offices only."),
    )


@guard(words=_l("The other organisation has a general user who can answer."), needs=TRANSFER)
def other_organisation_can_answer(case: Case) -> Refusal | None:
    """Require that the other organisation has an active general user."""
    parties = parties_of(case)
    if parties is None or parties.other is None or parties.other.general_users:
        return None
    return Refusal(
        _l("The other organisation has no active general user who could answer."),
        _l("Its people can register in the portal, or ask the office for help."),
        "/support",
    )


@guard(words=_l("The broker is registered with one of the two organisations."), needs=TRANSFER)
def broker_is_with_a_party(case: Case) -> Refusal | None:
    """Require the broker to be with either party before sending, then with the releasing one."""
    parties = parties_of(case)
    if parties is None or parties.other is None:
        return None
    expected = {parties.releasing_id}
    if parties.releasing_id is None:
        expected = {parties.asking_id, parties.other.id}
    if parties.holder_id in expected:
        return None
    return NOT_THEIRS


@guard(words=_l("The broker's registered mobile can get messages."), needs=TRANSFER)
def broker_can_be_asked(case: Case) -> Refusal | None:
    """Require that the broker's registered mobile can receive the consent code."""
    parties = parties_of(case)
    if parties is None or registered_mobile(parties.mobile):
        return None
    return CANNOT_BE_ASKED


@guard(words=_l("The time to answer is not over."), needs=TRANSFER)
def answer_is_in_time(case: Case) -> Refusal | None:
    """Require that the time to answer (a setting) has not passed, even if no job ran yet."""
    parties = parties_of(case)
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
    """Return the registered number in E.164 if codes can be sent to it, else None."""
    try:
        number = values.mobile_e164(mobile)
    except BadValue:
        return None
    return number if one_time_codes.is_served(number) else None
