"""Service cards and the buttons that start a request."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import current_app, url_for
from flask_babel import gettext as _

from clearance.core.actor import Actor
from clearance.core.clock import kuwait_today
from clearance.core.urls import request_url
from clearance.requests import available_actions
from clearance.services import opening, registry
from clearance.services.schema import Definition

SEVERAL = "my_services.several"
CHOICES = {
    "broker_type": "broker_type",
    "broker_card": "licence_id",
    "passed_candidates": "candidate_id",
}
"""Name of the input with what a request starts with, by the service's start."""


def facts(spec: Definition, kinds: dict[str, str], lang: str) -> dict[str, Any]:
    """Return a service's reader-independent facts. kinds: names of the document kinds."""
    return {
        "code": spec.code,
        "sign": spec.sign,
        "title": spec.title_in(lang),
        "description": spec.description_in(lang),
        "conditions": [condition.of(lang) for condition in spec.conditions],
        "documents": [kinds.get(doc.kind, doc.kind) for doc in spec.documents if doc.required],
        "days": spec.processing_days,
        "opening": opening.sentence(spec, kuwait_today()),
    }


def card(
    offer: available_actions.StartableService, kinds: dict[str, str], lang: str
) -> dict[str, Any]:
    """Return the data of a service's card. kinds: names of the document kinds."""
    spec = offer.definition
    return facts(spec, kinds, lang) | {
        "button": _choice(spec) or button_of(spec, lang),
        "refusal": offer.refusal,
        "warning": offer.warning,
        "url": url_of(offer.code),
        "several_url": several_url(spec),
        "receive_url": url_for("my_transfers.receive") if spec.steps.has_parties else None,
    }


def _choice(spec: Definition) -> Any | None:
    """Return the button text of a service that starts with a choice."""
    start = registry.current().starts.get(spec.start)
    return start.button if start is not None else None


def button_of(spec: Definition, lang: str) -> str:
    """Return the text of the start button."""
    return spec.button.of(lang) if spec.button else _("Begin")


def url_of(code: str) -> str:
    """Return the URL that starts a request."""
    return url_for("my_services.start", code=code)


def follow_ups(
    actor: Actor, lang: str, now: datetime, request_id: int | None = None
) -> list[dict[str, Any]]:
    """Return what finished requests lead on to, with the button that begins it.

    request_id: of one request, or None for all of the chosen organisation.
    """
    return [
        {
            "about": follow_up,
            "request_url": request_url(follow_up.request_id),
            "title": follow_up.service.title_in(lang),
            "button": button_of(follow_up.service, lang),
            "url": url_of(follow_up.service.code),
            "fields": {CHOICES[follow_up.service.start]: follow_up.request_id},
        }
        for find in registry.current().follow_ups
        for follow_up in find(actor, lang, now, request_id)
    ]


def several_url(spec: Definition) -> str | None:
    """Return the URL of the batch form; None if the service has none."""
    if not spec.bulk or SEVERAL not in current_app.view_functions:
        return None
    return url_for(SEVERAL, code=spec.code)
