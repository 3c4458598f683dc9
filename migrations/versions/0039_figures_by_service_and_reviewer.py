"""Count the figures anew: a reviewer's within each service are among them now.

Revision ID: 0039
Revises: 0038
"""

from __future__ import annotations

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Begin with the oldest day; each day keeps its figures until the job has counted it again."""
    op.execute("UPDATE figure_state SET complete_through = NULL")


def downgrade() -> None:
    op.execute("DELETE FROM figure WHERE dimension = 'service_reviewer'")
