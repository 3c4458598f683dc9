"""Folding of names and numbers, so that searches ignore spelling variants."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from clearance.core import name_spellings, values

_JOINED_PREFIXES = ("عبد", "ابو")
_SAME_LETTER = str.maketrans(
    {
        "ٱ": "ا",
        "ى": "ي",
        "ی": "ي",
        "ے": "ي",
        "ک": "ك",
        "ڪ": "ك",
        "ة": "ه",
        "ۃ": "ه",
        "ە": "ه",
        "ہ": "ه",
        "ھ": "ه",
    }
)
_DROPPED = frozenset("ـ'`´‘’ʼʿʾ")
_SEPARATING = frozenset('.,;:،؛"«»“”()[]')
_LAST_CACHED = 0xFFFF
# Before a key of a spelling in an index text: letters that no name here has, so that both
# databases keep them with the word. Which: whether the name has Arabic words or none.
_KEY, _LATIN_KEY = "þ", "ð"
_SHORTEST_SPELLED = 3
_OPTIONAL = frozenset(["ال", "بن", "ابن", "al", "el", "ul", "bin", "bn", "ibn"])
_FIRST_PARTS = re.compile(r"عبد|ابو|abd(?:[aeou]?[lrsnztd])?|abdu|ab(?:u|o|ou)")


def _fold_character(character: str) -> str:
    if character in _DROPPED:  # before NFKD turns U+00B4 into a space and a mark
        return ""
    folded = []
    for part in unicodedata.normalize("NFKD", character):
        category = unicodedata.category(part)
        if category in ("Mn", "Cf", "Cs"):
            continue
        if category == "Nd":
            folded.append(str(unicodedata.decimal(part)))
        elif category[0] in "ZC" or category == "Pd" or part in _SEPARATING:
            folded.append(" ")
        else:
            folded.append(part.translate(_SAME_LETTER).casefold())
    return "".join(folded)


class _FoldTable(dict[int, str]):
    """Code points → folded text; filled on demand, so that folding stays fast."""

    def __missing__(self, code_point: int) -> str:
        folded = _fold_character(chr(code_point))
        if code_point <= _LAST_CACHED:
            self[code_point] = folded
        return folded


_TABLE = _FoldTable()


def _plain_words(text: str) -> list[str]:
    return text.translate(_TABLE).split()


def _is_only_prefixes(word: str) -> bool:
    rest = word
    while rest.startswith(_JOINED_PREFIXES):
        rest = rest[3:]
    return rest == "" and word != ""


def fold_words(text: str) -> list[str]:
    """Return the words of `fold_name(text)`, in order."""
    words: list[str] = []
    joins_next = False
    for word in _plain_words(text):
        if joins_next:
            words[-1] += word
        else:
            words.append(word)
        joins_next = _is_only_prefixes(words[-1])
    return words


def fold_name(text: str) -> str:
    """Return the canonical spelling of the name `text`, for comparisons.

    Hamza carriers, final ya and ta marbuta, Persian letters, diacritics, tatweel, invisible marks,
    digits of any script, letter case and kinds of space make no difference, nor does a space after
    عبد or أبو («عبد الله» gives «عبدالله»). Source: specification section 8, Search.
    """
    return " ".join(fold_words(text))


def name_index(*parts: str | None, max_length: int = 700) -> str:
    """Return the folded form of a name as it is stored for searches, with a leading space.

    parts: of one name, empty ones allowed. After its words come the second half of a joined word
    such as «عبدالله», words without their article, and the keys of spellings as whole words: of the
    Arabic words, or of the Latin ones in a name that has no Arabic word.
    max_length: in characters, the column's; the rest of a very long name is not searched.
    """
    words = fold_words(" ".join(part for part in parts if part))
    halves = dict.fromkeys(half for word in words for half in _halves(word))
    plain = [*words, *(half for half in halves if half not in words)]
    text = "".join(f" {word}" for word in plain)[:max_length]
    for key in _spellings(words):
        if len(text) + len(key) + 2 > max_length:
            break
        text += f" {key}"
    return f"{text} " if _KEY in text or _LATIN_KEY in text else text


def _halves(word: str) -> Iterator[str]:
    """Yield what people type of a longer word: the rest of a joined one, each without article."""
    yield name_spellings.without_article(word)
    for _depth in _JOINED_PREFIXES:
        if not word.startswith(_JOINED_PREFIXES) or len(word) < 5:
            return
        word = word[3:]
        yield word
        yield name_spellings.without_article(word)


def _spellings(words: list[str]) -> list[str]:
    """Return the keys of a name's words, each with the sign of the script that it is from."""
    arabic = [word for word in words if name_spellings.is_arabic(word)]
    sign, source = (_KEY, arabic) if arabic else (_LATIN_KEY, _joined(words))
    found = (name_spellings.keys("".join(group)) for group in source)
    return list(dict.fromkeys(f"{sign}{key}" for keys in found for key in keys))


@dataclass(frozen=True)
class TypedWord:
    """What a name must have for a word that was typed: all `starts`, or one of `keys`.

    starts: beginnings of its words; several for a name that people join, such as Abdul Rahman.
    keys: whole words of `name_index`, of the spellings.
    """

    starts: tuple[str, ...]
    keys: tuple[str, ...] = ()

    def is_in(self, indexed: str) -> bool:
        """Return whether a `name_index` text has it."""
        has_key = any(f" {key} " in indexed for key in self.keys)
        return has_key or all(f" {start}" in indexed for start in self.starts)


def typed_words(typed: str, limit: int = 8) -> list[TypedWord]:
    """Return the distinct words typed into a search box, folded.

    Articles may be typed or not. A Latin word is also found by the Arabic name that it may spell,
    an Arabic one by its spelling in a name without Arabic letters (`name_spellings`).
    Signs alone are returned as they are: no name holds them, so that they find nothing.
    limit: their maximum number, so that a pasted page makes no huge query.
    """
    signs = values.clean_text(typed).replace("ـ", "").split()
    groups = _joined(_plain_words(typed)) or [(sign,) for sign in signs]
    return list(dict.fromkeys(_typed_word(group) for group in groups))[:limit]


def _typed_word(group: tuple[str, ...]) -> TypedWord:
    joined = "".join(group)
    starts = tuple(name_spellings.without_article(word) for word in group)
    is_part = len(group) == 1 and _FIRST_PARTS.fullmatch(joined)
    if is_part or len(joined) < _SHORTEST_SPELLED:
        return TypedWord(starts)
    signs = _LATIN_KEY if name_spellings.is_arabic(joined) else _KEY + _LATIN_KEY
    keys = tuple(sign + key for key in name_spellings.keys(joined) for sign in signs)
    return TypedWord(starts, keys)


def _joined(words: list[str]) -> list[tuple[str, ...]]:
    """Group the words of one name: Abdul with the next; articles and «bin» go, unless alone."""
    kept = [word for word in words if word not in _OPTIONAL] or words[:1]
    groups: list[tuple[str, ...]] = []
    for word in kept:
        if groups and _FIRST_PARTS.fullmatch("".join(groups[-1])):
            groups[-1] = (*groups[-1], word)
        else:
            groups.append((word,))
    return groups
