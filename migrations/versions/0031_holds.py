"""Work that is held: sending after a restore, removing files during a backup.

Revision ID: 0031
Revises: 0030
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from clearance.models.base import UtcDateTime

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hold",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("why", sa.String(250), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_hold"),
    )


def downgrade() -> None:
    op.drop_table("hold")
