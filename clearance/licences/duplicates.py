"""Which brokers of the register stand under a passport number or civil number; reads only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from clearance.core.extensions import db
from clearance.models import Broker

MOST_TOLD = 20


def with_passport(number: str, *, except_id: int | None = None) -> Sequence[Broker]:
    """Brokers under that passport number, whatever the case of its letters, with their licences.

    except_id: the broker who is not meant. "" is nobody's number.
    """
    forms = {number, number.upper(), number.lower()}  # each is looked up in the column's index
    return _brokers(Broker.passport_no.in_(sorted(forms)), except_id) if number else ()


def with_civil_id(number: str, *, except_id: int | None = None) -> Sequence[Broker]:
    """The broker under that civil number, if there is one. except_id: who is not meant."""
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
