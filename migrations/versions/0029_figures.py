"""Summaries for the dashboard.

Revision ID: 0029
Revises: 0028
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "figure",
        sa.Column("span", sa.String(10), nullable=False),
        sa.Column("dimension", sa.String(20), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("measure", sa.String(20), nullable=False),
        sa.Column("value", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "span", "dimension", "start", "key", "measure", "value", name="pk_figure"
        ),
    )
    state = op.create_table(
        "figure_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("complete_through", sa.Date(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("holidays", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("reported", sa.Date(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_figure_state_single")),
        sa.PrimaryKeyConstraint("id", name="pk_figure_state"),
    )
    op.bulk_insert(state, [{"id": 1, "holidays": []}])


def downgrade() -> None:
    op.drop_table("figure_state")
    op.drop_table("figure")
