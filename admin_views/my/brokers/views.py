"""The organisation's brokers (إدارة المخلصين): card list and broker details."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_admin import expose

from admin_views.base import formatters
from admin_views.base.access import current_actor, id_or_404
from admin_views.base.model_view import GuardedView
from admin_views.base.search import SHOWN, Group, Hit, url_in
from admin_views.my.brokers import cards
from admin_views.my.services import cards as service_cards
from admin_views.shared import licence_details, licence_history, request_lists
from clearance.auth import permissions
from clearance.core import i18n, nationalities
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.core.urls import broker_url
from clearance.licences import organisation_brokers, validity
from clearance.models import Broker, Licence, Request
from clearance.models.enums import Status
from clearance.requests import available_actions, stages
from clearance.services import registry


class MyBrokers(GuardedView):
    """Brokers of the chosen organisation, for users with a licence service."""

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_agent and organisation_brokers.are_shown_to(actor)

    @expose("/")
    def index(self) -> Any:
        """List the brokers as cards, searched and filtered by the query string."""
        wanted = cards.asked()
        found, count, page = cards.licences(wanted)
        shown = cards.cards(found, i18n.language())
        window_days = organisation_brokers.window_days()
        return self.render(
            "my/brokers/list.html",
            page=cards.CardPage(shown, count, page, wanted),
            quick_filters=cards.quick_filters(wanted),
            statuses=cards.STATUSES,
            ends=cards.ENDS if window_days else (),
            window_days=window_days,
        )

    def search_hits(self, typed: str) -> Group | None:
        """Return the brokers for the area's search."""
        found, count, _page = cards.licences(cards.Asked(search=typed))
        if not found:
            return None
        all_url = url_in(self, "index", search=typed)
        return Group(self.name, [_hit(licence) for licence in found[:SHOWN]], count, all_url)

    @expose("/<int:broker_id>/")
    def details(self, broker_id: int) -> Any:
        """Show a broker's details, validity, services, requests, documents and history."""
        actor, lang = current_actor(), i18n.language()
        broker = organisation_brokers.find(id_or_404(broker_id), actor)
        licences = organisation_brokers.licences_of(broker)
        licence = licences[0] if licences else None
        standing = actor.standing
        is_here = standing is not None and standing.organisation_id == broker.organisation_id
        return self.render(
            "my/brokers/details.html",
            broker=broker,
            card=cards.card(licence, lang, licence_details.type_names()) if licence else None,
            licence=licence,
            earlier_licences=licences[1:],
            nationality=nationalities.name(broker.nationality, lang),
            links=licence_details.validity_documents(licence) if licence else [],
            services=_services(licence, actor, lang) if licence and is_here else [],
            is_here=is_here,
            **_requests(broker, actor),
            issued=licence_details.issued_for(licences, actor),
            history=_history(licences, actor),
        )


def _hit(licence: Licence) -> Hit:
    broker, number = licence.broker, licence.number
    return Hit(
        broker.name_in(i18n.language()),
        broker_url(broker.id),
        (number,),
        formatters.state_badge(validity.status_on(licence, kuwait_today())),
        (number, number.rpartition("-")[2], broker.civil_id, broker.mobile, licence.guarantee_no),
    )


def _services(licence: Licence, actor: Actor, lang: str) -> list[dict[str, Any]]:
    """Return the licence's services with a start button or the refusal that starting raises."""
    services = organisation_brokers.licence_services(actor)
    offers = available_actions.startable_for(
        [licence.id], [service.code for service in services], actor, utc_now()
    )
    return [
        {
            "title": service.title_in(lang),
            "button": service_cards.button_of(service, lang),
            "url": service_cards.url_of(service.code),
            "refusal": offers[service.code, licence.id],
        }
        for service in services
    ]


def _requests(broker: Broker, actor: Actor) -> dict[str, list[Any]]:
    """Return the reader's visible requests about the broker, open and earlier."""
    rows = licence_details.requests_about(broker, actor)
    going_on = registry.current().open_statuses | {Status.DRAFT}
    return {
        "open_requests": [_request(row) for row in rows if row.status in going_on],
        "earlier_requests": [_request(row) for row in rows if row.status not in going_on],
    }


def _request(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "service": request_lists.title_of(row.service_code),
        "status": row.status,
        "status_words": stages.words_of_status(row),
        "sent_at": row.sent_at,
    }


def _history(licences: list[Licence], actor: Actor) -> list[dict[str, Any]]:
    """Return the licence history, with ids only of requests that the actor may see."""
    entries = licence_history.of_licences([licence.id for licence in licences])
    named = {entry.request_id for entry in entries if entry.request_id is not None}
    seen: set[int] = set()
    if named:
        condition = sa.and_(Request.id.in_(named), permissions.requests_visible_to(actor))
        seen = set(db.session.scalars(sa.select(Request.id).where(condition)))
    return [
        {"entry": entry, "request_id": entry.request_id if entry.request_id in seen else None}
        for entry in entries
    ]
