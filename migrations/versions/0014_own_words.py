"""Notices in a service's own words.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column in place: rebuilding the table would be slow."""
    json = "JSONB" if op.get_context().dialect.name == "postgresql" else "JSON"
    op.execute(f"ALTER TABLE notice ADD COLUMN wording {json}")


def downgrade() -> None:
    op.execute("ALTER TABLE notice DROP COLUMN wording")
