"""Permissions: which requests an actor may see, and which steps they may take.

A step's policy takes the actor (None: the portal itself, in a job) and the request, and returns
a Refusal or None.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import teams
from clearance.core.actor import ActiveMembership, Actor
from clearance.core.database import shared_alias
from clearance.core.errors import Refusal
from clearance.core.i18n import language
from clearance.models import Broker, IssuedDocument, Licence, Request
from clearance.models.enums import Role, Status

Policy = Callable[[Actor | None, Request], Refusal | None]

_ISSUED = shared_alias(IssuedDocument)
READING_ROLES = frozenset({Role.REVIEWER, Role.MANAGER})


def keeps_or_reads(actor: Actor) -> bool:
    """Return whether the actor is an administrator (may edit) or a manager (may read)."""
    return actor.is_administrator or actor.is_manager


def requests_visible_to(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition on Request for what `actor` may see.

    Reviewers and managers: everything sent. Agents: the requests and drafts of their
    organisations in the services granted to them. Source: specification section 1.
    """
    if actor.is_staff:
        return Request.status != Status.DRAFT if actor.role in READING_ROLES else sa.false()
    granted = (
        requests_of(each.organisation_id, None if each.is_general else sorted(each.services))
        for each in actor.standings
    )
    return sa.or_(sa.false(), *granted)


def requests_of(organisation_id: Any, services: Any) -> sa.ColumnElement[bool]:
    """Match what one membership shows: the organisation's requests in the services, None for all.

    Both may be parameters of a statement.
    """
    own: sa.ColumnElement[bool] = Request.organisation_id == organisation_id
    return own if services is None else sa.and_(own, Request.service_code.in_(services))


def transfers_answered_by(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition on Request for transfers that `actor` is or was asked to answer.

    Only for organisations whose general user the actor is. It gives access to the answer page
    alone: the request stays with the requesting organisation. Source: specification section 5,
    Transfer.
    """
    general = [standing.organisation_id for standing in actor.standings if standing.is_general]
    return sa.and_(Request.other_organisation_id.in_(general), Request.status != Status.DRAFT)


def may_answer(actor: Actor) -> bool:
    """Return whether `actor` can be asked about transfers: a general user of an organisation."""
    return actor.is_agent and any(standing.is_general for standing in actor.standings)


def can_manage(actor: Actor, organisation_id: int | None) -> bool:
    """Return whether `actor`, as its general user, manages the organisation's users and profile."""
    standing = actor.standing_in(organisation_id) if organisation_id is not None else None
    return actor.is_agent and standing is not None and standing.is_general


def can_manage_selected(actor: Actor) -> bool:
    """Return whether `actor` manages the organisation selected in the header."""
    return actor.standing is not None and can_manage(actor, actor.standing.organisation_id)


def manageable_organisations(actor: Actor) -> frozenset[int]:
    """Return every organisation whose users `actor` manages."""
    return frozenset(org_id for org_id in actor.organisation_ids if can_manage(actor, org_id))


def is_other_party(actor: Actor, req: Request) -> bool:
    """Return whether `actor` is the other party: `transfers_answered_by` for a loaded row."""
    if req.other_organisation_id is None or req.status == Status.DRAFT:
        return False
    standing = actor.standing_in(req.other_organisation_id)
    return standing is not None and standing.is_general


def can_act_on(actor: Actor, req: Request) -> bool:
    """Return whether `actor` may take any step of `req`: can see it, or is the other party."""
    return can_see_request(actor, req) or is_other_party(actor, req)


def can_see_request(actor: Actor, req: Request) -> bool:
    """Return whether `actor` may see `req`: `requests_visible_to` for a loaded row."""
    if actor.is_staff:
        return actor.role in READING_ROLES and req.status != Status.DRAFT
    standing = actor.standing_in(req.organisation_id)
    return standing is not None and standing.may_use(req.service_code)


def sees_brokers(standing: ActiveMembership, licence_services: Collection[str]) -> bool:
    """Return whether a membership shows brokers: general user, or granted a licence service.

    licence_services: codes of the services about a licence. Source: specification section 1.
    """
    return standing.is_general or not standing.services.isdisjoint(licence_services)


def brokers_visible_to(actor: Actor, licence_services: Collection[str]) -> sa.ColumnElement[bool]:
    """Return the condition on Broker for what an agent may see: `sees_brokers` as a query."""
    shown = [
        standing.organisation_id
        for standing in actor.standings
        if not actor.is_staff and sees_brokers(standing, licence_services)
    ]
    return Broker.organisation_id.in_(shown)


def scope_of(actor: Actor) -> str:
    """Return a digest of what `actor` may see: role, organisations, granted services."""
    standings = sorted(
        (membership.organisation_id, membership.is_general, sorted(membership.services))
        for membership in actor.standings
    )
    return hashlib.sha256(json.dumps([actor.role, standings]).encode()).hexdigest()


def issued_visible_to(
    actor: Actor, organisation_id: int | None = None, *, of_few: bool = False
) -> sa.ColumnElement[bool]:
    """Return the condition on IssuedDocument for what `actor` may read.

    organisation_id: only what they may read for this organisation. of_few: the statement finds few
    rows otherwise, so that each is looked at by itself. Reviewers and managers: all.
    Agents: documents issued by services granted to them, for licences whose broker is now with
    their organisation (documents follow a transfer), or for no licence and issued to their
    organisation. Source: specification sections 1 and 5.
    """
    if actor.is_staff:
        return sa.true() if actor.role in READING_ROLES else sa.false()
    conditions: list[sa.ColumnElement[bool]] = []
    standings = actor.standings
    if organisation_id is not None:
        standings = tuple(each for each in standings if each.organisation_id == organisation_id)
    for standing in standings:
        condition = (_is_document_of if of_few else _is_among_documents_of)(standing)
        if not standing.is_general:
            asked_by = (
                sa.exists()
                .where(
                    Request.id == IssuedDocument.request_id,
                    Request.service_code.in_(sorted(standing.services)),
                )
                .correlate(IssuedDocument)
            )
            condition = sa.and_(condition, asked_by)
        conditions.append(condition)
    return sa.or_(sa.false(), *conditions)


def _is_document_of(standing: ActiveMembership) -> sa.ColumnElement[bool]:
    has_broker = (
        sa.exists()
        .where(
            Licence.id == IssuedDocument.licence_id,
            Broker.id == Licence.broker_id,
            Broker.organisation_id == standing.organisation_id,
        )
        .correlate(IssuedDocument)
    )
    return sa.or_(has_broker, _is_without_licence(IssuedDocument, standing))


def _is_among_documents_of(standing: ActiveMembership) -> sa.ColumnElement[bool]:
    licences = (
        sa.select(Licence.id)
        .join(Broker, Broker.id == Licence.broker_id)
        .where(Broker.organisation_id == standing.organisation_id)
    )
    ways = (_ISSUED.licence_id.in_(licences), _is_without_licence(_ISSUED, standing))
    # A union, so that each finds the organisation's few documents by its own index.
    ids = sa.union_all(*(sa.select(_ISSUED.id).where(way) for way in ways))
    return IssuedDocument.id.in_(ids)


def _is_without_licence(
    document: type[IssuedDocument], standing: ActiveMembership
) -> sa.ColumnElement[bool]:
    return sa.and_(
        document.licence_id.is_(None), document.organisation_id == standing.organisation_id
    )


def acts_for(actor: Actor | None, req: Request) -> Refusal | None:
    """Allow agents: active members of the organisation with the service granted."""
    if actor is not None and not actor.is_staff and can_see_request(actor, req):
        return None
    return Refusal(_l("Only the applicant's organisation can do this."))


def can_respond_to_transfer(actor: Actor | None, req: Request) -> Refusal | None:
    """Allow the other party of a transfer: a general user of that organisation."""
    if actor is not None and is_other_party(actor, req):
        return None
    return Refusal(_l("Only the general user of the other organisation can respond to this."))


def is_transfer_party(actor: Actor | None, req: Request) -> Refusal | None:
    """Allow both parties of a transfer: general users of either organisation."""
    standings = actor.standings if actor is not None else ()
    general = {standing.organisation_id for standing in standings if standing.is_general}
    if {req.organisation_id, req.other_organisation_id} & general:
        return None
    return Refusal(_l("Only the general users of the two organisations can do this."))


def keeps_register(actor: Actor, *, civil_id: str, organisation_id: int) -> Refusal | None:
    """Allow reviewers to change the licence register, except their own file (security rule 24)."""
    if not actor.is_reviewer:
        return Refusal(_l("Only reviewers can do this."))
    if actor.civil_id is not None and actor.civil_id == civil_id:
        return Refusal(_l("This licence is your own. Another reviewer must do this."))
    if organisation_id in actor.organisation_ids:
        return Refusal(
            _l("This broker belongs to your own organisation. Another reviewer must do this.")
        )
    return None


def voids_statements(actor: Actor, *, civil_id: str, organisation_id: int) -> Refusal | None:
    """Allow reviewers to void statements, except their own and their organisation's (rule 24)."""
    if not actor.is_reviewer:
        return Refusal(_l("Only reviewers can do this."))
    is_theirs = actor.civil_id is not None and actor.civil_id == civil_id
    if is_theirs or organisation_id in actor.organisation_ids:
        return Refusal(_l("This document concerns you. Another reviewer must do this."))
    return None


def decides_subscriptions(actor: Actor, organisation_id: int) -> Refusal | None:
    """Allow reviewers to decide a subscription, except for their own organisation (rule 24)."""
    if not actor.is_reviewer:
        return Refusal(_l("Only reviewers can do this."))
    if organisation_id in actor.organisation_ids:
        return Refusal(_l("This is your own organisation. Another reviewer must decide on it."))
    return None


def can_process(actor: Actor | None, req: Request) -> Refusal | None:
    """Allow reviewers of its team without taking it, except on their own file (security rule 24).

    Requests without a team are every reviewer's.
    """
    if actor is None or not actor.is_reviewer:
        return Refusal(_l("Only reviewers can do this."))
    if actor.user_id in (req.sender_id, req.created_by_id):
        return Refusal(_l("You sent this request yourself. Another reviewer must decide on it."))
    if actor.civil_id is not None and actor.civil_id == req.civil_id:
        return Refusal(_l("This request is about you. Another reviewer must decide on it."))
    if {req.organisation_id, req.other_organisation_id} & actor.organisation_ids:
        return Refusal(
            _l("This request comes from your own organisation. Another reviewer must decide on it.")
        )
    if req.team_code is not None and req.team_code not in actor.teams:
        team = teams.name(req.team_code, language())
        return Refusal(_("Only members of the team “%(team)s” can do this.", team=team))
    return None


def can_decide(actor: Actor | None, req: Request) -> Refusal | None:
    """Allow reviewers to decide, except on their own file or on a request taken by another."""
    refusal = can_process(actor, req)
    if refusal is not None or actor is None or req.reviewer_id in (None, actor.user_id):
        return refusal
    return Refusal(
        _(
            "%(name)s has taken this request.",
            name=req.reviewer.name_in(language()) if req.reviewer else "",
        ),
        _l("Others can decide it once it is released or reassigned."),
    )


def can_decide_as_another(actor: Actor | None, req: Request) -> Refusal | None:
    """As `can_decide`, but nobody who approved an earlier stage of the request."""
    refusal = can_decide(actor, req)
    earlier = {req.first_approver_id, *req.approvals.values()}
    if refusal is not None or actor is None or actor.user_id not in earlier:
        return refusal
    return Refusal(_l("You approved an earlier stage. Another reviewer must decide on this one."))


def can_take(actor: Actor | None, req: Request) -> Refusal | None:
    """Allow taking an unassigned request, or one that came back to its reviewer."""
    return can_decide(actor, req) or _already_has(actor, req)


def can_take_as_another(actor: Actor | None, req: Request) -> Refusal | None:
    """As `can_take`, but nobody who approved an earlier stage of the request."""
    return can_decide_as_another(actor, req) or _already_has(actor, req)


def is_its_reviewer(actor: Actor | None, req: Request) -> Refusal | None:
    """Allow only the reviewer who has taken the request to give it back."""
    if actor is not None and actor.is_reviewer and req.reviewer_id == actor.user_id:
        return None
    return Refusal(_l("You have not taken this request."))


def can_assign(actor: Actor | None, req: Request) -> Refusal | None:
    """Allow managers to assign work; they decide nothing themselves."""
    if actor is not None and actor.is_manager:
        return None
    return Refusal(_l("Only managers can assign requests."))


def can_process_or_portal(actor: Actor | None, req: Request) -> Refusal | None:
    """Allow reviewers, or the portal itself when the step is due."""
    return None if actor is None else can_process(actor, req)


def is_portal(actor: Actor | None, req: Request) -> Refusal | None:
    """Allow only the portal itself."""
    return None if actor is None else Refusal(_l("The portal does this automatically."))


def _already_has(actor: Actor | None, req: Request) -> Refusal | None:
    if actor is None or req.reviewer_id != actor.user_id or req.status == Status.SUBMITTED:
        return None
    return Refusal(_l("You have already taken this request."))
