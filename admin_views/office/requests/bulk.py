"""Steps on many requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from admin_views.office.bulk import Outcome, SelectedRow, take_on_each
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Request
from clearance.requests import locking, transitions
from clearance.services.decisions import Decision


def perform_on_each(
    chosen: Sequence[SelectedRow],
    action: str,
    *,
    reason_in: Callable[[str], str],
    decisions_of: Callable[[int], list[Decision]],
    actor: Actor,
    key: str,
) -> list[Outcome] | None:
    """Take `action` on the chosen requests, see `take_on_each`. Commits.

    Requests committed together are locked together with their licences.

    reason_in: the reason by language; applicants get it in their own. decisions_of: the step's
    other data by request id.
    """

    def take(selected: SelectedRow) -> None:
        req = db.session.get_one(Request, selected.id)
        transitions.perform(
            req,
            action,
            actor=actor,
            now=utc_now(),
            version=selected.version,
            reason=reason_in(language_of(req)),
            data=decisions_of(selected.id),
        )

    return take_on_each(
        chosen, take, step=str(action), actor=actor, key=key, lock=locking.lock_with_records
    )


def language_of(req: Request) -> str:
    """Return the applicant's language."""
    return (req.sender or req.created_by).language
