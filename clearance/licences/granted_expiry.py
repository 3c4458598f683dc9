"""The expiry date granted to a licence: proposal, check and warnings."""

from __future__ import annotations

from datetime import date, datetime
from operator import itemgetter
from typing import Annotated, Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import Field

from clearance.core import i18n, office_settings
from clearance.core.clock import kuwait_date, years_after
from clearance.core.errors import Refusal
from clearance.core.extensions import db
from clearance.licences import validity
from clearance.models import Licence, Request
from clearance.models.enums import ValidityLink
from clearance.services import versions
from clearance.services.decisions import Decision
from clearance.services.schema import Definition

MOST_YEARS = 20
_FIELDS = {
    ValidityLink.GUARANTEE: "guarantee_expiry",
    ValidityLink.CIVIL_ID: "civil_id_expiry",
    ValidityLink.PASSPORT: "passport_expiry",
}


class GrantedExpiry(Decision):
    """The licence's last Kuwait day, granted by an approval."""

    audited = on_timeline = ("granted_expiry",)
    missing = _l("Enter the expiry date you approve.")

    granted_expiry: Annotated[
        date,
        Field(
            title=_l("Approved expiry date"),
            description=_l(
                "The last day of the licence, dd/mm/yyyy. The proposed date is filled in."
            ),
        ),
    ]

    @classmethod
    def proposed(cls, req: Request, now: datetime) -> dict[str, Any]:
        """Return what `proposed_expiry` says."""
        return {"granted_expiry": proposed_expiry(req, now)}

    @classmethod
    def cautions(cls, req: Request, now: datetime) -> list[Refusal]:
        """Return `warnings`, with advice for the reviewer."""
        advice = _l("Approve an earlier date, or ask for corrections so that it is renewed too.")
        return [Refusal(warning.text, advice) for warning in warnings(req, now)]

    def refusal(self, now: datetime) -> Refusal | None:
        """Return why the date cannot be granted, or None."""
        return grant_refusal(self.granted_expiry, now)


def is_granted_by(service: Definition) -> bool:
    """Return whether the approval of requests for `service` grants an expiry date."""
    return any(GrantedExpiry in service.decisions(step) for step in service.steps.steps)


def proposed_expiry(req: Request, now: datetime) -> date | None:
    """Return the expiry date proposed for `req`; None if its approval grants none.

    It is the date the applicant asked for, if in the future, else `next_period_end`; at most
    MOST_YEARS ahead.
    """
    if not is_granted_by(versions.for_request(req)):
        return None
    today = kuwait_date(now)
    if req.licence_expiry is not None and req.licence_expiry > today:
        return min(req.licence_expiry, years_after(today, MOST_YEARS))
    return next_period_end(_licence(req), now)


def next_period_end(licence: Licence | None, now: datetime) -> date:
    """Return the end of the licence's next (or first) period; its years are an office setting."""
    today = kuwait_date(now)
    start = today if licence is None else max(today, licence.expires)
    years = int(office_settings.get("licence_validity_years"))
    return min(years_after(start, years), years_after(today, MOST_YEARS))


def grant_refusal(granted: date, now: datetime) -> Refusal | None:
    """Return why `granted` cannot be a licence's new expiry date, or None."""
    today = kuwait_date(now)
    if granted <= today:
        return Refusal(_l("The approved expiry date must be in the future."))
    last = years_after(today, MOST_YEARS)
    if granted > last:
        return Refusal(
            _("The latest expiry date you can approve is %(day)s.", day=i18n.format_day(last))
        )
    return None


def warnings(req: Request, now: datetime) -> list[Refusal]:
    """Return a warning for every document that expires before the proposed expiry date.

    Dates given in the request replace those of the register.
    Source: specification section 5, Effective validity.
    """
    day = proposed_expiry(req, now)
    if day is None:
        return []
    return [
        Refusal(
            _(
                "%(link)s expires on %(end)s, before the licence does on %(day)s. The "
                "licence would be valid only until then.",
                link=link.label,
                end=i18n.format_day(end),
                day=i18n.format_day(day),
            ),
            _l("Renew that document too, or ask for an earlier expiry date."),
        )
        for link, end in validity.breaking_before(_links(req), day)
    ]


def _links(req: Request) -> list[tuple[ValidityLink, date]]:
    """Return (link, end), earliest first: the request's dates, else the register's."""
    licence = _licence(req)
    known = dict(validity.ends(licence)) if licence is not None else {}
    given = {link: getattr(req, name) for link, name in _FIELDS.items()}
    known |= {link: end for link, end in given.items() if end is not None}
    return sorted(known.items(), key=itemgetter(1))


def _licence(req: Request) -> Licence | None:
    """Return the request's licence if it belongs to the requesting organisation, else None."""
    licence = None if req.licence_id is None else db.session.get(Licence, req.licence_id)
    if licence is None or licence.broker.organisation_id != req.organisation_id:
        return None
    return licence
