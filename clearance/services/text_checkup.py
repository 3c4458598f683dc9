"""Texts of a definition that are in the wrong language, or changed in one language only."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from clearance.core.yaml_files import Part
from clearance.services.field_specs import FieldSpec
from clearance.services.findings import Finding
from clearance.services.schema import Definition

_ARABIC, _LATIN = re.compile("[\u0620-\u064a]"), re.compile("[A-Za-z]")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_LEAST_LETTERS = 4
"""So many letters of another script in a text are no abbreviation any more."""
_KEYS = ("name", "kind", "value")
_KEPT_FIELDS = 512
"""So many fields are kept as they were looked at: those of four forms of the largest size."""
_PLAIN = frozenset({str, int, bool, type(None)})
"""Classes of values without texts in both languages, so most properties are passed over soon."""


class Text(NamedTuple):
    """A text in both languages.

    path: of its Arabic and its English, each with a dot before it. key: stays when parts move.
    """

    path: tuple[str, str]
    key: str
    ar: str
    en: str


def of_texts(definition: Definition) -> Iterator[Finding]:
    """Yield the texts most of whose letters belong to the other language."""
    for place, spec in enumerate(definition.fields):
        for path, words in _strange_in_field(spec):
            yield Finding(f"fields[{place}]{path}", words, is_remark=True)
    for path, words in _strange(_texts(definition, passed={*map(id, definition.fields)})):
        yield Finding(path[1:], words, is_remark=True)


@lru_cache(maxsize=_KEPT_FIELDS)
def _strange_in_field(spec: FieldSpec) -> tuple[tuple[str, Any], ...]:
    """Return what is strange in a field; most of a form's fields stay as they were looked at."""
    return tuple(_strange(_texts(spec)))


def _strange(texts: Iterable[Text]) -> Iterator[tuple[str, Any]]:
    """Yield the paths of texts that are in the other language's letters, and what is wrong."""
    for text in texts:
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
                yield path, words


def changed_in_one(old: Definition, new: Definition) -> Iterator[Finding]:
    """Yield the texts that `new` changed in one language and left in the other as in `old`."""
    named = {spec.name: spec for spec in old.fields}
    pairs = ((named.get(spec.name), spec) for spec in new.fields)
    same = {id(each) for pair in pairs if pair[0] == pair[1] for each in pair}
    before = {text.key: text for text in _texts(old, passed=same)}
    for text in _texts(new, passed=same):
        was = before.get(text.key)
        if was is None or (was.ar == text.ar) == (was.en == text.en):
            continue
        words = _l("Only the English text changed. See whether the Arabic one still fits.")
        path = text.path[0]
        if was.en == text.en:
            words = _l("Only the Arabic text changed. See whether the English one still fits.")
            path = text.path[1]
        yield Finding(path[1:], words, is_remark=True)


def _texts(
    value: Any, path: str = "", key: str = "", passed: Collection[int] = ()
) -> Iterator[Text]:
    """Yield every text in both languages within a definition or a part of one.

    passed: ids of parts that are left out.
    """
    if value.__class__ in _PLAIN or id(value) in passed:
        return
    if isinstance(value, Part):
        if "ar" in type(value).model_fields:
            yield from _both(value, path, key)
        for name, field in type(value).model_fields.items():
            each = getattr(value, name)
            if each.__class__ not in _PLAIN and name not in ("ar", "en"):
                called = field.alias or name
                yield from _texts(each, f"{path}.{called}", f"{key}.{called}", passed)
    elif isinstance(value, Mapping):
        for called, each in value.items():
            yield from _texts(each, f"{path}.{called}", f"{key}.{called}", passed)
    elif isinstance(value, tuple):
        for place, each in enumerate(value):
            yield from _texts(each, f"{path}[{place}]", f"{key}.{_called(each, place)}", passed)


def _called(part: Any, place: int) -> Any:
    """Return what tells a part of a list apart: its name, or its place."""
    named = getattr(type(part), "model_fields", {})
    return next((getattr(part, name) for name in _KEYS if name in named), place)


def _both(part: Any, path: str, key: str) -> Iterator[Text]:
    if isinstance(part.ar, str):
        yield Text((f"{path}.ar", f"{path}.en"), key, part.ar, part.en)
        return
    for name in type(part.ar).model_fields:  # a message's title, text and SMS
        ar, en = getattr(part.ar, name), getattr(part.en, name)
        if ar and en:
            yield Text((f"{path}.ar.{name}", f"{path}.en.{name}"), f"{key}.{name}", ar, en)
