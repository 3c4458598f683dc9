"""The demo licence register: 60 fictitious brokers with licences in every state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import cycle

from clearance.core.clock import kuwait_date
from clearance.core.extensions import db
from clearance.demo.names import person_columns
from clearance.demo.people import Cast, add_account_of_woman
from clearance.models import Broker, Licence, LicenceChange, Organisation
from clearance.models.enums import LicenceStatus, LicenceStep, SuspendedBy, ValidityLink

FAR = 700  # days until expiries that are irrelevant to the stories
REMINDED = (7, 30, 60)
# Services about a licence that stories use, each with brokers of its own.
ASKED_FOR = ("renewal", "suspension", "cancellation", "reactivation", "lost_card")
STAGES = ("closed", "sent", "taken", "returned")
_FIRST_PERSON = 900_000
_TYPES = ("private", "representative", "private")


@dataclass(frozen=True)
class Shape:
    """A licence to create. key: its name in stories. ends: days until each link expires."""

    key: str
    ends: dict[str, int] = field(default_factory=dict)
    status: str = LicenceStatus.ACTIVE
    suspended_by: str | None = None
    broker_type: str = ""


def by_holder(key: str) -> Shape:
    """Return a licence suspended by its holder."""
    return Shape(key, status=LicenceStatus.SUSPENDED, suspended_by=SuspendedBy.HOLDER)


def by_office(key: str) -> Shape:
    """Return a licence that the office suspended before the portal began."""
    return Shape(key, status=LicenceStatus.SUSPENDED, suspended_by=SuspendedBy.OFFICE)


def ending(key: str, link: str, days: int) -> Shape:
    """Return an active licence whose `link` expires in so many days (negative: ago)."""
    return Shape(key, {link: days})


_RENEWED = {
    "closed": (ValidityLink.LICENCE, -40),
    "sent": (ValidityLink.LICENCE, 20),
    "taken": (ValidityLink.GUARANTEE, 12),
    "returned": (ValidityLink.LICENCE, -20),
}
GENERAL = Shape("general", broker_type="general")


def _asked_for(code: str, stage: str) -> Shape:
    key = f"{code}-{stage}"
    if code == "renewal":
        return ending(key, *_RENEWED[stage])
    return by_holder(key) if code == "reactivation" else Shape(key)


_NAKHLA = (
    GENERAL,
    *(ending(f"{link}-{days}", link, days) for link in ValidityLink for days in REMINDED),
    *(_asked_for(code, stage) for code in ASKED_FOR for stage in STAGES),
    Shape("letter"),
    ending("expired", ValidityLink.LICENCE, -20),
    Shape("suspended"),  # by the office, in a story
    Shape("cancelled", status=LicenceStatus.CANCELLED),
    *(Shape(f"move-{stage}") for stage in ("closed", "asked", "wanted", "broker")),
)
_BAHR = (
    GENERAL,
    *(Shape(f"move-{stage}") for stage in ("sent", "taken", "returned")),
    ending("renewal-closed", ValidityLink.PASSPORT, 10),
    ending("renewal-sent", ValidityLink.CIVIL_ID, 25),
    ending("guarantee-30", ValidityLink.GUARANTEE, 30),
    ending("licence-7", ValidityLink.LICENCE, 7),
    Shape("letter"),
    ending("expired", ValidityLink.LICENCE, -120),
    by_holder("reactivation-sent"),
    by_office("suspended"),
    Shape("cancelled", status=LicenceStatus.CANCELLED),
)
_MARSA = (
    GENERAL,
    Shape("active"),
    ending("guarantee-30", ValidityLink.GUARANTEE, 30),
    ending("expired", ValidityLink.LICENCE, -200),
    by_holder("own-will"),
    by_office("suspended"),
)
SHAPES = (_NAKHLA, _BAHR, _MARSA)

Licences = dict[tuple[int, str], int]
"""(id of the organisation, the shape's key) → id of the licence."""


def make(cast: Cast, now: datetime) -> Licences:
    """Add every office's brokers and licences; return licence ids by (office id, key). Flushes."""
    made: Licences = {}
    for place, (office, shapes) in enumerate(zip(cast.offices, SHAPES, strict=True)):
        types = cycle(_TYPES)
        for number, shape in enumerate(shapes):
            person = _FIRST_PERSON + 100 * place + number
            broker = _broker(office, shape.broker_type or next(types), shape, person, now)
            add_account_of_woman(broker, cast, broker.created_at)
            licence = _licence(broker, shape, f"KW-{1000 * (place + 1) + number * 7}", now)
            made[office.id, shape.key] = licence.id
            if shape is GENERAL:
                office.general_broker_id = broker.id
    db.session.flush()
    return made


def _broker(
    office: Organisation, broker_type: str, shape: Shape, number: int, now: datetime
) -> Broker:
    broker = Broker(
        organisation_id=office.id,
        broker_type=broker_type,
        civil_id_expiry=_end(shape, ValidityLink.CIVIL_ID, FAR + 200 + number % 300, now),
        passport_no=f"P{number:07d}",
        passport_expiry=_end(shape, ValidityLink.PASSPORT, FAR + 500 + number % 500, now),
        created_at=now - timedelta(days=390),
        **person_columns(number),
    )
    db.session.add(broker)
    db.session.flush()
    return broker


def _licence(broker: Broker, shape: Shape, number: str, now: datetime) -> Licence:
    licence = Licence(
        number=number,
        broker_id=broker.id,
        guarantee_no=f"LG 2519770/{broker.id:06d}",
        guarantee_expiry=_end(shape, ValidityLink.GUARANTEE, FAR + broker.id % 200, now),
        issued=kuwait_date(now) - timedelta(days=1100 + broker.id % 300),
        expires=_end(shape, ValidityLink.LICENCE, FAR - 300 + broker.id * 7 % 300, now),
        status=shape.status,
        suspended_by=shape.suspended_by,
    )
    db.session.add(licence)
    db.session.flush()
    db.session.add(
        LicenceChange(
            licence_id=licence.id,
            at=now - timedelta(days=390),
            kind=LicenceStep.TAKEN_FROM_CUSTOMS,
        )
    )
    return licence


def _end(shape: Shape, link: ValidityLink, otherwise: int, now: datetime) -> date:
    return kuwait_date(now) + timedelta(days=shape.ends.get(link, otherwise))
