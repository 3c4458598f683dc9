"""Conditions on answers: when a field, section, document, stage or paragraph applies.

The same rules stand in static/js/conditions.js; tests/conditions.json holds the cases of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from flask_babel import lazy_gettext as _l
from pydantic import BeforeValidator, Field, StrictBool, StrictInt, model_validator

from clearance.core.yaml_files import Part
from clearance.services.findings import Unfit
from clearance.services.standard_fields import is_empty

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Values = Mapping[str, Any]
"""Field → typed value: text, whole number, Decimal, day, truth value, tuple of choices or rows."""

ABOUT = ("broker_type", "legal_entity", "applicant_is")
"""What conditions may name besides fields; `applicant_is` is "own" or "other"."""


class OtherField(Part):
    """The value of another field, to compare with."""

    field: Code


def _as_written(value: Any) -> Any:
    """Return days and fractions of a file as text, which JSON keeps exactly."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, float) else value


Operand = Annotated[
    StrictBool | StrictInt | Annotated[str, Field(max_length=250)] | OtherField,
    BeforeValidator(_as_written),
]


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


Operands = Annotated[
    tuple[Operand, ...], Field(min_length=1, max_length=200), BeforeValidator(_as_list)
]
_ORDERS = {"at_least": (0, 1), "at_most": (-1, 0), "before": (-1,), "after": (1,)}
_COMPARISONS = ("is_", "is_not", "filled", "at_least", "at_most", "before", "after")


class Condition(Part):
    """One comparison of a field, or several conditions joined.

    all, any: of these. field: the name of an earlier field, or of `ABOUT`; then exactly one
    comparison: is, is_not (any of several values), filled (true or false), at_least, at_most
    (numbers and amounts), before, after (days).
    """

    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()
    field: Code | None = None
    is_: Operands | None = Field(None, alias="is")
    is_not: Operands | None = None
    filled: StrictBool | None = None
    at_least: Operand | None = None
    at_most: Operand | None = None
    before: Operand | None = None
    after: Operand | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Condition:
        compared = [key for key in _COMPARISONS if getattr(self, key) is not None]
        joined = [key for key in ("all", "any") if getattr(self, key)]
        if self.field is None:
            if len(joined) != 1 or compared:
                raise Unfit(_l("A condition needs a field with a comparison, or all, or any."))
        elif joined or len(compared) != 1:
            raise Unfit(
                _l("A condition on “%(name)s” needs exactly one comparison.", name=self.field)
            )
        return self

    @property
    def comparison(self) -> tuple[str, tuple[Operand, ...]]:
        """The name of the comparison as definitions write it, and what it compares with."""
        key = next(key for key in _COMPARISONS if getattr(self, key) is not None)
        given = getattr(self, key)
        return key.removesuffix("_"), given if isinstance(given, tuple) else (given,)

    @property
    def parts(self) -> Iterator[Condition]:
        """The comparisons within, itself if it is one."""
        if self.field is not None:
            yield self
        for part in (*self.all, *self.any):
            yield from part.parts

    @property
    def fields(self) -> frozenset[str]:
        """Names of all the fields it reads."""
        found = {part.field or "" for part in self.parts}
        for part in self.parts:
            found |= {each.field for each in part.comparison[1] if isinstance(each, OtherField)}
        return frozenset(found)

    @property
    def as_json(self) -> str:
        """The condition as scripts of the page read it."""
        return self.model_dump_json(by_alias=True, exclude_defaults=True)

    def holds(self, values: Values) -> bool:
        """Return whether it is true of `values`, in which hidden fields are absent.

        Nothing given is not any value: `is`, `at_least`, `at_most`, `before` and `after` are false
        of it, `is_not` is true. A comparison of values of different types is false as well.
        """
        if self.all:
            return all(part.holds(values) for part in self.all)
        if self.any:
            return any(part.holds(values) for part in self.any)
        name, operands = self.comparison
        value = values.get(self.field or "")
        if name == "filled":
            return is_empty(value) != operands[0]
        if name in ("is", "is_not"):
            return _is_any(value, operands, values) == (name == "is")
        order = _order(value, operands[0], values)
        if order is None:
            return False
        return order in _ORDERS[name]


def _is_any(value: Any, operands: tuple[Operand, ...], values: Values) -> bool:
    if isinstance(value, tuple):
        return any(_order(each, operand, values) == 0 for each in value for operand in operands)
    if value is None or value == "":
        return False
    return any(_order(value, operand, values) == 0 for operand in operands)


def _order(value: Any, operand: Operand, values: Values) -> Literal[-1, 0, 1] | None:
    """Return how `value` compares to the operand; None if they cannot be compared."""
    if value is None or value == "" or isinstance(value, tuple):
        return None
    other = values.get(operand.field) if isinstance(operand, OtherField) else operand
    with suppress(ValueError, InvalidOperation, TypeError):
        mine, theirs = _comparable(value, value), _comparable(other, value)
        return 0 if mine == theirs else -1 if mine < theirs else 1
    return None


def _comparable(value: Any, like: Any) -> Any:
    """Return `value` as the type of `like`. Raises: ValueError, InvalidOperation, TypeError."""
    if isinstance(like, bool) or isinstance(value, bool):
        if type(like) is not type(value):
            raise TypeError("a truth value compares to a truth value only")
        return value
    if isinstance(like, int | Decimal):
        number = Decimal(value)
        if not number.is_finite():
            raise ValueError("no number")
        return number
    if isinstance(like, date):
        return value if isinstance(value, date) else date.fromisoformat(value)
    if not isinstance(value, str):
        raise TypeError("a text compares to a text only")
    return value
