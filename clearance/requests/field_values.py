"""Read, set and format a request's field values, in columns or answers."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from clearance.core.extensions import db
from clearance.models import Broker, Request
from clearance.services import answers, versions
from clearance.services.columns import keep_column
from clearance.services.field_specs import FieldSpec, Mode
from clearance.services.standard_fields import COLUMNS, STANDARD_FIELDS, Kind, type_of


def value_of(req: Request, spec: FieldSpec) -> Any:
    """Return a field's value, of its kind's type; None or "" if empty."""
    if not spec.is_own:
        return getattr(req, spec.name) if spec.name in COLUMNS else None
    if spec.name not in req.answers:
        return answers.default(spec)
    return answers.typed(spec, req.answers[spec.name])


def keep(req: Request, spec: FieldSpec, value: Any) -> None:
    """Set a value of the field's type (None if empty) in its column or among the answers.

    Raises: TypeError for a value of another type.
    """
    if value is not None and type(value) is not type_of(spec.kind):
        raise TypeError(f"{spec.name} takes {type_of(spec.kind).__name__}")
    if spec.is_own:
        # Assign a new mapping: changes inside a JSON column are not tracked.
        req.answers = {**req.answers, spec.name: answers.stored(value)}
        return
    keep_column(req, spec.name, value)


def shown_value(req: Request, name: str, lang: str) -> str:
    """Return the field's value formatted in `lang`; "" if empty.

    Codes become labels, days dd/mm/yyyy, rows a `rows.Table` of what conditions show; a draft's
    number says when it will be assigned.
    """
    spec = versions.for_request(req).field(name)
    if name == "number":
        return req.number or str(_("Assigned when the request is sent"))
    if name == "general_broker":
        return _general_broker(req, lang)
    if spec is None and name in STANDARD_FIELDS:
        spec = FieldSpec(name=name, mode=Mode.SHOWN)
    if spec is None:
        return ""
    value = visible(req).get(name) if spec.kind is Kind.ROWS else value_of(req, spec)
    return answers.written(spec, value, lang)


def _general_broker(req: Request, lang: str) -> str:
    broker_id = req.organisation.general_broker_id
    broker = db.session.get(Broker, broker_id) if broker_id is not None else None
    if broker is None:
        return req.organisation.name_in(lang)
    return broker.name_ar if lang == "ar" else broker.name_en


def known(req: Request) -> dict[str, Any]:
    """Return the typed values of all fields, and what conditions may read besides, by name."""
    values = {spec.name: value_of(req, spec) for spec in versions.for_request(req).fields}
    return values | {
        "broker_type": req.broker_type,
        "legal_entity": req.organisation.legal_entity,
        "applicant_is": "own" if req.civil_id == req.created_by.civil_id else "other",
    }


def visible(req: Request) -> dict[str, Any]:
    """Return the typed values that count for conditions, statements and messages, by name.

    Fields that a condition hides are absent; ones that are shown and empty are None. Also has the
    names of `conditions.ABOUT`.
    """
    return versions.for_request(req).visible(known(req))


def settle(req: Request) -> None:
    """Keep what a request is sent with: nothing that is hidden, and defaults as if typed."""
    definition, shown = versions.for_request(req), visible(req)
    for spec in definition.asked:
        if spec.name not in shown:
            _forget(req, spec)
        elif spec.is_own and _is_unsettled(req, spec, shown[spec.name]):
            keep(req, spec, shown[spec.name])


def _is_unsettled(req: Request, spec: FieldSpec, counted: Any) -> bool:
    if spec.kind is Kind.ROWS:  # of which some may be hidden
        return bool(counted != value_of(req, spec))
    return spec.name not in req.answers and counted is not None


def _forget(req: Request, spec: FieldSpec) -> None:
    if not spec.is_own:
        keep_column(req, spec.name, None)
    elif spec.name in req.answers:
        req.answers = {name: kept for name, kept in req.answers.items() if name != spec.name}
