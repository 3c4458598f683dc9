"""Passwords: hashing, verifying and judging them. Sources: security requirements 1 to 3."""

import os
import re
import threading
import unicodedata
from collections.abc import Sequence
from contextlib import suppress

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from zxcvbn import zxcvbn

from clearance.password_words import LOCAL_WORDS, YEARS
from clearance.values import ascii_digits

MIN_LENGTH = 8
MAX_LENGTH = 128
_LEAST_SCORE = 3
_ZXCVBN_MAX_LENGTH = 72
_LEAST_REMAINDER = 5

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Each hash takes 19 MiB and a core: more at once would not be faster, only larger.
_turns = threading.BoundedSemaphore(os.cpu_count() or 1)
# zxcvbn keeps the words of the person in one dictionary shared by all threads.
_judging = threading.Lock()
_UNDISGUISED = str.maketrans("@430$51!7", "aaeossiit")


def _prepared(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def hash_password(password: str) -> str:
    """The Argon2id hash to store (19 MiB, t=2, p=1), of the NFKC form of `password`.

    Slow on purpose: call it before the first query of a transaction.
    Raises: ValueError for more than 128 characters, before any work.
    """
    if len(password) > MAX_LENGTH:
        raise ValueError("a password has 128 characters at most")
    with _turns:
        return _hasher.hash(_prepared(password))


def verify_password(stored: str, password: str) -> bool:
    """Whether `password` is the one that `stored` was made from.

    A value that is no hash (an account that has no password yet) costs one hash and never matches;
    more than 128 characters never match and cost nothing.
    """
    if len(password) > MAX_LENGTH:
        return False
    try:
        with _turns:
            return _hasher.verify(stored, _prepared(password))
    except InvalidHashError:
        burn(password)
        return False
    except Argon2Error:
        return False


def needs_rehash(stored: str) -> bool:
    """Whether `stored` was made with other costs than today's; ask after a right password."""
    with suppress(InvalidHashError):
        return _hasher.check_needs_rehash(stored)
    return True


def burn(password: str) -> None:
    """Spend what verifying costs, so that an unknown account takes as long as a known one."""
    if len(password) <= MAX_LENGTH:
        hash_password(password)


def _missing_kinds(password: str) -> list[LazyString]:
    categories = {unicodedata.category(character) for character in password}
    faults = []
    if "Lu" not in categories:
        faults.append(_l("Add a capital letter (A to Z)."))
    if "Ll" not in categories:
        faults.append(_l("Add a small letter (a to z)."))
    if "Nd" not in categories:
        faults.append(_l("Add a digit (0 to 9)."))
    if not any(category[0] in "PS" for category in categories):
        faults.append(_l("Add a symbol, such as - ! or @."))
    return faults


def _words_of(inputs: Sequence[str | None]) -> list[str]:
    """Each input whole and in its pieces, also the parts of civil numbers and mobiles."""
    words: list[str] = []
    for text in inputs:
        folded = ascii_digits(unicodedata.normalize("NFKC", text or "")).casefold()
        pieces = [folded, *re.split(r"[\W_]+", folded)]
        digits = re.sub(r"\D", "", folded)
        if len(digits) >= 8:
            pieces += [digits, digits[-8:], digits[-4:], digits[1:7]]
        words += [piece for piece in pieces if len(piece) >= 3]
    return list(dict.fromkeys(words))


def _is_only_known_words(plain: str, words: Sequence[str]) -> bool:
    known = sorted((*words, *LOCAL_WORDS, *YEARS), key=len, reverse=True)
    pattern = re.compile("|".join(re.escape(word.casefold()) for word in known))
    rest = pattern.sub("", plain)
    rest = pattern.sub("", rest.translate(_UNDISGUISED))
    return len(re.sub(r"[\W_]+", "", rest)) < _LEAST_REMAINDER


def _is_guessable(password: str, inputs: Sequence[str | None]) -> bool:
    plain = ascii_digits(unicodedata.normalize("NFKC", password))
    words = _words_of(inputs)
    # zxcvbn alone finds `Kuwait@Customs1` strong: it multiplies what two known words are worth.
    if _is_only_known_words(plain.casefold(), words):
        return True
    with _judging:
        judged = zxcvbn(plain[:_ZXCVBN_MAX_LENGTH], user_inputs=[*words, *LOCAL_WORDS, *YEARS])
    return bool(judged["score"] < _LEAST_SCORE)


def password_faults(password: str, inputs: Sequence[str | None] = ()) -> list[LazyString]:
    """All reasons why `password` may not be chosen; empty when it may.

    inputs: the person's own names, e-mail, mobile, civil number, which must not make it up.
    Nothing is trimmed or folded in what is stored: only in judging how guessable it is.
    """
    if len(password) > MAX_LENGTH:
        return [_l("Use %(max_length)d characters at most.", max_length=MAX_LENGTH)]
    faults = []
    if len(password) < MIN_LENGTH:
        faults.append(_l("Use at least %(min_length)d characters.", min_length=MIN_LENGTH))
    faults += _missing_kinds(password)
    if len(password) >= MIN_LENGTH and _is_guessable(password, inputs):
        faults.append(
            _l(
                "This password is easy to guess. Put together several words that have nothing to do"
                " with you, this portal or a year."
            )
        )
    return faults
