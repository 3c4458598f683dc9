"""Pending items besides requests: renewals, invitations and new documents."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from admin_views.my.services import cards
from admin_views.shared import licence_details
from clearance import issuing
from clearance.core.actor import Actor
from clearance.core.clock import latest_past
from clearance.core.extensions import db
from clearance.core.urls import broker_url
from clearance.licences import facts as licence_facts
from clearance.licences import organisation_brokers
from clearance.models import Announcement, Invitation, IssuedDocument, Licence
from clearance.notifications import announcements
from clearance.organisations import invitation_queries
from clearance.requests import available_actions
from clearance.services.facts import Known

SHOWN_LICENCES = 4
SHOWN_DOCUMENTS = 3
NEW_FOR = timedelta(days=14)


def renewals(actor: Actor, lang: str, now: datetime) -> dict[str, Any]:
    """Return the licences due for renewal with their next steps, most urgent first.

    `count` is the total. Empty if the actor has no renewal service.
    """
    services = organisation_brokers.renewal_services(actor)
    if not services:
        return {"rows": [], "count": 0}
    found, count = organisation_brokers.due(actor, now, limit=SHOWN_LICENCES)
    codes = [service.code for service in services]
    due = {row.fact.id: row.fact for row in found}
    known: Known = {licence_facts.licences: due}
    offers = available_actions.startable_for(due, codes, actor, now, known) if found else {}

    def row(licence: Licence) -> dict[str, Any]:
        begun_by = next((s for s in services if offers[s.code, licence.id] is None), None)
        return {
            "licence": licence,
            "name": licence.broker.name_in(lang),
            "link": licence_details.validity_documents(licence)[0],
            "url": broker_url(licence.broker_id),
            "button": cards.button_of(begun_by, lang) if begun_by else None,
            "begin_url": cards.url_of(begun_by.code) if begun_by else None,
            "refusal": None if begun_by else offers[codes[0], licence.id],
        }

    return {"rows": [row(due_row.licence) for due_row in found], "count": count}


def told(actor: Actor, lang: str, now: datetime) -> dict[str, Any]:
    """Return the announcements and the actor's unanswered invitations.

    One query for both; of invitations it says only whether there are any, as there seldom are.
    """
    given = {"user": actor.user_id, "now": now, "made_by": latest_past(now)}
    rows = db.session.execute(_told(), given).all()
    return {
        "announcements": [found for _invited, found in rows if found is not None],
        "invitations": invitations(actor, lang, now) if rows[0].is_invited else [],
    }


@cache
def _told() -> sa.Select[Any]:
    """Return the statement of `told`: building it takes longer than it runs."""
    now: Any = sa.bindparam("now")
    is_invited = sa.exists().where(
        Invitation.user_id == sa.bindparam("user"),
        *invitation_queries.is_open_between(sa.bindparam("made_by"), now),
    )
    asked = sa.select(is_invited.label("is_invited")).subquery()
    announcement = aliased(Announcement, announcements.select_current(now).subquery())
    return (
        sa.select(asked.c.is_invited, announcement)
        .outerjoin(announcement, sa.true())
        .order_by(announcement.published_at.desc(), announcement.id.desc())
    )


def invitations(actor: Actor, lang: str, now: datetime) -> list[dict[str, Any]]:
    """Return the actor's unanswered invitations."""
    return [
        {
            "invitation": invitation,
            "organisation": invitation_queries.organisation_of(invitation).name_in(lang),
        }
        for invitation in invitation_queries.open_for(actor, now)
    ]


def recently_issued(actor: Actor, now: datetime) -> list[IssuedDocument]:
    """Return the chosen organisation's recent documents that are not permanently void."""
    standing = actor.standing
    if standing is None:
        return []
    return issuing.recent(actor, standing.organisation_id, now - NEW_FOR, SHOWN_DOCUMENTS)
