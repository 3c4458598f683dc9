"""Template data of transfer consents, for both areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import i18n
from clearance.core.values import isolate
from clearance.models import Request
from clearance.transfers import consent_links
from clearance.transfers import operations as transfer_operations

PARTIES: dict[str, Any] = {
    "releasing": _l("Current clearing office"),
    "receiving": _l("New clearing office"),
    "broker": _l("The broker"),
}
ANSWERS: dict[str, tuple[Any, str]] = {
    "waiting": (_l("Waiting for a response"), "warning"),
    "given": (_l("Consent given"), "success"),
    "declined": (_l("Declined"), "danger"),
}


@dataclass(frozen=True)
class Decline:
    """Texts on who declined a transfer: status label and closing reason."""

    label: str
    sentence: str


def for_page(req: Request) -> dict[str, Any]:
    """Return the consents to `req`; empty if it needs none.

    consents: rows with answers, in the order asked. declined: a `Decline`, or None.
    """
    if req.other_organisation_id is None:
        return {"consents": [], "declined": None}
    rows = [_row(consent, req, i18n.language()) for consent in transfer_operations.consents(req)]
    return {"consents": rows, "declined": _declined(rows)}


def _declined(consents: list[dict[str, Any]]) -> Decline | None:
    for consent in consents:
        name = isolate(consent["name"])
        if consent["has_declined"] and consent["name"]:
            return Decline(
                _("Declined by %(name)s", name=name),
                _("The request is closed because %(name)s declined it.", name=name),
            )
        if consent["has_declined"]:
            return Decline(
                _("Declined by the broker"),
                _("The request is closed because the broker declined the transfer."),
            )
    return None


def _row(consent: transfer_operations.Consent, req: Request, lang: str) -> dict[str, Any]:
    label, tone = ANSWERS[consent.answer]
    awaits_broker = consent.organisation is None and consent.answer == "waiting"
    return {
        "party": PARTIES[consent.party],
        "name": consent.organisation.name_in(lang) if consent.organisation is not None else "",
        "answer": label,
        "has_declined": consent.answer == "declined",
        "tone": tone,
        "at": consent.answered_at,
        "link_sent_at": consent_links.last_sent(req) if awaits_broker else None,
    }
