"""The brokers of an agent's organisation: visibility, licences and those due for renewal."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from clearance.auth import permissions
from clearance.core import office_settings
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_date
from clearance.core.database import shared_alias
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.licences import facts, granted_expiry, validity
from clearance.models import Broker, Licence, Organisation, Request
from clearance.models.enums import LicenceStatus, ValidityLink
from clearance.services import registry, schema, versions

# Days as numbers, such as 20301231, and those that have passed behind them, backwards.
_PAST, _GROUP = 200_000_000, 300_000_000
RENEWABLE = (LicenceStatus.ACTIVE, LicenceStatus.EXPIRED)
_OTHER = shared_alias(Licence)


class Due(NamedTuple):
    """A licence to renew, and its facts for the guards."""

    licence: Licence
    fact: facts.LicenceFact


def licence_services(actor: Actor) -> list[schema.Definition]:
    """Return the services that the actor sees and that start from a card, in menu order."""
    organisation_id = actor.standing.organisation_id if actor.standing else None
    return _from_cards(versions.offered_to(organisation_id))


def renewal_services(actor: Actor) -> list[schema.Definition]:
    """Return the actor's services whose approval extends a licence."""
    standing = actor.standing
    return [
        service
        for service in licence_services(actor)
        if granted_expiry.is_granted_by(service)
        and standing is not None
        and standing.may_use(service.code)
    ]


def are_shown_to(actor: Actor) -> bool:
    """Return whether the actor may see the chosen organisation's brokers."""
    standing = actor.standing
    return standing is not None and permissions.sees_brokers(standing, _codes(actor))


def visible_to(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition on Broker for those that the actor may see in any organisation."""
    return permissions.brokers_visible_to(actor, _codes(actor))


def licences(actor: Actor) -> sa.Select[Licence]:
    """Select the licences that `listed_for` matches, with the broker; both are joined."""
    return _with_broker(listed_for(actor))


def listed_for(actor: Actor) -> sa.ColumnElement[bool]:
    """Match the current licence of every broker of the chosen organisation.

    A broker's current licence is the one not cancelled, else the latest. Over Licence joined with
    Broker.
    """
    return sa.and_(_is_own(actor), Licence.id == _present_licence_id())


def _is_own(actor: Actor) -> sa.ColumnElement[bool]:
    standing = actor.standing
    organisation_id = standing.organisation_id if standing else 0
    return sa.and_(visible_to(actor), Broker.organisation_id == organisation_id)


def _with_broker(which: sa.ColumnElement[bool]) -> sa.Select[Licence]:
    joined = sa.select(Licence).join(Broker, Broker.id == Licence.broker_id)
    return joined.options(contains_eager(Licence.broker)).where(which)


def find(broker_id: int, actor: Actor) -> Broker:
    """Return the broker if visible to the actor. Raises: NotFound for all other ids."""
    broker = db.session.scalar(
        sa.select(Broker)
        .where(Broker.id == broker_id, visible_to(actor))
        .options(joinedload(Broker.organisation))
    )
    if broker is None:
        raise NotFound
    return broker


def licences_of(broker: Broker) -> list[Licence]:
    """Return all licences the broker ever had, the current one first."""
    found = db.session.scalars(
        sa.select(Licence)
        .where(Licence.broker_id == broker.id)
        .order_by(_is_cancelled(Licence), Licence.id.desc())
    )
    return list(found)


def window_days() -> int:
    """Return how many days before effective validity ends a licence is due (a setting).

    0 if the portal has no renewals.
    """
    has_renewals = registry.current().has("licences")
    return int(office_settings.get("renewal_window_days")) if has_renewals else 0


def ends_by(last: Any, link: ValidityLink | None = None) -> sa.ColumnElement[bool]:
    """Match licences not cancelled whose effective validity ends by `last`, optionally by `link`.

    Over Licence joined with Broker.
    """
    ends = sa.or_(*(column <= last for column in validity.LINK_COLUMNS.values()))
    conditions = [Licence.status != LicenceStatus.CANCELLED, ends]
    if link is not None:
        conditions.append(validity.link_column() == link)
    return sa.and_(*conditions)


def due(actor: Actor, now: datetime, *, limit: int) -> tuple[list[Due], int]:
    """Return the first licences due for renewal that no open request claims, and their total.

    They are active or expired, and in the renewal window or past effective validity. Order: the
    next to end first, then those already ended, latest first.
    """
    if actor.standing is None or not are_shown_to(actor):
        return [], 0
    today = kuwait_date(now)
    given = {
        "organisation": actor.standing.organisation_id,
        "today": today,
        "last": today + timedelta(days=window_days()),
        "most": limit,
    }
    found = db.session.execute(_due(), given).all()
    rows = [
        Due(
            licence,
            facts.licence_fact(licence, is_general_broker=general_id == licence.broker_id),
        )
        for licence, general_id, _count in found
    ]
    return rows, found[0][2] if found else 0


@cache
def _due() -> sa.Select[Any]:
    """Return the statement of `due`: building it takes longer than it runs."""
    today: Any = sa.bindparam("today", type_=sa.Date())
    last: Any = sa.bindparam("last", type_=sa.Date())
    # One that is due is not cancelled, and so its broker's current one.
    return (
        _with_broker(Broker.organisation_id == sa.bindparam("organisation"))
        .join(Organisation, Organisation.id == Broker.organisation_id)
        .where(_is_renewable(today, last))
        .add_columns(Organisation.general_broker_id, sa.func.count().over())
        .order_by(*_next_to_end(today), Licence.id)
        .limit(sa.bindparam("most", type_=sa.Integer()))
    )


def is_due(today: date) -> sa.ColumnElement[bool]:
    """Match the licences that can be renewed on a Kuwait day and that no open request claims.

    Over Licence joined with Broker.
    """
    return _is_renewable(today, today + timedelta(days=window_days()))


def _is_renewable(today: Any, last: Any) -> sa.ColumnElement[bool]:
    """Match the licences to renew on a day. last: the end of the renewal window."""
    held = sa.exists().where(Request.licence_id == Licence.id, Request.exclusive_key.is_not(None))
    return sa.and_(
        validity.status_column(today).in_(RENEWABLE),
        ends_by(last),
        ~held,
    )


def urgency(today: date) -> sa.ColumnElement[int]:
    """Return the number that orders broker lists: due for renewal, the others, cancelled.

    In each group the next to end comes first, then those already ended, latest first. One number,
    so that pages can begin after a row. Over Licence joined with Broker.
    """
    until = validity.until_column()
    day = sa.cast(sa.func.replace(sa.cast(until, sa.String()), "-", ""), sa.Integer())
    distance = sa.case((until >= today, day), else_=_PAST - day)
    cancelled = Licence.status == LicenceStatus.CANCELLED
    group = sa.case((is_due(today), 0), (cancelled, 2), else_=1)
    return group * _GROUP + distance


def _next_to_end(today: Any) -> list[Any]:
    """Order the next to end first, then those already ended, latest first."""
    until = validity.until_column()
    return [until < today, sa.case((until >= today, until)), until.desc()]


def count(statement: sa.Select[Licence]) -> int:
    """Return the number of licences that `statement` selects."""
    ids = statement.with_only_columns(Licence.id, maintain_column_froms=True).order_by(None)
    return db.session.scalar(sa.select(sa.func.count()).select_from(ids.subquery())) or 0


def _codes(actor: Actor) -> Collection[str]:
    """Return the licence services' codes; () if the actor is a general user everywhere."""
    if all(standing.is_general for standing in actor.standings):
        return ()
    return [service.code for service in _from_cards(versions.all_current())]


def _from_cards(found: Iterable[versions.Version]) -> list[schema.Definition]:
    services = (version.definition for version in found)
    return [service for service in services if service.start == "broker_card"]


def _present_licence_id() -> sa.ScalarSelect[int]:
    return (
        sa.select(_OTHER.id)
        .where(_OTHER.broker_id == Broker.id)
        .order_by(_is_cancelled(_OTHER), _OTHER.id.desc())
        .limit(1)
        .correlate(Broker)
        .scalar_subquery()
    )


def _is_cancelled(model: type[Licence]) -> sa.ColumnElement[int]:
    return sa.case((model.status == LicenceStatus.CANCELLED, 1), else_=0)
