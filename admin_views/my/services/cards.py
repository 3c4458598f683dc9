"""Service cards and the buttons that start a request."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for
from flask_babel import gettext as _

from clearance.requests import available_actions
from clearance.services import registry
from clearance.services.schema import Definition

SEVERAL = "my_services.several"


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


def several_url(spec: Definition) -> str | None:
    """Return the URL of the batch form; None if the service has none."""
    if not spec.bulk or SEVERAL not in current_app.view_functions:
        return None
    return url_for(SEVERAL, code=spec.code)
