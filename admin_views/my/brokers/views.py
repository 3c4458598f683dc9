"""The organisation's brokers (إدارة المخلصين): list and broker details."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin_views.base.access import current_actor, id_or_404
from admin_views.base.keyset_list import KeysetModelView
from admin_views.base.search import Hit, SearchedList
from admin_views.my.brokers import cards, lists
from admin_views.my.services import cards as service_cards
from admin_views.shared import licence_details, licence_history, register_lists, request_lists
from clearance.auth import permissions
from clearance.core import i18n, nationalities
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.core.urls import broker_url
from clearance.licences import organisation_brokers
from clearance.licences import search as licence_search
from clearance.models import Broker, BrokerType, Licence, Request
from clearance.models.enums import Status
from clearance.requests import available_actions, stages
from clearance.services import registry


class MyBrokers(SearchedList, KeysetModelView):
    """Brokers of the chosen organisation, for users with a licence service."""

    can_export = True
    columns = lists.COLUMNS
    column_filters = lists.FILTERS
    search_hint = _l("Name, licence number or civil number")
    empty_title = _l("No brokers yet")
    empty_text = _l(
        "Brokers join your organisation when a licence is issued to someone who passed the exam, "
        "or when they transfer from another organisation. Start with one of these services."
    )
    list_template = "my/brokers/list.html"

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_agent and organisation_brokers.are_shown_to(actor)

    def scope(self, query: Any) -> Any:
        return query.where(organisation_brokers.listed_for(current_actor()))

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        return rows.join(Broker, Broker.id == Licence.broker_id).join(
            BrokerType, BrokerType.code == Broker.broker_type
        )

    def also_selected(self) -> Sequence[Any]:
        return Licence.broker_id, *register_lists.type_columns()

    def search_condition(self, typed: str) -> Any | None:
        return licence_search.condition(typed)

    def _order(self, sort_column: str | None, sort_desc: bool) -> tuple[Any, bool]:
        """Sort by urgency unless another order is chosen."""
        if sort_column is not None:
            return super()._order(sort_column, sort_desc)
        return (organisation_brokers.urgency(kuwait_today()), Broker.name_folded), False

    def render(self, template: str, **values: Any) -> str:
        if template == self.list_template:
            args = self._get_list_extra_args().filters or ()
            chosen = {self._filters[index].key: value for index, _label, value in args}
            values["quick_filters"] = lists.quick_filters(chosen)
        return super().render(template, **values)

    def hit(self, row: Any) -> Hit:
        return Hit(
            row.name,
            broker_url(row.broker_id),
            (row.number,),
            register_lists.badge(row),
            (*register_lists.keys(row), row.mobile, row.guarantee_no),
        )

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
