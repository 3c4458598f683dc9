"""Password hashing, verification and strength checks. Sources: security requirements 1 to 3."""

import os
import re
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from zxcvbn import matching, scoring, time_estimates

from clearance.core import name_folding
from clearance.core.errors import ServiceUnavailable
from clearance.core.values import ascii_digits, composed

_PLACE_WORDS = """
kuwait kuwaiti kwt q8 customs custom jomrok jumruk jamarik gumruk portal clearance clearing broker
brokers licence license agent agents mukhallis takhlees shuwaikh shuaiba salmiya hawally jahra
farwaniya ahmadi gulf khaleej diwaniya welcome password الكويت كويت كويتي جمارك الجمارك جمرك
الجمرك بوابة البوابة تخليص التخليص مخلص المخلص المخلصين رخصة ترخيص وكيل مكتب الشويخ الشعيبة
السالمية حولي الجهراء الفروانية الاحمدي الخليج كلمة السر المرور مرحبا
"""
_MEN_NAMES = """
ahmad ahmed mohammad mohammed mohamed muhammad ali abdullah abdulla abdulrahman abdulaziz
abdullatif abdulwahab abdulkarim fahad faisal khaled khalid khalifa saad salem salim saleh salman
saud sultan suliman sulaiman hamad hamed hasan hassan hussain hussein ibrahim ismail jaber jassim
jasim yousef yusuf yacoub nasser nawaf mubarak mishari mishal majed omar othman osama rashed
rashid tariq turki waleed bader bandar dawood essa ghanem hadi mahmoud mansour meshal musa mustafa
nayef talal thamer ziad أحمد احمد محمد علي عبدالله عبدالرحمن عبدالعزيز عبداللطيف عبدالوهاب
عبدالكريم فهد فيصل خالد خليفة سعد سالم صالح سلمان سعود سلطان سليمان حمد حامد حسن حسين ابراهيم
إبراهيم اسماعيل جابر جاسم يوسف يعقوب ناصر نواف مبارك مشاري مشعل ماجد عمر عثمان اسامة راشد طارق
تركي وليد بدر بندر داود عيسى غانم هادي محمود منصور موسى مصطفى نايف طلال
"""
_WOMEN_NAMES = """
fatima fatma fatemah mariam maryam noura nora nour noor sara sarah sheikha shaikha aisha aysha
amina amna dalal dana eman iman hanan hessa hind huda khadija latifa layla leila lulwa maha manal
mona muneera nadia najla rania reem salma samira wafa yasmin zainab zahra فاطمة مريم نورة نور سارة
شيخة عائشة امينة أمينة آمنة دلال دانة ايمان إيمان حنان حصة هند هدى خديجة لطيفة ليلى لولوة مها منال
منى منيرة نادية نجلاء رانيا ريم سلمى سميرة وفاء ياسمين زينب زهراء
"""

_ARTICLES = """
al el bin ben ibn bint abu abo abi umm bu bo abd abdul abdel abdal ال آل بن ابن بنت ابو أبو ابا أبا
ابي أبي بو ام أم عبد عبدال
"""

LOCAL_WORDS: tuple[str, ...] = tuple(f"{_PLACE_WORDS} {_MEN_NAMES} {_WOMEN_NAMES}".split())
YEARS: tuple[str, ...] = tuple(str(year) for year in range(1940, 2036))
# Articles before a name, joined or separate; the name without one is checked as well.
ARTICLES: tuple[str, ...] = tuple(_ARTICLES.split())


MIN_LENGTH = 8
MAX_LENGTH = 128
LONGEST_WAIT = 10  # seconds a request waits for a hashing slot
_LONGEST_TYPED = 4 * MAX_LENGTH  # at most four characters compose into one
_LEAST_SCORE = 3
_MOST_JUDGED = 72
_LEAST_REMAINDER = 5

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Each hash takes 19 MiB and a core: more at once would cost memory without being faster.
_turns = threading.BoundedSemaphore(os.cpu_count() or 1)
_UNDISGUISED = str.maketrans("@430$51!7", "aaeossiit")
# zxcvbn tries every combination of signs used for letters, 736 of them for the worst text; with
# one sign per letter there are three.
_ONE_DISGUISE = str.maketrans("@{[<9!|$+", "4(((61157")
_PLAIN_MATCHERS = (
    matching.dictionary_match,
    matching.reverse_dictionary_match,
    matching.spatial_match,
    matching.sequence_match,
    matching.regex_match,
    matching.date_match,
)
matching.add_frequency_lists({"place": [word.casefold() for word in (*LOCAL_WORDS, *YEARS)]})


def normalised(password: str) -> str:
    """Return the NFKC form used to measure, compare and hash a password.

    Overlong input is returned unchanged: composing a long run of accents is slow.
    """
    if len(password) > _LONGEST_TYPED:
        return password
    return unicodedata.normalize("NFKC", password)


def is_too_long(password: str) -> bool:
    """Return whether a password exceeds 128 characters in its composed form."""
    return len(normalised(password)) > MAX_LENGTH


def hash_password(password: str, *, salt: bytes | None = None) -> str:
    """Return the Argon2id hash (19 MiB, t=2, p=1) of the NFKC form of `password`.

    salt: 16 bytes instead of random ones, so that one hash can be compared with several stored
    ones. Slow by design: call it before the first query of a transaction.
    Raises: ValueError above 128 characters, before any work; ServiceUnavailable when no hashing
    slot is free within 10 s.
    """
    if is_too_long(password):
        raise ValueError("a password has 128 characters at most")
    with _turn():
        return _hasher.hash(_prepared(password), salt=salt)


def verify_password(stored: str, password: str) -> bool:
    """Return whether `password` matches the hash `stored`.

    A value that is no hash (an account without a password) costs one hash and never matches; more
    than 128 characters never match and cost nothing. Raises: ServiceUnavailable, as
    `hash_password`.
    """
    if is_too_long(password):
        return False
    try:
        with _turn():
            return _hasher.verify(stored, _prepared(password))
    except InvalidHashError:
        spend_verification_time(password)
        return False
    except Argon2Error:
        return False


def needs_rehash(stored: str) -> bool:
    """Return whether `stored` uses outdated parameters; ask after a successful verification."""
    with suppress(InvalidHashError):
        return _hasher.check_needs_rehash(stored)
    return True


def spend_verification_time(password: str) -> None:
    """Spend the time of one verification, so that unknown accounts take as long as known ones."""
    if not is_too_long(password):
        hash_password(password)


def password_faults(password: str, inputs: Sequence[str | None] = ()) -> list[LazyString]:
    """Return all reasons to reject `password`; empty if it is acceptable.

    inputs: the person's names, e-mail, mobile and civil number, which must not make up the
    password. Trimming and folding apply only to the strength estimate, never to what is stored.
    Takes less than 0.1 s of CPU for any input.
    """
    if is_too_long(password):
        return [_l("Use %(max_length)d characters at most.", max_length=MAX_LENGTH)]
    password = normalised(password)
    faults = []
    if len(password) < MIN_LENGTH:
        faults.append(_l("Use at least %(min_length)d characters.", min_length=MIN_LENGTH))
    faults += _missing_kinds(password)
    if len(password) >= MIN_LENGTH and _is_guessable(password, inputs):
        faults.append(
            _l(
                "This password is easy to guess. Use several words that have nothing to do "
                "with you, this portal or a year."
            )
        )
    return faults


def _prepared(password: str) -> bytes:
    return normalised(password).encode("utf-8", "surrogatepass")


@contextmanager
def _turn() -> Iterator[None]:
    """Hold a hashing slot. Raises: ServiceUnavailable after 10 s of waiting."""
    if not _turns.acquire(timeout=LONGEST_WAIT):
        raise ServiceUnavailable
    try:
        yield
    finally:
        _turns.release()


def _missing_kinds(password: str) -> list[LazyString]:
    categories = {unicodedata.category(character) for character in password}
    faults = []
    if "Lu" not in categories:
        faults.append(_l("Add an upper case letter (A to Z)."))
    if "Ll" not in categories:
        faults.append(_l("Add a lower case letter (a to z)."))
    if "Nd" not in categories:
        faults.append(_l("Add a digit (0 to 9)."))
    if not any(category[0] in "PS" for category in categories):
        faults.append(_l("Add a symbol, such as - ! or @."))
    return faults


def _words_of(inputs: Sequence[str | None]) -> list[str]:
    """Split inputs into words: whole, in pieces, without articles, parts of numbers, folded."""
    words: list[str] = []
    for text in inputs:
        folded = ascii_digits(composed(text or "", "NFKC")).casefold()
        pieces = [folded, *re.split(r"[\W_]+", folded)]
        digits = re.sub(r"\D", "", folded)
        if len(digits) >= 8:
            pieces += [digits, digits[-8:], digits[-4:], digits[1:7]]
        pieces += [bare for piece in pieces if (bare := _ARTICLE.sub("", piece)) != piece]
        words += [form for piece in pieces for form in (piece, name_folding.fold_name(piece))]
    return [word for word in dict.fromkeys(words) if len(word) >= 3]


_articles = "|".join(sorted(ARTICLES, key=len, reverse=True))
_ARTICLE = re.compile(rf"^(?:(?:{_articles})[\W_]*)+(?=\w{{3}})")
_PLACE = tuple(
    dict.fromkeys(
        form for word in LOCAL_WORDS for form in (word.casefold(), name_folding.fold_name(word))
    )
)


def _is_only_known_words(plain: str, words: Sequence[str]) -> bool:
    known = sorted((*words, *_PLACE, *YEARS), key=len, reverse=True)
    either = "|".join(re.escape(word) for word in known)
    pattern = re.compile(rf"(?:(?:{_articles})[\W_]?)?(?:{either})")
    rest = pattern.sub("", plain)
    rest = pattern.sub("", rest.translate(_UNDISGUISED))
    return len(re.sub(r"[\W_]+", "", rest)) < _LEAST_REMAINDER


def _guesses(text: str, words: Sequence[str]) -> int:
    """Return zxcvbn's estimate of guesses for `text` by somebody who knows `words`."""
    ranked = matching.RANKED_DICTIONARIES | {"person": matching.build_ranked_dict(words)}
    disguised = text.translate(_ONE_DISGUISE)
    found = [hit for match in _PLAIN_MATCHERS for hit in match(text, _ranked_dictionaries=ranked)]
    found += matching.l33t_match(disguised, ranked)
    for repeat in matching.repeat_match(disguised, ranked):
        found.append(repeat | {"base_guesses": _guesses(repeat["base_token"], words)})
    found.sort(key=lambda match: (match["i"], match["j"]))
    return int(scoring.most_guessable_match_sequence(text, found)["guesses"])


def _is_guessable(password: str, inputs: Sequence[str | None]) -> bool:
    plain, words = ascii_digits(password), _words_of(inputs)
    # zxcvbn alone rates `Kuwait@Customs1` strong: it multiplies the guesses of known words.
    if any(
        _is_only_known_words(form, words)
        for form in (plain.casefold(), name_folding.fold_name(plain))
    ):
        return True
    guesses = _guesses(plain[:_MOST_JUDGED], words)
    return bool(time_estimates.guesses_to_score(guesses) < _LEAST_SCORE)
