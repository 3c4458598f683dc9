"""The names of an organisation's requests by the index, and what PostgreSQL knows of open requests.

An agent's search for a frequent name read all requests of the organisation, or all of that name.

PostgreSQL took the columns that say that a request waits for the office for independent of each
other, expected a tenth of the requests that wait, and sorted them all for each page of a queue.
`ix_event_actor` goes: no statement looks for events by who did them.

Revision ID: 0033
Revises: 0032
"""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

INDEX = "request_names"


def upgrade() -> None:
    op.drop_index("ix_event_actor", "event")
    if _is_sqlite():
        _drop_on_sqlite()
        _make_on_sqlite("", "2 3 4 5 6 7", "{row}name_folded || ' ŋ' || {row}organisation_id")
        return
    op.drop_index(f"ix_{INDEX}", "request")
    text = "name_folded || ' ŋ' || CAST(organisation_id AS VARCHAR)"
    op.execute(
        f"CREATE INDEX ix_{INDEX} ON request USING gin (to_tsvector('simple'::regconfig, {text}))"
    )
    op.execute(
        "CREATE STATISTICS request_undecided (mcv) ON decided_at, due_on, team_code FROM request"
    )
    op.execute("ANALYZE request")


def downgrade() -> None:
    op.create_index("ix_event_actor", "event", ["actor_id", "id"])
    if _is_sqlite():
        _drop_on_sqlite()
        _make_on_sqlite("request", "2 3 4 5", "{row}name_folded")
        return
    op.execute("DROP STATISTICS request_undecided")
    op.drop_index(f"ix_{INDEX}", "request")
    op.execute(
        f"CREATE INDEX ix_{INDEX} ON request "
        "USING gin (to_tsvector('simple'::regconfig, name_folded))"
    )


def _is_sqlite() -> bool:
    return bool(op.get_context().dialect.name == "sqlite")


def _drop_on_sqlite() -> None:
    for verb in ("insert", "update", "delete"):
        op.execute(f"DROP TRIGGER {INDEX}_{verb}")
    op.execute(f"DROP TABLE {INDEX}")


def _make_on_sqlite(content: str, prefixes: str, text: str) -> None:
    """Make the full-text index of a text, fill it, and keep it by triggers.

    content: the table that has the text, if one has. prefixes: how many first letters are found at
    once. For more, SQLite unites the rows of every longer word before it gives the first; most
    family names have six or seven letters.
    """
    op.execute(
        f"CREATE VIRTUAL TABLE {INDEX} USING fts5(name_folded, content='{content}', "
        "content_rowid='id', tokenize='unicode61 remove_diacritics 0', "
        f"prefix='{prefixes}', detail=none, columnsize=0)"
    )
    own, new, old = (text.format(row=row) for row in ("", "new.", "old."))
    op.execute(f"INSERT INTO {INDEX}(rowid, name_folded) SELECT id, {own} FROM request")
    add = f"INSERT INTO {INDEX}(rowid, name_folded) VALUES (new.id, {new});"
    remove = f"INSERT INTO {INDEX}({INDEX}, rowid, name_folded) VALUES ('delete', old.id, {old});"
    changed = f"OF name_folded, organisation_id ON request WHEN {old} <> {new}"
    for verb, moment, work in (
        ("insert", "INSERT ON request", add),
        ("update", f"UPDATE {changed}", remove + add),
        ("delete", "DELETE ON request", remove),
    ):
        op.execute(f"CREATE TRIGGER {INDEX}_{verb} AFTER {moment} BEGIN {work} END")
