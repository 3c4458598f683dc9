"""Types of office settings: kinds, limits and parsing of input."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.core import values
from clearance.core.errors import DomainError


class SettingKind(StrEnum):
    """Kind of a setting's value. NUMBERS: whole, separated by commas; TEXT: one line."""

    NUMBER = "number"
    NUMBERS = "numbers"
    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    CHOICE = "choice"


TEXT_MAX_LENGTH = 250
MOST_NUMBERS = 10
_WHOLE = re.compile(r"\d{1,9}")
_WITH_DIGITS = frozenset({SettingKind.NUMBER, SettingKind.NUMBERS, SettingKind.PHONE})
_PHONE = re.compile(r"\+?\d[\d ()-]{2,28}")


@dataclass(frozen=True)
class OfficeSetting:
    """A setting. group: code of its heading. minimum, maximum: of its numbers, inclusive."""

    key: str
    kind: SettingKind
    group: str
    default: Any
    label: Any
    hint: Any = ""
    minimum: int = 0
    maximum: int = 3650
    choices: Mapping[str, Any] | None = None


def number(
    key: str, group: str, default: int, label: Any, hint: Any = "", **limits: Any
) -> OfficeSetting:
    """Return a setting for a whole number, by default one at least. limits: minimum, maximum."""
    values = {"minimum": 1} | limits
    return OfficeSetting(key, SettingKind.NUMBER, group, default, label, hint, **values)


class BadSetting(DomainError):
    """The value does not fit the setting's kind or limits."""

    status_code = 400


def read(spec: OfficeSetting, raw: str) -> Any:
    """Parse the input for a setting. Raises: BadSetting, values.BadValue."""
    text = values.clean_text(values.ascii_digits(raw) if spec.kind in _WITH_DIGITS else raw)
    if spec.kind is SettingKind.NUMBER:
        return checked(spec, _whole(spec, text))
    if spec.kind is SettingKind.NUMBERS:
        return checked(spec, tuple(_whole(spec, part) for part in text.split(",")))
    if spec.kind is SettingKind.EMAIL:
        return values.email_address(text)
    return checked(spec, text)


def checked(spec: OfficeSetting, value: Any) -> Any:
    """Return `value` if it fits the setting's kind and limits. Raises: BadSetting."""
    if not fits(spec, value):
        raise _bad(spec)
    return value


def to_json(value: Any) -> Any:
    """Return the value as stored in its row."""
    return list(value) if isinstance(value, tuple) else value


def from_json(spec: OfficeSetting, value: Any) -> Any:
    """Return the value read from a row."""
    return tuple(value) if spec.kind is SettingKind.NUMBERS else value


def _whole(spec: OfficeSetting, text: str) -> int:
    if _WHOLE.fullmatch(text.strip()) is None:
        raise _bad(spec)
    return int(text)


def fits(spec: OfficeSetting, value: Any) -> bool:
    """Return whether `value` fits the setting's kind and limits."""
    if spec.kind is SettingKind.NUMBER:
        return type(value) is int and spec.minimum <= value <= spec.maximum
    if spec.kind is SettingKind.NUMBERS:
        return (
            isinstance(value, tuple)
            and 0 < len(value) <= MOST_NUMBERS
            and len(frozenset(value)) == len(value)
            and all(type(item) is int and spec.minimum <= item <= spec.maximum for item in value)
        )
    if spec.kind is SettingKind.CHOICE:
        return value in (spec.choices or {})
    if spec.kind is SettingKind.PHONE:
        return isinstance(value, str) and _PHONE.fullmatch(value) is not None
    return isinstance(value, str) and 0 < len(value) <= TEXT_MAX_LENGTH


def _bad(spec: OfficeSetting) -> BadSetting:
    if spec.kind is SettingKind.NUMBER:
        return BadSetting(
            _l(
                "Enter a whole number from %(minimum)d to %(maximum)d.",
                minimum=spec.minimum,
                maximum=spec.maximum,
            )
        )
    if spec.kind is SettingKind.NUMBERS:
        return BadSetting(
            _l(
                "Enter up to %(most)d different whole numbers from %(minimum)d to "
                "%(maximum)d, separated by commas.",
                most=MOST_NUMBERS,
                minimum=spec.minimum,
                maximum=spec.maximum,
            )
        )
    if spec.kind is SettingKind.CHOICE:
        return BadSetting(_l("Choose one from the list."))
    if spec.kind is SettingKind.PHONE:
        return BadSetting(_l("Enter a telephone number, for example +965 2200 0000."))
    return BadSetting(_l("Enter a text of up to %(maximum)d characters.", maximum=TEXT_MAX_LENGTH))
