"""The broker's link on the pages of both organisations of a transfer: its button, its sending."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect
from flask_babel import gettext as _

from admin_views.access import acting
from admin_views.posted import owner_of, posted_key, posted_version
from clearance import consent_links, one_time_keys, workflow
from clearance.actor import Actor
from clearance.calendar import utc_now
from clearance.errors import DomainError, NotFound, TooManyTries
from clearance.extensions import db
from clearance.models import Request
from clearance.offers import Offer
from clearance.procedures.flows import Action
from clearance.vocabulary import Status


def offer(req: Request, actor: Actor, now: datetime) -> Offer | None:
    """Sending the broker a new link, with why it cannot be done now; None unless he is awaited."""
    if req.status != Status.AWAITING_BROKER:
        return None
    return workflow.offer(req, Action.SEND_LINK, actor, now)


def send(
    request_id: int,
    shown: sa.ColumnElement[bool],
    result: str,
    refused: Callable[[DomainError], Any],
) -> Any:
    """Send the link and go to `result`. shown: the scope of the page; refused: shows why not."""
    actor, now = acting(), utc_now()
    key, owner = posted_key(), owner_of(actor)
    try:
        consent_links.send_again(request_id, shown, actor, posted_version(), now)
        one_time_keys.claim(key, owner, result, now)
        db.session.commit()
    except DomainError as refusal:
        db.session.rollback()
        earlier = one_time_keys.result_of(key, owner)
        if earlier is not None:  # pressed twice
            return redirect(earlier, code=303)
        if isinstance(refusal, NotFound | TooManyTries):
            raise
        return refused(refusal)
    flash(
        _(
            "A new link was sent to the broker's registered mobile, and to his registered e-mail "
            "if he has one. The earlier link is void."
        ),
        "success",
    )
    return redirect(result, code=303)
