"""Statuses of transfers besides the standard ones."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from clearance.models.enums import Labelled


class TransferStatus(Labelled):
    """While the parties answer."""

    AWAITING_OTHER_PARTY = (
        "awaiting_other_party",
        _l("Waiting for the other office"),
        "waiting",
        lazy_pgettext("short", "Other office"),
    )
    AWAITING_BROKER = (
        "awaiting_broker",
        _l("Waiting for the broker's consent"),
        "waiting",
        lazy_pgettext("short", "Consent due"),
    )
    DECLINED = (
        "declined",
        _l("Declined by another party"),
        "danger",
        lazy_pgettext("short", "Declined"),
    )


UNANSWERED = frozenset({TransferStatus.AWAITING_OTHER_PARTY, TransferStatus.AWAITING_BROKER})
