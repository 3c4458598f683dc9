"""Views of lists under a name, columns of one's own, roomy rows; requests by due date.

Revision ID: 0027
Revises: 0026
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import clearance.models.base

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_name", sa.String(40), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("state", clearance.models.base.Json, nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name="fk_saved_view_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
        sa.UniqueConstraint("owner_id", "list_name", "name", name="uq_saved_view_name"),
    )
    op.create_index("ix_saved_view_list", "saved_view", ["list_name", "is_shared"])
    op.create_table(
        "list_layout",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("list_name", sa.String(40), nullable=False),
        sa.Column("columns", clearance.models.base.Json, nullable=True),
        sa.Column("view_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_list_layout_user_id"),
        sa.ForeignKeyConstraint(
            ["view_id"], ["saved_view.id"], name="fk_list_layout_view_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("user_id", "list_name", name="pk_list_layout"),
    )
    op.create_index("ix_list_layout_view_id", "list_layout", ["view_id"])
    op.add_column(
        "user",
        sa.Column("has_roomy_lists", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_index(
        "ix_request_due_order", "request", [sa.text("coalesce(due_on, '9999-12-31')"), "id"]
    )


def downgrade() -> None:
    op.drop_index("ix_request_due_order", "request")
    op.drop_column("user", "has_roomy_lists")
    op.drop_table("list_layout")
    op.drop_table("saved_view")
