"""Reasons of decisions: in one's own words, after a ready reason that each reader gets in theirs.

A reason with a ready one is stored as JSON after a mark that no typed text can contain. It keeps
the ready reason's id and its words at that time, so that editing it changes no past decision.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from clearance.core import i18n
from clearance.core.values import clean_lines

_MARK = "\x1e"


@dataclass(frozen=True)
class Reason:
    """A reason as given. ready: id, Arabic and English of the ready reason, if one was chosen."""

    words: str = ""
    ready: tuple[int, str, str] | None = None

    def in_language(self, lang: str) -> str:
        """Return the whole reason in `lang`; own words stay as they are."""
        _ready_id, ar, en = self.ready or (0, "", "")
        chosen = ar if lang == "ar" else en
        return "\n".join(part for part in (chosen, self.words) if part)


def cleaned(reason: Reason | str, max_length: int) -> str:
    """Return the reason as it is stored; "" if there is none.

    max_length: in characters, of the whole in each language. Raises: BadValue.
    """
    if isinstance(reason, str):
        return clean_lines(reason, max_length)
    words = clean_lines(reason.words, max_length)
    if reason.ready is None:
        return words
    for lang in i18n.LANGUAGES:
        clean_lines(Reason(words, reason.ready).in_language(lang), max_length)
    return _MARK + json.dumps([*reason.ready, words], ensure_ascii=False)


def read(stored: str, lang: str | None = None) -> str:
    """Return a stored reason in `lang`, by default the page's."""
    return _parsed(stored).in_language(lang or i18n.language())


def ready_id(stored: str) -> int | None:
    """Return the id of the ready reason in a stored reason, if any."""
    ready = _parsed(stored).ready
    return ready[0] if ready is not None else None


def beginning(ready: int | None) -> str:
    """Return how stored reasons with this ready reason begin, or with any (None)."""
    return _MARK if ready is None else f"{_MARK}[{ready}, "


def in_both(stored: str) -> dict[str, str]:
    """Return a stored reason by language, as notices take it."""
    return {lang: read(stored, lang) for lang in i18n.LANGUAGES}


def _parsed(stored: str) -> Reason:
    if not stored.startswith(_MARK):
        return Reason(stored)
    ready_id, ar, en, words = json.loads(stored[1:])
    return Reason(words, (ready_id, ar, en))
