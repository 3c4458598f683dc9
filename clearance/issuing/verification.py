"""Authenticity of an issued document, derived from the current state of its licence, if any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from clearance.core.clock import kuwait_date
from clearance.core.extensions import db
from clearance.core.values import ascii_digits, clean_text
from clearance.issuing.operations import CODE_LENGTH, title_of
from clearance.licences import validity
from clearance.models import IssuedDocument, Licence, LicenceChange
from clearance.models.enums import IssuedKind, IssuedState, LicenceStatus, LicenceStep

_BASE32 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_LOOK_ALIKES = str.maketrans("018", "OIB", " -\u2010\u2011\u2013")  # base32 has no 0, 1 and 8
_ONE_DAY = timedelta(days=1)
# The steps that give a licence its status.
_STEPS_TO: dict[LicenceStatus, frozenset[LicenceStep]] = {
    LicenceStatus.ACTIVE: frozenset(
        {
            LicenceStep.ISSUED,
            LicenceStep.RENEWED,
            LicenceStep.REACTIVATED,
            LicenceStep.REINSTATED,
            LicenceStep.TAKEN_FROM_CUSTOMS,
        }
    ),
    LicenceStatus.SUSPENDED: frozenset({LicenceStep.SUSPENDED}),
    LicenceStatus.CANCELLED: frozenset({LicenceStep.CANCELLED}),
}
_History = Callable[[], Mapping[tuple[int, str], datetime]]


@dataclass(frozen=True)
class Authenticity:
    """A document's state. since: first Kuwait day on which it was not genuine, if known."""

    state: IssuedState
    since: date | None = None


@dataclass(frozen=True)
class VerificationResult:
    """Everything that the public check reveals. holder: the name as printed, "ar" and "en".

    title: what the document is called. number: its licence's, or a statement's own.
    issued_on, valid_until, since: Kuwait days; valid_until is inclusive, None if unlimited.
    """

    state: IssuedState
    since: date | None
    kind: IssuedKind
    title: Any
    number: str
    holder: Mapping[str, str]
    issued_on: date
    valid_until: date | None


@dataclass(frozen=True)
class IssuedFile:
    """A file that the portal made, byte for byte. issued_on: Kuwait day of its document."""

    check_code: str
    issued_on: date


def verify(check_code: str, now: datetime) -> VerificationResult | None:
    """Return the result for the document with a check code; None for an unknown code.

    check_code: as printed or typed; lower case, spaces, hyphens and look-alikes are accepted.
    Source: specification sections 5 and 9.
    """
    code = normalised(check_code)
    if code is None:
        return None
    document = db.session.scalar(
        sa.select(IssuedDocument)
        .where(IssuedDocument.check_code == code)
        .options(joinedload(IssuedDocument.licence))
    )
    if document is None:
        return None
    worth = authenticity_of_each([document], now)[document.id]
    return VerificationResult(
        state=worth.state,
        since=worth.since,
        kind=IssuedKind(document.kind),
        title=title_of(document),
        number=document.content["number"],
        holder=document.content["holder"],
        issued_on=kuwait_date(document.issued_at),
        valid_until=_end(document),
    )


def file_known_by(sha256: str) -> IssuedFile | None:
    """Return what the portal knows of a file with that hash; None if it issued none.

    sha256: of all its bytes, hexadecimal, in small letters.
    """
    row = db.session.execute(
        sa.select(IssuedDocument.check_code, IssuedDocument.issued_at)
        .where(IssuedDocument.sha256 == sha256)
        .order_by(IssuedDocument.id)
        .limit(1)
    ).one_or_none()
    return IssuedFile(row.check_code, kuwait_date(row.issued_at)) if row is not None else None


def authenticity_of_each(
    documents: Iterable[IssuedDocument], now: datetime
) -> dict[int, Authenticity]:
    """Return document id → authenticity; one query for the history of all licences, if needed."""
    chosen = list(documents)
    licence_ids = {document.licence_id for document in chosen if document.licence_id is not None}
    history = cache(partial(_history, frozenset(licence_ids)))
    return {document.id: _worth(document, history, kuwait_date(now)) for document in chosen}


def normalised(typed: str) -> str | None:
    """Return a typed check code in its stored form, None if it cannot be one."""
    code = ascii_digits(clean_text(typed)).upper().translate(_LOOK_ALIKES)
    return code if len(code) == CODE_LENGTH and set(code) <= _BASE32 else None


def _worth(document: IssuedDocument, history: _History, today: date) -> Authenticity:
    if document.voided_at is not None:
        return Authenticity(IssuedState.VOID, kuwait_date(document.voided_at))
    if document.licence is not None and document.kind == IssuedKind.LETTER:
        return _letter_worth(document, document.licence, history, today)
    faults = []
    end = _end(document)
    if end is not None and end < today:
        faults.append(Authenticity(IssuedState.EXPIRED, end + _ONE_DAY))
    if document.licence is not None:
        status = validity.status_on(document.licence, today)
        if status in {LicenceStatus.SUSPENDED, LicenceStatus.CANCELLED}:
            faults.append(Authenticity(IssuedState.VOID, _since(document.licence, status, history)))
        elif status == LicenceStatus.EXPIRED and not faults:
            faults.append(Authenticity(IssuedState.EXPIRED))
    # The earliest fault wins: the document has been invalid since then.
    return min(faults, key=_beginning, default=Authenticity(IssuedState.GENUINE))


def _letter_worth(
    document: IssuedDocument, licence: Licence, history: _History, today: date
) -> Authenticity:
    """Return a letter's authenticity: genuine while the licence has the status it states."""
    status = validity.status_on(licence, today)
    if status == document.content["status"]:
        return Authenticity(IssuedState.GENUINE)
    return Authenticity(IssuedState.VOID, _since(licence, status, history))


def _since(licence: Licence, status: LicenceStatus, history: _History) -> date | None:
    """Return the Kuwait day on which the licence got its status, if known."""
    if status == LicenceStatus.EXPIRED:
        return licence.expires + _ONE_DAY
    times = [history().get((licence.id, step)) for step in _STEPS_TO[status]]
    return max((kuwait_date(time) for time in times if time is not None), default=None)


def _beginning(worth: Authenticity) -> date:
    return worth.since or date.min


def _end(document: IssuedDocument) -> date | None:
    """Return the last day, inclusive: the printed one, or the licence's if that is earlier."""
    ends = [document.valid_until]
    if document.kind != IssuedKind.LETTER and document.licence is not None:
        ends.append(document.licence.expires)
    return min((end for end in ends if end is not None), default=None)


def _history(licence_ids: frozenset[int]) -> Mapping[tuple[int, str], datetime]:
    """Return (licence id, step) → when it last happened."""
    if not licence_ids:
        return {}
    rows = db.session.execute(
        sa.select(LicenceChange.licence_id, LicenceChange.kind, sa.func.max(LicenceChange.at))
        .where(LicenceChange.licence_id.in_(licence_ids))
        .group_by(LicenceChange.licence_id, LicenceChange.kind)
    )
    return {(licence_id, kind): at for licence_id, kind, at in rows}
