"""Conditions read back as sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import i18n
from clearance.core.extensions import db
from clearance.models import BrokerType, LegalEntity
from clearance.services import answers
from clearance.services.conditions import Condition, OtherField
from clearance.services.schema import Definition
from clearance.services.standard_fields import Kind

ABOUT_WORDS: Mapping[str, Any] = {
    "applicant_is": _l("Who applies"),
    "broker_type": _l("Broker type"),
    "legal_entity": _l("Organisation type"),
}
_TABLES: Mapping[str, Any] = {
    "broker_type": BrokerType,
    "legal_entity": LegalEntity,
}
_ABOUT_VALUES: Mapping[str, Any] = {
    "own": _l("the person themselves"),
    "other": _l("someone else"),
}


def in_words(when: Condition, definition: Definition) -> str:
    """Return a condition of `definition` in words, in the page's language, without a full stop."""
    if when.field is None:
        parts = [
            f"({words})" if when.all and len(part.any) > 1 else words
            for part in (*when.all, *when.any)
            for words in [in_words(part, definition)]
        ]
        return str(_(" and ") if when.all else _(" or ")).join(parts)
    name, operands = when.comparison
    label, spec = str(called(when.field, definition)), definition.answered_field(when.field)
    wanted = operands[0] is True
    is_true = wanted if name != "is_not" else not wanted
    if spec is not None and spec.kind is Kind.BOOL:
        if is_true:
            return str(_("“%(field)s” is ticked", field=label))
        return str(_("“%(field)s” is not ticked", field=label))
    if name == "filled":
        if is_true:
            return str(_("“%(field)s” is filled in", field=label))
        return str(_("“%(field)s” is empty", field=label))
    return _compared(name, label, _values(when.field, operands, definition))


def _compared(name: str, field: str, value: str) -> str:
    if name == "is":
        return str(_("“%(field)s” is %(value)s", field=field, value=value))
    if name == "is_not":
        return str(_("“%(field)s” is not %(value)s", field=field, value=value))
    if name == "at_least":
        return str(_("“%(field)s” is at least %(value)s", field=field, value=value))
    if name == "at_most":
        return str(_("“%(field)s” is at most %(value)s", field=field, value=value))
    if name == "before":
        return str(_("“%(field)s” is before %(value)s", field=field, value=value))
    return str(_("“%(field)s” is after %(value)s", field=field, value=value))


def called(name: str, definition: Definition) -> LazyString:
    """Return what people call a field of the form or the office; the name itself for no field."""
    spec = definition.answered_field(name)
    if spec is None:
        return LazyString(lambda: str(ABOUT_WORDS.get(name, name)))
    return LazyString(lambda: spec.title(i18n.language()))


def _values(field: str, operands: Sequence[Any], definition: Definition) -> str:
    return str(_(" or ")).join(_value(field, operand, definition) for operand in operands)


def _value(field: str, operand: Any, definition: Definition) -> str:
    if isinstance(operand, OtherField):
        return str(_("“%(field)s”", field=called(operand.field, definition)))
    spec = definition.answered_field(field)
    if spec is None:
        names = about_values(field).get(operand, {})
        return str(_("“%(field)s”", field=names.get(i18n.language(), operand)))
    value = answers.typed(spec, operand)
    text = answers.written(spec, operand if value is None else value, i18n.language())
    return str(_("“%(field)s”", field=text)) if spec.choices or not spec.is_own else text


def about_values(name: str) -> dict[str, dict[str, str]]:
    """Return the values of one of `ABOUT_WORDS` → what they are called, by language."""
    model = _TABLES.get(name)
    if model is None:
        return {value: i18n.in_both(words) for value, words in _ABOUT_VALUES.items()}
    rows: Iterable[Any] = db.session.scalars(sa.select(model).order_by(model.position, model.code))
    return {row.code: {"ar": row.name_ar, "en": row.name_en} for row in rows}
