"""Any number of realistic requests at once, for measuring lists and searches at scale."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Any

import sqlalchemy as sa

from clearance import audit, definition, numbering, search
from clearance.calendar import kuwait_date
from clearance.database import reserve_ids
from clearance.demo.names import FAMILIES, Candidate, candidate
from clearance.extensions import db
from clearance.models import Base, Membership, Organisation, Request, User
from clearance.procedures.claims import claim_key
from clearance.procedures.flows import Action
from clearance.timeline import kind_of
from clearance.vocabulary import Role, Status

_REQUESTS = Base.metadata.tables[Request.__tablename__]
CHUNK = 5_000
CACHE_KB = 200_000  # of SQLite's pages: the indexes are filled in no order
YEARS = 4
REQUESTS_EACH = 1_000
HOME_SHARE = 20
FIRST_PERSON = 1_000_000
SEED = 20_260_101
# What an office of this kind has after some years: most is decided, little is open.
WEIGHTS = {
    Status.PASSED: 40,
    Status.FAILED: 22,
    Status.ABSENT: 7,
    Status.REJECTED: 9,
    Status.WITHDRAWN: 6,
    Status.LAPSED: 4,
    Status.SUBMITTED: 3,
    Status.UNDER_REVIEW: 3,
    Status.RETURNED: 2,
    Status.PREAPPROVED: 4,
}
_STATUSES = tuple(WEIGHTS)
_CUMULATED = tuple(accumulate(WEIGHTS.values()))
TAKEN = frozenset(WEIGHTS) - {Status.SUBMITTED, Status.WITHDRAWN}
OPEN = frozenset({Status.SUBMITTED, Status.UNDER_REVIEW, Status.RETURNED, Status.PREAPPROVED})


def add_requests(count: int, now: datetime) -> float:
    """Add `count` requests over the last years, each sealed into the trail as sent; commits.

    The same for the same count. They get numbers from the counters like any other; nobody is told
    of them. Committed part by part, so that others can write in between. Returns the seconds.
    """
    began = time.perf_counter()
    source = _Source(count, now)
    session = db.session()
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql(f"PRAGMA cache_size=-{CACHE_KB}")
    for rows in _chunks(source.rows(), CHUNK):
        ids = reserve_ids(session, _REQUESTS, len(rows))
        for key, row in zip(ids, rows, strict=True):
            row["id"] = key
        session.execute(sa.insert(_REQUESTS), rows)
        source.settle_counters()
        audit.record_many([_sent(row) for row in rows])
        db.session.commit()
    audit.record(
        "demo:requests:added", obj=source.sender, actor_id=None, changes={"count": [0, count]}
    )
    db.session.commit()
    return time.perf_counter() - began


class _Source:
    """Makes rows; everything that varies comes from one seeded sequence."""

    def __init__(self, count: int, now: datetime) -> None:
        self._random = random.Random(SEED + count)
        self._now, self._count = now, count
        self._version = definition.current("exam")
        self._first = FIRST_PERSON + (db.session.scalar(sa.select(sa.func.max(Request.id))) or 0)
        self._organisations, self._shares = _organisations(count, now)
        self._reviewers = list(
            db.session.scalars(
                sa.select(User.id).where(User.role == Role.REVIEWER).order_by(User.id)
            )
        )
        self.sender = db.session.scalars(
            sa.select(User).where(User.role == Role.AGENT).order_by(User.id).limit(1)
        ).one()
        self._serials: dict[int, int] = {}

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows, oldest first, so that numbers follow the time of sending."""
        span = timedelta(days=365 * YEARS) / self._count
        for place in range(self._count):
            sent_at = self._now - timedelta(days=365 * YEARS) + span * place
            yield self._row(candidate(self._first + place), sent_at)

    def settle_counters(self) -> None:
        """Let the counters know the numbers that were given; others may go on from there."""
        for year, last in self._serials.items():
            numbering.skip_to(self._version.definition.prefix, year, last)
        self._serials.clear()

    def _row(self, person: Candidate, sent_at: datetime) -> dict[str, Any]:
        chance = self._random
        status = chance.choices(_STATUSES, cum_weights=_CUMULATED)[0]
        is_open = status in OPEN
        if is_open:  # nothing stays open for years
            sent_at = self._now - timedelta(minutes=chance.randrange(60 * 24 * 30))
        service = self._version.definition
        is_due = status in service.steps.on_the_clock
        due_on = kuwait_date(sent_at) + timedelta(days=7) if is_due else None
        return _EMPTY | {
            "service_code": service.code,
            "service_version_id": self._version.id,
            "number": self._number(service.prefix, sent_at),
            "status": status,
            "version": 2,
            "organisation_id": chance.choices(self._organisations, cum_weights=self._shares)[0],
            "created_by_id": self.sender.id,
            "sender_id": self.sender.id,
            "reviewer_id": chance.choice(self._reviewers) if status in TAKEN else None,
            "exclusive_key": self._claim(person, status),
            "broker_type": chance.choice(("private", "private", "representative", "general")),
            "nationality": "KW",
            "civil_id": person.civil_id,
            "civil_id_expiry": kuwait_date(self._now) + timedelta(days=chance.randrange(30, 3000)),
            "mobile": person.mobile,
            "email": person.email,
            "address": person.address,
            "created_at": sent_at - timedelta(minutes=20),
            "saved_at": sent_at,
            "sent_at": sent_at,
            "returned_at": sent_at if status == Status.RETURNED else None,
            "decided_at": None if is_open else sent_at + timedelta(days=chance.randrange(1, 40)),
            "due_on": due_on,
            "late_told_for": due_on,
            **_names(person.names_ar, person.names_en),
        }

    def _claim(self, person: Candidate, status: Status) -> str | None:
        service = self._version.definition
        if not service.steps.holds_claim(status):
            return None
        return claim_key(service.exclusive, service.code, civil_id=person.civil_id, licence_id=None)

    def _number(self, prefix: str, sent_at: datetime) -> str:
        year = kuwait_date(sent_at).year
        if year not in self._serials:
            self._serials[year] = numbering.next_serial(prefix, year)
        else:
            self._serials[year] += 1
        return f"{prefix}/{self._serials[year]}/{year % 100:02d}"


def _organisations(count: int, now: datetime) -> tuple[list[int], list[int]]:
    """Every organisation, new ones for each REQUESTS_EACH requests among them, and their shares.

    Those that people of the portal belong to get more requests, so that their lists are long too.
    """
    homes = set(db.session.scalars(sa.select(Membership.organisation_id)))
    for number in range(count // REQUESTS_EACH):
        ar, en = FAMILIES[number % len(FAMILIES)]
        name_ar, name_en = f"مكتب {ar} {number + 1}", f"{en} Office {number + 1}"
        db.session.add(
            Organisation(
                legal_entity="clearing_agent",
                name_ar=name_ar,
                name_en=name_en,
                name_folded=search.name_index(name_ar, name_en),
                created_at=now,
            )
        )
    db.session.flush()
    ids = list(db.session.scalars(sa.select(Organisation.id).order_by(Organisation.id)))
    return ids, list(accumulate(HOME_SHARE if each in homes else 1 for each in ids))


_EMPTY: dict[str, Any] = {"passport_no": "", "guarantee_no": "", "answers": {}}


def _sent(row: dict[str, Any]) -> dict[str, Any]:
    """The trail's entry of the sending of a request."""
    return {
        "at": row["sent_at"],
        "kind": kind_of(Action.SEND),
        "actor_id": row["sender_id"],
        "organisation_id": row["organisation_id"],
        "request_id": row["id"],
        "object_type": "request",
        "object_id": str(row["id"]),
        "from_status": Status.DRAFT,
        "to_status": Status.SUBMITTED,
    }


@lru_cache(maxsize=50_000)
def _names(arabic: tuple[str, ...], english: tuple[str, ...]) -> dict[str, str]:
    names = {f"name_ar_{n}": text for n, text in enumerate(arabic, 1)}
    names |= {f"name_en_{n}": text for n, text in enumerate(english, 1)}
    names["name_folded"] = search.name_index(*arabic, *english, max_length=700)
    return names


def _chunks(rows: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
