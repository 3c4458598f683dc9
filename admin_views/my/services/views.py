"""My services: requirements, availability and starting a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import (
    ForAgents,
    chosen_organisation,
    current_actor,
    id_or_404,
    not_found,
)
from admin_views.base.form_post import posted_key
from admin_views.base.model_view import GuardedView
from admin_views.base.search import Group, Hit, fits_title, group_of, url_in
from admin_views.my.brokers import cards as broker_cards
from admin_views.my.requests.base import form_url
from admin_views.my.requests.batch import SeveralRoutes
from admin_views.my.services import candidate_cards
from admin_views.my.services import cards as service_cards
from clearance.auth import permissions
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, Refused
from clearance.core.extensions import db
from clearance.core.request_kind import is_sent
from clearance.models import Licence, Request
from clearance.models.enums import Status
from clearance.requests import available_actions, drafts
from clearance.services import versions
from clearance.services.document_kinds import kind_names
from forms.request_form import broker_type_choices


class MyServices(SeveralRoutes, ForAgents, GuardedView):
    """The services of the chosen organisation."""

    @expose("/")
    def index(self) -> Any:
        """List the services with conditions, documents and days, or why they are unavailable."""
        lang = i18n.language()
        kinds = kind_names()
        offers = available_actions.startable_services(current_actor(), utc_now())
        cards = [service_cards.card(offer, kinds, lang) for offer in offers]
        return self.render("my/services/list.html", cards=cards)

    def search_hits(self, typed: str) -> Iterator[Group]:
        """Yield the services for the area's search."""
        lang, standing = i18n.language(), current_actor().standing
        offered = versions.offered_to(standing.organisation_id if standing else None)
        found = [
            Hit(service.title_in(lang), service_cards.url_of(service.code))
            for service in (version.definition for version in offered)
            if fits_title(typed, service.title.ar, service.title.en)
        ]
        return group_of(self.name, found, url_in(self, "index"))

    @expose("/<code>/", methods=("GET", "POST"))
    def start(self, code: str) -> Any:
        """Show the first step of a service: choosing the subject of the request."""
        offer = _offer(code)
        first_steps = {
            "broker_type": self._choose_type,
            "broker_card": self._choose_broker,
            "passed_candidates": self._choose_candidate,
        }
        choose = first_steps.get(offer.definition.start)
        if offer.definition.is_out_of_order:
            choose = self._choose_type  # its page says so and offers nothing to choose
        return choose(offer) if choose is not None else not_found()

    @expose("/<code>/copy", methods=("POST",))
    def copy(self, code: str) -> Any:
        """Start a request with the data of an earlier one."""
        earlier = db.session.scalars(
            sa.select(Request).where(
                Request.id == id_or_404(request.form.get("copy_of")),
                permissions.requests_visible_to(current_actor()),
            )
        ).one_or_none()
        if earlier is None:
            not_found()
        try:
            return _begin(code, copy_of=earlier)
        except Refused as fault:
            return _told(fault)

    def _choose_type(self, offer: available_actions.StartableService) -> Any:
        lang = i18n.language()
        types = broker_type_choices(offer.definition.broker_types, lang)
        chosen = request.form.get("broker_type", "")
        fault = ""
        if is_sent():
            if chosen in {type_code for type_code, _name in types}:
                try:
                    return _begin(offer.code, chosen)
                except Refused as refused:
                    return _told(refused)
            fault = _("Choose one of the options listed.")
        return self.render(
            "my/brokers/start.html",
            card=service_cards.card(offer, kind_names(), lang),
            types=types,
            chosen=chosen,
            fault=fault,
        )

    def _choose_broker(self, offer: available_actions.StartableService) -> Any:
        """Show broker cards with a start button or the reason for its absence."""

        def page(wanted: broker_cards.Asked) -> broker_cards.CardPage:
            found, count, number = broker_cards.licences(wanted, partial(_startable, offer.code))
            return broker_cards.CardPage(_with_offers(found, offer), count, number, wanted)

        return self._choose("my/services/brokers.html", offer, page)

    def _choose_candidate(self, offer: available_actions.StartableService) -> Any:
        """Show passed candidates with a start button or the reason for its absence."""
        page = partial(candidate_cards.page, offer.code)
        return self._choose("my/services/candidates.html", offer, page)

    def _choose(
        self,
        template: str,
        offer: available_actions.StartableService,
        page_of: Callable[[broker_cards.Asked], broker_cards.CardPage],
    ) -> Any:
        """Begin a request about the posted card, or show a page of cards."""
        refusal = None
        if is_sent():
            try:
                name = service_cards.CHOICES[offer.definition.start]
                return _begin(offer.code, id_or_404(request.form.get(name)))
            except Refused as fault:
                refusal = fault.refusal
        wanted, lang = broker_cards.asked(), i18n.language()
        shown = (
            page_of(wanted) if offer.refusal is None else broker_cards.CardPage((), 0, 0, wanted)
        )
        page = self.render(
            template,
            service=service_cards.card(offer, kind_names(), lang),
            button=service_cards.button_of(offer.definition, lang),
            page=shown,
            refusal=refusal,
            statuses=broker_cards.STATUSES,
        )
        return page, 409 if refusal else 200


def _begin(code: str, choice: Any = None, copy_of: Request | None = None) -> Any:
    """Start the draft, commit and redirect to its form. Raises: Refused, after a rollback.

    One form key serves all buttons of the page, so the subject is appended: a second click leads
    to the same draft, another button to another draft.
    """
    key = posted_key()
    about = choice if copy_of is None else copy_of.id
    try:
        req = drafts.start(
            code,
            current_actor(),
            utc_now(),
            choice,
            copy_of=copy_of,
            form_key=f"{key}:{code}:{about}" if key else None,
        )
    except Refused:
        db.session.rollback()
        raise
    db.session.commit()
    return redirect(form_url(req), code=303)


def _told(fault: DomainError) -> Any:
    flash(str(fault), "error")
    return redirect(url_for("my_services.index"), code=303)


def _offer(code: str) -> available_actions.StartableService:
    for offer in available_actions.startable_services(current_actor(), utc_now()):
        if offer.code == code:
            return offer
    return not_found()


def _startable(code: str, licence_ids: Sequence[int]) -> set[int]:
    """Return which of the licences the service can be begun for now."""
    offers = available_actions.startable_for(licence_ids, [code], current_actor(), utc_now())
    return {licence_id for (_code, licence_id), refusal in offers.items() if refusal is None}


def _with_offers(
    found: Sequence[Licence], offer: available_actions.StartableService
) -> list[dict[str, Any]]:
    """Return the cards with the refusal to start the service and the existing draft, if any."""
    ids, actor = [licence.id for licence in found], current_actor()
    offers = available_actions.startable_for(ids, [offer.code], actor, utc_now())
    drafts = _drafts(offer.code, ids)
    return [
        card
        | {
            "refusal": offers[offer.code, card["licence"].id],
            "draft": drafts.get(card["licence"].id),
        }
        for card in broker_cards.cards(found, i18n.language())
    ]


def _drafts(code: str, licence_ids: Sequence[int]) -> dict[int, Any]:
    """Map licence ids to the newest draft of the service that the reader may continue."""
    rows = db.session.execute(
        sa.select(Request.id, Request.licence_id, Request.saved_at)
        .where(
            permissions.requests_visible_to(current_actor()),
            Request.organisation_id == chosen_organisation(),
            Request.service_code == code,
            Request.status == Status.DRAFT,
            Request.licence_id.in_(licence_ids),
        )
        .order_by(Request.id)
    )
    return {row.licence_id: row for row in rows}
