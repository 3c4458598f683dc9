"""What an answer costs, as a stranger could time it: hashes, writings and statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask

from tests.support.statements import statements_of


def count_hashes(patch: pytest.MonkeyPatch) -> dict[str, int]:
    """Begin to count the hashes that are made or compared, under "hashes"."""
    cost = {"hashes": 0}

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            cost["hashes"] += 1
            return function(*args, **kwargs)

        return call

    for name in ("verify", "hash"):
        patch.setattr(PasswordHasher, name, counted(getattr(PasswordHasher, name)))
    return cost


@contextmanager
def costs_of(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """What the block costs, known after it.

    "writings" (each waits for the disk), "hashes", and "statements" of every kind.
    """
    with monkeypatch.context() as patch, statements_of(app) as sent:
        cost = count_hashes(patch)
        yield cost
        cost["writings"] = sent.count("BEGIN IMMEDIATE")
        cost["statements"] = len(sent)
