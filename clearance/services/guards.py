"""Guards: conditions of requests and steps; a refusal says why not, and what would help."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import i18n, urls
from clearance.core.clock import kuwait_date
from clearance.core.errors import Refusal
from clearance.models.enums import Status
from clearance.services.facts import Case, RequestFact, ServiceTerms

Guard = Callable[[Case], Refusal | None]

GUARDS: dict[str, Guard] = {}
"""Guards that definitions may list, by name."""


WHOSE: set[Guard] = set()
"""Ownership guards: after their refusal no other guard runs, so that nothing else is revealed."""


def guard(function: Guard) -> Guard:
    """Register `function` as a guard for definitions."""
    GUARDS[function.__name__] = function
    return function


def guard_of_whose(function: Guard) -> Guard:
    """Register `function` as a guard of ownership, checked before the subject's other guards.

    Source: specification section 5: the old organisation loses sight of a broker.
    """
    WHOSE.add(function)
    return guard(function)


def first_refusal(guards: tuple[Guard, ...], case: Case) -> Refusal | None:
    """Return the first refusal among `guards`, in order, or None."""
    for check in guards:
        refusal = check(case)
        if refusal is not None:
            return refusal
    return None


# Guards of every service, not listed in definitions.


def organisation_may_ask(case: Case) -> Refusal | None:
    """Require an active membership and a legal entity the service is for."""
    if case.facts.standing is None:
        return Refusal(
            _l("You are not an active member of an organisation that could ask for this."),
            _l("Ask the general user of your organisation to activate your account."),
        )
    allowed = case.service.legal_entities
    if is_for(case.service, case.facts.legal_entity):
        return None
    names = case.facts.entity_names
    return Refusal(
        _l("The legal entity of your organisation cannot ask for this service."),
        _(
            "It is for: %(entities)s.",
            entities=_(", ").join(i18n.in_language(names.get(code, {}), "") for code in allowed),
        ),
    )


def is_for(service: ServiceTerms, legal_entity: str | None) -> bool:
    """Return whether organisations of that legal entity may have the service."""
    return not service.legal_entities or legal_entity in service.legal_entities


def is_subscribed(case: Case) -> Refusal | None:
    """Require that the organisation has the service: automatic, or by active subscription.

    A subscription row overrides the definition: once left, an automatic service needs a new
    subscription.
    """
    status = case.facts.subscriptions.get(case.service.code)
    if status == "active" or (status is None and case.service.is_automatic):
        return None
    if status == "asked":
        return Refusal(
            _l("Your organisation's subscription to this service awaits the office's decision."),
            _l("You will be told as soon as it is decided."),
            urls.SUBSCRIPTIONS,
        )
    return Refusal(
        _l("Your organisation is not subscribed to this service."),
        _l("The general user can subscribe it under Subscriptions."),
        urls.SUBSCRIPTIONS,
    )


def is_granted(case: Case) -> Refusal | None:
    """Require that the user may use the service for the organisation."""
    standing = case.facts.standing
    if standing is not None and standing.may_use(case.service.code):
        return None
    return Refusal(
        _l("This service is not granted to you."),
        _l("The general user of your organisation can grant it to you."),
    )


def claim_is_free(case: Case) -> Refusal | None:
    """Require that no other open request or valid pass holds the exclusive key."""
    holder = case.facts.claims.get(case.claim_key or "")
    if holder is None or holder.id == case.request_id:
        return None
    last_day = case.facts.keeps_until(holder)
    if last_day is not None and last_day < case.facts.today:
        return None
    return claimed_by(holder, case)


def claimed_by(holder: RequestFact | None, case: Case) -> Refusal:
    """Return the refusal for an exclusive key that `holder` (None: not visible yet) holds."""
    standing = case.facts.standing
    is_theirs = (
        holder is not None
        and standing is not None
        and holder.organisation_id == standing.organisation_id
        and standing.may_use(holder.service_code)
    )
    if holder is not None and not holder.is_open:
        return _completed(holder, case) if is_theirs else _COMPLETED
    if holder is not None and is_theirs:
        return Refusal(
            _("Request %(number)s about the same is still open.", number=holder.number),
            _l("You can ask again when it is decided or withdrawn."),
            urls.request_url(holder.id),
        )
    return Refusal(
        _l("Another request about the same is still open."),
        _l("You can ask again when it is decided or withdrawn."),
    )


_COMPLETED = Refusal(_l("This service was already completed for this civil number."))


def _completed(holder: RequestFact, case: Case) -> Refusal:
    """Return the refusal for a key held by a finished request, for its own organisation."""
    last_day = case.facts.keeps_until(holder)
    change: Any = ""
    if last_day is not None:
        day = i18n.format_day(last_day)
        change = _("The pass counts until %(day)s; after that it can be asked for again.", day=day)
    return Refusal(_COMPLETED.text, change, urls.request_url(holder.id))


UNIVERSAL: tuple[Guard, ...] = (organisation_may_ask, is_subscribed, is_granted)


# Guards listed in definitions.

_SAT = frozenset({Status.PASSED, Status.FAILED, Status.ABSENT})


@guard
def exam_waiting_time_over(case: Case) -> Refusal | None:
    """Require the waiting time (a setting) since the person's last exam."""
    waiting = int(case.facts.settings["exam_waiting_days"])
    results = [row.decided_at for row in case.earlier if row.status in _SAT and row.decided_at]
    if not waiting or not results:
        return None
    allowed_from = kuwait_date(max(results)) + timedelta(days=waiting)
    if case.facts.today >= allowed_from:
        return None
    return Refusal(
        _l("The waiting time after the last exam is not over."),
        _("You can ask again from %(day)s.", day=i18n.format_day(allowed_from)),
    )


@guard
def exam_attempts_left(case: Case) -> Refusal | None:
    """Require an attempt left of those allowed (a setting); a pass resets the count."""
    allowed, used = int(case.facts.settings["exam_attempts"]), 0
    for row in case.earlier:
        used = 0 if row.status == Status.PASSED else used + (row.status in _SAT)
    if not allowed or used < allowed:
        return None
    return Refusal(
        _l("All attempts at this exam that the office allows are used up."),
        _l("The office can tell you whether an exception is possible."),
        "/support",
    )


# Guards of the steps in services/flows.py.


def seat_is_confirmable(case: Case) -> Refusal | None:
    """Require a seat whose last day to confirm has not passed."""
    seat = case.facts.seat
    if seat is None:
        return Refusal(_l("There is no seat to confirm."))
    if case.facts.today <= seat.confirm_by:
        return None
    return Refusal(
        _("The last day to confirm attendance was %(day)s.", day=i18n.format_day(seat.confirm_by)),
        _l("You will be nominated for the next exam."),
    )


def exam_has_begun(case: Case) -> Refusal | None:
    """Require that the exam has begun."""
    seat = case.facts.seat
    if seat is not None and case.facts.now >= seat.held_at:
        return None
    return Refusal(
        _l("The exam has not been held yet."),
        _l("Results can be entered once it has begun."),
    )
