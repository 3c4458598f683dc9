"""Read the transfers of an organisation, which few requests are, in the order of sending.

The index of the other side was one of all requests and left the sorting to each reading.

Revision ID: 0036
Revises: 0035
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_TRANSFERS = sa.text("other_organisation_id IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_request_other_organisation", "request")
    for name, side in (
        ("ix_request_other_organisation", "other_organisation_id"),
        ("ix_request_transfer", "organisation_id"),
    ):
        op.create_index(
            name,
            "request",
            [side, "sent_at", "id"],
            sqlite_where=_TRANSFERS,
            postgresql_where=_TRANSFERS,
        )


def downgrade() -> None:
    op.drop_index("ix_request_transfer", "request")
    op.drop_index("ix_request_other_organisation", "request")
    op.create_index("ix_request_other_organisation", "request", ["other_organisation_id", "status"])
