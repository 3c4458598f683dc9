"""The image text: on the server only, five minutes, one form, one submission."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from clearance.auth import captcha
from clearance.auth.captcha import ALPHABET
from clearance.core.errors import TooManyTries
from clearance.core.extensions import db
from clearance.models import Captcha
from tests.support.parallel import run_together

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
BROWSER = "what a browser holds"


def row_of(ref: str) -> Captcha:
    row = db.session.get_one(Captcha, ref)
    db.session.commit()
    return row


@pytest.mark.databases
def test_the_right_text_passes_once(context: Flask) -> None:
    ref = captcha.new("register", BROWSER, NOW)
    text = row_of(ref).image_text
    assert captcha.spend(ref, "register", BROWSER, text, NOW)
    assert not captcha.spend(ref, "register", BROWSER, text, NOW)


def test_the_text_is_six_characters_and_its_reference_tells_nothing(context: Flask) -> None:
    ref = captcha.new("register", BROWSER, NOW)
    row = row_of(ref)
    assert len(row.image_text) == 6
    assert set(row.image_text) <= set(ALPHABET)
    assert row.spoken_digits.isdigit()
    assert len(ref) >= 22
    assert row.image_text not in ref


def test_letter_case_counts_and_spaces_do_not(context: Flask) -> None:
    ref = captcha.new("register", BROWSER, NOW)
    with db.engine.begin() as connection:
        connection.execute(sa.update(Captcha).values(image_text="AbDeFg"))
    assert not captcha.spend(ref, "register", BROWSER, "abdefg", NOW)
    ref = captcha.new("register", BROWSER, NOW)
    with db.engine.begin() as connection:
        connection.execute(sa.update(Captcha).values(image_text="AbDeFg"))
    assert captcha.spend(ref, "register", BROWSER, " AbD eFg ", NOW)


def test_the_spoken_digits_pass_instead_in_either_script(context: Flask) -> None:
    ref = captcha.new("reset", BROWSER, NOW)
    digits = row_of(ref).spoken_digits.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert captcha.spend(ref, "reset", BROWSER, digits, NOW)


def test_a_wrong_text_uses_it_up_for_the_right_one(context: Flask) -> None:
    ref = captcha.new("register", BROWSER, NOW)
    text = row_of(ref).image_text
    assert not captcha.spend(ref, "register", BROWSER, "wrong!", NOW)
    assert not captcha.spend(ref, "register", BROWSER, text, NOW)
    assert captcha.image(ref, NOW) is None
    assert captcha.sound(ref, "ar", NOW) is None


def test_one_forms_image_is_void_on_another_and_used_up_there(context: Flask) -> None:
    ref = captcha.new("reset", BROWSER, NOW)
    text = row_of(ref).image_text
    assert not captcha.spend(ref, "register", BROWSER, text, NOW)
    assert not captcha.spend(ref, "reset", BROWSER, text, NOW)


@pytest.mark.databases
def test_a_text_solved_in_another_browser_is_wrong_and_stays_good_in_its_own(
    context: Flask,
) -> None:
    ref = captcha.new("register", BROWSER, NOW)
    text = row_of(ref).image_text
    for other in ("", "another browser"):
        assert not captcha.spend(ref, "register", other, text, NOW)
    resealed = ref[:22] + captcha.new("register", "another browser", NOW)[22:]
    assert not captcha.spend(resealed, "register", "another browser", text, NOW)
    assert captcha.spend(ref, "register", BROWSER, text, NOW)


def test_it_lives_five_minutes_and_not_before_its_time(context: Flask) -> None:
    for moment in (NOW + captcha.LIFETIME, NOW - timedelta(minutes=3)):
        ref = captcha.new("register", BROWSER, NOW)
        text = row_of(ref).image_text
        assert captcha.image(ref, moment) is None
        assert not captcha.spend(ref, "register", BROWSER, text, moment)
    ref = captcha.new("register", BROWSER, NOW)
    last = NOW + captcha.LIFETIME - timedelta(seconds=1)
    assert captcha.spend(ref, "register", BROWSER, row_of(ref).image_text, last)


def test_picture_and_speech_are_made_for_a_living_reference_only(context: Flask) -> None:
    ref = captcha.new("register", BROWSER, NOW)
    picture = captcha.image(ref, NOW)
    assert picture is not None
    assert Image.open(io.BytesIO(picture)).format == "PNG"
    for lang in ("ar", "en"):
        speech = captcha.sound(ref, lang, NOW)
        assert speech is not None
        with wave.open(io.BytesIO(speech)) as sound:
            assert sound.getnframes() > 8000
    assert captcha.image("no-such-reference", NOW) is None


def test_a_strange_reference_or_text_is_simply_wrong(context: Flask) -> None:
    assert not captcha.spend("", "register", BROWSER, "", NOW)
    assert not captcha.spend("x" * 5000, "register", BROWSER, "٪" * 5000, NOW)


def test_the_fixed_text_of_automatic_tests_passes(make_app: Callable[..., Flask]) -> None:
    with make_app(captcha_fixed="TESTED").app_context():
        assert captcha.spend(
            captcha.new("register", BROWSER, NOW), "register", BROWSER, "TESTED", NOW
        )
        db.engine.dispose()


def test_sixty_images_a_minute_go_to_one_address(app: Flask) -> None:
    with app.test_request_context(environ_base={"REMOTE_ADDR": "10.0.0.1"}):
        ref = ""
        for _ in range(60):
            ref = captcha.new("register", BROWSER, NOW)
        with pytest.raises(TooManyTries):
            captcha.new("register", BROWSER, NOW)
        for _ in range(60):
            assert captcha.image(ref, NOW) is not None
        with pytest.raises(TooManyTries):
            captcha.image(ref, NOW)


@pytest.mark.databases
def test_one_right_text_sent_ten_times_at_once_passes_once(app: Flask) -> None:
    with app.app_context():
        ref = captcha.new("register", BROWSER, NOW)
        text = row_of(ref).image_text
    passed: list[int] = []

    def attempt(number: int) -> None:
        with app.app_context():
            if captcha.spend(ref, "register", BROWSER, text, NOW):
                passed.append(number)

    run_together(attempt, 10)
    assert len(passed) == 1


def test_image_texts_that_ended_are_purged(context: Flask) -> None:
    captcha.new("register", BROWSER, NOW)
    captcha.new("register", BROWSER, NOW + timedelta(minutes=4))
    assert captcha.purge(NOW + captcha.LIFETIME) == 1
