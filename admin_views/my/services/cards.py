"""What the pages of services say of one: its card, and the button by which a request begins."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.requests import available_actions
from clearance.services.schema import Definition

SEVERAL = "my_services.several"
# What is chosen first, where a service does not begin with its own button.
_CHOOSE: dict[str, Any] = {
    "broker_card": _l("Choose the broker"),
    "passed_candidates": _l("Choose who passed"),
}


def facts(spec: Definition, kinds: dict[str, str], lang: str) -> dict[str, Any]:
    """What a service is and needs, whoever looks at it. kinds: names of the document kinds."""
    return {
        "code": spec.code,
        "sign": spec.sign,
        "title": spec.title_in(lang),
        "description": spec.description_in(lang),
        "conditions": [each.of(lang) for each in spec.conditions],
        "documents": [kinds.get(each.kind, each.kind) for each in spec.documents if each.required],
        "days": spec.processing_days,
    }


def card(
    offer: available_actions.StartableService, kinds: dict[str, str], lang: str
) -> dict[str, Any]:
    """What a service's card and its first page tell. kinds: names of the document kinds."""
    spec = offer.definition
    return facts(spec, kinds, lang) | {
        "button": _CHOOSE.get(spec.start) or button_of(spec, lang),
        "refusal": offer.refusal,
        "warning": offer.warning,
        "url": url_of(offer.code),
        "several_url": several_url(spec),
        "receive_url": url_for("my_transfers.receive") if spec.steps.has_parties else None,
    }


def button_of(spec: Definition, lang: str) -> str:
    """What the button says by which a request begins."""
    return spec.button.of(lang) if spec.button else _("Begin")


def url_of(code: str) -> str:
    """Where a request for the service begins."""
    return url_for("my_services.start", code=code)


def several_url(spec: Definition) -> str | None:
    """Where it is asked for several brokers at once; None for services that do not offer that."""
    if not spec.bulk or SEVERAL not in current_app.view_functions:
        return None
    return url_for(SEVERAL, code=spec.code)
