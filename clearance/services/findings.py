"""What is found wrong in a definition: where, and a sentence in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from clearance.core import yaml_files
from clearance.services import property_words


@dataclass(frozen=True)
class Finding:
    """Something wrong in a definition. path: as in `fields[2].when`; text: in both languages.

    A fault prevents publishing; a remark does not.
    """

    path: str
    text: Any
    is_remark: bool = False

    def __str__(self) -> str:
        """The line of a command or a log, in English."""
        with force_locale("en"):
            return f"{self.path}: {self.text}" if self.path else str(self.text)


class Unfit(ValueError):
    """Why a part of a definition cannot be read: raised by its validators, with a lazy text."""

    def __init__(self, text: Any) -> None:
        super().__init__(text)
        self.text = text


def faults(found: Iterable[Finding]) -> list[Finding]:
    """Return the findings that prevent publishing."""
    return [each for each in found if not each.is_remark]


def of_error(error: ValidationError) -> list[Finding]:
    """Return every fault of a document that cannot be read."""
    found = error.errors()
    # A list whose parts are all wrong counts as empty too; its parts say enough.
    around = {fault["loc"][:-1] for fault in found}
    return [
        _finding(fault)
        for fault in found
        if fault["type"] != "too_short" or fault["loc"] not in around
    ]


def _finding(fault: ErrorDetails) -> Finding:
    reason = fault.get("ctx", {}).get("error")
    if isinstance(reason, Unfit):
        words = reason.text
    else:
        words = _SCHEMA_WORDS.get(fault["type"], _l("This cannot be read."))
    place = fault["loc"]
    words = _of_property(place, words)
    if "choices" in place[:-1]:  # which are written as lines
        number = int(place[place.index("choices") + 1]) + 1
        words = _l("Line %(number)s: %(fault)s", number=number, fault=words)
    return Finding(yaml_files.path_of(place), words)


def _of_property(place: tuple[int | str, ...], words: Any) -> Any:
    """Return the words with the property before them, if it has a name."""
    lang = place[-1] if place and place[-1] in ("ar", "en") else ""
    names = [part for part in place[:-1] if isinstance(part, str)] if lang else place[-1:]
    label = property_words.PROPERTIES.get(str(names[-1])) if names else None
    if label is None:
        return words
    if lang == "ar":
        return _l("%(property)s in Arabic: %(fault)s", property=label, fault=words)
    if lang == "en":
        return _l("%(property)s in English: %(fault)s", property=label, fault=words)
    return _l("%(property)s: %(fault)s", property=label, fault=words)


_SCHEMA_WORDS: dict[str, Any] = {
    "missing": _l("This is missing."),
    "string_too_short": _l("This is empty."),
    "string_too_long": _l("This is too long."),
    "string_pattern_mismatch": _l("This is not written as it must be."),
    "greater_than_equal": _l("This number is too small."),
    "less_than_equal": _l("This number is too large."),
    "too_short": _l("At least one is needed."),
    "too_long": _l("These are too many."),
    "literal_error": _l("Choose one from the list."),
    "enum": _l("Choose one from the list."),
    "extra_forbidden": _l("The portal knows no such property."),
}
