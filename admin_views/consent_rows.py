"""The consents of a transfer as pages of both areas show them."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from clearance import i18n, transfers
from clearance.models import Request

PARTIES: dict[str, Any] = {
    "releasing": _l("Present office"),
    "receiving": _l("New office"),
    "broker": _l("The broker"),
}
ANSWERS: dict[str, tuple[Any, str]] = {
    "waiting": (_l("Awaited"), "warning"),
    "given": (_l("Given"), "success"),
    "declined": (_l("Declined"), "danger"),
}


def rows(req: Request) -> list[dict[str, Any]]:
    """Who has agreed and who is awaited, in the order of asking; [] where nobody is asked."""
    if req.other_organisation_id is None:
        return []
    return [_row(each, i18n.language()) for each in transfers.consents(req)]


def _row(each: transfers.Consent, lang: str) -> dict[str, Any]:
    label, tone = ANSWERS[each.answer]
    return {
        "party": PARTIES[each.party],
        "name": each.organisation.name_in(lang) if each.organisation is not None else "",
        "answer": label,
        "tone": tone,
        "at": each.answered_at,
    }
