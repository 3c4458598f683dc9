"""Passwords: which are taken, what is stored, what checking costs."""

import random
import threading
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher

from clearance.auth import passwords
from clearance.auth.passwords import (
    LOCAL_WORDS,
    hash_password,
    needs_rehash,
    password_faults,
    verify_password,
)
from clearance.core.errors import ServiceUnavailable

pytestmark = pytest.mark.usefixtures("plain_english", "real_hashes")

GOOD = "Nakhla-7-Bahr!"
GUESSABLE = "easy to guess"
LEET = "4@8({[<369&#!1/|0$5+7%2"
MOST_CPU = 0.5  # seconds a judging may take where others compute too; alone it takes 0.05


def faults(password: str, *inputs: str) -> str:
    return " ".join(str(fault) for fault in password_faults(password, inputs))


def test_the_right_password_and_no_other_is_verified() -> None:
    stored = hash_password(GOOD)
    assert verify_password(stored, GOOD)
    for wrong in ("", GOOD + " ", GOOD.lower(), GOOD[:-1], "x" * 129):
        assert not verify_password(stored, wrong)


def test_a_hash_is_argon2id_of_the_required_cost_and_salted() -> None:
    first, second = hash_password(GOOD), hash_password(GOOD)
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert not needs_rehash(first)


def test_a_cheaper_hash_or_none_is_to_be_made_again() -> None:
    assert needs_rehash(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD))
    assert needs_rehash("")


@pytest.mark.parametrize(
    "password", ["é Ⅷ ﷲ", "كلمة سر طويلة", "👩‍💻🔑", " spaces stay ", "\ud800"]
)
def test_any_character_can_be_in_a_password(password: str) -> None:
    assert verify_password(hash_password(password), password)


def test_one_password_typed_on_two_keyboards_is_the_same() -> None:
    composed, decomposed = "Pässé-Wörd-7", unicodedata.normalize("NFD", "Pässé-Wörd-7")
    assert composed != decomposed
    assert verify_password(hash_password(composed), decomposed)


def test_spaces_around_a_password_are_part_of_it() -> None:
    assert not verify_password(hash_password(f" {GOOD}"), GOOD)


def test_what_is_no_hash_never_matches_but_costs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    burnt: list[str] = []
    monkeypatch.setattr(passwords, "spend_verification_time", burnt.append)
    assert not verify_password("", GOOD)
    assert not verify_password("scrypt:1:1:1$x$y", GOOD)
    assert burnt == [GOOD, GOOD]


def test_burning_costs_what_verifying_costs() -> None:
    stored = hash_password(GOOD)
    verify, burn = [], []
    for _ in range(15):
        start = time.perf_counter()
        verify_password(stored, "wrong")
        middle = time.perf_counter()
        passwords.spend_verification_time("wrong")
        verify.append(middle - start)
        burn.append(time.perf_counter() - middle)
    assert 0.5 < min(burn) / min(verify) < 2


def test_more_than_128_characters_are_refused_before_hashing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = hash_password(GOOD)
    monkeypatch.setattr(passwords, "_hasher", None)
    assert not verify_password(stored, "x" * 129)
    passwords.spend_verification_time("x" * 129)
    with pytest.raises(ValueError, match="128"):
        hash_password("x" * 129)


def test_hashing_takes_as_many_threads_as_there_are_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, at_once, most = threading.Lock(), 0, 0

    class CountingHasher:
        def hash(self, password: bytes, *, salt: bytes | None = None) -> str:
            nonlocal at_once, most
            with lock:
                at_once += 1
                most = max(most, at_once)
            time.sleep(0.002)
            with lock:
                at_once -= 1
            return "hash"

    monkeypatch.setattr(passwords, "_hasher", CountingHasher())
    monkeypatch.setattr(passwords, "_turns", threading.BoundedSemaphore(2))
    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(hash_password, ["x"] * 200)) == ["hash"] * 200
    assert most == 2


@pytest.mark.parametrize(
    "password",
    [GOOD, "Customs-7-Demo!", "Correct-Horse7Battery", "Ōmoi Kaze-9 ünder", "A7!b" + "🔑غيمة" * 20,
     "Zx9!mQ7#kLw2" * 10],
)  # fmt: skip
def test_a_long_enough_mixed_unguessable_password_is_taken(password: str) -> None:
    assert password_faults(password) == []


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("Na-7bah", "at least 8"),
        ("nakhla-7-bahr!", "upper case letter"),
        ("NAKHLA-7-BAHR!", "lower case letter"),
        ("Nakhla-x-Bahr!", "digit"),
        ("Nakhla 7 Bahr9", "symbol"),
        (GOOD * 10, "128 characters at most"),
    ],
)
def test_each_rule_of_form_refuses_with_its_own_reason(password: str, reason: str) -> None:
    assert reason in faults(password)
    assert GUESSABLE not in faults(password)


def test_all_reasons_are_told_at_once() -> None:
    assert len(password_faults("xyz")) == 4


@pytest.mark.parametrize(
    "password",
    ["Kuwait@2026", "P@ssw0rd1", "Jomrok#2025", "Ahmad.1988", "Fatma@1995!", "Kuwait@Customs1",
     "Kuw@it2026!!", "Abcd@1234", "Qwerty!2345", "Aa1!الجمارك", "Aa1!عبدالله٢٠٢٦", "Portal-2030!"],
)  # fmt: skip
def test_words_of_the_place_names_and_years_make_no_password(password: str) -> None:
    assert GUESSABLE in faults(password)


@pytest.mark.parametrize(
    "password",
    ["Zubaida-Qattan1!", "Zubaida.Q@4x", "Aa-50071234!", "Aa!288010100115", "Ab!880101-0115"],
)
def test_a_persons_own_data_makes_no_password(password: str) -> None:
    person = ("Zubaida", "Qattan", "zubaida.q@example.com", "+96550071234", "288010100115", "")
    assert GUESSABLE in faults(password, *person)


def test_one_persons_words_do_not_weigh_on_anothers_password() -> None:
    own = "Zubaida-Qattan-77!"
    assert GUESSABLE in faults(own, "Zubaida", "Qattan")
    assert faults(own) == ""


def _hostile(rng: random.Random) -> str:
    """A text that makes a judge compare much: disguises, repeats, dates, digits, words, walks."""
    alphabets = (LEET, LEET + "aeiouslt", "0123456789/-.", "aA1!", "\u0301\u0323\u0627\u064b")
    walks = (*LOCAL_WORDS, "password", "qwertyuiop", "1qaz2wsx", "abcdefgh", "19900101")
    kind = rng.randrange(len(alphabets) + 2)
    if kind < len(alphabets):
        return "".join(rng.choices(alphabets[kind], k=128))
    if kind == len(alphabets):
        return "".join(rng.choices(walks, k=30))[:128]
    unit = "".join(rng.choices(LEET + "aB", k=rng.randint(1, 40)))
    return (unit * 128)[: rng.randint(60, 128)]


def test_password_judging_is_bounded_for_any_input() -> None:
    person = ("Noura", "Almutairi", "noura@example.com", "+96550001234", "288010100115")
    rng = random.Random(20261128)
    crafted = [LEET * 3 + "Aa1", (LEET * 6)[:128], "p4$$w0rd!1|7" * 10, "a1" * 64, "1357" * 32]
    longest = ["\u0301\u0323" * 500_000, LEET * 50_000]
    for text in [*crafted, *longest, *(_hostile(rng) for _ in range(150))]:
        start = time.thread_time()
        password_faults(text, person)
        assert time.thread_time() - start < MOST_CPU, text[:80]


@pytest.mark.parametrize("signs", ["4@", "({[<", "69", "1!|", "$5", "7+"])
def test_a_letter_disguised_by_any_sign_is_still_that_letter(signs: str) -> None:
    letters = {"4@": "a", "({[<": "c", "69": "g", "1!|": "i", "$5": "s", "7+": "t"}[signs]
    word = {"a": "Basketball", "c": "Soccer", "g": "Eggplant", "i": "Virginia", "s": "Princess",
            "t": "Butterfly"}[letters]  # fmt: skip
    for sign in signs:
        assert GUESSABLE in faults("A1!" + word.replace(letters, sign)), sign


def test_all_disguises_at_once_hide_no_word() -> None:
    assert GUESSABLE in faults("P@ssw0rd-P4$$word-1!|")


def test_a_name_repeated_with_something_is_still_a_name() -> None:
    assert GUESSABLE in faults("Xuqwerelli1!Xuqwerelli1!Xuqwerelli1!", "Xuqwerelli")


@pytest.mark.parametrize(
    ("password", "first", "last"),
    [
        ("Mutairi-9-Noura!", "Noura", "Almutairi"),
        ("Mutairi-9-Noura!", "Noura", "Al-Mutairi"),
        ("Almutairi-9-Noura!", "Noura", "Mutairi"),
        ("El-Mutairi-9-Noura!", "Noura", "Al Mutairi"),
        ("Zubaidi-77-Qattan!", "Al-Zubaidi", "Alqattan"),
        ("Aa-9-المطيري!", "نورة", "مطيري"),
        ("Aa-9-مطيري-نوره!", "نورة", "المطيري"),
        ("Aa-7-الزبيدى!", "زبيدي", "القطان"),
        ("Dahham-77-Qattan!", "Bin Dahham", "Abu Qattan"),
        ("Dahham-77-Qattan!", "BinDahham", "AbuQattan"),
        ("Bin-Dahham-77-Qattan!", "Dahham", "Qattan"),
        ("Aa-7-دحام!", "بن دحام", "أبو قطان"),
        ("Qahhar-77-Qattan!", "Abdulqahhar", "Al-Qattan"),
    ],
)
def test_articles_and_spelling_do_not_hide_a_name(password: str, first: str, last: str) -> None:
    assert GUESSABLE in faults(password, first, last)
    assert faults("Sidra-9-Marjan?", first, last) == ""


def test_length_is_that_of_the_composed_form_everywhere() -> None:
    composed = "Nakhla-7-Bahr!" + "é" * 114
    decomposed = unicodedata.normalize("NFD", composed)
    assert (len(composed), len(decomposed)) == (128, 242)
    assert "128" not in faults(decomposed)
    assert verify_password(hash_password(composed), decomposed)
    assert verify_password(hash_password(decomposed), composed)
    for one_more in (composed + "x", decomposed + "x", "ﷺ" * 8):  # one sign of eighteen letters
        assert "128" in faults(one_more)
        assert not verify_password(hash_password(GOOD), one_more)


def test_who_waits_too_long_to_hash_is_asked_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = hash_password(GOOD)
    taken = threading.BoundedSemaphore(1)
    taken.acquire()
    monkeypatch.setattr(passwords, "_turns", taken)
    monkeypatch.setattr(passwords, "LONGEST_WAIT", 0.01)
    for work in (
        hash_password,
        passwords.spend_verification_time,
        lambda typed: verify_password(stored, typed),
    ):
        with pytest.raises(ServiceUnavailable):
            work(GOOD)
