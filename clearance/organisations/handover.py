"""Handover (تسليم الأعمال) of a disabled member's open requests to a colleague.

Every member with a service can already see and continue its requests, and is notified of them.
So authorship and sender never change; `handed_to` only names the colleague now responsible, who
must be able to use the request's service.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload, selectinload

from clearance import notifications
from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.models import Membership, Request, User
from clearance.models.enums import Status
from clearance.organisations import members
from clearance.services import registry

NEEDS_COLLEAGUE = Refusal(
    _l("This user has open requests or drafts."),
    _l("Choose a colleague to take them over."),
)
UNFIT_COLLEAGUE = Refusal(
    _l("This colleague does not have access to all the services of those requests."),
    _l("Choose another colleague, or give access to the services first."),
)
NUMBERS_TOLD = 20
REQUESTS_LINK = "/my/requests/"


def in_hand(organisation_id: int, user_id: int) -> list[Request]:
    """Return the drafts and open requests the user is responsible for there, newest first."""
    return list(db.session.scalars(_in_hand(organisation_id, user_id).order_by(Request.id.desc())))


def lock_exclusive(organisation_id: int, user_id: int) -> None:
    """Lock the requests to be handed over; before the organisation's row, as uploads do."""
    rows = _in_hand(organisation_id, user_id).with_only_columns(Request.id).order_by(Request.id)
    db.session.execute(rows.with_for_update(key_share=True)).all()


def colleagues(membership: Membership, services: Collection[str]) -> list[Membership]:
    """Return the other active members who may use all of these services, by name."""
    rows = db.session.scalars(
        sa.select(Membership)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.organisation_id == membership.organisation_id,
            Membership.id != membership.id,
            Membership.is_active.is_(True),
            User.is_active.is_(True),
        )
        .options(joinedload(Membership.user), selectinload(Membership.grants))
        .order_by(User.name_folded, Membership.id)
    )
    return [row for row in rows if _may_use_all(row, services)]


def hand_over(membership: Membership, colleague_id: int | None, actor: Actor, now: datetime) -> int:
    """Make a colleague responsible for the member's open requests and notify them. Flushes.

    colleague_id: a membership of the same organisation; not needed when there are no open requests.
    Returns the number of requests. Raises: Refused without a colleague, or with an unsuitable one.
    """
    work = in_hand(membership.organisation_id, membership.user_id)
    if not work:
        return 0
    if colleague_id is None:
        raise Refused(NEEDS_COLLEAGUE)
    fit = {
        candidate.id: candidate
        for candidate in colleagues(membership, {req.service_code for req in work})
    }
    if colleague_id not in fit:
        raise Refused(UNFIT_COLLEAGUE)
    colleague = fit[colleague_id].user
    for req in work:
        before, req.handed_to_id = req.handed_to_id, colleague.id
        audit.record(
            "request:handed_over",
            obj=req,
            actor_id=actor.id,
            at=now,
            organisation_id=req.organisation_id,
            request_id=req.id,
            changes={"handed_to_id": [before, colleague.id]},
        )
    _tell(membership, colleague, work, now)
    return len(work)


def _in_hand(organisation_id: int, user_id: int) -> sa.Select[Request]:
    answers = sa.func.coalesce(Request.handed_to_id, Request.sender_id, Request.created_by_id)
    return sa.select(Request).where(
        Request.organisation_id == organisation_id,
        Request.status.in_(sorted(registry.current().open_statuses | {Status.DRAFT})),
        answers == user_id,
    )


def _may_use_all(membership: Membership, services: Collection[str]) -> bool:
    granted = {grant.service_code for grant in membership.grants}
    return membership.is_general or granted.issuperset(services)


def _tell(membership: Membership, colleague: User, work: Sequence[Request], now: datetime) -> None:
    organisation = membership.organisation
    numbers = [req.number for req in work if req.number]
    notifications.notify_user(
        "account:work:handed",
        user_id=colleague.id,
        params={
            "organisation": members.names_of(organisation),
            "name": members.names_of(membership.user),
            "count": len(work),
            "numbers": "  ".join(numbers[:NUMBERS_TOLD]),
        },
        now=now,
        organisation_id=organisation.id,
        url=REQUESTS_LINK,
    )
