"""My services: what each needs, why one cannot be used now, and starting a request."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.access import acting, as_id, not_found
from admin_views.base import GuardedView
from admin_views.my.routes import form_url
from admin_views.posted import posted_key
from admin_views.request_parts import kind_names
from clearance import definition, i18n, one_time_keys, policies, workflow
from clearance.actor import Actor
from clearance.calendar import utc_now
from clearance.errors import DomainError
from clearance.extensions import db
from clearance.models import Request
from forms.request_form import broker_type_choices


class MyServices(GuardedView):
    """The services of the chosen organisation."""

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_agent

    @expose("/")
    def index(self) -> Any:
        """Show every service with its conditions, documents and time, or why it is shut."""
        lang = i18n.language()
        kinds = kind_names()
        offers = workflow.service_offers(acting(), utc_now())
        return self.render("my/services.html", cards=[_card(each, kinds, lang) for each in offers])

    @expose("/<code>/", methods=("GET", "POST"))
    def start(self, code: str) -> Any:
        """The first step of a service: choose what the request is about, then Next."""
        actor, now, lang = acting(), utc_now(), i18n.language()
        offer = _offer(code, actor, now)
        types = broker_type_choices(offer.definition.broker_types, lang)
        chosen = request.form.get("broker_type", "")
        fault = ""
        if request.method == "POST" and "_language" not in request.form:
            if chosen in {each for each, _name in types}:
                return self._begin(code, broker_type=chosen)
            fault = _("Choose one of the options listed.")
        return self.render(
            "my/start.html",
            card=_card(offer, kind_names(), lang),
            types=types,
            chosen=chosen,
            fault=fault,
            form_key=posted_key() or one_time_keys.new(),
        )

    @expose("/<code>/copy", methods=("POST",))
    def copy(self, code: str) -> Any:
        """Begin a request with the data of an earlier one."""
        earlier = db.session.scalars(
            sa.select(Request).where(
                Request.id == as_id(request.form.get("copy_of")),
                policies.requests_visible_to(acting()),
            )
        ).one_or_none()
        if earlier is None:
            not_found()
        return self._begin(code, copy_of=earlier.id, broker_type=earlier.broker_type)

    def _begin(self, code: str, **about: Any) -> Any:
        try:
            req = workflow.start(code, acting(), utc_now(), form_key=posted_key() or None, **about)
        except DomainError as refusal:
            db.session.rollback()
            if refusal.status_code == 404:
                raise
            flash(str(refusal), "error")
            return redirect(url_for("my_services.index"), code=303)
        db.session.commit()
        return redirect(form_url(req), code=303)


def _offer(code: str, actor: Actor, now: Any) -> workflow.ServiceOffer:
    for each in workflow.service_offers(actor, now):
        if each.code == code and each.definition.start == "broker_type":
            return each
    return not_found()


def _card(offer: workflow.ServiceOffer, kinds: dict[str, str], lang: str) -> dict[str, Any]:
    """What a service's card and its first page tell."""
    spec: definition.Definition = offer.definition
    return {
        "code": offer.code,
        "title": spec.title_in(lang),
        "description": spec.description_in(lang),
        "conditions": [each.of(lang) for each in spec.conditions],
        "documents": [kinds.get(each.kind, each.kind) for each in spec.documents if each.required],
        "days": spec.processing_days,
        "button": spec.button.of(lang) if spec.button else _("Begin"),
        "refusal": offer.refusal,
        "warning": offer.warning,
        "url": url_for("my_services.start", code=offer.code),
    }
