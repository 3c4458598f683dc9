"""Handing over (تسليم الأعمال): who answers for the open requests of somebody who is disabled.

Every member who is granted a service sees and carries on its requests anyway, and is told of them.
So nothing moves: who began and who sent a request stays true for good, `handed_to` names the
colleague who answers for it from now on, and that colleague must be able to use its service.
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
from clearance.models.enums import OPEN_STATUSES, Status

NEEDS_COLLEAGUE = Refusal(
    _l("This user has open requests or drafts."),
    _l("Choose the colleague who takes them over."),
)
UNFIT_COLLEAGUE = Refusal(
    _l("This colleague may not use every service of those requests."),
    _l("Choose another one, or grant the services first."),
)
IN_HAND = sorted({*OPEN_STATUSES, Status.DRAFT})
NUMBERS_TOLD = 20
REQUESTS_LINK = "/my/requests/"


def in_hand(organisation_id: int, user_id: int) -> list[Request]:
    """The drafts and open requests of the organisation that the user answers for, newest first."""
    return list(db.session.scalars(_in_hand(organisation_id, user_id).order_by(Request.id.desc())))


def lock_exclusive(organisation_id: int, user_id: int) -> None:
    """Hold the rows that are to be handed over; before the organisation is, as uploads do."""
    rows = _in_hand(organisation_id, user_id).with_only_columns(Request.id).order_by(Request.id)
    db.session.execute(rows.with_for_update(key_share=True)).all()


def colleagues(membership: Membership, services: Collection[str]) -> list[Membership]:
    """The other active members who may use all of these services, by name."""
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
    """Make a colleague answer for what the member had in hand, and tell them; flushes.

    colleague_id: of a membership of the same organisation; not needed when nothing is in hand.
    Returns how many requests. Raises: Refused without a colleague, or with an unfit one.
    """
    work = in_hand(membership.organisation_id, membership.user_id)
    if not work:
        return 0
    if colleague_id is None:
        raise Refused(NEEDS_COLLEAGUE)
    fit = {each.id: each for each in colleagues(membership, {req.service_code for req in work})}
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
        Request.status.in_(IN_HAND),
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
            "organisation": {lang: organisation.name_in(lang) for lang in ("ar", "en")},
            "name": membership.user.full_name,
            "count": len(work),
            "numbers": "  ".join(numbers[:NUMBERS_TOLD]),
        },
        now=now,
        organisation_id=organisation.id,
        url=REQUESTS_LINK,
    )
