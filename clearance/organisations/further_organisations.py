"""Open a further organisation (إضافة شركة أخرى) for an existing user."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from clearance.auth import rate_limits
from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.errors import NotFound, Refusal, Refused
from clearance.core.extensions import db
from clearance.customs import client as customs_client
from clearance.models import Organisation, User
from clearance.organisations import members, membership_changes
from clearance.organisations import opening as organisation_opening
from clearance.organisations.opening import Opening

NOT_THE_HOLDER = Refusal(
    _l("In the customs system, this licence belongs to another person's civil number."),
    _l("The licence holder must open the organisation and then add you under Users."),
)

IS_YOURS = Refusal(
    _l("You are already the general user of this organisation."),
    _l("Choose it in the header to work for it."),
)


def open_named(actor: Actor, legal_entity: str, name: str, now: datetime) -> Organisation:
    """Open an organisation of that name with the actor as its general user. Flushes.

    Call it before the request's first query. Raises: NotFound for a legal entity that is not opened
    by name; TooManyTries.
    """
    named = {
        row.code for row in organisation_opening.legal_entities() if row.needs_organisation_name
    }
    if legal_entity not in named:
        raise NotFound
    with _counted(actor):
        return _open(actor, legal_entity, name, None, now)


def open_of_licence(actor: Actor, answer: customs_client.Answer, now: datetime) -> Organisation:
    """Open the organisation of a licence confirmed by customs, with its brokers. Flushes.

    It may already exist without general users. Call it before the request's first query.
    Raises: Refused when the licence is another person's, or has a general user; TooManyTries.
    """
    licensed = [
        row.code for row in organisation_opening.legal_entities() if row.has_customs_account
    ]
    if not licensed:
        raise NotFound
    with _counted(actor):
        return _open_licensed(actor, licensed[0], answer, now)


def _open_licensed(
    actor: Actor, legal_entity: str, answer: customs_client.Answer, now: datetime
) -> Organisation:
    if answer.holder.civil_id != db.session.get_one(User, actor.id).civil_id:
        raise Refused(NOT_THE_HOLDER)
    try:
        with db.session.begin_nested():
            return _open(actor, legal_entity, "", answer, now)
    except Refused as fault:
        refusal = fault.refusal
    except IntegrityError:  # opened concurrently
        refusal = organisation_opening.HAS_GENERAL_USER
    raise Refused(IS_YOURS if _manages(actor, answer.licence_no) else refusal)


def _manages(actor: Actor, licence_no: str) -> bool:
    """Return whether the actor is by now the general user of the licence's organisation."""
    found = organisation_opening.of_licence(licence_no)
    standing = members.standings_of(actor.id, [found.id]).get(found.id) if found else None
    return standing is not None and standing.is_general and standing.is_active


def _counted(actor: Actor) -> AbstractContextManager[None]:
    own = ("registration_target", f"user:{actor.id}")
    return rate_limits.counted(own, ("registration_ip", rate_limits.client_ip()))


def _open(
    actor: Actor, legal_entity: str, name: str, answer: customs_client.Answer | None, now: datetime
) -> Organisation:
    user = db.session.get_one(User, actor.id)
    opening = Opening(legal_entity, name, user.email, user.mobile, answer)
    organisation = organisation_opening.open_by(user, opening, now)
    audit.record(
        "account:organisation:opened",
        obj=organisation,
        actor_id=actor.id,
        at=now,
        organisation_id=organisation.id,
        changes={"legal_entity": [None, organisation.legal_entity]},
    )
    membership_changes.make_general_user(user, organisation.id, now)
    return organisation
