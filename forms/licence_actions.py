"""Forms of what the office does to the register of its own accord: a reason, corrected data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core import i18n
from clearance.core.countries import country_choices
from clearance.core.extensions import db
from clearance.licences import field_values
from clearance.licences.office_actions import CORRECTABLE, MAY_BE_EMPTY, REASON_MAX_LENGTH
from clearance.models import BrokerType
from clearance.services.standard_fields import NAME_COLUMNS, STANDARD_FIELDS, Kind
from forms.base import BaseForm
from forms.fields import (
    ArabicNameField,
    ChoiceField,
    CivilNumberField,
    EmailAddressField,
    IsoDateField,
    LatinNameField,
    MobileField,
    TextAreaField,
    TextField,
)
from forms.request_actions import ReadyReason

_VALUE = "value_"
_FIELDS: dict[Kind, type[Any]] = {
    Kind.ARABIC_NAME: ArabicNameField,
    Kind.LATIN_NAME: LatinNameField,
    Kind.CIVIL_NUMBER: CivilNumberField,
    Kind.FUTURE_DATE: IsoDateField,
    Kind.MOBILE: MobileField,
    Kind.EMAIL: EmailAddressField,
}
# The form's fieldsets; what stands in one inner sequence stands side by side.
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
    (_l("Contact"), (("mobile", "email"), ("address",))),
)


class OfficeForm(BaseForm):
    """A reason to choose or write. Made by `office_form`.

    ready: the reasons to choose from. longest: the whole reason's greatest number of characters.
    """

    ALSO_POSTED: ClassVar[frozenset[str]] = frozenset(
        {"csrf_token", "form_key", "version", "_language"}
    )
    ready: ClassVar[Mapping[str, ReadyReason]] = {}
    longest: ClassVar[int] = REASON_MAX_LENGTH

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the fields, and that a reason was chosen or written."""
        is_good = super().validate(extra_validators)
        if self["reason"].errors:
            return False
        longest = max(len(self.reason_in(lang)) for lang in i18n.LANGUAGES)
        if longest == 0:
            self["reason"].errors = [_l("Choose a ready reason or write one.")]
        elif longest > self.longest:
            self["reason"].errors = [_l("The whole reason is too long. Please shorten it.")]
        return is_good and not self["reason"].errors

    def reason_in(self, lang: str) -> str:
        """The whole reason for somebody who reads `lang`."""
        chosen = self.ready.get(self["ready_reason"].data or "")
        parts = (chosen.in_language(lang) if chosen else "", self["reason"].data or "")
        return "\n".join(part for part in parts if part)


class CorrectionForm(OfficeForm):
    """What the register says of a licence and its broker, open to correction, with a reason."""

    @property
    def fieldsets(self) -> list[tuple[str, list[list[Any]]]]:
        """(legend, rows of fields) in the order of the page."""
        return [
            (str(legend), [[self[_VALUE + name] for name in row] for row in rows])
            for legend, rows in ROWS
        ]

    def values(self) -> dict[str, Any]:
        """Field of licence or broker → the value that the form has for it."""
        return {name: self._value(name) for name in CORRECTABLE}

    def add_faults(self, faults: Mapping[str, Any]) -> None:
        """Put faults found elsewhere beside their fields."""
        for name, fault in faults.items():
            self[_VALUE + name].errors = [fault]

    def _value(self, name: str) -> Any:
        value = self[_VALUE + name].data
        is_text = not isinstance(self[_VALUE + name], IsoDateField)
        return "" if value is None and is_text else value


def licence_action_form(
    ready: Iterable[ReadyReason], lang: str, longest: int = REASON_MAX_LENGTH
) -> OfficeForm:
    """Make the form of a step that wants a reason, filled with what was posted.

    ready: reasons to choose from. lang: the page's language. longest: characters of a reason.
    """
    members = _reason_fields(ready, lang, longest)
    made: OfficeForm = type("OfficeForm", (OfficeForm,), members)()
    return made


def correction_form(
    ready: Iterable[ReadyReason], stored: Mapping[str, Any], lang: str
) -> CorrectionForm:
    """Make the form of a correction. stored: what the register says now, field by field."""
    members = _reason_fields(ready, lang)
    for name in CORRECTABLE:
        members[_VALUE + name] = _field(name, lang)
    data = {_VALUE + name: stored[name] for name in CORRECTABLE}
    made: CorrectionForm = type("CorrectionForm", (CorrectionForm,), members)(data=data)
    for name in CORRECTABLE:
        # What the register lacks already, such as a name of the customs system, may stay empty.
        made[_VALUE + name].flags.required = name not in MAY_BE_EMPTY and bool(stored[name])
    return made


def _reason_fields(
    ready: Iterable[ReadyReason], lang: str, longest: int = REASON_MAX_LENGTH
) -> dict[str, Any]:
    reasons = {str(each.id): each for each in ready}
    return {
        "ready": reasons,
        "longest": longest,
        "ready_reason": ChoiceField(
            _l("Ready reason"),
            choices=[(key, each.in_language(lang)) for key, each in reasons.items()],
        ),
        "reason": TextAreaField(_l("Reason"), max_length=longest),
    }


def _field(name: str, lang: str) -> Any:
    """The input that requests have for a value of this kind; what may be empty the domain says."""
    label, named = field_values.LABELS[name], _named(name)
    choices: dict[str, Callable[[], Sequence[tuple[str, str]]]] = {
        "nationality": lambda: country_choices(lang),
        "broker_type": lambda: _broker_types(lang),
    }
    if name in choices:
        return ChoiceField(label, choices=choices[name], **named)
    if name in {"issued", "expires"}:
        return IsoDateField(label, **named)
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
