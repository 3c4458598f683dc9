"""Folding of names and numbers, so that searches ignore spelling variants."""

import unicodedata
from collections.abc import Iterable

from clearance.core import values

LIKE_ESCAPE = "\\"

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


def name_index(*parts: str | None, max_length: int = 250) -> str:
    """Return the folded form of a name as it is stored for `search_patterns`, with a leading space.

    parts: of one name, empty ones allowed. The second half of a joined word such as «عبدالله» is
    appended, so that typing «الله» or «عبد الله» finds it too.
    max_length: in characters, the column's; the rest of a very long name is not searched.
    """
    words = fold_words(" ".join(part for part in parts if part))
    halves: list[str] = []
    for word in words:
        rest = word
        for _depth in _JOINED_PREFIXES:
            if not rest.startswith(_JOINED_PREFIXES) or len(rest) < 5:
                break
            rest = rest[3:]
            halves.append(rest)
    every_word = [*words, *dict.fromkeys(half for half in halves if half not in words)]
    return "".join(f" {word}" for word in every_word)[:max_length]


def like_prefix_patterns(words: Iterable[str]) -> list[str]:
    """Return a LIKE pattern per word that matches word beginnings in `name_index` texts.

    Join them by AND and use `escape=LIKE_ESCAPE`; `%`, `_` and the backslash are escaped.
    """
    patterns = []
    for word in words:
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        patterns.append(f"% {escaped}%")
    return patterns


def typed_words(typed: str, limit: int = 8) -> list[str]:
    """Return the distinct folded words typed into a search box.

    Signs alone are returned as they are: no name holds them, so that they find nothing.
    limit: their maximum number, so that a pasted page makes no huge query.
    """
    signs = values.clean_text(typed).replace("ـ", "").split()
    return list(dict.fromkeys(_plain_words(typed) or signs))[:limit]


def search_patterns(typed: str, limit: int = 8) -> list[str]:
    """Return the LIKE patterns for a search box's input; [] for no words.

    limit: as for `typed_words`. Every word typed must begin a word of the name, in any order
    (specification section 8).
    """
    return like_prefix_patterns(typed_words(typed, limit))
