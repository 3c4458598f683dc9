"""The organisation's brokers (إدارة المخلصين): all of them as cards, and one with his licence."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_admin import expose

from admin_views import licence_history, register_parts, request_lists
from admin_views.access import acting, as_id
from admin_views.base import GuardedView
from admin_views.my import broker_cards, service_cards
from clearance import i18n, one_time_keys, own_brokers, policies, workflow
from clearance.actor import Actor
from clearance.calendar import utc_now
from clearance.countries import country_name
from clearance.extensions import db
from clearance.models import Broker, Licence, Request
from clearance.vocabulary import OPEN_STATUSES, Status


class MyBrokers(GuardedView):
    """The brokers of the chosen organisation, for whom a licence service is granted."""

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_agent and own_brokers.are_shown_to(actor)

    @expose("/")
    def index(self) -> Any:
        """Show the brokers as cards, searched and narrowed as the address says."""
        wanted = broker_cards.asked()
        found, count, page = broker_cards.licences(wanted)
        shown = broker_cards.cards(found, i18n.language())
        return self.render(
            "my/brokers.html",
            page=broker_cards.CardPage(shown, count, page, wanted),
            statuses=broker_cards.STATUSES,
            ends=broker_cards.ENDS,
            window_days=own_brokers.window_days(),
        )

    @expose("/<int:broker_id>/")
    def details(self, broker_id: int) -> Any:
        """One broker: particulars, validity, every service, requests, documents, history."""
        actor, lang = acting(), i18n.language()
        broker = own_brokers.find(as_id(broker_id), actor)
        licences = own_brokers.licences_of(broker)
        licence = licences[0] if licences else None
        standing = actor.standing
        is_here = standing is not None and standing.organisation_id == broker.organisation_id
        return self.render(
            "my/broker.html",
            broker=broker,
            card=broker_cards.card(licence, lang, register_parts.type_names()) if licence else None,
            licence=licence,
            earlier_licences=licences[1:],
            nationality=country_name(broker.nationality, lang),
            links=register_parts.links(licence) if licence else [],
            services=_services(licence, actor, lang) if licence and is_here else [],
            is_here=is_here,
            form_key=one_time_keys.new(),
            **_requests(broker, actor),
            issued=register_parts.issued_for(licences, actor),
            history=_history(licences, actor),
        )


def _services(licence: Licence, actor: Actor, lang: str) -> list[dict[str, Any]]:
    """Every service about the licence: its button, or the very refusal that starting gives."""
    services = own_brokers.licence_services()
    offers = workflow.licence_offers([each.code for each in services], [licence], actor, utc_now())
    return [
        {
            "title": each.title_in(lang),
            "button": service_cards.button_of(each, lang),
            "url": service_cards.url_of(each.code),
            "refusal": offers[each.code, licence.id],
        }
        for each in services
    ]


def _requests(broker: Broker, actor: Actor) -> dict[str, list[Any]]:
    """The requests about the broker that the reader may see: those going on, and earlier ones."""
    rows = register_parts.requests_about(broker, actor)
    going_on = OPEN_STATUSES | {Status.DRAFT}
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
        "sent_at": row.sent_at,
    }


def _history(licences: list[Licence], actor: Actor) -> list[dict[str, Any]]:
    """The steps of the licences; agents read of the office, and link to what they may see."""
    entries = licence_history.of_licences([each.id for each in licences])
    named = {each.request_id for each in entries if each.request_id is not None}
    seen: set[int] = set()
    if named:
        condition = sa.and_(Request.id.in_(named), policies.requests_visible_to(actor))
        seen = set(db.session.scalars(sa.select(Request.id).where(condition)))
    return [
        {"entry": each, "request_id": each.request_id if each.request_id in seen else None}
        for each in entries
    ]
