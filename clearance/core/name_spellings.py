"""Keys that an Arabic name and its Latin spellings share: محمد, Mohammed and Muhammad.

A key is written in Latin letters, one for all consonants that passports and ALA-LC write alike:
a first vowel or ع is `a`; ح and ه are `h`; ت, ط `t`; د, ض `d`; س, ص `s`; ق, ك `k`; ش `c`; غ `g`;
خ `x`. Letters that are written in several ways (ث, ذ, ظ; Latin th, dh, sh) give several keys.
Short vowels are left out, as in Arabic. A long vowel, which Arabic writes, stays: ا is `a`, و is
`w` or `o`, ي is `y` or `i`; a Latin vowel may be either, but ee, oo, ou and diphthongs are long. So
Hassan is حسن and not حسين, while Saleh may be صالح or صلاح: final vowels and h are left out, which
Latin spellings add and drop. An article, and a double letter, make no difference.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain, combinations, islice, product

SHORTEST, LONGEST = 2, 25
MOST_KEYS = 32  # of one word

_ARABIC = dict(zip("بپتطجگچحهخدضرزسصشغفڤقكلمن", "bbttjjchhxddrzsscgffkklmn", strict=True))
_ARABIC |= {"ا": "a", "ع": "", "ء": ""}
_ARABIC_VARIANTS = {"و": ("w", "o"), "ي": ("y", "i"), "ث": ("t", "s"), "ذ": ("d", "z")}
_ARABIC_VARIANTS["ظ"] = _ARABIC_VARIANTS["ذ"]
_FIRST = {"ا": "a", "ع": "a", "ء": "a", "و": "w", "ي": "y"}
_ARABIC_FINALS = "اويهحء"
_ARTICLE, _LATIN_ARTICLES = "ال", ("al", "el")
_COMPOUND = re.compile(r"(عبد|ابو)(?:ال)?(?=..)")

_LATIN = dict(zip("bdfhjklmnprstvwz", "bdfhjklmnbrstfwz", strict=True))
_LATIN |= {"g": "j", "q": "k", "x": "ks", "Y": "y"}
_LATIN_VARIANTS = {
    "sh": ("c", "sh"),
    "th": ("t", "d", "th"),
    "dh": ("d", "dh"),
    "kh": ("x",),
    "gh": ("g",),
    "ch": ("c",),
    "ph": ("f",),
    "dj": ("j",),
}
_VOWEL = {"a": "a", "e": "i", "i": "i", "y": "i", "o": "o", "u": "o"}
_LATIN_PARTS = re.compile(r"[aeiouy]+|[sdktgcp]h|dj|.")
_CONSONANT_Y = re.compile(r"^y|y(?=[aeiou])")
_LAST_VOWELS = re.compile(r"[aeiouy]+$")
_LATIN_COMPOUND = re.compile(r"abd[aeiou]*l(?=..)")
_ABBREVIATIONS = dict.fromkeys(("mohd", "muhd", "mhd"), "mohammed")


@lru_cache(maxsize=50_000)
def keys(word: str) -> tuple[str, ...]:
    """Return the keys of a folded word (`name_folding`), sorted; () if it has none.

    Words of other scripts, of digits and signs, or too short or long for a name have none.
    """
    if len(word) > LONGEST:
        return ()
    if word.isascii():
        found = _latin_keys(_ABBREVIATIONS.get(word, word)) if word.isalpha() else set()
    else:
        found = _arabic_keys(word)
    return tuple(sorted(key for key in found if len(key) >= SHORTEST))


def without_article(word: str) -> str:
    """Return a folded Arabic word without its article; words of few letters keep theirs."""
    is_article = word.startswith(_ARTICLE) and len(word) >= len(_ARTICLE) + 3
    return word[len(_ARTICLE) :] if is_article else word


def is_arabic(word: str) -> bool:
    """Return whether the word is of Arabic letters."""
    return not word.isascii() and all("\u0600" <= letter <= "\u06ff" for letter in word)


def _arabic_keys(word: str) -> set[str]:
    if not is_arabic(word):
        return set()
    compound = _COMPOUND.match(word)
    if compound is not None:
        return _of_arabic(compound[1] + word[compound.end() :])
    return _of_arabic(word) | _of_arabic(without_article(word))


def _of_arabic(word: str) -> set[str]:
    end = len(word)
    while end > SHORTEST and word[end - 1] in _ARABIC_FINALS and not _is_glide(word, end - 1):
        end -= 1
    first, rest = word[0], word[1:end]
    choices = [letter for letter in _ARABIC_VARIANTS if letter in rest or letter == first]
    found = set()
    for chosen in product(*(_ARABIC_VARIANTS[letter] for letter in choices)):
        written = _ARABIC | dict(zip(choices, chosen, strict=True))
        if not {first, *rest} <= written.keys():
            return set()  # a letter that we do not know
        found.add(
            _single(_FIRST.get(first, written[first]) + "".join(written[letter] for letter in rest))
        )
    return found


def _is_glide(word: str, place: int) -> bool:
    """Return whether a consonant و or ي is there, as in «كاوي», and not only a last vowel."""
    return place < len(word) - 1 and word[place] in "وي" and word[place - 1] == "ا"


def _latin_keys(word: str) -> set[str]:
    forms = {word}
    if word.startswith(_LATIN_ARTICLES) and len(word) >= 5:
        forms.add(word[2:])
    compound = _LATIN_COMPOUND.match(word)
    if compound is not None:
        forms.add("abd" + word[compound.end() :])
    return set().union(*map(_of_latin, forms))


def _of_latin(word: str) -> set[str]:
    if len(word) > 3 and word[-1] == "h" and word[-2] in _VOWEL:
        word = word[:-1]
    last = _LAST_VOWELS.search(word)
    body = word[: last.start()] if last else word
    parts = _LATIN_PARTS.findall(_CONSONANT_Y.sub("Y", body))
    if not parts:
        return set()
    written = [
        _vowels(part, parts[place - 1] if place else "")
        if part[0] in _VOWEL
        else _consonant(part, word)
        for place, part in enumerate(parts)
    ]
    if last is not None:
        written.append(_some(_long(last[0][:-1])))
    return {_single("".join(letters)) for letters in islice(product(*written), MOST_KEYS)}


def _consonant(part: str, word: str) -> tuple[str, ...]:
    if part == "c":
        following = word[word.index("c") + 1 :][:1]
        return ("s",) if following in {"e", "i", "y"} else ("k",)
    return _LATIN_VARIANTS.get(part) or (_LATIN[part],)


def _vowels(run: str, before: str) -> tuple[str, ...]:
    """Return what the vowels between two consonants may be in Arabic; before: the first one."""
    if not before:
        return tuple(dict.fromkeys("a" + rest for rest in _some(_long(run).removeprefix("a"))))
    must = set()
    if before != "Y" and ("ee" in run or (len(run) > 1 and ("i" in run or "y" in run))):
        must.add("i")
    if before != "w" and ("oo" in run or "ou" in run):
        must.add("o")
    return tuple(choice for choice in _some(_long(run)) if must <= set(choice))


def _long(run: str) -> str:
    """Return the long vowels that a run of vowels may be, at most three."""
    return _single("".join(_VOWEL[letter] for letter in run))[:3]


def _some(letters: str) -> tuple[str, ...]:
    """Return the letters with any of them left out, the fewest first."""
    sizes = range(len(letters) + 1)
    return tuple("".join(some) for some in chain(*(combinations(letters, n) for n in sizes)))


def _single(letters: str) -> str:
    return re.sub(r"(.)\1+", r"\1", letters)
