"""Legal holds by civil number, and the request that a message to a person is about.

Revision ID: 0038
Revises: 0037
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_IN_FORCE = sa.text("lifted_at IS NULL")
_CHECK = "ck_legal_hold_one_subject"
_CHECK_BEFORE = "ck_legal_hold_ck_legal_hold_one_subject"  # the prefix twice, as 0032 made it
_ONE_OF_THREE = (
    "CASE WHEN request_id IS NULL THEN 0 ELSE 1 END + CASE WHEN user_id IS NULL THEN 0 ELSE 1 END "
    "+ CASE WHEN civil_id IS NULL THEN 0 ELSE 1 END = 1"
)
_ALONE = {"resolve_fks": False}
"""SQLite's copy of the table is made without reading the tables it refers to."""
_ONE_OF_TWO = "(request_id IS NULL) <> (user_id IS NULL)"


def upgrade() -> None:
    op.add_column("delivery", sa.Column("request_id", sa.Integer(), nullable=True))
    with op.batch_alter_table("legal_hold", reflect_kwargs=_ALONE) as table:
        table.add_column(sa.Column("civil_id", sa.String(12), nullable=True))
        table.drop_constraint(op.f(_CHECK_BEFORE), type_="check")
        table.create_check_constraint(op.f(_CHECK), _ONE_OF_THREE)
    op.create_index(
        "uq_legal_hold_civil_id",
        "legal_hold",
        ["civil_id"],
        unique=True,
        sqlite_where=_IN_FORCE,
        postgresql_where=_IN_FORCE,
    )


def downgrade() -> None:
    op.execute("DELETE FROM legal_hold WHERE civil_id IS NOT NULL")
    op.drop_index("uq_legal_hold_civil_id", "legal_hold")
    with op.batch_alter_table("legal_hold", reflect_kwargs=_ALONE) as table:
        table.drop_constraint(op.f(_CHECK), type_="check")
        table.create_check_constraint(op.f(_CHECK_BEFORE), _ONE_OF_TWO)
        table.drop_column("civil_id")
    op.drop_column("delivery", "request_id")
