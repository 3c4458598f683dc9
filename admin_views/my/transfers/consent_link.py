"""Transfer consents on both organisations' pages, and resending the broker's link."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from admin_views.base.access import current_actor
from admin_views.base.form_post import post_once, posted_version
from admin_views.shared import transfer_consents
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, NotFound, TooManyTries
from clearance.models import Request
from clearance.requests import available_actions
from clearance.transfers import consent_links
from clearance.transfers import operations as transfer_operations
from clearance.transfers.flow import TransferAction
from clearance.transfers.statuses import TransferStatus


def shown(req: Request, actor: Actor, now: datetime) -> dict[str, Any]:
    """Return the template data of a transfer's consents; empty for other requests.

    Extends `transfer_consents.for_page`. answer_by: the last day to answer. new_link: while the
    broker's answer is pending, the resend action with any refusal.
    """
    is_awaited = req.status == TransferStatus.AWAITING_BROKER
    return transfer_consents.for_page(req) | {
        "answer_by": transfer_operations.answer_by(req),
        "new_link": available_actions.action(req, TransferAction.SEND_LINK, actor, now)
        if is_awaited
        else None,
    }


def send(
    request_id: int,
    scope: sa.ColumnElement[bool],
    result: str,
    refused: Callable[[DomainError], Any],
) -> Any:
    """Send the link, redirect to `result`. scope: visible requests; refused: renders a refusal."""

    def show(refusal: DomainError) -> Any:
        if isinstance(refusal, NotFound | TooManyTries):
            raise refusal
        return refused(refusal)

    version = posted_version()
    return post_once(
        lambda: consent_links.send_again(request_id, scope, current_actor(), version, utc_now()),
        result=result,
        told=_(
            "We sent a new link to the broker's registered mobile number, and to their "
            "registered e-mail address if there is one. The old link no longer works."
        ),
        refused=show,
        acts_first=True,
    )
