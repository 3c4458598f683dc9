"""The two organisations and the broker of a transfer, as currently registered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from clearance.core import crypto, office_settings, values
from clearance.core.extensions import db
from clearance.models import (
    Broker,
    LegalEntity,
    Membership,
    Organisation,
    Request,
    TransferConsent,
    User,
)
from clearance.services import versions
from clearance.services.facts import Case, Facts

NAMED_BY = "names_other_organisation"
"""Role of the field that names the other organisation."""

REASON = "reason_for_transfer"
"""Role of the field that gives the parties the reason."""


@dataclass(frozen=True)
class OtherOrganisation:
    """The other side. general_users: how many users can answer for it now."""

    id: int
    may_hold_licences: bool
    general_users: int


@dataclass(frozen=True)
class Parties:
    """The organisations and the broker of a transfer.

    asking_id: the requesting organisation. holder_id: the broker's organisation now; releasing_id:
    at sending, None before. is_named: whether the request gives a number; named_id: its
    organisation. other: the other side, fixed at sending; before that the named one. asked_at: when
    the awaited answer was requested. mobile: the broker's registered one, or "".
    """

    asking_id: int
    holder_id: int
    releasing_id: int | None
    is_general_broker: bool
    mobile: str
    is_named: bool
    named_id: int | None
    other: OtherOrganisation | None
    is_fixed: bool
    asked_at: datetime | None = None

    @property
    def is_releasing(self) -> bool:
        """Whether the asking organisation is the one that releases the broker."""
        return self.holder_id == self.asking_id


def is_named(req: Request) -> bool:
    """Return whether the request names its broker; another organisation's only once it accepts."""
    return bool(req.name_ar or req.name_en)


def named(req: Request) -> Request | Broker:
    """Return the row with the broker's name, for his own organisation and the office."""
    return req if is_named(req) or req.broker is None else req.broker


def organisation_number(typed: str) -> str:
    """Normalise a licence number or transfer code for comparison: ASCII digits, upper case."""
    return values.ascii_digits(values.clean_text(typed)).upper()


def organisation_of(number: str) -> int | None:
    """Return the id of the organisation with that licence number or transfer code, or None."""
    if not number:
        return None
    coded_id = read(number)
    if coded_id is not None:
        return coded_id
    statement = sa.select(Organisation.id).where(sa.func.upper(Organisation.licence_no) == number)
    return db.session.scalars(statement.limit(1)).first()


def silence() -> timedelta:
    """Return how long a transfer waits for an answer (a setting)."""
    return timedelta(days=int(office_settings.get("transfer_silence_days")))


def parties_of(case: Case) -> Parties | None:
    """Return the parties of the request, or None before there is one."""
    return case.facts.read(loaded).get(case.request_id or 0)


def loaded(facts: Facts) -> dict[int, Parties | None]:
    """Load the parties of the requests in question, by id."""
    return {request_id: load(request_id) for request_id in facts.subjects.request_ids}


def load(request_id: int) -> Parties | None:
    """Return the parties of a request, None without a broker; fixed number of queries."""
    row = db.session.execute(_request(request_id)).one_or_none()
    if row is None:
        return None
    field = versions.get(row.service_version_id).roles.get(NAMED_BY, "")
    number = organisation_number(str(row.answers.get(field) or ""))
    named_id = organisation_of(number)
    other_id = row.other_organisation_id or named_id
    return Parties(
        asking_id=row.organisation_id,
        holder_id=row.holder_id,
        releasing_id=row.releasing_id,
        is_general_broker=row.general_broker_id == row.broker_id,
        mobile=row.mobile,
        is_named=bool(number),
        named_id=named_id,
        other=_organisation(other_id) if other_id is not None else None,
        is_fixed=row.other_organisation_id is not None,
        asked_at=row.asked_at,
    )


def _request(request_id: int) -> sa.Select[tuple[object, ...]]:
    releasing = sa.and_(
        TransferConsent.request_id == Request.id, TransferConsent.party == "releasing"
    )
    waiting = aliased(TransferConsent)
    asked_at = (
        sa.select(sa.func.max(waiting.asked_at, type_=waiting.asked_at.type))
        .where(waiting.request_id == Request.id, waiting.answer == "waiting")
        .correlate(Request)
        .scalar_subquery()
    )
    return (
        sa.select(
            Request.organisation_id,
            Request.other_organisation_id,
            Request.answers,
            Request.service_version_id,
            Request.broker_id,
            Broker.organisation_id.label("holder_id"),
            Broker.mobile,
            Organisation.general_broker_id,
            TransferConsent.organisation_id.label("releasing_id"),
            asked_at.label("asked_at"),
        )
        .join(Broker, Broker.id == Request.broker_id)
        .join(Organisation, Organisation.id == Broker.organisation_id)
        .outerjoin(TransferConsent, releasing)
        .where(Request.id == request_id)
    )


def _organisation(organisation_id: int) -> OtherOrganisation | None:
    can_answer = (
        sa.select(sa.func.count())
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.organisation_id == Organisation.id,
            Membership.is_general,
            Membership.is_active,
            User.is_active,
            User.email_proved_at.is_not(None),
            User.mobile_proved_at.is_not(None),
        )
        .scalar_subquery()
    )
    row = db.session.execute(
        sa.select(Organisation.id, LegalEntity.may_hold_licences, can_answer)
        .join(LegalEntity, LegalEntity.code == Organisation.legal_entity)
        .where(Organisation.id == organisation_id)
    ).one_or_none()
    return OtherOrganisation(*row) if row is not None else None


_PURPOSE = "transfer-code"
_LENGTH = 12  # 48 bits
_CODE = re.compile(rf"ORG-([1-9][0-9]{{0,8}})-([0-9A-F]{{{_LENGTH}}})")


def code_of(organisation_id: int) -> str:
    """Return the organisation's transfer code, such as ORG-7-0A1B2C3D4E5F."""
    proof = crypto.keyed_hash(str(organisation_id), _PURPOSE)[:_LENGTH].upper()
    return f"ORG-{organisation_id}-{proof}"


def read(code: str) -> int | None:
    """Return the organisation id of a transfer code in capitals, or None.

    Codes made under an earlier secret are valid while that secret is configured.
    """
    found = _CODE.fullmatch(code)
    if found is None:
        return None
    is_right = crypto.matches(found[1], found[2].lower(), _PURPOSE, length=_LENGTH)
    return int(found[1]) if is_right else None
