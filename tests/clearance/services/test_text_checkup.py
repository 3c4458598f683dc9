"""Texts in the wrong language, and changed in one; what was kept of them is never out of date."""

from __future__ import annotations

import copy
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clearance.services import text_checkup, translation_sheets
from clearance.services.schema import Definition
from clearance.services.text_checkup import changed_in_one, of_texts
from tests.support.permit import permit
from tests.support.properties import examples

WORDS = {
    "ar": ["الميناء الجنوبي", "رقم السفينة TEU", "Number of the ship"],
    "en": ["Port of call", "Number of TEU", "رقم السفينة وحمولتها"],
}
OWN = {"ar": {"title": "تصريح", "body": "صدر التصريح."}, "en": {"title": "Permit", "body": "Done."}}
BASE = permit(
    messages={"approved": OWN},
    issued=[
        {
            "name": "paper",
            "title": {"ar": "تصريح", "en": "Permit"},
            "prefix": "TPX",
            "paragraphs": [
                {"ar": "{port}", "en": "{port}", "or": {"port": {"ar": "ميناء", "en": "a port"}}}
            ],
        }
    ],
)


@st.composite
def changed(draw: st.DrawFn) -> dict[str, Any]:
    """The permit with other texts, and its fields and documents in another order."""
    document = copy.deepcopy(BASE)
    texts = list(translation_sheets.texts_of(document).values())
    for text in draw(st.lists(st.sampled_from(texts), max_size=4)):
        lang = draw(st.sampled_from(["ar", "en"]))
        text.write(lang, draw(st.sampled_from(WORDS[lang])))
    for key in draw(st.lists(st.sampled_from(["fields", "documents", "refuse"]), max_size=2)):
        document[key] = draw(st.permutations(document[key]))
    return document


def read(document: dict[str, Any]) -> Definition:
    return Definition.model_validate(document)


def text_at(document: Any, path: str) -> str:
    for key in re.findall(r"[a-z_]+|\d+", path):
        document = document[int(key) if key.isdigit() else key]
    return str(document)


@examples(max_examples=60)
@given(st.lists(changed(), min_size=1, max_size=3))
def test_what_is_kept_of_fields_says_what_a_new_look_says(documents: list[dict[str, Any]]) -> None:
    for document in documents:
        kept = [(each.path, str(each.text)) for each in of_texts(read(document))]
        text_checkup._strange_in_field.cache_clear()
        assert kept == [(each.path, str(each.text)) for each in of_texts(read(document))]
        told = {text_at(document, path) for path, _words in kept}
        wrong = {WORDS["ar"][2], WORDS["en"][2]}
        there = translation_sheets.texts_of(document).values()
        assert told == wrong & {words for text in there for words in (text.ar, text.en)}


@examples(max_examples=60)
@given(changed(), changed())
def test_each_text_that_changed_in_one_language_is_told_once(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    before, after = (translation_sheets.texts_of(each) for each in (old, new))
    unchanged = [
        text.en if text.en == before[path].en else text.ar
        for path, text in after.items()
        if not path.startswith("refuse")  # rules have no names: the same place is another rule
        and path in before
        and (text.ar == before[path].ar) != (text.en == before[path].en)
    ]
    found = [each.path for each in changed_in_one(read(old), read(new))]
    told = [text_at(new, path) for path in found if not path.startswith("refuse")]
    assert sorted(told) == sorted(unchanged)
