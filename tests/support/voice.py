"""How the portal speaks: what may not occur in its Arabic and its English texts.

The words are those of docs/glossary.md: one word for one thing, one reader addressed.
"""

from __future__ import annotations

import re

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}|<[^>]+>")
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
ARABIC_WORD = re.compile(r"[ء-ي\u064b-\u0652]+")
LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

# Arabic speaks to one person. Words that end like a plural address and are none:
NO_ADDRESS = {"كما", "أُضيفوا", "يكملوا", "ينضموا", "حصلوا", "وأُشعروا", "الحكم", "كم", "تكون"}
PLURAL_ADDRESS = re.compile(r"(كم|كما|وا)$|^ت\w+ون(ه|ها)?$|^أنتم$")
FORBIDDEN_ARABIC = (
    r"اختبار",  # امتحان
    # A visitor of an office in Kuwait; ours is موظف المراجعة, or موظف المكتب to applicants.
    r"(?<![ء-ي])(وال|ال|لل)?مراجع(ون|ين|اً)?(?![ء-ي\u064b-\u0652])",
    r"بيانات الاتصال",  # معلومات الاتصال
    r"الرسال(ة|ائل) القصيرة",  # الرسالة النصية
    r"(?<![ء-ي])[وف]?ادخل(?![ء-ي])",  # أدخِل has a hamza
    r"طلب(ات|ان)? مفتوح",  # قائم
    r"رخص(ة)? نشطة|الرخصة نشطة",  # سارية
    r"تاريخ الاستحقاق",  # موعد الإنجاز
    r"انقضت مهل|لاغياً",  # انتهت مهلته
    r"تعليم .*كمقروء",  # تحديد
    r"منشأة|منشأت",  # الجهة
)
FORBIDDEN_ENGLISH = (
    r"\bwhoever\b|\bwhatever becomes\b",
    r"\bstands?\b(?! for)",
    r"\bat present\b|\bmeanwhile\b",
    r"\b(is|are|was|were) told (at once|of)\b",
    r"\bcounts? (no|until|again|today)\b|\bno longer counts?\b",
    r"\b(he|him|his|himself)\b",
    r"\bsomebody\b|\banybody\b",
    r"\blaps(e|es|ed)\b",
    r"\brefus(e|es|ed|al)\b",  # the office rejects, a party declines
    r"\bspare codes?\b|\bsecond factor\b",
    r"\bready reasons?\b|\bremarks?\b",
    r"\bsittings?\b|\bseated\b|\bnominat\w+",
    r"\b(give|took|taken?) (up|back)\b|\bgiven up\b",
    r"\bnotices?\b",  # notification
    r"\b(small|capital) letters?\b(?! matter)",
    r"\bpresent (e-mail|mobile|password|office)\b",
    r"\bawait(s|ed|ing)?\b",
    r"\blicense\b(?! (that|them|brokers))",  # the noun is a licence
    r"\bgrid\b|\bparticulars\b",
    r"\bapprov\w+ provisionally\b|\breturned for completion\b",
)
# Latin words that are at home in Arabic texts: formats, products and what is typed as it is.
LATIN_IN_ARABIC = {
    *("PDF", "JPEG", "PNG", "CSV", "UTF-8", "QR", "ZIP", "JSON", "SMS", "MB", "KB"),
    *("Google", "Microsoft", "Authenticator", "Aegis", "Kuwait", "CE", "a", "z", "A", "Z"),
    *("https", "com", "example", "name", "dev", "messages", "ABCD-EFGH-IJKL-MNOP-QRST"),
    *("number", "civil_id", "result", "passed", "failed", "absent"),
}


def arabic_faults(text: str) -> list[str]:
    """Return what an Arabic text may not contain: plural address, wrong words, Latin words."""
    plain = PLACEHOLDER.sub(" ", text)
    words = ARABIC_WORD.findall(plain)
    faults = [word for word in words if PLURAL_ADDRESS.search(word) and word not in NO_ADDRESS]
    faults += [match[0] for rule in FORBIDDEN_ARABIC for match in re.finditer(rule, plain)]
    return faults + [word for word in LATIN_WORD.findall(plain) if word not in LATIN_IN_ARABIC]


def english_faults(text: str) -> list[str]:
    """Return what an English text may not contain: our former dialect, Arabic letters."""
    plain = PLACEHOLDER.sub(" ", text)
    faults = [
        match[0] for rule in FORBIDDEN_ENGLISH for match in re.finditer(rule, plain, re.IGNORECASE)
    ]
    return faults + ARABIC_WORD.findall(plain)
