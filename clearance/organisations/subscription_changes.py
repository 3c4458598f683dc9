"""Subscription changes: asking, withdrawing, leaving, and the office's decision."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import selectinload

from clearance import notifications
from clearance.auth import permissions
from clearance.core import audit, i18n, reasons, urls
from clearance.core.actor import Actor
from clearance.core.errors import (
    NotFound,
    PermissionDenied,
    ReasonRequired,
    Refusal,
    Refused,
    TransitionNotAllowed,
)
from clearance.core.extensions import db
from clearance.core.reasons import Reason
from clearance.models import Grant, Membership, Organisation, Subscription, User
from clearance.models.enums import SubscriptionStatus
from clearance.organisations import members, subscription_locks, subscriptions
from clearance.organisations.notifications import service_titles
from clearance.organisations.subscriptions import Step
from clearance.services import facts, guards, versions
from clearance.services.facts import Case
from clearance.services.schema import Definition

REASON_MAX_LENGTH = 1000
Decider = Literal["actor", "rules", "nobody"]

# Values of the placeholders `outcome` and `next`.
_APPROVED = {
    "outcome": {"ar": "تمت الموافقة", "en": "approved"},
    "next": {
        "ar": "يمكنك الآن استخدام الخدمة ومنحها للمستخدمين.",
        "en": "You can now use the service and give users access to it.",
    },
}
_REJECTED = {
    "outcome": {"ar": "تم الرفض", "en": "rejected"},
    "next": {
        "ar": "يمكنك طلب الاشتراك من جديد بعد استيفاء المطلوب.",
        "en": "You can request it again when you meet the conditions.",
    },
}


def ask(
    organisation_id: int, code: str, actor: Actor, now: datetime, *, version: int
) -> Subscription:
    """Subscribe the organisation, or ask the office where the service requires approval. Flushes.

    version: as shown in the catalogue (`Entry.version`). A service refused or left can be asked for
    again. Raises: NotFound unless the actor manages the organisation; Refused when the service is
    not for its legal entity; TransitionNotAllowed when the state changed meanwhile.
    """
    service, row = _hold(organisation_id, code, actor, now)
    _expect(Step.ASK, service, row, version)
    refusal = guards.organisation_may_ask(Case(service, facts.load(actor, organisation_id, now)))
    if refusal is not None:
        raise Refused(refusal)
    if row is None:
        row = Subscription(organisation_id=organisation_id, service_code=code, version=0)
        db.session.add(row)
    row.asked_at = now
    if subscriptions.is_at_once(service):
        _change(row, "subscribed", SubscriptionStatus.ACTIVE, actor, now, decider="rules")
    else:
        _change(row, "asked", SubscriptionStatus.ASKED, actor, now, decider="nobody")
        notifications.notify_reviewers(
            "subscription:asked",
            params=_params(row),
            now=now,
            url=urls.office_subscription_url(row.id),
        )
    return row


def withdraw(
    organisation_id: int, code: str, actor: Actor, now: datetime, *, version: int
) -> Subscription:
    """Withdraw a subscription request not decided yet. Flushes.

    Arguments and errors as for `ask`.
    """
    service, row = _hold(organisation_id, code, actor, now)
    row = _existing(Step.WITHDRAW, service, row, version)
    _change(row, "withdrawn", SubscriptionStatus.LEFT, actor, now)
    return row


def leave(
    organisation_id: int, code: str, actor: Actor, now: datetime, *, version: int
) -> Subscription:
    """Leave a service: its grants end; drafts remain but cannot be sent. Flushes.

    Notifies everyone in the organisation who could use it. Arguments and errors as for `ask`;
    Refused while it has open requests, including ones being sent concurrently.
    """
    service, row = _hold(organisation_id, code, actor, now)
    row = _existing(Step.LEAVE, service, row, version)
    if subscriptions.open_requests_of(organisation_id, code):
        raise Refused(subscriptions.HAS_OPEN_REQUESTS)
    _change(row, "left", SubscriptionStatus.LEFT, actor, now)
    notifications.notify_members(
        "subscription:left",
        organisation_id=organisation_id,
        service_code=code,
        params=_params(row) | {"name": members.names_of(actor)},
        now=now,
        url=urls.SUBSCRIPTIONS,
        except_user_id=actor.id,
    )
    _end_grants(organisation_id, code, actor, now)
    return row


def decide_refusal(row: Subscription, actor: Actor) -> Refusal | None:
    """Return why `actor` cannot decide on it now, or None."""
    refusal = permissions.decides_subscriptions(actor, row.organisation_id)
    if refusal is None and row.status != SubscriptionStatus.ASKED:
        refusal = Refusal(_stands(row))
    return refusal


def decide(
    subscription_id: int,
    *,
    approve: bool,
    reason: Reason | str,
    actor: Actor,
    version: int,
    now: datetime,
) -> Subscription:
    """Approve or refuse a requested subscription, once, and notify the general users. Flushes.

    version: the row's as the actor saw it. reason: of a refusal, 1-1000 characters.
    Raises: NotFound, PermissionDenied (no reviewer, own organisation),
    ReasonRequired, TransitionNotAllowed when it was decided or withdrawn meanwhile.
    Source: specification section 4, Subscriptions; security rules 24 and 52.
    """
    row = subscription_locks.hold_by_id(subscription_id)
    if row is None:
        raise NotFound
    refusal = permissions.decides_subscriptions(actor, row.organisation_id)
    if refusal is not None:
        raise PermissionDenied(refusal.text)
    kept = "" if approve else reasons.cleaned(reason, REASON_MAX_LENGTH)
    if not (approve or kept):
        raise ReasonRequired
    if row.status != SubscriptionStatus.ASKED or row.version != version:
        raise TransitionNotAllowed(_stands(row))
    status = SubscriptionStatus.ACTIVE if approve else SubscriptionStatus.REFUSED
    _change(row, "approved" if approve else "refused", status, actor, now, reason=kept)
    notifications.notify_members(
        "subscription:decided",
        organisation_id=row.organisation_id,
        params=_params(row)
        | (_APPROVED if approve else _REJECTED)
        | {"reason": reasons.in_both(kept)},
        now=now,
        url=urls.SUBSCRIPTIONS,
    )
    return row


def losing_access(organisation_id: int, code: str) -> list[User]:
    """Return the additional users who lose the service when the organisation leaves it."""
    return list(
        db.session.scalars(
            sa.select(User)
            .join(Membership, Membership.user_id == User.id)
            .where(_granted(organisation_id, code), Membership.is_active.is_(True))
            .order_by(User.name_folded, User.id)
        )
    )


def _hold(
    organisation_id: int, code: str, actor: Actor, now: datetime
) -> tuple[Definition, Subscription | None]:
    """Lock the organisation, then the row, in the order member changes use. Raises: NotFound."""
    members.lock_for(organisation_id, actor)
    service = versions.current_for(code, organisation_id).definition
    return service, subscription_locks.lock_exclusive(organisation_id, service, now)


def _expect(step: Step, service: Definition, row: Subscription | None, version: int) -> None:
    """Require `step` to be available from the state and version the page showed."""
    is_seen = subscriptions.version_of(row, service) == version
    if not is_seen or subscriptions.step_for(service, row) is not step:
        raise TransitionNotAllowed(
            _l("This subscription was changed in the meantime. The page shows its current status.")
        )


def _existing(
    step: Step, service: Definition, row: Subscription | None, version: int
) -> Subscription:
    """Like `_expect`, for steps that need a row."""
    _expect(step, service, row, version)
    if row is None:
        raise NotFound
    return row


def _change(
    row: Subscription,
    what: str,
    status: SubscriptionStatus,
    actor: Actor,
    now: datetime,
    *,
    decider: Decider = "actor",
    reason: str = "",
) -> None:
    """Set and record the new status."""
    before = row.status
    row.status = status
    row.decided_at = None if decider == "nobody" else now
    row.decided_by_id = actor.id if decider == "actor" else None
    row.reason = reason
    row.version += 1
    audit.record(
        f"subscription:{what}",
        obj=row,
        actor_id=actor.id,
        at=now,
        organisation_id=row.organisation_id,
        from_status=before,
        to_status=status,
        reason=reason,
    )


def _end_grants(organisation_id: int, code: str, actor: Actor, now: datetime) -> None:
    """Revoke the service from every member; the caller holds the organisation's lock."""
    memberships = db.session.scalars(
        sa.select(Membership)
        .where(_granted(organisation_id, code))
        .options(selectinload(Membership.grants))
        .order_by(Membership.id)
        .execution_options(populate_existing=True)
    ).all()
    for membership in memberships:
        before = sorted(grant.service_code for grant in membership.grants)
        membership.grants = [kept for kept in membership.grants if kept.service_code != code]
        membership.version += 1
        audit.record(
            "member:access:changed",
            obj=membership,
            actor_id=actor.id,
            at=now,
            organisation_id=organisation_id,
            changes={"services": [before, [granted for granted in before if granted != code]]},
        )


def _granted(organisation_id: int, code: str) -> sa.ColumnElement[bool]:
    granted = sa.exists().where(Grant.membership_id == Membership.id, Grant.service_code == code)
    return sa.and_(Membership.organisation_id == organisation_id, granted)


def _stands(row: Subscription) -> Any:
    """Return the outcome of a subscription that can no longer be decided."""
    officer = db.session.get(User, row.decided_by_id) if row.decided_by_id else None
    at, name = (
        i18n.format_instant(row.decided_at),
        officer.name_in(i18n.language()) if officer else "",
    )
    if row.status == SubscriptionStatus.LEFT:
        return _("The organisation ended this subscription on %(at)s.", at=at)
    if row.status == SubscriptionStatus.REFUSED:
        return _("%(name)s rejected this subscription on %(at)s.", name=name, at=at)
    if row.status == SubscriptionStatus.ACTIVE and name:
        return _("%(name)s approved this subscription on %(at)s.", name=name, at=at)
    if row.status == SubscriptionStatus.ACTIVE:
        return _("The organisation has this service without a decision by the office.")
    return _("The organisation has sent a new request in the meantime. Check it again.")


def _params(row: Subscription) -> dict[str, Any]:
    """Return the message parameters: service and organisation, in both languages."""
    organisation = db.session.get_one(Organisation, row.organisation_id)
    return {
        "service": service_titles([row.service_code])[0],
        "organisation": members.names_of(organisation),
    }
