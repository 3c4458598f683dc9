"""Whether a user wants single keys in lists.

Revision ID: 0025
Revises: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column in place: with a constant default neither database rewrites the rows."""
    column = sa.Column("uses_keys", sa.Boolean(), nullable=False, server_default=sa.true())
    op.add_column("user", column)


def downgrade() -> None:
    op.execute('ALTER TABLE "user" DROP COLUMN uses_keys')
