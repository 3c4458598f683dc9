"""How the portal speaks: what may not occur in its Arabic and its English texts.

Arabic addresses one person; one word stands for one thing, as docs/glossary.md has it. The words in
bold there are read from it; the lists below add turns of phrase and inflections.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from clearance.core.settings import ROOT

OFFICE = "Clearance Agents Affairs Office"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}|<[^>]+>")
INVISIBLE = re.compile("[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
ARABIC_WORD = re.compile(r"[ء-ي]+")
LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

PLURAL_ADDRESS = re.compile(r".(كم|كما|تم|وا)$|^ت\w+ون(ه|ها)?$|^أنتم$")
# Words that end alike and address nobody; the last closes a formal letter.
ADDRESSES_NOBODY = {
    *("كما", "يتم", "تتم", "الحكم", "تكون", "أضيفوا", "يكملوا", "ينضموا", "حصلوا", "وأشعروا"),
    *("سيتم", "ختم", "عضوا", "وتفضلوا"),
}
FORBIDDEN_ARABIC = (
    r"بيانات (?:ال)?اتصال\w*",  # معلومات الاتصال
    r"الرسال(?:ة|ائل) القصيرة",  # الرسالة النصية
    # A visitor of an office in Kuwait; ours is موظف المراجعة, or موظف المكتب to applicants.
    r"\b[وفبك]?(?:ال|لل)?مراجع(?:ون|ين|ا)?\b",
    r"\b[وف]?ادخل\b",  # أدخل has a hamza
    r"طلب(?:ات|ان)? مفتوح",  # قائم
    r"\bنشطة\b",  # of a licence: سارية
    r"تاريخ الاستحقاق",  # موعد الإنجاز
    r"انقضت مهل|لاغيا",  # انتهت مهلته
    r"تعليم .*كمقروء|تعليم الكل",  # تحديد
    r"منشأ[ةت]",  # الجهة
    r"السيد/ة|\bفعال\b",
)
FORBIDDEN_ENGLISH = (
    r"whoever|whatever becomes|somebody|anybody|meanwhile|at present|at once(?<!files at once)",
    r"stands?(?! for)|(?:is|are|was|were) told (?:at once|of)",
    r"counts? (?:no|until|again|today)|no longer counts?",
    r"he|him|his|himself",
    r"laps(?:e|es|ed)|refus(?:e|es|ed|al)",  # closes; the office rejects, a party declines
    r"spare codes?|second factor|made void|sign-up",
    r"ready reasons?|remarks?|sittings?|seated|nominat\w+",
    r"(?:give|took|taken?) (?:up|back)|given up",
    r"notices?",  # notification
    r"(?:small|capital) letters?(?! matter)",
    r"present (?:e-mail|mobile|password|office)",
    r"await(?:s|ed|ing)?|grid|particulars",
    r"license(?! (?:that|them|brokers))",  # the noun is a licence
    r"approv\w+ provisionally|returned for completion",
)
# Latin words that are at home in Arabic texts: formats, products and what is typed as it is.
LATIN_IN_ARABIC = {
    *("PDF", "JPEG", "PNG", "CSV", "XLSX", "YAML", "UTF-8", "QR", "ZIP", "JSON", "SMS"),
    *("HEIC", "WebP"),
    *("Google", "Microsoft", "Authenticator", "Aegis", "Kuwait", "CE", "a", "z", "A", "Z"),
    *("https", "com", "example", "name", "dev", "messages", "ABCD-EFGH-IJKL-MNOP-QRST"),
    *("number", "civil_id", "result", "passed", "failed", "absent"),
}


@cache
def glossary_words() -> re.Pattern[str]:
    """The words in bold in the glossary's column “Not”, with articles, prefixes and plurals."""
    rows = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    cells = [row.split("|")[4] for row in rows if row.count("|") == 6]
    words = [word for cell in cells for word in re.findall(r"\*\*(.+?)\*\*", cell)]
    assert len(words) > 15
    arabic = [word.removeprefix("ال") for word in words if ARABIC_WORD.search(word)]
    english = [word for word in words if not ARABIC_WORD.search(word)]
    return re.compile(
        rf"\b[وفبك]?(?:ال|لل|ل)?(?:{'|'.join(arabic)})\b|\b(?:{'|'.join(english)})s?\b",
        re.IGNORECASE,
    )


def plain(text: str) -> str:
    """Return `text` without placeholders, vowel marks and the office's name."""
    bare = PLACEHOLDER.sub(" ", text).replace(OFFICE, "")
    return "".join(letter for letter in bare if unicodedata.category(letter) != "Mn")


def wrong_words(text: str) -> list[str]:
    """Return the words that the glossary forbids, of either language."""
    return glossary_words().findall(plain(text))


def arabic_faults(text: str) -> list[str]:
    """Return what an Arabic text may not contain: plural address, wrong words, Latin words."""
    bare = plain(text)
    several = [word for word in ARABIC_WORD.findall(bare) if PLURAL_ADDRESS.search(word)]
    faults = [word for word in several if word not in ADDRESSES_NOBODY]
    faults += [match[0] for rule in FORBIDDEN_ARABIC for match in re.finditer(rule, bare)]
    faults += [word for word in LATIN_WORD.findall(bare) if word not in LATIN_IN_ARABIC]
    return faults + wrong_words(text)


def english_faults(text: str) -> list[str]:
    """Return what an English text may not contain: wrong words and turns, Arabic letters."""
    bare = plain(text)
    rules = (rf"\b(?:{rule})\b" for rule in FORBIDDEN_ENGLISH)
    faults = [match[0] for rule in rules for match in re.finditer(rule, bare, re.IGNORECASE)]
    return faults + ARABIC_WORD.findall(bare) + wrong_words(text)


def faults(text: str, language: str) -> list[str]:
    """Return the faults of a text in `language` ("ar" or "en")."""
    return arabic_faults(text) if language == "ar" else english_faults(text)
