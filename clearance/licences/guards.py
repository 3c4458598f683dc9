"""Guards of the licence services, about the state of the licence or candidate."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import i18n, urls
from clearance.core.errors import Refusal
from clearance.models.enums import LicenceStatus, SuspendedBy, ValidityLink
from clearance.services.facts import Case, LicenceFact
from clearance.services.guards import guard, guard_of_whose

_CANCELLED = Refusal(
    _l("The licence is cancelled for good."),
    _l("A new licence can be requested under the conditions of issuance."),
)
_EXPIRED = Refusal(_l("The licence has expired."), _l("Request its renewal first."))
_BY_OFFICE = Refusal(
    _l("The licence is suspended by the Clearance Agents Affairs Office."),
    _l("Only the office can lift its suspension."),
)
_BY_HOLDER = Refusal(
    _l("The licence is suspended at your organisation's request."),
    _l("Request its reactivation first."),
)

HAS_LICENCE = Refusal(
    _l("This person has a licence already."),
    _l("It can be renewed, reactivated or transferred as its state allows."),
)
ONE_LICENCE = ("uq_broker_civil_id", "uq_licence_one_living")
"""The database constraints that enforce `person_has_no_licence`."""


def _suspended(licence: LicenceFact) -> Refusal:
    return _BY_OFFICE if licence.suspended_by == SuspendedBy.OFFICE else _BY_HOLDER


@guard_of_whose
def broker_is_ours(case: Case) -> Refusal | None:
    """The broker is registered with the requesting organisation."""
    if case.licence is None or case.licence.organisation_id == case.facts.organisation_id:
        return None
    return Refusal(
        _l("This broker is not registered with your organisation any more."),
        _l("The organisation that he is registered with can ask for him."),
    )


@guard
def licence_is_active(case: Case) -> Refusal | None:
    """The licence is active and has not expired."""
    if case.licence is None or case.licence_status == LicenceStatus.ACTIVE:
        return None
    if case.licence_status == LicenceStatus.SUSPENDED:
        return _suspended(case.licence)
    return _CANCELLED if case.licence_status == LicenceStatus.CANCELLED else _EXPIRED


@guard
def licence_is_not_cancelled(case: Case) -> Refusal | None:
    """The licence is in any state but cancelled."""
    return _CANCELLED if case.licence_status == LicenceStatus.CANCELLED else None


@guard
def licence_is_renewable(case: Case) -> Refusal | None:
    """The licence is active in its renewal window (a setting), or it has expired."""
    licence = case.licence
    if licence is None:
        return None
    if case.licence_status == LicenceStatus.CANCELLED:
        return _CANCELLED
    if case.licence_status == LicenceStatus.SUSPENDED:
        return _suspended(licence)
    until, link = licence.validity
    opens = until - timedelta(days=int(case.facts.settings["renewal_window_days"]))
    if case.licence_status == LicenceStatus.EXPIRED or case.facts.today >= opens:
        return None
    return Refusal(
        _(
            "The licence is valid until %(day)s; what ends first is: %(link)s.",
            day=i18n.format_day(until),
            link=ValidityLink(link).label,
        ),
        _("Renewal opens on %(day)s.", day=i18n.format_day(opens)),
    )


@guard
def licence_is_reactivable(case: Case) -> Refusal | None:
    """The licence is suspended at its holder's request, and has not expired since."""
    licence, status = case.licence, case.licence_status
    if licence is None:
        return None
    if status == LicenceStatus.SUSPENDED:
        return None if licence.suspended_by == SuspendedBy.HOLDER else _BY_OFFICE
    if status == LicenceStatus.ACTIVE:
        return Refusal(_l("The licence is active already."))
    return _CANCELLED if status == LicenceStatus.CANCELLED else _EXPIRED


@guard
def exam_was_passed_lately(case: Case) -> Refusal | None:
    """The candidate passed the exam, and the pass is still valid (years are a setting)."""
    if case.civil_id is None:
        return None
    passed = case.facts.passed.get(case.civil_id)
    if passed is None:
        return Refusal(
            _l("This person has not passed the clearing agents' exam."),
            _l("Request the exam first."),
        )
    last_day = case.facts.pass_counts_until(passed)
    if case.facts.today <= last_day:
        return None
    return Refusal(
        _(
            "The exam was passed on %(passed)s, and that counted until %(day)s.",
            passed=i18n.format_day(passed),
            day=i18n.format_day(last_day),
        ),
        _l("The exam has to be passed again: request it under My services."),
        urls.SERVICES,
    )


@guard
def person_has_no_licence(case: Case) -> Refusal | None:
    """The candidate has no licence except cancelled ones."""
    if case.civil_id is None or case.civil_id not in case.facts.licensed:
        return None
    return HAS_LICENCE
