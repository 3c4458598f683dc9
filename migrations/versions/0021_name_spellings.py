"""Names by their spellings, and indexes by which searches find every kind of row.

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from clearance.core import name_folding

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BATCH = 5_000
_PARTS = tuple(f"name_{lang}_{place}" for lang in ("ar", "en") for place in range(1, 5))
NAMES = {
    "request": _PARTS,
    "broker": _PARTS,
    "user": ("first_name", "last_name", "latin_name"),
    "organisation": ("name_ar", "name_en"),
}
_LETTERS = "'ABCDEFGHIJKLMNOPQRSTUVWXYZ-'"
_GUARANTEE = "upper(guarantee_no)"
for _sign in " /-.":
    _GUARANTEE = f"replace({_GUARANTEE}, '{_sign}', '')"
# Name → table, expression, whether it is compared in byte order.
EXPRESSIONS = {
    "ix_licence_number_search": ("licence", f"ltrim(upper(number), {_LETTERS})", False),
    "ix_licence_guarantee_search": ("licence", f"ltrim({_GUARANTEE}, {_LETTERS})", True),
    "ix_broker_mobile_search": ("broker", "mobile", False),
    "ix_broker_passport_search": ("broker", "passport_no", True),
    "ix_user_email_search": ('"user"', "email", True),
    "ix_organisation_licence_search": ("organisation", "upper(licence_no)", False),
}


def upgrade() -> None:
    _drop_index("request")
    for table, parts in NAMES.items():
        _refill(table, parts)
        _make_index(table)
    for name, (table, expression, is_bytewise) in EXPRESSIONS.items():
        order = ' COLLATE "C"' if is_bytewise and not _is_sqlite() else ""
        op.execute(f"CREATE INDEX {name} ON {table} (({expression}){order})")


def downgrade() -> None:
    """Take the spellings away; words without their articles stay and do no harm."""
    for name in EXPRESSIONS:
        op.execute(f"DROP INDEX {name}")
    for table in NAMES:
        _drop_index(table)
        for sign in "þð":
            place = f"instr(name_folded, ' {sign}')"
            if not _is_sqlite():
                place = f"strpos(name_folded, ' {sign}')"
            op.execute(
                f'UPDATE "{table}" SET name_folded = substr(name_folded, 1, {place} - 1) '
                f"WHERE {place} > 0"
            )
    _make_index("request", prefixes="2 3")


def _is_sqlite() -> bool:
    return bool(op.get_context().dialect.name == "sqlite")


def _refill(table: str, parts: Sequence[str]) -> None:
    names = ", ".join(parts)
    update = sa.text(f'UPDATE "{table}" SET name_folded = :folded WHERE id = :id')
    for rows in _batches(
        f'SELECT id, {names} FROM "{table}" WHERE id > :last ORDER BY id LIMIT :n'
    ):
        folded = [{"id": row[0], "folded": name_folding.name_index(*row[1:])} for row in rows]
        op.get_bind().execute(update, folded)


def _batches(query: str) -> Iterator[Sequence[Any]]:
    last = 0
    while rows := op.get_bind().execute(sa.text(query), {"last": last, "n": BATCH}).all():
        yield rows
        last = rows[-1][0]


def _make_index(table: str, prefixes: str = "2 3 4 5") -> None:
    """Create the full-text index of a table's names, specific to each database, and fill it.

    prefixes: how many first letters SQLite finds at once. Most Arabic names have four or five:
    without them it unites the rows of every longer word, which took ten times as long.
    """
    index = f"{table}_names"
    if not _is_sqlite():
        op.execute(
            f'CREATE INDEX ix_{index} ON "{table}" '
            "USING gin (to_tsvector('simple'::regconfig, name_folded))"
        )
        return
    op.execute(
        f"CREATE VIRTUAL TABLE {index} USING fts5(name_folded, content='{table}', "
        "content_rowid='id', tokenize='unicode61 remove_diacritics 0', "
        f"prefix='{prefixes}', detail=none, columnsize=0)"
    )
    op.execute(f"INSERT INTO {index}({index}) VALUES ('rebuild')")
    add = f"INSERT INTO {index}(rowid, name_folded) VALUES (new.id, new.name_folded);"
    remove = (
        f"INSERT INTO {index}({index}, rowid, name_folded) "
        "VALUES ('delete', old.id, old.name_folded);"
    )
    changed = f'OF name_folded ON "{table}" WHEN old.name_folded <> new.name_folded'
    for verb, moment, work in (
        ("insert", f'INSERT ON "{table}"', add),
        ("update", f"UPDATE {changed}", remove + add),
        ("delete", f'DELETE ON "{table}"', remove),
    ):
        op.execute(f"CREATE TRIGGER {index}_{verb} AFTER {moment} BEGIN {work} END")


def _drop_index(table: str) -> None:
    index = f"{table}_names"
    if not _is_sqlite():
        op.execute(f"DROP INDEX ix_{index}")
        return
    for verb in ("insert", "update", "delete"):
        op.execute(f"DROP TRIGGER {index}_{verb}")
    op.execute(f"DROP TABLE {index}")
