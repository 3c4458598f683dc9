"""Guards of the licence services, about the state of the licence or candidate."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import i18n
from clearance.core.errors import Refusal
from clearance.licences.facts import LicenceFact, licence_of, licensed, status_of
from clearance.models.enums import LicenceStatus, SuspendedBy, ValidityLink
from clearance.services.facts import Case
from clearance.services.guards import guard
from clearance.services.needs import Needs

LICENCE = Needs(subject="licence")
PERSON = Needs(fields=("civil_id",))

_CANCELLED = Refusal(
    _l("The licence is cancelled permanently."),
    _l("You can apply for a new licence if you meet its conditions."),
)
_EXPIRED = Refusal(_l("The licence has expired."), _l("Request a renewal first."))
_BY_OFFICE = Refusal(
    _l("The licence is suspended by the Clearance Agents Affairs Office."),
    _l("Only the office can lift its suspension."),
)
_BY_HOLDER = Refusal(
    _l("The licence is suspended at your organisation's request."),
    _l("Request a reactivation first."),
)

HAS_LICENCE = Refusal(
    _l("This person already has a licence."),
    _l("It can be renewed, reactivated or transferred, depending on its status."),
)
ONE_LICENCE = ("uq_broker_civil_id", "uq_licence_one_living")
"""The database constraints that enforce `person_has_no_licence`."""


def _suspended(licence: LicenceFact) -> Refusal:
    return _BY_OFFICE if licence.suspended_by == SuspendedBy.OFFICE else _BY_HOLDER


@guard(
    words=_l("The broker is registered with your organisation."), needs=LICENCE, is_ownership=True
)
def broker_is_ours(case: Case) -> Refusal | None:
    """The broker is registered with the requesting organisation."""
    licence = licence_of(case)
    if licence is None or licence.organisation_id == case.facts.organisation_id:
        return None
    return Refusal(
        _l("This broker is no longer registered with your organisation."),
        _l("The organisation the broker is registered with can apply."),
    )


@guard(words=_l("The licence is active and has not expired."), needs=LICENCE)
def licence_is_active(case: Case) -> Refusal | None:
    """The licence is active and has not expired."""
    licence, status = licence_of(case), status_of(case)
    if licence is None or status == LicenceStatus.ACTIVE:
        return None
    if status == LicenceStatus.SUSPENDED:
        return _suspended(licence)
    return _CANCELLED if status == LicenceStatus.CANCELLED else _EXPIRED


@guard(words=_l("The licence is not cancelled."), needs=LICENCE)
def licence_is_not_cancelled(case: Case) -> Refusal | None:
    """The licence is in any state but cancelled."""
    return _CANCELLED if status_of(case) == LicenceStatus.CANCELLED else None


@guard(words=_l("The licence is active or expired, and within the renewal period."), needs=LICENCE)
def licence_is_renewable(case: Case) -> Refusal | None:
    """The licence is active in its renewal window (a setting), or it has expired."""
    licence = licence_of(case)
    if licence is None:
        return None
    if status_of(case) == LicenceStatus.CANCELLED:
        return _CANCELLED
    if status_of(case) == LicenceStatus.SUSPENDED:
        return _suspended(licence)
    until, link = licence.validity
    opens = until - timedelta(days=int(case.facts.settings["renewal_window_days"]))
    if status_of(case) == LicenceStatus.EXPIRED or case.facts.today >= opens:
        return None
    return Refusal(
        _(
            "The licence is valid until %(day)s (expires first: %(link)s).",
            day=i18n.format_day(until),
            link=ValidityLink(link).label,
        ),
        _("Renewal opens on %(day)s.", day=i18n.format_day(opens)),
    )


@guard(words=_l("The licence is suspended at its holder's request."), needs=LICENCE)
def licence_is_reactivable(case: Case) -> Refusal | None:
    """The licence is suspended at its holder's request, and has not expired since."""
    licence, status = licence_of(case), status_of(case)
    if licence is None:
        return None
    if status == LicenceStatus.SUSPENDED:
        return None if licence.suspended_by == SuspendedBy.HOLDER else _BY_OFFICE
    if status == LicenceStatus.ACTIVE:
        return Refusal(_l("The licence is already active."))
    return _CANCELLED if status == LicenceStatus.CANCELLED else _EXPIRED


@guard(words=_l("The person does not already have a licence."), needs=PERSON)
def person_has_no_licence(case: Case) -> Refusal | None:
    """The candidate has no licence except cancelled ones."""
    if case.target.civil_id not in case.facts.read(licensed):
        return None
    return HAS_LICENCE
