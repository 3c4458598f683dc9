"""The Arabic catalogue: nothing missing, nothing stale, every placeholder where it belongs."""

from __future__ import annotations

import re
from functools import cache

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from clearance.core.settings import ROOT

CATALOGUE = ROOT / "translations" / "ar" / "LC_MESSAGES" / "messages.po"
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "_l": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "lazy_pgettext": ((1, "c"), 2),
}
Key = tuple[str | None, str]
PLACES = ("clearance", "admin_views", "forms", "templates")


@cache
def catalogue() -> Catalog:
    with CATALOGUE.open("rb") as stream:
        return read_po(stream, locale="ar")


def source_texts() -> set[Key]:
    """Every text that code and templates ask for, with its context."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as stream:
        methods, options = parse_mapping_cfg(stream)
    found = set()
    for place in PLACES:
        rows = extract_from_dir(
            str(ROOT / place),
            [(pattern.split("/", 1)[-1], method) for pattern, method in methods],
            {pattern.split("/", 1)[-1]: each for pattern, each in options.items()},
            keywords=KEYWORDS,
        )
        found |= {
            (context, text[0] if isinstance(text, tuple) else text)
            for _, _, text, _, context in rows
        }
    return {key for key in found if key[1]}


def messages() -> list[Message]:
    return [message for message in catalogue() if message.id]


def key_of(message: Message) -> Key:
    text = message.id[0] if isinstance(message.id, tuple | list) else str(message.id)
    return (message.context, text)


def strings_of(message: Message) -> list[str]:
    return list(message.string) if isinstance(message.string, tuple | list) else [message.string]


def test_every_text_of_the_portal_is_in_the_catalogue_and_no_other() -> None:
    kept = {key_of(message) for message in messages()}
    asked = source_texts()
    assert sorted(asked - kept) == [], "run `make strings` and translate"
    assert sorted(kept - asked) == [], "run `make strings`: these are used no more"


def test_every_text_has_its_arabic() -> None:
    empty = [key_of(message) for message in messages() if not all(strings_of(message))]
    assert empty == []
    assert [key_of(message) for message in messages() if message.fuzzy] == []


def test_arabic_keeps_every_placeholder_and_adds_none() -> None:
    wrong = []
    for message in messages():
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        named = {name for text in ids for name in PLACEHOLDER.findall(text)}
        for text in strings_of(message):
            here = set(PLACEHOLDER.findall(text))
            # A plural form may say its number in words.
            lacking = {pair for pair in named - here if pair[0] not in {"num", "count"}}
            if here - named or lacking:
                wrong.append((key_of(message), text))
    assert wrong == []
