"""Open an organisation for its general user, with subscriptions and brokers from customs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core import name_folding
from clearance.core.database import own_transaction
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.customs import client as customs_client
from clearance.models import (
    Broker,
    LegalEntity,
    Licence,
    LicenceChange,
    Membership,
    Organisation,
    Subscription,
    User,
)
from clearance.models.enums import LicenceStatus
from clearance.models.names import NAME_COLUMNS
from clearance.organisations import members
from clearance.services import guards, versions

_GENERAL_BROKER = "general"

HAS_GENERAL_USER = Refusal(
    _l("The organisation of this licence already has a general user."),
    _l("Ask the general user to add you under Users."),
)


@dataclass(frozen=True)
class Opening:
    """Data for opening an organisation.

    name: "" where it is named after the person. phone: E.164. answer: the customs system's answer
    on its licence; None without a customs account.
    """

    legal_entity: str
    name: str
    email: str
    phone: str | None
    answer: customs_client.Answer | None = None


def legal_entities() -> list[sa.Row[Any]]:
    """Return the legal entities that may be opened, in order, as columns of `LegalEntity`.

    Read on a separate connection: the customs call and hashing come before the transaction.
    """
    with own_transaction(write=False) as connection:
        found = connection.execute(
            sa.select(LegalEntity.__table__)
            .where(LegalEntity.is_active)
            .order_by(LegalEntity.position, LegalEntity.code)
        )
        return list(found.all())


def has_general_user(licence_no: str) -> sa.Select[int]:
    """Return a query for whether the licence's organisation has an active general user."""
    return (
        sa.select(Membership.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .join(User, User.id == Membership.user_id)
        .where(
            Organisation.licence_no == licence_no,
            Membership.is_general,
            Membership.is_active,
            User.is_active,
        )
        .limit(1)
    )


def of_licence(licence_no: str) -> Organisation | None:
    """Return the organisation with that general broker licence, or None."""
    return db.session.scalar(sa.select(Organisation).where(Organisation.licence_no == licence_no))


def open_for(user: User, opening: Opening, now: datetime) -> Organisation:
    """Open an organisation with a new user, in none yet, as its general user. Flushes.

    Raises: as `open_by`.
    """
    organisation = open_by(user, opening, now)
    db.session.add(
        Membership(
            user_id=user.id, organisation_id=organisation.id, is_general=True, created_at=now
        )
    )
    db.session.flush()
    return organisation


def open_by(user: User, opening: Opening, now: datetime) -> Organisation:
    """Create or find the organisation for `user`, without the membership, and return it. Flushes.

    With a customs account it is the licence's organisation, with its brokers; otherwise a new one,
    named after the person unless the legal entity requires a name.
    Raises: Refused if the licence's organisation has a general user.
    """
    if opening.answer is None:
        organisation = _new(opening, *_names(user, opening), now)
    else:
        organisation = _of_customs(opening, opening.answer, now)
        _take_brokers(organisation, opening.answer, user, now)
    subscribe(organisation, now)
    return organisation


def subscribe(organisation: Organisation, now: datetime) -> None:
    """Add the automatic subscriptions of its legal entity that it lacks. Flushes."""
    had = set(
        db.session.scalars(
            sa.select(Subscription.service_code).where(
                Subscription.organisation_id == organisation.id
            )
        )
    )
    for version in versions.all_current():
        service = version.definition
        is_due = service.subscription == "automatic" and service.code not in had
        if is_due and guards.is_for(service, organisation.legal_entity):
            db.session.add(
                Subscription(
                    organisation_id=organisation.id,
                    service_code=service.code,
                    status="active",
                    asked_at=now,
                    decided_at=now,
                )
            )
    db.session.flush()


def _names(user: User, opening: Opening) -> tuple[str, str]:
    entity = db.session.get_one(LegalEntity, opening.legal_entity)
    named = opening.name if entity.needs_organisation_name else ""
    return named or user.name_in("ar"), named or user.name_in("en")


def _new(opening: Opening, name_ar: str, name_en: str, now: datetime) -> Organisation:
    organisation = Organisation(
        legal_entity=opening.legal_entity,
        name_ar=name_ar,
        name_en=name_en,
        name_folded=name_folding.name_index(name_ar, name_en),
        email=opening.email,
        phone=opening.phone,
        created_at=now,
    )
    db.session.add(organisation)
    db.session.flush()
    return organisation


def _of_customs(opening: Opening, answer: customs_client.Answer, now: datetime) -> Organisation:
    """Return the licence's organisation, locked if it exists. Raises: Refused if it is claimed."""
    found = of_licence(answer.licence_no)
    if found is not None:
        members.lock_exclusive(found.id)
        if db.session.scalar(has_general_user(answer.licence_no)) is not None:
            raise Refused(HAS_GENERAL_USER)
        return found
    names = answer.organisation
    organisation = _new(opening, names.name_ar, names.name_en, now)
    organisation.licence_no = answer.licence_no
    db.session.flush()
    return organisation


def _take_brokers(
    organisation: Organisation, answer: customs_client.Answer, user: User, now: datetime
) -> None:
    """Add brokers missing from the register; existing ones are left unchanged."""
    known = set(
        db.session.scalars(
            sa.select(Broker.civil_id).where(
                Broker.civil_id.in_([entry.civil_id for entry in answer.brokers])
            )
        )
    )
    for given in answer.brokers:
        if given.civil_id not in known:
            broker = _broker(organisation, given, now)
            _licence(broker, given.licence, user, now)
    general = db.session.scalar(
        sa.select(Broker.id)
        .where(Broker.organisation_id == organisation.id, Broker.broker_type == _GENERAL_BROKER)
        .order_by(Broker.civil_id != answer.holder.civil_id, Broker.id)
        .limit(1)
    )
    organisation.general_broker_id = organisation.general_broker_id or general


def _broker(organisation: Organisation, given: customs_client.Broker, now: datetime) -> Broker:
    names = (*given.name_ar, *given.name_en)
    broker = Broker(
        organisation_id=organisation.id,
        broker_type=given.broker_type,
        name_folded=name_folding.name_index(*names),
        nationality=given.nationality,
        civil_id=given.civil_id,
        civil_id_expiry=given.civil_id_expiry,
        passport_no=given.passport_no,
        passport_expiry=given.passport_expiry,
        created_at=now,
        **dict(zip(NAME_COLUMNS, names, strict=True)),
    )
    db.session.add(broker)
    db.session.flush()
    return broker


def _licence(broker: Broker, given: customs_client.Licence, user: User, now: datetime) -> None:
    if db.session.scalar(sa.select(Licence.id).where(Licence.number == given.number)) is not None:
        return
    licence = Licence(
        number=given.number,
        broker_id=broker.id,
        guarantee_no=given.guarantee_no,
        guarantee_expiry=given.guarantee_expiry,
        issued=given.issued,
        expires=given.expires,
        status=given.status,
        # Customs does not say who suspended; assume the office, the stricter case.
        suspended_by="office" if given.status == LicenceStatus.SUSPENDED else None,
    )
    db.session.add(licence)
    db.session.flush()
    db.session.add(
        LicenceChange(licence_id=licence.id, actor_id=user.id, at=now, kind="taken_from_customs")
    )
