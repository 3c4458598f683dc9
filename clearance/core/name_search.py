"""Conditions that find rows by the words of a name or the beginning of a number, by an index.

`name_folded` has the texts of `name_folding.name_index`. Their indexes are made by a migration: on
SQLite a full-text table `<table>_names`, kept by triggers; on PostgreSQL the index
`ix_<table>_names`. So are the indexes `ix_…_search`, of expressions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.core.name_folding import TypedWord, typed_words

INDEXED = ("request", "broker", "user", "organisation")
"""The tables whose names are indexed."""
_ESCAPE = "\\"
_REGCONFIG: sa.ColumnElement[Any] = sa.literal_column("'simple'::regconfig")


def condition(model: Any, typed: str) -> sa.ColumnElement[bool] | None:
    """Return the condition on `model` for the words typed; None if there are none.

    Every word must begin a word of the name, or spell one, in any order. Signs alone match nothing.
    """
    words = typed_words(typed)
    if not words:
        return None
    if not has_letters(words):
        return sa.false()
    indexed, rechecked = split(words)
    by_index = (
        model.id.in_(sqlite_ids(model, indexed)) if is_sqlite() else on_postgresql(model, indexed)
    )
    return sa.and_(by_index, *(like(model, word) for word in rechecked))


def starts_with(text: Any, beginning: str) -> sa.ColumnElement[bool]:
    """Return the condition that `text` begins so, as a range that an index in byte order finds."""
    compared = text if is_sqlite() else sa.collate(text, "C")
    found: sa.ColumnElement[bool] = sa.and_(
        compared >= beginning, compared < f"{beginning}{chr(sys.maxunicode)}"
    )
    return found


def has_letters(words: Iterable[TypedWord]) -> bool:
    """Return whether there is a letter or digit among the words."""
    return any(char.isalnum() for word in words for start in word.starts for char in start)


def split(words: Sequence[TypedWord]) -> tuple[list[TypedWord], list[TypedWord]]:
    """Return the words to look up in an index, and those to check again in what is found.

    The indexes know letters and digits only, so that a word with other signs finds too much.
    """
    plain = [word for word in words if all(start.isalnum() for start in word.starts)]
    lettered = [word for word in words if has_letters([word])]
    return lettered, [word for word in words if word not in plain]


def like(model: Any, word: TypedWord) -> sa.ColumnElement[bool]:
    """Return the condition for one word without an index."""
    starts = sa.and_(*(_contains(model, f" {start}") for start in word.starts))
    return sa.or_(starts, *(_contains(model, f" {key} ") for key in word.keys))


def sqlite_ids(model: Any, words: Sequence[TypedWord]) -> sa.Select[Any]:
    """Select the ids of the rows with all words from SQLite's index, in no order."""
    index = sa.table(f"{model.__tablename__}_names", sa.column("rowid", sa.Integer))

    def begins(start: str) -> str:
        parts = "".join(char if char.isalnum() else " " for char in start).split()
        return " AND ".join(f'"{part}"*' for part in parts)

    query = _query(words, begins, '"{}"', " AND ", " OR ")
    fits = sa.literal_column(index.name).op("MATCH")(query)
    return sa.select(index.c.rowid.label("id")).where(fits)


def on_postgresql(model: Any, words: Sequence[TypedWord]) -> sa.ColumnElement[bool]:
    """Return the condition for all words by PostgreSQL's index, which parses the query alike."""

    def begins(start: str) -> str:
        escaped = start.replace("\\", "\\\\").replace("'", "''")
        return f"'{escaped}':*"

    query = _query(words, begins, "'{}'", " & ", " | ")
    lexemes = sa.func.to_tsvector(_REGCONFIG, model.name_folded)
    return lexemes.op("@@")(sa.func.to_tsquery(_REGCONFIG, query))


def is_sqlite() -> bool:
    """Return whether the database is SQLite."""
    return db.session.get_bind().dialect.name == "sqlite"


def _query(
    words: Iterable[TypedWord],
    begins: Callable[[str], str],
    equals: str,
    every: str,
    some: str,
) -> str:
    """Return the full-text query in a database's syntax."""
    parts = []
    for word in words:
        starts = every.join(filter(None, map(begins, word.starts)))
        choices = [f"({starts})", *(equals.format(key) for key in word.keys)]
        parts.append(f"({some.join(choices)})")
    return every.join(parts)


def _contains(model: Any, text: str) -> sa.ColumnElement[bool]:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found: sa.ColumnElement[bool] = model.name_folded.like(f"%{escaped}%", escape=_ESCAPE)
    return found
