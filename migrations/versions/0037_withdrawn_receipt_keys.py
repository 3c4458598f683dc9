"""Withdraw a receipt key that others may have, and find an issued file by its hash.

Revision ID: 0037
Revises: 0036
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("receipt_key", sa.Column("withdrawn_at", sa.DateTime(timezone=True)))
    op.create_index("ix_issued_document_sha256", "issued_document", ["sha256"])


def downgrade() -> None:
    op.drop_index("ix_issued_document_sha256", "issued_document")
    op.drop_column("receipt_key", "withdrawn_at")
