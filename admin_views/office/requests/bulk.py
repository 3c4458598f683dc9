"""Steps on many requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from admin_views.office.bulk import Outcome, SelectedRow, take_on_each
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.reasons import Reason
from clearance.models import Request
from clearance.requests import locking, transitions
from clearance.services.decisions import Decision


def perform_on_each(
    chosen: Sequence[SelectedRow],
    action: str,
    *,
    reason: Reason,
    decisions_of: Callable[[int], list[Decision]],
    actor: Actor,
    key: str,
) -> list[Outcome] | None:
    """Take `action` on the chosen requests, see `take_on_each`. Commits.

    Requests committed together are locked together with their licences.

    decisions_of: the step's other data by request id.
    """

    def take(selected: SelectedRow) -> None:
        req = db.session.get_one(Request, selected.id)
        transitions.perform(
            req,
            action,
            actor=actor,
            now=utc_now(),
            version=selected.version,
            reason=reason,
            data=decisions_of(selected.id),
        )

    return take_on_each(
        chosen, take, step=str(action), actor=actor, key=key, lock=locking.lock_with_records
    )
