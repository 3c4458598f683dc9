"""The licence register: broker types, brokers, licences and their history."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clearance.models import base
from clearance.models.account import Organisation
from clearance.models.base import Base, Json, one_of
from clearance.models.enums import LicenceStatus, LicenceStep, SuspendedBy, ValidityLink
from clearance.models.names import PersonName


class BrokerType(Base):
    """Kind of licensed person (نوع المخلص); editable reference data."""

    __tablename__ = "broker_type"

    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name_ar: Mapped[base.name]
    name_en: Mapped[base.name]
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)


class Nationality(Base):
    """A person's nationality, by its code of two capitals; editable reference data.

    Columns elsewhere do not reference it: the customs system may name one that is not listed.
    """

    __tablename__ = "nationality"

    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name_ar: Mapped[base.name]
    name_en: Mapped[base.name]
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)


class Broker(PersonName, Base):
    """A licensed person (مخلص); always belongs to exactly one organisation."""

    __tablename__ = "broker"
    __table_args__ = (
        sa.UniqueConstraint("civil_id", name="uq_broker_civil_id"),
        sa.Index("ix_broker_organisation", "organisation_id", "name_folded"),
        sa.Index("ix_broker_name", "name_folded", "id"),
        sa.Index("ix_broker_civil_id_expiry", "civil_id_expiry"),
        sa.Index("ix_broker_passport_expiry", "passport_expiry"),
        sa.Index("ix_broker_passport_no", "passport_no"),
    )

    id: Mapped[base.pk]
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    broker_type: Mapped[base.code] = mapped_column(sa.ForeignKey("broker_type.code"))
    nationality: Mapped[base.code]
    civil_id: Mapped[base.civil]
    civil_id_expiry: Mapped[date]
    passport_no: Mapped[base.code]
    passport_expiry: Mapped[date]
    mobile: Mapped[base.phone] = mapped_column(default="")
    email: Mapped[base.address] = mapped_column(default="")
    address: Mapped[base.line] = mapped_column(default="")
    created_at: Mapped[base.instant]
    version: Mapped[int] = mapped_column(default=1)

    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])
    licences: Mapped[list[Licence]] = relationship(back_populates="broker")


class Licence(Base):
    """A clearance licence (رخصة التخليص) and its guarantee; dates are Kuwait days, inclusive."""

    __tablename__ = "licence"
    __table_args__ = (
        sa.UniqueConstraint("number", name="uq_licence_number"),
        one_of("status", LicenceStatus),
        one_of("suspended_by", SuspendedBy),
        sa.CheckConstraint(
            "(status = 'suspended') = (suspended_by IS NOT NULL)", name="suspended_by_whom"
        ),
        sa.Index(
            "uq_licence_one_living",
            "broker_id",
            unique=True,
            sqlite_where=sa.text("status <> 'cancelled'"),
            postgresql_where=sa.text("status <> 'cancelled'"),
        ),
        sa.Index("ix_licence_status_expires", "status", "expires"),
        sa.Index("ix_licence_expires", "expires", "id"),
        sa.Index("ix_licence_guarantee_expiry", "guarantee_expiry"),
    )

    id: Mapped[base.pk]
    number: Mapped[base.short]
    broker_id: Mapped[int] = mapped_column(sa.ForeignKey("broker.id"), index=True)
    guarantee_no: Mapped[base.short]
    guarantee_expiry: Mapped[date]
    issued: Mapped[date]
    expires: Mapped[date]
    status: Mapped[base.code] = mapped_column(default=LicenceStatus.ACTIVE)
    suspended_by: Mapped[base.code | None]
    version: Mapped[int] = mapped_column(default=1)

    broker: Mapped[Broker] = relationship(back_populates="licences")


class LicenceChange(Base):
    """A change in the history of a licence and its broker.

    `changes`: field of the licence or broker → [before, after], dates in ISO.
    """

    __tablename__ = "licence_change"
    __table_args__ = (one_of("kind", LicenceStep),)

    id: Mapped[base.pk]
    licence_id: Mapped[int] = mapped_column(sa.ForeignKey("licence.id"), index=True)
    request_id: Mapped[int | None] = mapped_column(sa.ForeignKey("request.id"))
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    at: Mapped[base.instant]
    kind: Mapped[base.code]
    reason: Mapped[base.text] = mapped_column(default="")
    changes: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class LicenceReminder(Base):
    """A reminder sent to the holder a number of days before a validity link ends."""

    __tablename__ = "licence_reminder"
    __table_args__ = (
        sa.UniqueConstraint("licence_id", "link", "ends", "days", name="uq_licence_reminder_once"),
        one_of("link", ValidityLink),
    )

    id: Mapped[base.pk]
    licence_id: Mapped[int] = mapped_column(sa.ForeignKey("licence.id"))
    link: Mapped[base.code]
    ends: Mapped[date]
    days: Mapped[int]
    told_at: Mapped[base.instant]
