"""Labels and formatting of the fields of a licence and its broker."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.core import i18n, nationalities
from clearance.core.extensions import db
from clearance.models import BrokerType, Organisation
from clearance.models.enums import LicenceStatus, SuspendedBy
from clearance.services.standard_fields import STANDARD_FIELDS

LABELS: dict[str, Any] = {
    **{name: field.label for name, field in STANDARD_FIELDS.items()},
    "organisation_id": _l("Organisation"),
    "status": _l("Licence status"),
    "suspended_by": _l("Suspended by"),
    "issued": _l("Issued on"),
    "expires": STANDARD_FIELDS["licence_expiry"].label,
}
"""Field name → label."""


def format_value(name: str, value: Any) -> str:
    """Format a field's value in the page's language; "–" if empty.

    value: the column's, or the JSON value of a history entry with days in ISO format.
    """
    if value in (None, ""):
        return "–"
    if name in _DAYS:
        return i18n.format_day(date.fromisoformat(value) if isinstance(value, str) else value)
    reader = _READERS.get(name)
    return str(reader(value)) if reader is not None else str(value)


def _organisation_name(organisation_id: int) -> str:
    row = db.session.get(Organisation, organisation_id)
    return row.name_in(i18n.language()) if row is not None else str(organisation_id)


def _broker_type_name(code: str) -> str:
    row = db.session.get(BrokerType, code)
    return i18n.in_language(row, "name") if row is not None else code


_DAYS = frozenset({"expires", "issued", "guarantee_expiry", "civil_id_expiry", "passport_expiry"})
_READERS: dict[str, Any] = {
    "status": LicenceStatus.label_of,
    "suspended_by": SuspendedBy.label_of,
    "organisation_id": _organisation_name,
    "broker_type": _broker_type_name,
    "nationality": lambda value: nationalities.name(value, i18n.language()),
}
