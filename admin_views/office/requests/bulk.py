"""Carrying a step out on many requests: each row stands or falls by itself."""

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
    """A chosen row. version: the row's as the page showed it."""

    request_id: int
    version: int

    def __str__(self) -> str:
        return f"{self.request_id}-{self.version}"

    @classmethod
    def read(cls, typed: str) -> SelectedRow:
        """Read what the page posted; 400 for what it never posts."""
        parts = typed.split("-")
        if len(parts) != 2 or not all(_is_number(part) for part in parts):
            abort(400)
        return cls(int(parts[0]), int(parts[1]))


@dataclass(frozen=True)
class Outcome:
    """What became of one row. why: the refusal in the reader's words, "" when it was done."""

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
        """Read what the results page posts back to be shown in the other language."""
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
    """Take `action` on each chosen request and tell what became of it, in the given order.

    Those that are committed together are locked together, so that two who change many of the same
    rows or licences at once never wait for each other.

    reason_in: the reason in a language; each applicant gets it in theirs. decision_of: what else
    the step is given, by the request's id. key: the one-time key of the form; None is returned when
    it was spent already. Each row is a savepoint of its own, and every 50 rows are committed
    (security rule 56).
    """
    now = utc_now()
    owner = f"user:{actor.id}"
    if idempotency.claim(key, owner, str(action), now) is not None:
        db.session.rollback()
        return None
    outcomes: dict[SelectedRow, Outcome] = {}
    rows = sorted(set(chosen), key=lambda row: row.request_id)
    for first in range(0, len(rows), COMMIT_EVERY):
        together = rows[first : first + COMMIT_EVERY]
        register_snapshot.lock_many([each.request_id for each in together])
        for each in together:
            decision = decision_of(each.request_id)
            outcomes[each] = _on_one(each, action, reason_in, decision, actor)
        db.session.commit()
    return [outcomes[each] for each in chosen]


def language_of(req: Request) -> str:
    """The language in which the applicant reads."""
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
