"""All texts of a service's draft as rows for a translator, and their return into the draft."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.values import BadValue, clean_lines
from clearance.files import tables
from clearance.files.tables import BadTable
from clearance.services import drafting, reading
from clearance.services.drafting import Document, Source

LIMITS: Final = tables.Limits(rows=10_001, text_bytes=2 * 1024 * 1024)
LANGUAGES: Final = ("ar", "en")
LONGEST: Final = 2000
"""Characters of one text."""

HEADINGS: Final = {
    "path": _l("Path"),
    "ar": _l("Arabic"),
    "en": _l("English"),
    "stale": _l("To translate again"),
    "check": _l("Do not change"),
}
"""Column → heading; `check` tells whether a text changed after the sheet was made."""


@dataclass(frozen=True)
class Text:
    """A text of a draft in both languages, "" for none.

    path: by the names of parts. part: of the document, that has the text by language. key: of a
    text among several that it has in each language.
    """

    path: str
    ar: str
    en: str
    part: dict[str, Any] = field(repr=False)
    key: str = ""

    @property
    def check(self) -> str:
        """A digest of both languages."""
        return hashlib.sha256(f"{self.ar}\0{self.en}".encode()).hexdigest()[:12]

    def write(self, lang: str, text: str) -> None:
        """Change the text in the draft's document."""
        if self.key:
            words = self.part.get(lang)
            self.part[lang] = {**(words if isinstance(words, dict) else {}), self.key: text}
        else:
            self.part[lang] = text


@dataclass(frozen=True)
class Row:
    """A row of a sheet that came back."""

    path: str
    ar: str
    en: str
    check: str


@dataclass(frozen=True)
class Outcome:
    """What became of a sheet. Paths, each list in the sheet's order."""

    applied: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    too_long: list[str] = field(default_factory=list)


def texts_of(document: Document) -> dict[str, Text]:
    """Return the texts of a definition, valid or not, by path."""
    return {text.path: text for text in _texts(document, "")}


def rows_of(source: Source) -> list[tuple[str, ...]]:
    """Return the rows of the sheet, as the columns of HEADINGS."""
    base = {} if source.base is None else texts_of(reading.lift(source.base.definition))
    return [
        (text.path, text.ar, text.en, _stale(text, base.get(text.path)), text.check)
        for text in texts_of(source.document).values()
    ]


def read(data: bytes, account: str = "") -> list[Row]:
    """Return the rows of a workbook or a CSV file. Slow: call it outside a transaction.

    account: as in tables.read. Raises: BadTable; file_inspection.Busy.
    """
    rows = tables.read(data, LIMITS, account)
    names = {name: [name, *i18n.in_both(HEADINGS[name]).values()] for name in HEADINGS}
    columns = tables.columns_of(rows[0], names) if rows else {}
    wanted = ("path", "ar", "en", "check")
    if absent := [str(HEADINGS[name]) for name in wanted if name not in columns]:
        raise BadTable(_("The first row does not name the column “%(name)s”.", name=absent[0]))
    return [Row(*(row.cell(columns[name]) for name in wanted)) for row in rows[1:]]


def apply(code: str, rows: list[Row], actor: Actor, now: datetime) -> Outcome:
    """Write the texts into the service's draft, which is begun if they change it; audited.

    An empty cell changes nothing. Unknown paths and texts that changed since the sheet was made
    are left as they are. Flushes. Raises: NotFound, drafting.StaleDraft.
    """
    found = drafting.source(code)
    outcome = Outcome()
    drafting.change(
        code, lambda document: _write(document, rows, outcome), found.version, actor, now
    )
    return outcome


def _write(document: Document, rows: list[Row], outcome: Outcome) -> None:
    texts = texts_of(document)
    for row in rows:
        text = texts.get(row.path)
        if text is None:
            outcome.unknown.append(row.path)
            continue
        given = {lang: getattr(row, lang) for lang in LANGUAGES if getattr(row, lang)}
        try:
            cleaned = {lang: clean_lines(given[lang], LONGEST) for lang in given}
        except BadValue:
            outcome.too_long.append(row.path)
            continue
        there = {lang: getattr(text, lang) for lang in LANGUAGES}
        new = {lang: cleaned[lang] for lang in cleaned if cleaned[lang] != clean_lines(there[lang])}
        if new and text.check != row.check:
            outcome.changed.append(row.path)
        elif new:
            for lang, words in new.items():
                text.write(lang, words)
            outcome.applied.append(row.path)


def _texts(value: Any, path: str) -> Iterator[Text]:
    if isinstance(value, list):
        value = drafting.by_name(value)
    elif isinstance(value, dict) and set(LANGUAGES) & set(value):
        yield from _of_part(value, path)
        value = {key: each for key, each in value.items() if key not in LANGUAGES}
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, f"{path}.{key}".lstrip("."))


def _of_part(part: dict[str, Any], path: str) -> Iterator[Text]:
    """Yield what a part says in both languages: one text, or several by name (of messages)."""
    ar, en = (part.get(lang) for lang in LANGUAGES)
    if isinstance(ar, str) or isinstance(en, str):
        yield Text(path, _text(ar), _text(en), part)
        return
    ar, en = (each if isinstance(each, dict) else {} for each in (ar, en))
    for key in dict.fromkeys((*ar, *en)):
        yield Text(f"{path}.{key}", _text(ar.get(key)), _text(en.get(key)), part, key)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _stale(text: Text, base: Text | None) -> str:
    """Return in which language a text is missing, or is older than in the other one; or ""."""
    stale = [lang for lang in LANGUAGES if not getattr(text, lang)]
    if not stale and base is not None:
        same = [lang for lang in LANGUAGES if getattr(text, lang) == getattr(base, lang)]
        stale = same if len(same) == 1 else []
    return str(_(", ")).join(str(HEADINGS[lang]) for lang in stale)
