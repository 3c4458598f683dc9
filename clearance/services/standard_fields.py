"""Standard fields of all services: the typed columns of a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.core import nationalities, values
from clearance.models.enums import Labelled


class Kind(StrEnum):
    """Kind of a field's value; decides its form field and its check."""

    ARABIC_NAME = "arabic_name"
    LATIN_NAME = "latin_name"
    CIVIL_NUMBER = "civil_number"
    COUNTRY = "country"
    BROKER_TYPE = "broker_type"
    FUTURE_DATE = "future_date"
    DATE = "date"
    MOBILE = "mobile"
    EMAIL = "email"
    TEXT = "text"
    TEXTAREA = "textarea"
    CHOICE = "choice"
    CHOICES = "choices"
    NUMBER = "number"
    AMOUNT = "amount"
    BOOL = "bool"
    LICENCE_NO = "licence_no"
    PASSPORT_NO = "passport_no"
    REFERENCE = "reference"
    ROWS = "rows"


DATE_KINDS = frozenset({Kind.DATE, Kind.FUTURE_DATE})


class Group(Labelled):
    """The fieldset of a field."""

    REQUEST = "request", _l("Request")
    PERSON = "person", _l("Person")
    IDENTITY = "identity", _l("Identity documents")
    LICENCE = "licence", _l("Licence and guarantee")
    CONTACT = "contact", _l("Contact details")
    DETAILS = "details", _l("Details")


@dataclass(frozen=True)
class StandardField:
    """A standard field. max_length: characters of its column; is_column: has one in Request."""

    name: str
    kind: Kind
    group: Group
    label: Any
    max_length: int | None = None
    hint: Any = ""
    autocomplete: str = "off"
    is_column: bool = True


_CARD_HINT = _l("12 digits, as on the civil ID card.")
_EXPIRY_HINT = _l("A date in the future.")


def _names(script: str, kind: Kind, labels: tuple[Any, ...]) -> list[StandardField]:
    return [
        StandardField(f"name_{script}_{place}", kind, Group.PERSON, label, values.NAME_MAX_LENGTH)
        for place, label in enumerate(labels, 1)
    ]


_TABLE = [
    StandardField("broker_type", Kind.BROKER_TYPE, Group.REQUEST, _l("Broker type"), 40),
    StandardField(
        "number", Kind.REFERENCE, Group.REQUEST, _l("Request number"), 40, is_column=False
    ),
    StandardField(
        "general_broker", Kind.REFERENCE, Group.REQUEST, _l("General broker"), is_column=False
    ),
    *_names(
        "ar",
        Kind.ARABIC_NAME,
        (
            _l("First name in Arabic"),
            _l("Second name in Arabic"),
            _l("Third name in Arabic"),
            _l("Fourth name in Arabic"),
        ),
    ),
    *_names(
        "en",
        Kind.LATIN_NAME,
        (
            _l("First name in English"),
            _l("Second name in English"),
            _l("Third name in English"),
            _l("Fourth name in English"),
        ),
    ),
    StandardField("nationality", Kind.COUNTRY, Group.PERSON, _l("Nationality"), 2),
    StandardField(
        "civil_id", Kind.CIVIL_NUMBER, Group.IDENTITY, _l("Civil number"), 12, _CARD_HINT
    ),
    StandardField(
        "civil_id_expiry",
        Kind.FUTURE_DATE,
        Group.IDENTITY,
        _l("Civil ID card expiry date"),
        hint=_EXPIRY_HINT,
    ),
    StandardField("passport_no", Kind.TEXT, Group.IDENTITY, _l("Passport number"), 40),
    StandardField(
        "passport_expiry",
        Kind.FUTURE_DATE,
        Group.IDENTITY,
        _l("Passport expiry date"),
        hint=_EXPIRY_HINT,
    ),
    StandardField(
        "licence_expiry",
        Kind.FUTURE_DATE,
        Group.LICENCE,
        _l("Licence expiry date"),
        hint=_EXPIRY_HINT,
    ),
    StandardField("guarantee_no", Kind.TEXT, Group.LICENCE, _l("Bank guarantee number"), 80),
    StandardField(
        "guarantee_expiry",
        Kind.FUTURE_DATE,
        Group.LICENCE,
        _l("Bank guarantee expiry date"),
        hint=_EXPIRY_HINT,
    ),
    StandardField(
        "mobile",
        Kind.MOBILE,
        Group.CONTACT,
        _l("Mobile number"),
        20,
        _l("8 digits for a Kuwaiti number, or start with + and the country code."),
        "tel",
    ),
    StandardField(
        "email",
        Kind.EMAIL,
        Group.CONTACT,
        _l("E-mail address"),
        values.EMAIL_MAX_LENGTH,
        "",
        "email",
    ),
    StandardField(
        "address", Kind.TEXT, Group.CONTACT, _l("Address"), 250, autocomplete="address-line1"
    ),
]

STANDARD_FIELDS: dict[str, StandardField] = {field.name: field for field in _TABLE}
COLUMNS: frozenset[str] = frozenset(field.name for field in _TABLE if field.is_column)


def is_empty(value: Any) -> bool:
    """Return whether nothing was given: None, an empty text or list, an unticked box."""
    return value in (None, "", ()) or value is False


def type_of(kind: Kind) -> type:
    """Return the Python type of the values of `kind`."""
    if kind in DATE_KINDS:
        return date
    return _TYPES.get(kind, str)


_TYPES: dict[Kind, type] = {
    Kind.NUMBER: int,
    Kind.AMOUNT: Decimal,
    Kind.BOOL: bool,
    Kind.CHOICES: tuple,
    Kind.ROWS: tuple,
}


def value_fault(
    kind: Kind, value: Any, *, today: date, max_length: int | None = None
) -> Any | None:
    """Return why a given `value` of `kind` cannot be sent, as a lazy text, or None.

    today: the Kuwait date that expiries must lie after. max_length: in characters, of a text.
    Checked again at sending, since a draft may predate a rule.
    Source: specification section 5, Values.
    """
    if kind is Kind.FUTURE_DATE:
        return None if value > today else _l("This date has passed. Enter a date in the future.")
    if kind is Kind.COUNTRY and not nationalities.is_known(value):
        return _l("Choose a nationality from the list.")
    try:
        if isinstance(value, str):
            values.clean_lines(value, max_length)
        if kind in _TEXT_CHECKS:
            _TEXT_CHECKS[kind](value)
    except values.BadValue as fault:
        return fault.message
    return None


_TEXT_CHECKS: dict[Kind, Callable[[str], str]] = {
    Kind.ARABIC_NAME: values.arabic_name,
    Kind.LATIN_NAME: values.latin_name,
    Kind.CIVIL_NUMBER: values.civil_number,
    Kind.MOBILE: values.mobile_e164,
    Kind.EMAIL: values.email_address,
    Kind.PASSPORT_NO: values.passport_number,
}
