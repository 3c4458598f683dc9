"""Find the request that claims a licence, among the many about it.

Revision ID: 0035
Revises: 0034
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_CLAIMS = sa.text("exclusive_key IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_request_claim",
        "request",
        ["licence_id"],
        sqlite_where=_CLAIMS,
        postgresql_where=_CLAIMS,
    )


def downgrade() -> None:
    op.drop_index("ix_request_claim", "request")
