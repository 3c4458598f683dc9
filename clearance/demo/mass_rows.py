"""Rows of the bulk requests: subject, progress and dates."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

import sqlalchemy as sa

from clearance.core import name_folding, numbering
from clearance.core.clock import kuwait_date
from clearance.core.extensions import db
from clearance.demo import mass_register
from clearance.demo.mass_mix import KINDS, Holders, Kind
from clearance.demo.mass_register import Holder
from clearance.demo.names import FAMILIES, person_columns
from clearance.licences import granted_expiry
from clearance.models import Membership, Organisation, Request, User
from clearance.models.enums import Role, Status
from clearance.services import registry, versions
from clearance.services.target import Target
from clearance.services.versions import Version
from clearance.transfers.statuses import TransferStatus

YEARS = 4
REQUESTS_EACH = 1_000  # per organisation added
LICENCES_FOR = 20  # requests per licence added
FEWEST_LICENCES = 10
FEW = 9  # of the oldest organisations: the other parties of transfers
HOME_SHARE = 20
FIRST_PERSON = 1_000_000
SEED = 20_260_101
NOT_TAKEN = frozenset({Status.SUBMITTED, Status.WITHDRAWN, TransferStatus.DECLINED})
Columns = dict[str, Any]


class Source:
    """Generates rows; all variation comes from one seeded random sequence."""

    def __init__(self, count: int, now: datetime) -> None:
        self._random = random.Random(SEED + count)
        self._open = registry.current().open_statuses
        self._now, self._today, self._count = now, kuwait_date(now), count
        self._versions = {version.definition.code: version for version in versions.all_current()}
        self._kinds = [kind for kind in KINDS if kind.code in self._versions]
        self._kind_shares = list(accumulate(kind.share for kind in self._kinds))
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
        licences = max(FEWEST_LICENCES, count // LICENCES_FOR)
        made = mass_register.add_holders(
            licences, self._organisations, self._shares, self._random, now
        )
        self._holders = Holders(made, self._random, self._today)
        self._serials: dict[tuple[str, int], int] = {}

    def rows(self) -> Iterator[Columns]:
        """Yield the rows, oldest first, so that numbers follow the time of sending."""
        span = timedelta(days=365 * YEARS) / self._count
        for place in range(self._count):
            sent_at = self._now - timedelta(days=365 * YEARS) + span * place
            yield self._row(self._first + place, sent_at)

    def settle_counters(self) -> None:
        """Advance the counters past the numbers used."""
        for (prefix, year), last in self._serials.items():
            numbering.skip_to(prefix, year, last)
        self._serials.clear()

    def _row(self, person: int, sent_at: datetime) -> Columns:
        chance = self._random
        kind = chance.choices(self._kinds, cum_weights=self._kind_shares)[0]
        status, about = self._subject(kind, kind.status(chance), person)
        if status in self._open:  # nothing stays open for years
            sent_at = self._now - timedelta(minutes=chance.randrange(60 * 24 * 30))
        version = self._versions[kind.code]
        return (
            _EMPTY
            | about
            | self._progress(version, status, sent_at)
            | {
                "service_code": kind.code,
                "service_version_id": version.id,
                "number": self._number(version.definition.prefix, sent_at),
                "status": status,
                "created_by_id": self.sender.id,
                "sender_id": self.sender.id,
                "reviewer_id": chance.choice(self._reviewers) if status not in NOT_TAKEN else None,
                "exclusive_key": self._claim(version, status, about),
                "answers": kind.answers,
            }
        )

    def _subject(self, kind: Kind, status: str, person: int) -> tuple[str, Columns]:
        """Return the request's subject; the status changes where no licence is left for it."""
        is_open, holder = status in self._open, None
        if kind.fits is not None:
            holder = self._holders.free(kind) if is_open else self._holders.any()
            if holder is None:
                status, holder = Status.APPROVED, self._holders.any()
        elif status == Status.APPROVED:
            holder = self._holders.issued()
            if holder is None:
                status = Status.REJECTED
        if holder is None:
            return status, self._of_person(person)
        about = self._of_holder(holder)
        if status == Status.APPROVED and granted_expiry.is_granted_by(
            self._versions[kind.code].definition
        ):
            about["granted_expiry"] = holder.expires
        if self._versions[kind.code].definition.steps.has_parties:
            others = [
                other for other in self._organisations[:FEW] if other != holder.organisation_id
            ]
            about["other_organisation_id"] = self._random.choice(others) if others else None
        return status, about

    def _of_person(self, number: int) -> Columns:
        chance = self._random
        return {
            "organisation_id": chance.choices(self._organisations, cum_weights=self._shares)[0],
            "broker_type": chance.choice(mass_register.TYPES),
            "civil_id_expiry": self._today + timedelta(days=chance.randrange(30, 3000)),
            **person_columns(number),
        }

    def _of_holder(self, holder: Holder) -> Columns:
        return {
            "broker_id": holder.broker_id,
            "licence_id": holder.licence_id,
            "licence_expiry": holder.expires,
            "guarantee_no": holder.guarantee_no,
            "guarantee_expiry": holder.guarantee_expiry,
            **holder.broker_columns,
        }

    def _progress(self, version: Version, status: str, sent_at: datetime) -> Columns:
        is_due = status in version.definition.steps.on_clock
        due_on = kuwait_date(sent_at) + timedelta(days=7) if is_due else None
        decided_at = sent_at + timedelta(days=self._random.randrange(1, 40))
        return {
            "version": 2,
            "created_at": sent_at - timedelta(minutes=20),
            "saved_at": sent_at,
            "sent_at": sent_at,
            "returned_at": sent_at if status == Status.RETURNED else None,
            "decided_at": None if status in self._open else min(decided_at, self._now),
            "due_on": due_on,
            "late_told_for": due_on,
        }

    def _claim(self, version: Version, status: str, about: Columns) -> str | None:
        service = version.definition
        if not service.steps.holds_claim(status):
            return None
        target = Target(about["civil_id"], about.get("licence_id"))
        return target.exclusive_key(service.exclusive, service.code)

    def _number(self, prefix: str, sent_at: datetime) -> str:
        year = kuwait_date(sent_at).year
        if (prefix, year) not in self._serials:
            self._serials[prefix, year] = numbering.next_serial(prefix, year)
        else:
            self._serials[prefix, year] += 1
        return f"{prefix}/{self._serials[prefix, year]}/{year % 100:02d}"


def _organisations(count: int, now: datetime) -> tuple[list[int], list[int]]:
    """Return all organisations, adding one per REQUESTS_EACH requests, and their shares.

    Organisations with portal users get more requests, so that their lists are long too.
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
                name_folded=name_folding.name_index(name_ar, name_en),
                created_at=now,
            )
        )
    db.session.flush()
    ids = list(db.session.scalars(sa.select(Organisation.id).order_by(Organisation.id)))
    return ids, list(accumulate(HOME_SHARE if org_id in homes else 1 for org_id in ids))


_EMPTY: Columns = {
    **dict.fromkeys(("passport_no", "guarantee_no"), ""),
    **dict.fromkeys(
        (
            *("broker_id", "licence_id", "other_organisation_id", "passport_expiry"),
            *("licence_expiry", "guarantee_expiry", "granted_expiry"),
        )
    ),
    "subject_seen": {},
}
