"""Drafts of service definitions, with the changes that can be undone.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_json = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "service_draft",
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("document", _json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("base_version_id", sa.Integer()),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_service_draft"),
        sa.ForeignKeyConstraint(
            ["base_version_id"],
            ["service_version.id"],
            name="fk_service_draft_base_version_id_service_version",
        ),
        sa.ForeignKeyConstraint(
            ["changed_by_id"], ["user.id"], name="fk_service_draft_changed_by_id_user"
        ),
    )
    op.create_table(
        "service_draft_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft_code", sa.String(40), nullable=False),
        sa.Column("changes", _json, nullable=False),
        sa.Column("is_undone", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_service_draft_change"),
        sa.ForeignKeyConstraint(
            ["draft_code"],
            ["service_draft.code"],
            name="fk_service_draft_change_draft_code_service_draft",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_service_draft_change_draft", "service_draft_change", ["draft_code", "id"])


def downgrade() -> None:
    op.drop_table("service_draft_change")
    op.drop_table("service_draft")
