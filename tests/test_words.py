"""Words outside the catalogue: service definitions, documents, defaults and reference data.

docs/glossary.md has one word for one thing; Arabic speaks to one person; no text mixes the scripts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core import office_settings, yaml_files
from clearance.core.extensions import db
from clearance.core.settings import ROOT
from clearance.models import BrokerType, DocumentKind, Holiday, LegalEntity, Reason

DEFINITIONS = sorted(ROOT.glob("*/*/definitions/*.yaml"))
TEMPLATES = sorted(ROOT.glob("templates/pdf/*.typ"))
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *(ROOT / "docs" / f"{name}.md" for name in ("access", "dependencies", "operations")),
]
OFFICE = "Clearance Agents Affairs Office"
FORMULAS = {"وتفضلوا"}  # the close of a formal letter
ARABIC, LATIN = re.compile("[\u0621-\u064a]"), re.compile("[A-Za-z]")
PLURAL_ADDRESS = re.compile(r"\b(?:\w+كم|\w+وا|أنتم)\b")


class Text(NamedTuple):
    """A text, where it is, and its language: "ar", "en" or "" for a page."""

    where: str
    language: str
    words: str


def definition_texts() -> Iterator[Text]:
    for path in DEFINITIONS:
        yield from _bilingual(path.stem, yaml_files.read(path))


def document_texts() -> Iterator[Text]:
    """String literals and content blocks of the templates, one text for each language."""
    for path in TEMPLATES:
        code = re.sub(r"^\s*//.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        literals = re.findall(r'"((?:[^"\\\n]|\\.)*)"', code) + re.findall(
            r"\[([^\[\]\n]+)\]", code
        )
        for half in (half for literal in literals for half in literal.split(" · ")):
            plain = re.sub(r"#[\w.]+(?:\([^)]*\))?", "", half)
            yield Text(path.name, "ar" if ARABIC.search(plain) else "en", plain)


def setting_texts() -> Iterator[Text]:
    for key, setting in office_settings.SETTINGS.items():
        if key.endswith(("_ar", "_en")):
            yield Text(key, key[-2:], setting.default)


def reference_texts() -> Iterator[Text]:
    for model in (LegalEntity, BrokerType, DocumentKind, Holiday, Reason):
        for row in db.session.scalars(sa.select(model)):
            for name in (column.name for column in model.__table__.columns):
                if name.endswith(("_ar", "_en")):
                    yield Text(model.__tablename__, name[-2:], getattr(row, name))


def _bilingual(where: str, part: Any) -> Iterator[Text]:
    if isinstance(part, list):
        for each in part:
            yield from _bilingual(where, each)
    elif isinstance(part, dict) and set(part) == {"ar", "en"}:
        yield from (Text(where, language, words) for language, words in part.items())
    elif isinstance(part, dict):
        for key, each in part.items():
            yield from _bilingual(f"{where}.{key}", each)


@pytest.fixture
def texts(context: Flask) -> list[Text]:
    return [*definition_texts(), *document_texts(), *setting_texts(), *reference_texts()]


@cache
def forbidden() -> re.Pattern[str]:
    """The words in bold in the glossary's column “Not”, with articles, prefixes and plurals."""
    rows = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    cells = [row.split("|")[4] for row in rows if row.count("|") == 6]
    words = [word for cell in cells for word in re.findall(r"\*\*(.+?)\*\*", cell)]
    assert len(words) > 15
    arabic = [word.removeprefix("ال") for word in words if ARABIC.search(word)]
    english = [word for word in words if not ARABIC.search(word)]
    return re.compile(
        rf"\b[وفبك]?(?:ال|لل|ل)?(?:{'|'.join(arabic)})\b|\b(?:{'|'.join(english)})s?\b",
        re.IGNORECASE,
    )


def bare(words: str) -> str:
    """Return `words` without vowel marks and without the office's name."""
    text = "".join(each for each in words if unicodedata.category(each) != "Mn")
    return text.replace(OFFICE, "")


def addresses_several(words: str) -> bool:
    return bool({*PLURAL_ADDRESS.findall(bare(words))} - FORMULAS)


def test_forbidden_words_occur_nowhere(texts: list[Text]) -> None:
    pages = [Text(path.name, "", path.read_text(encoding="utf-8")) for path in PAGES]
    found = [(text.where, forbidden().findall(bare(text.words))) for text in [*texts, *pages]]
    assert [pair for pair in found if pair[1]] == []


def test_arabic_speaks_to_one_person(texts: list[Text]) -> None:
    assert [text for text in texts if text.language == "ar" and addresses_several(text.words)] == []


def test_no_text_mixes_the_scripts(texts: list[Text]) -> None:
    wrong = {"ar": LATIN, "en": ARABIC}
    assert [text for text in texts if wrong[text.language].search(text.words)] == []
    assert {text.language for text in document_texts()} == {"ar", "en"}


@pytest.mark.parametrize("words", ["أدخلوا الرقم", "على مكتبكم", "أنتم", "لكم"])
def test_plural_address_is_recognised(words: str) -> None:
    assert addresses_several(words)


@pytest.mark.parametrize(
    ("words", "is_forbidden"),
    [
        ("رخصة نشطة", True),
        ("لدى المراجع", True),
        ("للمراجع", True),
        ("قيد المراجعة", False),
        ("the Identity cards", True),
        ("the Clearance Agents Affairs Office", False),
        ("a clearance agent", True),
    ],
)
def test_forbidden_words_are_recognised(words: str, is_forbidden: bool) -> None:
    assert bool(forbidden().search(bare(words))) is is_forbidden
