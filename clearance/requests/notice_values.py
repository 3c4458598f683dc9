"""What notices about a request name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask_babel import force_locale

from clearance import notifications
from clearance.core import i18n
from clearance.models import Request
from clearance.models.names import short_name
from clearance.requests import field_values, stages
from clearance.services import versions
from clearance.services.answers import written
from clearance.services.field_specs import FieldSpec
from clearance.services.standard_fields import Kind


def about(req: Request) -> dict[str, Any]:
    """Return the number, service and person of `req`; the names are empty while unknown."""
    title = versions.for_request(req).title
    return {
        "number": req.number or "",
        "service": {"ar": title.ar, "en": title.en},
        "name": _names(req),
        "short_name": {"ar": short_name(req, "ar"), "en": short_name(req, "en")},
    }


def answers(req: Request, names: Collection[str]) -> dict[str, dict[str, str]]:
    """Return the values of the fields `names` as they are read in each language.

    Those of hidden and empty fields are "". A choice has the text that was given with it.
    """
    specs = [spec for spec in versions.for_request(req).answered if spec.name in names]
    values = stages.visible(req) if specs else {}
    found: dict[str, dict[str, str]] = {spec.name: {} for spec in specs}
    for lang in i18n.LANGUAGES:
        with force_locale(lang):
            for spec in specs:
                shown = spec.name in values
                text = _written(req, spec, values[spec.name], lang) if shown else ""
                line = values.get(spec.line.name) if spec.line is not None else None
                found[spec.name][lang] = f"{text}: {line}" if line else text
    return found


def person(req: Request, event: str) -> notifications.Person:
    """Return the person whom `req` is about, to be told of `event` at the addresses in it."""
    return notifications.Person(event, _names(req), req.civil_id, req.email, req.mobile)


def _written(req: Request, spec: FieldSpec, value: Any, lang: str) -> str:
    if spec.kind is Kind.REFERENCE:  # has no value of its own
        return field_values.shown_value(req, spec.name, lang)
    return written(spec, value, lang)


def _names(req: Request) -> dict[str, str]:
    return {"ar": req.name_ar, "en": req.name_en}
