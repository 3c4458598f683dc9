"""Why the applicant has nothing to change, kept with the reviewer's remark.

Revision ID: 0010
Revises: 0008
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE remark ADD COLUMN answer TEXT")


def downgrade() -> None:
    op.execute("ALTER TABLE remark DROP COLUMN answer")
