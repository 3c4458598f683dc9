"""Steps on many requests; every row succeeds or fails on its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import abort
from flask_babel import gettext as _

from clearance.core import idempotency
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.models import Request
from clearance.requests import register_snapshot, transitions
from clearance.services.effects import Decision
from clearance.services.flows import Action

COMMIT_EVERY = 50


@dataclass(frozen=True)
class SelectedRow:
    """A chosen row. version: as shown on the page."""

    request_id: int
    version: int

    def __str__(self) -> str:
        return f"{self.request_id}-{self.version}"

    @classmethod
    def read(cls, typed: str) -> SelectedRow:
        """Parse a posted row; malformed ones abort with 400."""
        parts = typed.split("-")
        if len(parts) != 2 or not all(_is_number(part) for part in parts):
            abort(400)
        return cls(int(parts[0]), int(parts[1]))


@dataclass(frozen=True)
class Outcome:
    """Result of one row. why: the refusal in the reader's language, or "" if done."""

    request_id: int
    number: str
    why: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the step was taken."""
        return not self.why

    def __str__(self) -> str:
        return f"{self.request_id}|{self.number}|{self.why}"

    @classmethod
    def read(cls, typed: str) -> Outcome:
        """Parse an outcome that the results page posts back to switch its language."""
        key, _bar, rest = typed.partition("|")
        number, _bar, why = rest.partition("|")
        if not _is_number(key):
            abort(400)
        return cls(int(key), number[:40], why[:500])


def perform_on_each(
    chosen: Sequence[SelectedRow],
    action: Action,
    *,
    reason_in: Callable[[str], str],
    decision_of: Callable[[int], Decision],
    actor: Actor,
    key: str,
) -> list[Outcome] | None:
    """Take `action` on the chosen requests; return the outcomes in the given order. Commits.

    Rows committed together are locked together, so that concurrent changes of the same rows or
    licences cannot deadlock. Every row has its savepoint, and every 50 rows are committed
    (security rule 56).

    reason_in: the reason by language; applicants get it in their own. decision_of: the step's other
    data by request id. key: the form's one-time key; if already used, None is returned.
    """
    now = utc_now()
    owner = f"user:{actor.id}"
    if idempotency.claim(key, owner, str(action), now) is not None:
        db.session.rollback()
        return None
    outcomes: dict[SelectedRow, Outcome] = {}
    rows = sorted(set(chosen), key=lambda row: row.request_id)
    for first in range(0, len(rows), COMMIT_EVERY):
        batch = rows[first : first + COMMIT_EVERY]
        register_snapshot.lock_many([selected.request_id for selected in batch])
        for selected in batch:
            decision = decision_of(selected.request_id)
            outcomes[selected] = _on_one(selected, action, reason_in, decision, actor)
        db.session.commit()
    return [outcomes[selected] for selected in chosen]


def language_of(req: Request) -> str:
    """Return the applicant's language."""
    return (req.sender or req.created_by).language


def _on_one(
    each: SelectedRow,
    action: Action,
    reason_in: Callable[[str], str],
    data: Decision,
    actor: Actor,
) -> Outcome:
    req = db.session.get_one(Request, each.request_id)
    number = req.number or ""
    try:
        transitions.perform(
            req,
            action,
            actor=actor,
            now=utc_now(),
            version=each.version,
            reason=reason_in(language_of(req)),
            data=data,
        )
    except DomainError as refusal:
        return Outcome(each.request_id, number, str(refusal) or _("This was not possible."))
    return Outcome(each.request_id, number)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
