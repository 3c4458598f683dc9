"""Passwords: which are taken, what is stored, what checking costs."""

import threading
import time
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask_babel import Babel

from clearance import passwords
from clearance.passwords import hash_password, needs_rehash, password_faults, verify_password

GOOD = "Nakhla-7-Bahr!"
GUESSABLE = "easy to guess"


@pytest.fixture(autouse=True)
def _texts() -> Iterator[None]:
    app = Flask(__name__)
    Babel(app, default_locale="en")
    with app.app_context():
        yield


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
    monkeypatch.setattr(passwords, "burn", burnt.append)
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
        passwords.burn("wrong")
        verify.append(middle - start)
        burn.append(time.perf_counter() - middle)
    assert 0.5 < min(burn) / min(verify) < 2


def test_more_than_128_characters_are_refused_before_hashing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = hash_password(GOOD)
    monkeypatch.setattr(passwords, "_hasher", None)
    assert not verify_password(stored, "x" * 129)
    passwords.burn("x" * 129)
    with pytest.raises(ValueError, match="128"):
        hash_password("x" * 129)


def test_hashing_takes_as_many_threads_as_there_are_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, at_once, most = threading.Lock(), 0, 0

    class CountingHasher:
        def hash(self, password: bytes) -> str:
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
        ("nakhla-7-bahr!", "capital letter"),
        ("NAKHLA-7-BAHR!", "small letter"),
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
