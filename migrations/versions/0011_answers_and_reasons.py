"""Answers to remarks, and reasons for voiding in both languages.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add why nothing had to change; void_reason may hold a ready reason in two languages now."""
    op.execute("ALTER TABLE remark ADD COLUMN answer TEXT")
    if op.get_bind().dialect.name == "postgresql":  # SQLite ignores lengths
        op.execute("ALTER TABLE issued_document ALTER COLUMN void_reason TYPE TEXT")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE issued_document ALTER COLUMN void_reason TYPE VARCHAR(250)"
            " USING left(void_reason, 250)"
        )
    op.execute("ALTER TABLE remark DROP COLUMN answer")
