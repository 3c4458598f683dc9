"""Keyed hashes and sealed texts, also after the secret was changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from clearance.core import crypto

OLD, NEW = "o" * 40, "n" * 40


def test_a_sealed_text_comes_back_and_shows_nothing(context: Flask) -> None:
    sealed = crypto.encrypt("رمز 123456")
    assert "123456" not in sealed
    assert crypto.encrypt("رمز 123456") != sealed
    assert crypto.decrypt(sealed) == "رمز 123456"


def test_a_changed_text_is_refused(context: Flask) -> None:
    sealed = crypto.encrypt("text")
    middle = len(sealed) // 2
    other = "A" if sealed[middle] != "A" else "B"
    for changed in (sealed[:middle] + other + sealed[middle + 1 :], "nonsense", ""):
        with pytest.raises(ValueError, match="not sealed"):
            crypto.decrypt(changed)


def test_a_hash_serves_one_purpose_and_one_text(context: Flask) -> None:
    digest = crypto.keyed_hash("123456", "code")
    assert crypto.matches("123456", digest, "code")
    assert not crypto.matches("123457", digest, "code")
    assert not crypto.matches("123456", digest, "spare")


def test_the_secret_before_still_opens_and_matches_but_makes_nothing_new(
    make_app: Callable[..., Flask],
) -> None:
    with make_app(secret_key=OLD).app_context():
        sealed, digest = crypto.encrypt("text"), crypto.keyed_hash("123456", "code")
    with make_app(secret_key=NEW, secret_key_fallbacks=(OLD,)).app_context():
        assert crypto.decrypt(sealed) == "text"
        assert crypto.matches("123456", digest, "code")
        assert crypto.keyed_hash("123456", "code") != digest
        newer = crypto.encrypt("text")
    with make_app(secret_key=OLD).app_context(), pytest.raises(ValueError, match="not sealed"):
        crypto.decrypt(newer)
