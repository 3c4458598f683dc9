"""Values of fields: how they are stored as JSON, read in words, and what is required of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import nationalities
from clearance.core.extensions import db
from clearance.core.i18n import format_day, language
from clearance.models import BrokerType
from clearance.services import rows
from clearance.services.field_specs import MOST_ROWS, FieldSpec
from clearance.services.standard_fields import DATE_KINDS, Kind, is_empty, value_fault

ELLIPSIS = "…"
CHOICE_KINDS = frozenset({Kind.CHOICE, Kind.CHOICES})


def stored(value: Any) -> Any:
    """Return a typed value as JSON keeps it: days and amounts as text, several as a list."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {name: stored(each) for name, each in value.items() if each is not None}
    return [stored(each) for each in value] if isinstance(value, tuple) else value


def typed(spec: FieldSpec, value: Any) -> Any:
    """Return a stored value as one of the field's type; None for what cannot be one."""
    if value is None or value == "":
        return value
    if spec.kind is Kind.ROWS:
        return rows.typed(spec, value, typed)
    try:
        if spec.kind in DATE_KINDS:
            return date.fromisoformat(value)
        if spec.kind is Kind.AMOUNT:
            return Decimal(value).quantize(Decimal("0.001"))
    except (TypeError, ValueError, InvalidOperation):
        return None
    if spec.kind is Kind.CHOICES:
        return tuple(value) if isinstance(value, list | tuple) else (value,)
    return value


def default(spec: FieldSpec) -> Any:
    """Return what is entered in the field when it is first shown, or None."""
    return offered(spec, typed(spec, spec.default))


def offered(spec: FieldSpec, value: Any) -> Any:
    """Return a value of the field's type without the choices that are no longer offered."""
    if spec.kind not in CHOICE_KINDS or value is None:
        return value
    there = {choice.value for choice in spec.offered}
    if isinstance(value, tuple):
        return tuple(each for each in value if each in there)
    return value if value in there else None


def written(spec: FieldSpec, value: Any, lang: str) -> str:
    """Format a value of the field's type in `lang`; "" if empty."""
    if value in (None, "", ()):
        return ""
    if spec.kind is Kind.ROWS:
        return rows.written(spec, value, lang, written)
    if spec.kind in DATE_KINDS:
        return format_day(value)
    if spec.kind is Kind.COUNTRY:
        return nationalities.name(value, lang)
    if spec.kind is Kind.BOOL:
        return str(_("Yes") if value else _("No"))
    if spec.kind is Kind.BROKER_TYPE:
        row = db.session.get(BrokerType, value)
        return value if row is None else (row.name_ar if lang == "ar" else row.name_en)
    if spec.kind is Kind.AMOUNT:
        return str(_("%(amount)s KWD", amount=f"{value:,.3f}"))
    if spec.unit is not None:
        return f"{value} {spec.unit.of(lang)}"
    labels = {choice.value: choice.label.of(lang) for choice in spec.choices}
    chosen = value if isinstance(value, tuple) else (value,)
    return str(_(", ")).join(labels.get(str(each), str(each)) for each in chosen)


def contrasted(spec: FieldSpec, before: Any, after: Any, lang: str) -> tuple[str, str]:
    """Format two values of the field's type in `lang`; of rows only those that differ."""
    texts = written(spec, before, lang), written(spec, after, lang)
    return rows.differing(before, after, texts) if spec.kind is Kind.ROWS else texts


def invented(spec: FieldSpec, today: date) -> Any:
    """Return a value for a sample: of the field's type, or an ellipsis for any text."""
    if spec.kind is Kind.ROWS:
        row = {column.name: invented(column, today) for column in spec.columns}
        return (row, row)
    if spec.kind in CHOICE_KINDS:
        chosen = tuple(choice.value for choice in spec.offered[:2])
        return chosen if spec.kind is Kind.CHOICES else next(iter(chosen), ELLIPSIS)
    found: dict[Kind, Any] = {
        **dict.fromkeys(DATE_KINDS, today),
        Kind.NUMBER: int(spec.minimum or 1),
        Kind.AMOUNT: Decimal(spec.minimum or 1),
        Kind.BOOL: True,
        Kind.COUNTRY: "KW",
    }
    return found.get(spec.kind, ELLIPSIS)


def fault(spec: FieldSpec, value: Any, today: date, held: Any = None) -> Any | None:
    """Return why `value` of the field's type cannot be sent, as a lazy text, or None.

    today: the Kuwait date. A value that the field requires and lacks is one as well. held: what
    the request has already; its choices may be kept though they are no longer offered.
    """
    if is_empty(value):
        return _l("Fill in this field.") if spec.required else None
    if spec.kind is Kind.ROWS:
        return _rows_fault(spec, value, today, held)
    found = value_fault(spec.kind, value, today=today, max_length=spec.longest)
    if found is not None or not spec.is_own:
        return found
    if spec.kind in CHOICE_KINDS:
        return _choice_fault(spec, value, held)
    if isinstance(value, date):
        return _day_fault(spec, value, today)
    if spec.kind in (Kind.NUMBER, Kind.AMOUNT):
        return _size_fault(spec, value)
    return _text_fault(spec, value) if isinstance(value, str) else None


def _rows_fault(spec: FieldSpec, value: tuple[rows.Row, ...], today: date, held: Any) -> Any | None:
    """Check the number of rows, and the cells that each of them has."""
    least, most, lang = spec.least or 1, spec.most or MOST_ROWS, language()
    if len(value) < least:
        return _l("The minimum number of rows is %(number)s.", number=least)
    if len(value) > most:
        return _l("The maximum number of rows is %(number)s.", number=most)
    for number, row in enumerate(value, 1):
        for column in spec.columns:
            kept = tuple(each.get(column.name) for each in held or ())
            found = fault(column, row[column.name], today, kept) if column.name in row else None
            if found is not None:
                name = rows.named(spec, number, lang)
                return rows.fault_at(name, column.title(lang), found)
    return None


def _choice_fault(spec: FieldSpec, value: Any, held: Any) -> Any | None:
    chosen, kept = (each if isinstance(each, tuple) else (each,) for each in (value, held))
    if not {c.value for c in spec.choices if not c.retired or c.value in kept}.issuperset(chosen):
        return _l("Choose one from the list.")
    if spec.least is not None and len(chosen) < spec.least:
        return _l("Choose at least %(number)s.", number=spec.least)
    if spec.most is not None and len(chosen) > spec.most:
        return _l("Choose at most %(number)s.", number=spec.most)
    return None


def _day_fault(spec: FieldSpec, value: date, today: date) -> Any | None:
    if spec.past and value >= today:
        return _l("Enter a date in the past.")
    if spec.within_days is not None and abs((value - today).days) > spec.within_days:
        first, last = today - timedelta(spec.within_days), today + timedelta(spec.within_days)
        return _l(
            "Enter a date from %(first)s to %(last)s.",
            first=format_day(today if spec.future else first),
            last=format_day(today if spec.past else last),
        )
    if spec.min_age is not None and _years(value, today) < spec.min_age:
        return _l("The age must be at least %(years)s.", years=spec.min_age)
    return None


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _size_fault(spec: FieldSpec, value: int | Decimal) -> Any | None:
    if spec.minimum is not None and value < spec.minimum:
        return _l("The minimum is %(number)s.", number=spec.minimum)
    if spec.maximum is not None and value > spec.maximum:
        return _l("The maximum is %(number)s.", number=spec.maximum)
    return None


def _text_fault(spec: FieldSpec, value: str) -> Any | None:
    if spec.min_length is not None and len(value) < spec.min_length:
        return _l("This is too short. Use %(number)s characters or more.", number=spec.min_length)
    if spec.pattern is not None and spec.pattern.shape.fullmatch(value) is None:
        return spec.pattern.refusal
    return None
