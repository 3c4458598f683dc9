"""Shared data of licence and broker pages: validity, requests, documents and types."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from admin_views.shared import request_lists
from clearance.auth import permissions
from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_today
from clearance.core.extensions import db
from clearance.licences import validity
from clearance.models import Broker, BrokerType, IssuedDocument, Licence, Request
from clearance.models.enums import LicenceStatus

SHOWN_ROWS = 50
ISSUED_SHOWN = 100


@dataclass(frozen=True)
class ValidityDocument:
    """One of the four conditions of a licence's validity. days: until, or since, its last day."""

    label: str
    until: date
    days: int
    is_first: bool


def validity_documents(licence: Licence) -> list[ValidityDocument]:
    """Return the validity links by last day, earliest first; none leads if cancelled."""
    today = kuwait_today()
    may_lead = licence.status != LicenceStatus.CANCELLED
    return [
        ValidityDocument(str(link.label), until, (until - today).days, place == 0 and may_lead)
        for place, (link, until) in enumerate(validity.ends(licence))
    ]


def requests_about(
    broker: Broker, reader: Actor, *, licence_id: int | None = None
) -> Sequence[Any]:
    """Return the newest visible requests about a broker, or about one licence only."""
    about: sa.ColumnElement[bool] = Request.licence_id == licence_id
    if licence_id is None:
        licences = sa.select(Licence.id).where(Licence.broker_id == broker.id)
        ways = (Request.civil_id == broker.civil_id, Request.licence_id.in_(licences))
        # Separate queries, so that each uses its own index.
        about = Request.id.in_(sa.union(*(sa.select(Request.id).where(way) for way in ways)))
    statement = (
        sa.select(
            Request.id,
            Request.number,
            Request.service_code,
            Request.status,
            *request_lists.STAGE,
            Request.sent_at,
            request_lists.name_column(),
        )
        .where(permissions.requests_visible_to(reader), about)
        .order_by(Request.sent_at.desc(), Request.id.desc())
        .limit(SHOWN_ROWS)
    )
    return db.session.execute(statement).all()


def issued_for(licences: Collection[Licence], reader: Actor) -> list[IssuedDocument]:
    """Return documents issued for the licences that the reader may see, newest first."""
    return list(
        db.session.scalars(
            sa.select(IssuedDocument)
            .where(
                IssuedDocument.licence_id.in_([licence.id for licence in licences]),
                permissions.issued_visible_to(reader, of_few=True),
            )
            .options(joinedload(IssuedDocument.licence), joinedload(IssuedDocument.request))
            .order_by(IssuedDocument.issued_at.desc(), IssuedDocument.id.desc())
            .limit(ISSUED_SHOWN)
        )
    )


def type_names() -> dict[str, str]:
    """Map broker type codes to names in the page's language."""
    rows: Sequence[Any] = db.session.execute(
        sa.select(BrokerType.code, BrokerType.name_ar, BrokerType.name_en).order_by(
            BrokerType.position
        )
    ).all()
    return {row.code: i18n.in_language(row, "name") for row in rows}
