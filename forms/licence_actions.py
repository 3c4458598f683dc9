"""Forms of the office's own actions on the register: a reason, and corrected data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core.extensions import db
from clearance.core.reasons import Reason
from clearance.licences import field_values
from clearance.licences.office_actions import CORRECTABLE, MAY_BE_EMPTY, REASON_MAX_LENGTH
from clearance.models import BrokerType
from clearance.models.names import NAME_COLUMNS
from clearance.services.standard_fields import STANDARD_FIELDS, Kind
from forms.fields import (
    ArabicNameField,
    ChoiceField,
    CivilNumberField,
    DayField,
    EmailAddressField,
    LatinNameField,
    MobileField,
    NationalityField,
    TextField,
)
from forms.request_actions import ReasonedForm, reason_fields

_VALUE = "value_"
_FIELDS: dict[Kind, type[Any]] = {
    Kind.ARABIC_NAME: ArabicNameField,
    Kind.LATIN_NAME: LatinNameField,
    Kind.CIVIL_NUMBER: CivilNumberField,
    Kind.FUTURE_DATE: DayField,
    Kind.MOBILE: MobileField,
    Kind.EMAIL: EmailAddressField,
}
# Fieldsets: (legend, rows); the fields of a row are shown side by side.
ROWS: tuple[tuple[Any, tuple[tuple[str, ...], ...]], ...] = (
    (_l("Person"), (NAME_COLUMNS[:4], NAME_COLUMNS[4:], ("broker_type", "nationality"))),
    (
        _l("Identity documents"),
        (("civil_id", "civil_id_expiry"), ("passport_no", "passport_expiry")),
    ),
    (
        _l("Licence and guarantee"),
        (("issued", "expires"), ("guarantee_no", "guarantee_expiry")),
    ),
    (_l("Contact details"), (("mobile", "email"), ("address",))),
)


class OfficeForm(ReasonedForm):
    """A reason, chosen or written. Created by `licence_action_form`."""

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate the fields, and that a reason was chosen or written."""
        is_good = super().validate(extra_validators)
        return self.has_reason() and is_good


class CorrectionForm(OfficeForm):
    """The register's values for a licence and its broker, with a reason for the correction."""

    @property
    def fieldsets(self) -> list[tuple[str, list[list[Any]]]]:
        """(legend, rows of fields), in page order."""
        return [
            (str(legend), [[self[_VALUE + name] for name in row] for row in rows])
            for legend, rows in ROWS
        ]

    def values(self) -> dict[str, Any]:
        """Return licence or broker field → entered value."""
        return {name: self._value(name) for name in CORRECTABLE}

    def add_faults(self, faults: Mapping[str, Any]) -> None:
        """Show the domain's errors at their fields."""
        for name, fault in faults.items():
            self[_VALUE + name].errors = [fault]

    def _value(self, name: str) -> Any:
        value = self[_VALUE + name].data
        is_text = not isinstance(self[_VALUE + name], DayField)
        return "" if value is None and is_text else value


def licence_action_form(
    ready: Iterable[Reason], lang: str, longest: int = REASON_MAX_LENGTH
) -> OfficeForm:
    """Return the form of a step that needs a reason, bound to a post.

    ready: reasons to choose from. lang: the page's language. longest: characters of the reason.
    """
    made: OfficeForm = type("OfficeForm", (OfficeForm,), reason_fields(ready, lang, longest))()
    return made


def correction_form(
    ready: Iterable[Reason], stored: Mapping[str, Any], lang: str
) -> CorrectionForm:
    """Return the form of a correction. stored: field → current value in the register."""
    members = reason_fields(ready, lang, REASON_MAX_LENGTH)
    for name in CORRECTABLE:
        members[_VALUE + name] = _field(name, lang)
    data = {_VALUE + name: stored[name] for name in CORRECTABLE}
    made: CorrectionForm = type("CorrectionForm", (CorrectionForm,), members)(data=data)
    for name in CORRECTABLE:
        # Values already missing in the register, such as names from customs, may stay empty.
        made[_VALUE + name].flags.required = name not in MAY_BE_EMPTY and bool(stored[name])
    return made


def _field(name: str, lang: str) -> Any:
    """Return the same input that requests use; not required, since the domain checks that."""
    label, named = field_values.LABELS[name], _named(name)
    choices: dict[str, Callable[[], Sequence[tuple[str, str]]]] = {
        "broker_type": lambda: _broker_types(lang),
    }
    if name == "nationality":
        return NationalityField(label, lang=lang, **named)
    if name in choices:
        return ChoiceField(label, choices=choices[name], **named)
    if name in {"issued", "expires"}:
        return DayField(label, **named)
    standard = STANDARD_FIELDS[name]
    attributes = {"render_kw": {"autocomplete": "off"}}
    if standard.kind in _FIELDS:
        return _FIELDS[standard.kind](label, **named, **attributes)
    return TextField(label, max_length=standard.max_length or 250, **named, **attributes)


def _named(name: str) -> dict[str, Any]:
    return {"name": name, "id": name}


def _broker_types(lang: str) -> list[tuple[str, str]]:
    rows = db.session.scalars(sa.select(BrokerType).order_by(BrokerType.position))
    return [(row.code, row.name_ar if lang == "ar" else row.name_en) for row in rows]
