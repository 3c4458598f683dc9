"""Teams of reviewers, with the first one, and the teams that an invitation leads to.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    teams = op.create_table(
        "team",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name_ar", sa.String(length=150), nullable=False),
        sa.Column("name_en", sa.String(length=150), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_team")),
    )
    op.create_table(
        "team_member",
        sa.Column("team_code", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_code"],
            ["team.code"],
            name=op.f("fk_team_member_team_code"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_team_member_user_id")),
        sa.PrimaryKeyConstraint("team_code", "user_id", name=op.f("pk_team_member")),
    )
    op.create_index(op.f("ix_team_member_user_id"), "team_member", ["user_id"])
    first = {"code": "review", "name_ar": "فريق المراجعة", "name_en": "Review team", "position": 0}
    op.bulk_insert(teams, [first])
    kind = "JSONB" if op.get_context().dialect.name == "postgresql" else "JSON"
    op.execute(f"ALTER TABLE invitation ADD COLUMN teams {kind} DEFAULT '[]' NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE invitation DROP COLUMN teams")
    op.drop_table("team_member")
    op.drop_table("team")
