"""The demo world's licence register: brokers and licences in every state. All invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from clearance import search
from clearance.calendar import kuwait_date
from clearance.demo.names import candidate
from clearance.demo.people import CLAIMED_LICENCE, Cast
from clearance.extensions import db
from clearance.models import Broker, Licence, LicenceChange, Organisation
from clearance.vocabulary import LicenceStatus


@dataclass(frozen=True)
class _Shape:
    """A licence to make. days: until it expires, until its guarantee does."""

    broker_type: str
    status: LicenceStatus
    licence_days: int
    guarantee_days: int
    suspended_by: str | None = None


_SHAPES = (
    _Shape("general", LicenceStatus.ACTIVE, 640, 700),
    _Shape("private", LicenceStatus.ACTIVE, 300, 45),
    _Shape("private", LicenceStatus.ACTIVE, 40, 400),
    _Shape("representative", LicenceStatus.ACTIVE, 500, 500),
    _Shape("private", LicenceStatus.SUSPENDED, 420, 420, "holder"),
    _Shape("representative", LicenceStatus.SUSPENDED, 200, 230, "office"),
    _Shape("private", LicenceStatus.CANCELLED, 150, 150),
    _Shape("private", LicenceStatus.EXPIRED, -20, 90),
)
_FIRST_PERSON = 900_000


def make(cast: Cast, now: datetime) -> None:
    """Add the brokers of both organisations with their licences; flushes."""
    for place, organisation in enumerate((cast.nakhla, cast.bahr)):
        for number, shape in enumerate(_SHAPES):
            broker = _broker(organisation, shape, _FIRST_PERSON + 100 * place + number, now)
            db.session.add(broker)
            db.session.flush()
            number_text = f"KW-{1000 * (place + 1) + number * 7}"
            if place == 0 and number == 0:
                number_text = CLAIMED_LICENCE
            _licence(broker, shape, number_text, now)
            if shape.broker_type == "general":
                organisation.general_broker_id = broker.id
    db.session.flush()


def _broker(organisation: Organisation, shape: _Shape, number: int, now: datetime) -> Broker:
    person = candidate(number)
    names = dict(zip([f"name_ar_{n}" for n in range(1, 5)], person.names_ar, strict=True))
    names |= dict(zip([f"name_en_{n}" for n in range(1, 5)], person.names_en, strict=True))
    today = kuwait_date(now)
    return Broker(
        organisation_id=organisation.id,
        broker_type=shape.broker_type,
        name_folded=search.name_index(*person.names_ar, *person.names_en, max_length=700),
        nationality="KW",
        civil_id=person.civil_id,
        civil_id_expiry=today + timedelta(days=900 + number % 300),
        passport_no=f"P{number:07d}",
        passport_expiry=today + timedelta(days=1200 + number % 500),
        mobile=person.mobile,
        email=person.email,
        address=person.address,
        created_at=now - timedelta(days=390),
        **names,
    )


def _licence(broker: Broker, shape: _Shape, number: str, now: datetime) -> None:
    today = kuwait_date(now)
    licence = Licence(
        number=number,
        broker_id=broker.id,
        guarantee_no=f"LG 2519770/{broker.id:06d}",
        guarantee_expiry=today + timedelta(days=shape.guarantee_days),
        issued=today - timedelta(days=1100),
        expires=today + timedelta(days=shape.licence_days),
        status=shape.status,
        suspended_by=shape.suspended_by,
    )
    db.session.add(licence)
    db.session.flush()
    db.session.add(
        LicenceChange(
            licence_id=licence.id,
            at=now - timedelta(days=390),
            kind="issued",
            reason="",
            changes={},
        )
    )
