"""Requests may have any status that a flow of an extension registers.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NAME = "ck_request_status"
CHECK = (
    "status IN ('absent', 'approved', 'awaiting_broker', 'awaiting_other_party', 'confirmed', "
    "'declined', 'draft', 'failed', 'lapsed', 'passed', 'preapproved', 'rejected', 'returned', "
    "'seated', 'submitted', 'under_review', 'withdrawn')"
)


def upgrade() -> None:
    """Drop the list of statuses; the application refuses those that no flow registers."""
    if op.get_context().dialect.name == "postgresql":
        op.drop_constraint(op.f(NAME), "request", type_="check")
    else:
        _rewrite(f", CONSTRAINT {NAME} CHECK ({CHECK})", "")


def downgrade() -> None:
    """List them again; fails while a request has another one."""
    if op.get_context().dialect.name == "postgresql":
        op.create_check_constraint(op.f(NAME), "request", CHECK)
    else:
        known = ", CONSTRAINT ck_request_number_when_sent"
        _rewrite(known, f", CONSTRAINT {NAME} CHECK ({CHECK}){known}")


def _rewrite(old: str, new: str) -> None:
    """Change the table's text in place, as SQLite's documentation says for CHECK constraints.

    Rebuilding the table would be slow and lose its triggers.
    """
    connection = op.get_bind()
    version = connection.scalar(text("PRAGMA schema_version"))
    sql = connection.scalar(text("SELECT sql FROM sqlite_schema WHERE name = 'request'"))
    squeezed = " ".join(sql.split())
    if old not in squeezed:
        raise RuntimeError(f"the table request is not as migration {down_revision} left it")
    connection.execute(text("PRAGMA writable_schema = ON"))
    connection.execute(
        text("UPDATE sqlite_schema SET sql = :sql WHERE type = 'table' AND name = 'request'"),
        {"sql": squeezed.replace(old, new)},
    )
    connection.execute(text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(text("PRAGMA writable_schema = RESET"))
