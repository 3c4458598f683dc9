"""Words outside the catalogue: service definitions, documents, defaults and reference data.

docs/glossary.md has one word for one thing; Arabic speaks to one person; no text mixes the scripts.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from flask import Flask

import forms
from clearance.core import office_settings, yaml_files
from clearance.core.extensions import db
from clearance.core.settings import ROOT
from clearance.models import BrokerType, DocumentKind, Holiday, LegalEntity, Reason
from clearance.services.standard_fields import STANDARD_FIELDS
from forms.base import BaseForm
from forms.fields import EmailAddressField
from tests.support.voice import faults, wrong_words

DEFINITIONS = sorted(ROOT.glob("*/*/definitions/*.yaml"))
TEMPLATES = sorted(ROOT.glob("templates/pdf/*.typ"))
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *(ROOT / "docs" / f"{name}.md" for name in ("access", "dependencies", "operations")),
]
ARABIC = re.compile("[\u0621-\u064a]")


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
    for key, setting in office_settings.registered().items():
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


def test_texts_speak_to_one_person_in_the_words_of_the_glossary(texts: list[Text]) -> None:
    wrong = [(text, found) for text in texts if (found := faults(text.words, text.language))]
    assert wrong == []
    assert {text.language for text in document_texts()} == {"ar", "en"}


def test_the_guides_use_the_words_of_the_glossary() -> None:
    found = [(path.name, wrong_words(path.read_text(encoding="utf-8"))) for path in PAGES]
    assert [pair for pair in found if pair[1]] == []


def test_an_e_mail_address_is_labelled_as_one() -> None:
    for module in iter_modules(forms.__path__, "forms."):
        import_module(module.name)
    labels = {
        f"{form.__name__}.{name}": str(field.args[0])
        for form in _descendants(BaseForm)
        if form.__module__.startswith("forms.")
        and getattr(sys.modules[form.__module__], form.__name__, None) is form  # written, not made
        for name, field in vars(form).items()
        if getattr(field, "field_class", None) is EmailAddressField
    }
    labels["standard"] = str(STANDARD_FIELDS["email"].label)
    assert len(labels) > 5
    assert {name: label for name, label in labels.items() if "mail address" not in label} == {}


def _descendants(base: type) -> Iterator[type]:
    for heir in base.__subclasses__():
        yield heir
        yield from _descendants(heir)
