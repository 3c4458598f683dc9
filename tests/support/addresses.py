"""Addresses made of the rules of the URL map."""

from __future__ import annotations

import re


def filled(rule: str, value: str, word: str | None = None) -> str:
    """Return an address of a rule, with the first of what it lists.

    value: in the place of its arguments. word: for those that are no numbers, if not the same.
    """
    listed = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule)
    numbered = re.sub(r"<int:\w+>", value, listed)
    return re.sub(r"<(?:\w+:)?\w+>", value if word is None else word, numbered)
