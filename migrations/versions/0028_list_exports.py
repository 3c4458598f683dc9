"""Lists that a job writes into workbooks.

Revision ID: 0028
Revises: 0027
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_INSTANT = sa.DateTime(timezone=True)
_STATUSES = "('failed', 'ready', 'refused', 'too_long', 'waiting')"


def upgrade() -> None:
    op.create_table(
        "list_export",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("list", sa.String(80), nullable=False),
        sa.Column("title", _JSON, nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("filters", sa.Text(), nullable=False),
        sa.Column("language", sa.String(40), nullable=False),
        sa.Column("scope", sa.String(64), nullable=False),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("written", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease", sa.String(40), nullable=True),
        sa.Column("leased_until", _INSTANT, nullable=True),
        sa.Column("expires_at", _INSTANT, nullable=True),
        sa.Column("storage_key", sa.String(80), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.CheckConstraint(f"status IN {_STATUSES}", name="ck_list_export_status"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_list_export_user_id"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_list_export_organisation_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_list_export"),
    )
    op.create_index("ix_list_export_user_id", "list_export", ["user_id"])


def downgrade() -> None:
    op.drop_table("list_export")
