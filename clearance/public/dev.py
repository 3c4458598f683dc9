"""Demo mode only: a page of all mail and SMS with their codes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask import Blueprint, render_template, request

from clearance.core.extensions import db
from clearance.models import Delivery
from clearance.notifications import outbox
from clearance.public import session_gate

SHOWN = 100

blueprint = Blueprint("dev", __name__, url_prefix="/dev")


@dataclass(frozen=True)
class ShownMessage:
    """A message for display, with the row's sealed content decrypted."""

    id: int
    channel: str
    address: str
    language: str
    subject: str
    body: str
    status: str
    at: datetime


@blueprint.get("/messages")
@session_gate.open_to_all
def messages() -> str:
    """GET: the newest messages; `address` filters by substring."""
    address = request.args.get("address", "").strip()[:254]
    query = sa.select(Delivery).order_by(Delivery.id.desc()).limit(SHOWN)
    if address:
        query = query.where(Delivery.address.icontains(address, autoescape=True))
    shown = [_shown(row) for row in db.session.scalars(query)]
    return render_template("dev/messages.html", messages=shown, address=address)


def _shown(row: Delivery) -> ShownMessage:
    return ShownMessage(
        id=row.id,
        channel=row.channel,
        address=row.address,
        language=row.language,
        subject=row.subject,
        body=outbox.body_of(row),
        status=row.status,
        at=row.created_at,
    )
