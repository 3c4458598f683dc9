"""Answers to remarks, and reasons for voiding in both languages.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SHORT, LONG = "void_reason VARCHAR(250)", "void_reason TEXT"


def upgrade() -> None:
    """Add why nothing had to change; void_reason may hold a ready reason in two languages now."""
    op.execute("ALTER TABLE remark ADD COLUMN answer TEXT")
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE issued_document ALTER COLUMN void_reason TYPE TEXT")
    else:
        _rewrite(SHORT, LONG)


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE issued_document ALTER COLUMN void_reason TYPE VARCHAR(250)"
            " USING left(void_reason, 250)"
        )
    else:
        _rewrite(LONG, SHORT)
    op.execute("ALTER TABLE remark DROP COLUMN answer")


def _rewrite(old: str, new: str) -> None:
    """Change the table's text in place: both types hold the same in SQLite, rebuilding is slow."""
    connection = op.get_bind()
    version = connection.scalar(text("PRAGMA schema_version"))
    which = "WHERE type = 'table' AND name = 'issued_document'"
    sql = connection.scalar(text(f"SELECT sql FROM sqlite_schema {which}"))
    if old not in sql:
        raise RuntimeError("the table issued_document is not as the last migration left it")
    connection.execute(text("PRAGMA writable_schema = ON"))
    connection.execute(
        text(f"UPDATE sqlite_schema SET sql = :sql {which}"), {"sql": sql.replace(old, new)}
    )
    connection.execute(text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(text("PRAGMA writable_schema = RESET"))
