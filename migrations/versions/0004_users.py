"""User management: invitations, requests handed over, data exports."""

import sqlalchemy as sa
from alembic import op

import clearance.models.base

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_registration_invitation_id", "registration", "invitation_id"),
    ("ix_invitation_organisation_id", "invitation", "organisation_id"),
    ("ix_invitation_user_id", "invitation", "user_id"),
)
COLUMNS = (
    ("registration", "must_change_password"),
    ("registration", "invitation_id"),
    ("invitation", "refused_at"),
    ("invitation", "user_id"),
    ("request", "handed_to_id"),
)


def upgrade() -> None:
    """Add columns in place; rebuilding the tables would be slow and lose their triggers."""
    instant = "TIMESTAMP WITH TIME ZONE" if _is_postgresql() else "DATETIME"
    op.execute(
        "ALTER TABLE invitation ADD COLUMN user_id INTEGER "
        'CONSTRAINT fk_invitation_user_id REFERENCES "user" (id)'
    )
    op.execute(f"ALTER TABLE invitation ADD COLUMN refused_at {instant}")
    op.execute(
        "ALTER TABLE registration ADD COLUMN invitation_id INTEGER "
        "CONSTRAINT fk_registration_invitation_id REFERENCES invitation (id)"
    )
    op.execute(
        "ALTER TABLE registration ADD COLUMN must_change_password BOOLEAN NOT NULL DEFAULT false"
    )
    op.execute(
        "ALTER TABLE request ADD COLUMN handed_to_id INTEGER "
        'CONSTRAINT fk_request_handed_to_id REFERENCES "user" (id)'
    )
    for name, table, column in INDEXES:
        op.create_index(name, table, [column])
    _create_data_copy()


def downgrade() -> None:
    op.drop_table("data_copy")
    for name, table, _column in reversed(INDEXES):
        op.drop_index(name, table)
    # Without its invitation, a registration would create its own organisation.
    op.execute("DELETE FROM registration WHERE invitation_id IS NOT NULL")
    for table, column in COLUMNS:
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


def _create_data_copy() -> None:
    instant = clearance.models.base.UtcDateTime
    op.create_table(
        "data_copy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease", sa.String(40), nullable=True),
        sa.Column("leased_until", instant(), nullable=True),
        sa.Column("scope", sa.String(64), nullable=True),
        sa.Column("made_at", instant(), nullable=True),
        sa.Column("expires_at", instant(), nullable=True),
        sa.Column("storage_key", sa.String(80), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_data_copy_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_data_copy"),
        sa.UniqueConstraint("user_id", name="uq_data_copy_user_id"),
    )


def _is_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"
