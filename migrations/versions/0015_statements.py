"""Statements among the issued documents.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from clearance.models.base import Json

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KIND = "ck_issued_document_kind"
ONCE, NUMBER = "uq_issued_document_once", "uq_issued_document_number"
OF_LICENCES = "kind IN ('card', 'certificate', 'letter')"
ALL = "kind IN ('card', 'certificate', 'letter', 'statement')"


def upgrade() -> None:
    """Allow several statements of one request, each with its name, number and title."""
    with op.batch_alter_table("issued_document") as issued:
        issued.add_column(sa.Column("name", sa.String(40), nullable=False, server_default=""))
        issued.add_column(sa.Column("number", sa.String(40)))
        issued.add_column(sa.Column("title", Json))
        issued.drop_constraint(op.f(KIND), type_="check")
        issued.create_check_constraint(op.f(KIND), ALL)
        issued.drop_constraint(ONCE, type_="unique")
        issued.create_unique_constraint(ONCE, ["request_id", "kind", "name"])
        issued.create_unique_constraint(NUMBER, ["number"])


def downgrade() -> None:
    """Go back to documents of licences alone; statements are deleted."""
    op.execute("DELETE FROM issued_document WHERE kind = 'statement'")
    with op.batch_alter_table("issued_document") as issued:
        issued.drop_constraint(NUMBER, type_="unique")
        issued.drop_constraint(ONCE, type_="unique")
        issued.create_unique_constraint(ONCE, ["request_id", "kind"])
        issued.drop_constraint(op.f(KIND), type_="check")
        issued.create_check_constraint(op.f(KIND), OF_LICENCES)
        for column in ("name", "number", "title"):
            issued.drop_column(column)
