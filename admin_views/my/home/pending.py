"""Pending items besides requests: renewals, invitations and new documents."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from admin_views.my.services import cards
from admin_views.shared import licence_details
from clearance import issuing
from clearance.core.actor import Actor
from clearance.core.urls import broker_url
from clearance.licences import organisation_brokers
from clearance.models import IssuedDocument, Licence
from clearance.organisations import invitation_queries
from clearance.requests import available_actions

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
    licences, count = organisation_brokers.due(actor, now, limit=SHOWN_LICENCES)
    codes = [service.code for service in services]
    found = [licence.id for licence in licences]
    offers = available_actions.startable_for(found, codes, actor, now) if found else {}

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

    return {"rows": [row(due_licence) for due_licence in licences], "count": count}


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
