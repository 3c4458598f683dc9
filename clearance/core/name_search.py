"""Conditions that find rows by the words of a name or the beginning of a number, by an index.

`name_folded` has the texts of `name_folding.name_index`. Their indexes are made by a migration: on
SQLite a full-text table `<table>_names`, kept by triggers; on PostgreSQL the index
`ix_<table>_names`. That of requests has the organisation as a further word, so that the names of
one organisation are found among very many. So are the indexes `ix_…_search`, of expressions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.core.name_folding import TypedWord, typed_words

INDEXED = ("request", "broker", "user", "organisation")
"""The tables whose names are indexed."""
_AT_ONCE = 7  # first letters that SQLite's index of requests finds without uniting longer words
_ORGANISATION = "ŋ"  # a letter that no name here has, before the organisation's id
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

    The indexes know letters and digits only, and SQLite's the first letters at once, so that a word
    with other signs, or a long one, finds too much.
    """
    longest = _AT_ONCE if is_sqlite() else sys.maxsize
    plain = [
        word
        for word in words
        if all(start.isalnum() and len(start) <= longest for start in word.starts)
    ]
    lettered = [word for word in words if has_letters([word])]
    return lettered, [word for word in words if word not in plain]


def like(model: Any, word: TypedWord) -> sa.ColumnElement[bool]:
    """Return the condition for one word without an index.

    PostgreSQL takes it to be met often, so that it follows the order of a list.
    """
    starts = sa.and_(*(_contains(model, f" {start}") for start in word.starts))
    return sa.or_(starts, *(_contains(model, f" {key} ") for key in word.keys))


def sqlite_ids(model: Any, words: Sequence[TypedWord]) -> sa.Select[Any]:
    """Select the ids of the rows with all words from SQLite's index, in no order."""
    index = sa.table(f"{model.__tablename__}_names", sa.column("rowid", sa.Integer))

    def begins(start: str) -> str:
        parts = "".join(char if char.isalnum() else " " for char in start).split()
        return " AND ".join(f'"{part[:_AT_ONCE]}"*' for part in parts)

    query = _query(words, begins, '"{}"', " AND ", " OR ")
    fits = sa.literal_column(index.name).op("MATCH")(query)
    return sa.select(index.c.rowid.label("id")).where(fits)


def on_postgresql(model: Any, words: Sequence[TypedWord]) -> sa.ColumnElement[bool]:
    """Return the condition for all words by PostgreSQL's index, which parses the query alike."""

    def begins(start: str) -> str:
        escaped = start.replace("\\", "\\\\").replace("'", "''")
        return f"'{escaped}':*"

    query = _query(words, begins, "'{}'", " & ", " | ")
    lexemes = sa.func.to_tsvector(_REGCONFIG, _indexed_text(model))
    return lexemes.op("@@")(sa.func.to_tsquery(_REGCONFIG, query))


def of_organisation(organisation_id: int) -> TypedWord:
    """Return the word that only the index of an organisation's requests has."""
    return TypedWord((), (f"{_ORGANISATION}{organisation_id}",))


def some_ids(model: Any, words: Sequence[TypedWord], most: int) -> tuple[str, int]:
    """Return the ids that the index of names finds, for `among`, and how many.

    `most` + 1 means more, of which they are some.
    """
    if is_sqlite():
        found: Any = sqlite_ids(model, words).limit(most + 1).subquery()
        collected: Any = sa.func.json_group_array(found.c.id)
    else:
        # PostgreSQL takes any beginning of a word to be frequent, and would look for it in all
        # rows. What it has to keep as a whole it finds by the index.
        matching = sa.select(model.id).where(on_postgresql(model, words)).cte("matching")
        kept = matching.prefix_with("MATERIALIZED")
        found = sa.select(kept.c.id).limit(most + 1).subquery()
        collected = sa.cast(sa.func.array_agg(found.c.id), sa.String)
    count, ids = db.session.execute(sa.select(sa.func.count(), collected)).one()
    return ids or written([]), count


def among(column: Any, ids: str) -> sa.ColumnElement[bool]:
    """Return the condition that `column` is one of the ids, as `written` or `some_ids` has them."""
    if is_sqlite():
        each = sa.func.json_each(ids).table_valued("value").c.value
        return cast(sa.ColumnElement[bool], column.in_(sa.select(each)))
    chosen = sa.cast(sa.literal(ids, sa.String), sa.ARRAY(sa.Integer))
    return cast(sa.ColumnElement[bool], column == sa.any_(chosen))


def written(ids: Sequence[int]) -> str:
    """Return the ids as one text that the database takes apart: one value, however many."""
    opening, closing = "[]" if is_sqlite() else "{}"
    return f"{opening}{','.join(map(str, ids))}{closing}"


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
        keys = [equals.format(key) for key in word.keys]
        choices = [f"({starts})", *keys] if starts else keys
        parts.append(f"({some.join(choices)})")
    return every.join(parts)


def _indexed_text(model: Any) -> sa.ColumnElement[str]:
    """Return the text that PostgreSQL's index is of, as the migration writes it."""
    names: sa.ColumnElement[str] = model.name_folded
    if model.__tablename__ != "request":
        return names
    sign: sa.ColumnElement[str] = sa.literal_column(f"' {_ORGANISATION}'", sa.String)
    return names + sign + sa.cast(model.organisation_id, sa.String)


def _contains(model: Any, text: str) -> sa.ColumnElement[bool]:
    find = sa.func.instr if is_sqlite() else sa.func.strpos
    found: sa.ColumnElement[bool] = find(model.name_folded, text) > 0
    return found
