"""Texts of a definition that are in the wrong language, or changed in one language only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from clearance.services.findings import Finding
from clearance.services.schema import Definition

_ARABIC, _LATIN = re.compile("[\u0620-\u064a]"), re.compile("[A-Za-z]")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_LEAST_LETTERS = 4
"""So many letters of another script in a text are no abbreviation any more."""
_KEYS = ("name", "kind", "value")


class Text(NamedTuple):
    """A text in both languages. path: of its Arabic and its English. key: stays when parts move."""

    path: tuple[str, str]
    key: str
    ar: str
    en: str


def of_texts(definition: Definition) -> Iterator[Finding]:
    """Yield the texts most of whose letters belong to the other language."""
    for text in _texts(_written(definition)):
        for path, given, own, other in (
            (text.path[0], text.ar, _ARABIC, _LATIN),
            (text.path[1], text.en, _LATIN, _ARABIC),
        ):
            plain = _PLACEHOLDER.sub("", given)
            strange = len(other.findall(plain))
            if strange >= _LEAST_LETTERS and strange > len(own.findall(plain)):
                words = _l("Much of this Arabic text is in English letters.")
                if other is _ARABIC:
                    words = _l("Much of this English text is in Arabic letters.")
                yield Finding(path, words, is_remark=True)


def changed_in_one(old: Definition, new: Definition) -> Iterator[Finding]:
    """Yield the texts that `new` changed in one language and left in the other as in `old`."""
    before = {text.key: text for text in _texts(_written(old))}
    for text in _texts(_written(new)):
        was = before.get(text.key)
        if was is None or (was.ar == text.ar) == (was.en == text.en):
            continue
        words = _l("Only the English text changed. See whether the Arabic one still fits.")
        path = text.path[0]
        if was.en == text.en:
            words = _l("Only the Arabic text changed. See whether the English one still fits.")
            path = text.path[1]
        yield Finding(path, words, is_remark=True)


def _written(definition: Definition) -> Mapping[str, Any]:
    return definition.model_dump(by_alias=True, exclude_defaults=True)


def _texts(value: Any, path: str = "", key: str = "") -> Iterator[Text]:
    """Yield every text within a part of a definition that is in both languages."""
    if isinstance(value, Mapping) and {"ar", "en"} <= set(value):
        yield from _both(value, path, key)
        value = {name: each for name, each in value.items() if name not in ("ar", "en")}
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _texts(each, f"{path}.{name}" if path else name, f"{key}.{name}")
    elif isinstance(value, list | tuple):
        for place, each in enumerate(value):
            named = each if isinstance(each, Mapping) else {}
            called = next((named[name] for name in _KEYS if name in named), place)
            yield from _texts(each, f"{path}[{place}]", f"{key}.{called}")


def _both(value: Mapping[str, Any], path: str, key: str) -> Iterator[Text]:
    ar, en = value["ar"], value["en"]
    if isinstance(ar, str) and isinstance(en, str):
        yield Text((f"{path}.ar", f"{path}.en"), key, ar, en)
    elif isinstance(ar, Mapping) and isinstance(en, Mapping):  # a message's title, text and SMS
        for name in set(ar) & set(en):
            yield Text(
                (f"{path}.ar.{name}", f"{path}.en.{name}"), f"{key}.{name}", ar[name], en[name]
            )
