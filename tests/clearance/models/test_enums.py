"""Labelled codes: plain strings everywhere, with a label in the page's language and a tone."""

from __future__ import annotations

import json
import pickle

import pytest
from flask import Flask
from flask_babel import force_locale

from clearance.models.base import one_of
from clearance.models.enums import Gender, LicenceStatus, SuspendedBy


def test_a_member_is_its_code() -> None:
    member = LicenceStatus.ACTIVE
    assert member == "active" and str(member) == member.value == f"{member}" == "active"
    assert {member: 1}["active"] == 1 and json.dumps([member]) == '["active"]'
    assert LicenceStatus("active") is pickle.loads(pickle.dumps(member)) is member


def test_a_check_constraint_lists_the_codes() -> None:
    text = str(one_of("gender", Gender).sqltext)
    assert "'male'" in text and "'female'" in text


def test_the_label_follows_the_language(app: Flask) -> None:
    with app.test_request_context():
        shown = {}
        for lang in ("ar", "en"):
            with force_locale(lang):
                shown[lang] = [str(label) for _code, label in SuspendedBy.choices()]
    assert shown["en"] == ["By the office", "At the holder's request"]
    assert len(set(shown["ar"]) | set(shown["en"])) == 4


def test_the_tone_is_neutral_unless_given() -> None:
    assert (LicenceStatus.EXPIRED.tone, Gender.MALE.tone) == ("danger", "neutral")


@pytest.mark.parametrize("code", ["gone", "", None])
def test_an_unknown_code_is_shown_as_it_is(code: str | None) -> None:
    assert LicenceStatus.label_of(code) == code
    with pytest.raises(ValueError, match="not a valid LicenceStatus"):
        LicenceStatus(code)


def test_a_known_code_is_shown_by_its_label() -> None:
    assert LicenceStatus.label_of("active") is LicenceStatus.ACTIVE.label
