"""YAML of strangers: what is read, and what is refused in a sentence with its line."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest
import yaml
from flask import Flask
from flask_babel import force_locale

from clearance.core import foreign_yaml
from clearance.core.foreign_yaml import BadYaml
from tests.support.properties import examples

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + step)}: &{chr(98 + step)} [{', '.join([f'*{chr(97 + step)}'] * 9)}]\n"
    for step in range(9)
)
DEEPER_BY_ALIASES = "\n".join(
    f"k{step}: &k{step} {'[' * 30}{f'*k{step - 1}' if step else 'x'}{']' * 30}" for step in (0, 1)
)


@pytest.fixture(autouse=True)
def english(app: Flask) -> Iterator[None]:
    with app.test_request_context(), force_locale("en"):
        yield


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("\ufeffa: 1", {"a": 1}),
        ("a: 2027-01-01", {"a": "2027-01-01"}),
        ("a: [yes, ~, 1.5, 0x10, '7', \"\\u0628\"]", {"a": [True, None, 1.5, 16, "7", "ب"]}),
        ("on: 1\nno: 2", {"on": 1, "no": 2}),
        ("a: &a [1]\nb: *a", {"a": [1], "b": [1]}),
        ("<<: {a: 1}", {"<<": {"a": 1}}),
        ("!!str 5", "5"),
    ],
)
def test_plain_values_are_read(text: str, value: Any) -> None:
    assert foreign_yaml.read(text.encode()) == value


def test_what_an_alias_repeats_is_a_value_of_its_own() -> None:
    found = foreign_yaml.read(b"a: &a [1]\nb: *a")
    found["a"].append(2)
    assert found["b"] == [1]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: [", 3, "This is not valid YAML."),
        ("a: 1\nb: 2\na: 3", 3, "“a” is given twice."),
        ("a: 1\nb: !!python/object:os.system {}", 2, "This tag"),
        ("!python x", 1, "This tag"),
        ("a: !!binary aGk=", 1, "This tag"),
        ("a: !!set {x}", 1, "This tag"),
        ("!!int a: 1", 1, "This tag"),
        ("a:\n  - .nan", 2, "This is not a number, or it is too large."),
        ("a: -.inf", 1, "This is not a number, or it is too large."),
        ("a: " + "9" * 16, 1, "This is not a number, or it is too large."),
        ("a: " + "9" * 5000, 1, "This is not a number, or it is too large."),
        ("a: !!int x", 1, "This value cannot be read."),
        ("a: !!bool x", 1, "This value cannot be read."),
        ("a: 1\n\nb: x\x00", 3, "There is an invisible character."),
        ("a: 1\nb: \u202e1", 2, "There is an invisible character."),
        ('a: 1\nb: "\\0"', 2, "There is an invisible character."),
        ('a: 1\n"\\u200f": 1', 2, "There is an invisible character."),
        ("a: 1\nb: x\u3164", 2, "There is an invisible character."),
        ('a: "\\ud800"', 1, "This is not valid YAML."),
        ("--- 1\n--- 2", 2, "A second document begins here."),
        ("? [a]\n: 1", 1, "A name must be plain text."),
        ("a: *b", 1, "Nothing before this line is named “b”."),
        ("a: &a [*a]", 1, "Nothing before this line is named “a”."),
        ("&a a: 1\n? *a\n: 2", 2, "Nothing before this line is named “a”."),
        ("a: " + "[" * 41 + "]" * 41, 1, "This is nested too deeply."),
        ("[" * 200_000, 1, "This is nested too deeply."),
        ("- " * 200_000, 1, "This is nested too deeply."),
        (DEEPER_BY_ALIASES, 2, "This is nested too deeply."),
        (BOMB, 6, "The file has too many values."),
        ("- a\n" * 100_001, 100_000, "The file has too many values."),
    ],
)
def test_anything_else_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(BadYaml) as refused:
        foreign_yaml.read(text.encode("utf-8", "surrogatepass"))
    assert str(refused.value).startswith(f"Line {line}: {words}")


def test_the_last_of_what_is_allowed_is_read() -> None:
    assert foreign_yaml.read(b"[" * 40 + b"]" * 40)
    assert len(foreign_yaml.read(b"- a\n" * 99_999)) == 99_999


def test_a_file_that_is_too_large_or_in_another_encoding_is_refused() -> None:
    for data, words in (
        (b"x" * (foreign_yaml.MOST_BYTES + 1), "The file is too large. The limit is 1024 KB."),
        (b"a: 1\nb: \xc8", "Line 2: Save the file as UTF-8."),
        ("a: 1".encode("utf-16"), "Line 1: Save the file as UTF-8."),
    ):
        with pytest.raises(BadYaml) as refused:
            foreign_yaml.read(data)
        assert str(refused.value) == words


_PIECES = st.sampled_from(
    [*"[]{},:-?&*!|>%@`'\"#\n \t\\\x00\u202e", "&a", "*a", "!!int ", ": ", "\n- ", "---\n", "...\n"]
    + ["a", "b", "1", ".nan", "~", "<<", "\n  "]
)


@examples(max_examples=300)
@hypothesis.given(st.one_of(st.binary(max_size=60), st.lists(_PIECES, max_size=40).map("".join)))
def test_whatever_is_given_only_its_own_error_is_raised(given: bytes | str) -> None:
    with contextlib.suppress(BadYaml):
        foreign_yaml.read(given if isinstance(given, bytes) else given.encode())


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**14), 10**14) | st.text("aب 1:-#\n'", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("aب1", max_size=4), inner),
    max_leaves=12,
)


@examples(max_examples=100)
@hypothesis.given(_VALUES)
def test_what_is_written_reads_as_the_same(value: Any) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=100)
    assert foreign_yaml.read(text.encode()) == value


def test_a_number_as_long_as_the_file_takes_no_time() -> None:
    """YAML 1.1 counts 1:30:00 in base 60, at a cost that grows with the square of its length."""
    began = time.process_time()
    with pytest.raises(BadYaml, match="Line 1: This is not a number"):
        foreign_yaml.read(("a: " + ":".join(["1"] * 400_000)).encode())
    assert time.process_time() - began < 5
