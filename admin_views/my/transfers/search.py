"""Transfers to answer for the agents' search, by what their page shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from admin_views.base import formatters
from admin_views.base.search import Hit
from admin_views.shared import request_lists
from clearance.core import i18n, name_folding, urls, values
from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.models import Broker, Licence, Organisation, Request
from clearance.transfers import operations as transfer_operations


def hits(typed: str, actor: Actor) -> list[Hit]:
    """Return the transfers received with that name or exactly that number, newest first."""
    rows = db.session.execute(_received(actor)).all()
    if any(char.isdigit() for char in values.ascii_digits(typed)):
        return [hit for hit in map(_hit, rows) if hit.is_exact(typed)]
    words = name_folding.typed_words(typed)
    return [_hit(row) for row in rows if words and all(word.is_in(row.folded) for word in words)]


def _received(actor: Actor) -> sa.Select[*tuple[Any, ...]]:
    """Select what a hit shows of the transfers that `transfer_operations.received` lists."""
    # The broker's own name, as long as the request does not have it.
    lang = i18n.language()
    given, registered = (request_lists.name_column_in(of, lang) for of in (Request, Broker))
    return transfer_operations.newest_received(
        actor,
        sa.select(
            Request.id,
            Request.number,
            Request.status,
            Licence.number.label("licence_no"),
            sa.func.coalesce(sa.func.nullif(given, ""), registered, "").label("name"),
            sa.func.coalesce(sa.func.nullif(Request.name_folded, ""), Broker.name_folded, "").label(
                "folded"
            ),
            Organisation.name_ar,
            Organisation.name_en,
        )
        .join(Organisation, Organisation.id == Request.organisation_id)
        .outerjoin(Broker, Broker.id == Request.broker_id)
        .outerjoin(Licence, Licence.id == Request.licence_id),
    )


def _hit(row: Any) -> Hit:
    return Hit(
        row.number,
        urls.transfer_url(row.id),
        (row.name, i18n.in_language(row, "name")),
        formatters.status_badge(row.status),
        _numbers(row),
    )


def _numbers(row: Any) -> Sequence[str]:
    """Return the numbers by which a transfer is found: its own, and the licence's."""
    licence = row.licence_no or ""
    return row.number or "", licence, licence.rpartition("-")[2]
