"""Public keys that signed receipts of issued files.

Revision ID: 0034
Revises: 0033
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "receipt_key",
        sa.Column("kid", sa.String(40), nullable=False),
        sa.Column("x", sa.String(80), nullable=False),
        sa.Column("y", sa.String(80), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kid", name="pk_receipt_key"),
    )


def downgrade() -> None:
    op.drop_table("receipt_key")
