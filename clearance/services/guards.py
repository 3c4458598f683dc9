"""Guards: conditions of requests and steps; a refusal says why not, and what would help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import i18n, urls
from clearance.core.errors import Refusal
from clearance.models.enums import Status
from clearance.services.facts import Case, RequestFact, ServiceTerms
from clearance.services.needs import ANY, Needs

Check = Callable[[Case], Refusal | None]


@dataclass(frozen=True)
class Guard:
    """A check that definitions may list, at the start, at sending or at the approval.

    words: the condition in words. needs: what a definition must have to name the guard.
    is_ownership: checked before the subject's other guards; after its refusal no other guard runs,
    so that nothing else is revealed (specification section 5: the old organisation loses sight of
    a broker).
    """

    check: Check
    words: Any
    needs: Needs = ANY
    is_ownership: bool = False

    @property
    def name(self) -> str:
        """Its name in definitions."""
        return self.check.__name__

    def __call__(self, case: Case) -> Refusal | None:
        """Return why the case is refused, or None."""
        return self.check(case)


def guard(
    *, words: Any, needs: Needs = ANY, is_ownership: bool = False
) -> Callable[[Check], Guard]:
    """Make the decorated check a guard for definitions; see `Guard`."""
    return lambda check: Guard(check, words, needs, is_ownership)


def first_refusal(checks: Sequence[Check], case: Case) -> Refusal | None:
    """Return the first refusal among `checks`, in order, or None."""
    for check in checks:
        refusal = check(case)
        if refusal is not None:
            return refusal
    return None


# Guards of every service, not listed in definitions.

STOPPED = _l("The office has stopped this service.")


def is_offered(case: Case) -> Refusal | None:
    """Refuse to begin what the office has stopped, and after some days to send drafts of it."""
    stop, today = case.facts.stops.get(case.service.code), case.facts.today
    if stop is None or not stop.holds_on(today) or case.status not in (None, Status.DRAFT):
        return None
    last_day = stop.last_day_of_drafts(case.facts.settings["stopped_draft_days"])
    if case.status == Status.DRAFT and today <= last_day:
        return None
    told = [stop.notice_in(i18n.language())]
    if stop.until is not None:
        told.append(_("You can apply again from %(day)s.", day=i18n.format_day(stop.until)))
    if case.status is None and today <= last_day:
        day = i18n.format_day(last_day)
        told.append(_("Drafts that were begun before can be sent until %(day)s.", day=day))
    return Refusal(STOPPED, " ".join(filter(None, told)))


def organisation_may_ask(case: Case) -> Refusal | None:
    """Require an active membership and a legal entity the service is for."""
    if case.facts.standing is None:
        return Refusal(
            _l("You are not an active member of an organisation that can use this service."),
            _l("Ask the general user of your organisation to activate your account."),
        )
    allowed = case.service.legal_entities
    if is_for(case.service, case.facts.legal_entity):
        return None
    names = case.facts.entity_names
    return Refusal(
        _l("This service is not available to your type of organisation."),
        _(
            "It is only for: %(entities)s.",
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
            _l(
                "The office has not yet decided on your organisation's subscription to this "
                "service."
            ),
            _l("We will notify you when it is decided."),
            urls.SUBSCRIPTIONS,
        )
    return Refusal(
        _l("Your organisation is not subscribed to this service."),
        _l("The general user can subscribe to it under Subscriptions."),
        urls.SUBSCRIPTIONS,
    )


def is_granted(case: Case) -> Refusal | None:
    """Require that the user may use the service for the organisation."""
    standing = case.facts.standing
    if standing is not None and standing.may_use(case.service.code):
        return None
    return Refusal(
        _l("You do not have access to this service."),
        _l("The general user of your organisation can give you access."),
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
            _("Request %(number)s is still open.", number=holder.number),
            _l("You can apply again when it is decided or withdrawn."),
            urls.request_url(holder.id),
        )
    return Refusal(
        _l("Another request is still open."),
        _l("You can apply again when it is decided or withdrawn."),
    )


_COMPLETED = Refusal(_l("This service was already completed for this civil number."))


def _completed(holder: RequestFact, case: Case) -> Refusal:
    """Return the refusal for a key held by a finished request, for its own organisation."""
    last_day = case.facts.keeps_until(holder)
    change: Any = ""
    if last_day is not None:
        day = i18n.format_day(last_day)
        change = _("The pass is valid until %(day)s. After that you can apply again.", day=day)
    return Refusal(_COMPLETED.text, change, urls.request_url(holder.id))


UNIVERSAL: tuple[Check, ...] = (is_offered, organisation_may_ask, is_subscribed, is_granted)


# Guards listed in definitions.
