"""The image text drawn and spoken."""

import array
import io
import wave
from itertools import pairwise

import pytest
from PIL import Image

from clearance.auth import captcha
from clearance.auth.captcha import ALPHABET, draw_image, new_digits, new_text, speak


def samples_of(recording: bytes) -> array.array:
    with wave.open(io.BytesIO(recording)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 8000)
        return array.array("h", sound.readframes(sound.getnframes()))


def test_texts_are_six_characters_nobody_confuses() -> None:
    assert ALPHABET == "ABDEFGHLMNRTabdefhmnrt2345678"
    texts = {new_text() for _ in range(500)}
    assert len(texts) > 490
    assert all(len(text) == 6 for text in texts)
    assert set("".join(texts)) == set(ALPHABET)


def test_spoken_answers_are_six_digits() -> None:
    digits = [new_digits() for _ in range(300)]
    assert all(len(d) == 6 and d.isascii() and d.isdigit() for d in digits)
    assert set("".join(digits)) == set("0123456789")


def test_the_picture_is_a_png_with_dark_letters_across_light_paper() -> None:
    picture = Image.open(io.BytesIO(draw_image("ABdef4")))
    assert (picture.format, picture.size) == ("PNG", (240, 80))
    grey = picture.convert("L")
    dark = grey.point(lambda value: 255 if value < 110 else 0)
    left, _top, right, _bottom = dark.getbbox()
    assert left < 60
    assert right > 180
    assert 0.05 < sum(dark.histogram()[255:]) / (240 * 80) < 0.5
    assert grey.getpixel((0, 0)) > 200 or grey.getpixel((239, 79)) > 200


def test_the_picture_is_drawn_anew_and_carries_no_text() -> None:
    first, second = draw_image("ABdef4"), draw_image("ABdef4")
    assert first != second
    assert b"ABdef4" not in first
    assert Image.open(io.BytesIO(first)).info == {}


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_each_language_reads_all_ten_digits_aloud(lang: str) -> None:
    alone = [len(samples_of(speak(digit, lang))) / 8000 for digit in "0123456789"]
    assert all(1 < seconds < 2.5 for seconds in alone)
    every = samples_of(speak("0123456789", lang))
    assert max(every) > 15_000
    assert 8 < len(every) / 8000 < 20


def test_the_two_languages_have_voices_of_their_own_and_others_hear_english() -> None:
    recordings = {
        (lang, digit): captcha._digit_samples(digit, lang).tobytes()
        for lang in ("ar", "en")
        for digit in "0123456789"
    }
    assert len(set(recordings.values())) == 20
    assert len(samples_of(speak("7", "fr"))) > 8000


def test_words_are_apart_by_pauses_of_soft_noise() -> None:
    spoken = samples_of(speak("11", "ar"))
    windows = [
        max(abs(v) for v in spoken[at : at + 400]) for at in range(0, len(spoken) - 400, 400)
    ]
    loud = [level > 1500 for level in windows]
    assert sum(1 for before, now in pairwise([False, *loud]) if now and not before) >= 2
    assert 0 < min(windows) < 1000


def test_no_two_recordings_of_the_same_digits_are_alike() -> None:
    assert speak("123456", "ar") != speak("123456", "ar")


@pytest.mark.parametrize("text", ["", "12a", "١٢", "../1", "²"])
def test_only_digits_are_spoken(text: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        speak(text, "ar")
