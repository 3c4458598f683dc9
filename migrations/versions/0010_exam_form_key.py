"""No form key of exams: one-time keys have a table.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("exam") as exams:
        exams.drop_constraint("uq_exam_form_key", type_="unique")
        exams.drop_column("form_key")


def downgrade() -> None:
    with op.batch_alter_table("exam") as exams:
        exams.add_column(sa.Column("form_key", sa.String(length=64), nullable=True))
        exams.create_unique_constraint("uq_exam_form_key", ["form_key"])
