"""Find brokers by passport or civil number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from clearance.core.extensions import db
from clearance.models import Broker

MOST_TOLD = 20


def with_passport(number: str, *, except_id: int | None = None) -> Sequence[Broker]:
    """Return brokers with the passport number in any letter case, with licences; none for "".

    except_id: a broker to leave out.
    """
    forms = {number, number.upper(), number.lower()}  # exact values, so that the index is used
    return _brokers(Broker.passport_no.in_(sorted(forms)), except_id) if number else ()


def with_civil_id(number: str, *, except_id: int | None = None) -> Sequence[Broker]:
    """Return the broker with the civil number, if any. except_id: a broker to leave out."""
    return _brokers(Broker.civil_id == number, except_id) if number else ()


def _brokers(condition: sa.ColumnElement[Any], except_id: int | None) -> Sequence[Broker]:
    found = (
        sa.select(Broker)
        .where(condition)
        .options(joinedload(Broker.organisation), selectinload(Broker.licences))
        .order_by(Broker.id)
        .limit(MOST_TOLD)
    )
    if except_id is not None:
        found = found.where(Broker.id != except_id)
    return db.session.scalars(found).all()
