"""Services can be stopped from a day, until a day, with what their card says meanwhile.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import clearance.models.base

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

COLUMNS = (
    ("stopped_on", sa.Date()),
    ("resumes_on", sa.Date()),
    ("stop_notice", clearance.models.base.Json),
)


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("service", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name, _kind in reversed(COLUMNS):
        op.drop_column("service", name)
