"""A stopped service can be offered to chosen organisations until a day.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("service", sa.Column("pilot_until", sa.Date(), nullable=True))
    op.create_table(
        "service_pilot",
        sa.Column("service_code", sa.String(40), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("service_code", "organisation_id", name="pk_service_pilot"),
        sa.ForeignKeyConstraint(
            ["service_code"], ["service.code"], name="fk_service_pilot_service_code_service"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_service_pilot_organisation_id_organisation",
        ),
    )


def downgrade() -> None:
    op.drop_table("service_pilot")
    op.drop_column("service", "pilot_until")
