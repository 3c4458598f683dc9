"""Versions say whether they change words alone and when drafts move to them.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import clearance.models.base

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "service_version",
        sa.Column("is_text_revision", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("service_version", sa.Column("drafts_move_on", sa.Date(), nullable=True))
    op.add_column("request", sa.Column("moved", clearance.models.base.Json, nullable=True))


def downgrade() -> None:
    op.drop_column("request", "moved")
    op.drop_column("service_version", "drafts_move_on")
    op.drop_column("service_version", "is_text_revision")
