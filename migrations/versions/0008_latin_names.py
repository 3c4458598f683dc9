"""Names of users and registrations in Latin letters.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ('"user"', "registration")


def upgrade() -> None:
    """Add the columns in place: with a constant default neither database rewrites the rows."""
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ADD COLUMN latin_name VARCHAR(80) NOT NULL DEFAULT ''")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN latin_name")
