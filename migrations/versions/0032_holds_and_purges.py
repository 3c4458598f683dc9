"""Legal holds, runs of the purge, notice of unused drafts, the register of reads.

Access events older than a year can be deleted; younger ones still cannot.

Revision ID: 0032
Revises: 0031
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_INSTANT = sa.DateTime(timezone=True)
_IN_FORCE = sa.text("lifted_at IS NULL")
_READS = sa.text(
    "kind IN ('account:data:read', 'document:read', 'issued:read', 'request:read', 'user:read')"
)
_REFUSED = "the trail is insert-only"


def upgrade() -> None:
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=False),
        sa.Column("set_at", _INSTANT, nullable=False),
        sa.Column("lifted_by_id", sa.Integer(), nullable=True),
        sa.Column("lifted_at", _INSTANT, nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(request_id IS NULL) <> (user_id IS NULL)", name="ck_legal_hold_one_subject"
        ),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=f"fk_legal_hold_{column}")
            for column, table in (
                ("request_id", "request"),
                ("user_id", "user"),
                ("set_by_id", "user"),
                ("lifted_by_id", "user"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name="pk_legal_hold"),
    )
    for column in ("request_id", "user_id"):
        op.create_index(
            f"uq_legal_hold_{column}",
            "legal_hold",
            [column],
            unique=True,
            sqlite_where=_IN_FORCE,
            postgresql_where=_IN_FORCE,
        )
    op.create_table(
        "purge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("removed", _JSON, nullable=False),
        sa.Column("held", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_purge"),
    )
    op.add_column("request", sa.Column("deletion_told_at", _INSTANT, nullable=True))
    op.create_index("ix_document_uploaded_by_id", "document", ["uploaded_by_id"])
    op.create_index(
        "ix_access_event_reads",
        "access_event",
        ["at", "id"],
        sqlite_where=_READS,
        postgresql_where=_READS,
    )
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TRIGGER access_event_no_delete")
        op.execute(
            "CREATE TRIGGER access_event_no_delete BEFORE DELETE ON access_event "
            "WHEN old.at >= datetime('now', '-365 days') "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        )
        return
    op.execute("DROP TRIGGER access_event_insert_only ON access_event")
    op.execute(
        "CREATE FUNCTION clearance_access_insert_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF TG_OP = 'DELETE' AND OLD.at < now() - interval '365 days' THEN RETURN OLD; "
        f"END IF; RAISE EXCEPTION '{_REFUSED}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER access_event_insert_only BEFORE UPDATE OR DELETE ON access_event "
        "FOR EACH ROW EXECUTE FUNCTION clearance_access_insert_only()"
    )


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TRIGGER access_event_no_delete")
        op.execute(
            "CREATE TRIGGER access_event_no_delete BEFORE DELETE ON access_event "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        )
    else:
        op.execute("DROP TRIGGER access_event_insert_only ON access_event")
        op.execute(
            "CREATE TRIGGER access_event_insert_only BEFORE UPDATE OR DELETE ON access_event "
            "FOR EACH ROW EXECUTE FUNCTION clearance_insert_only()"
        )
        op.execute("DROP FUNCTION clearance_access_insert_only()")
    op.drop_index("ix_access_event_reads", "access_event")
    op.drop_index("ix_document_uploaded_by_id", "document")
    op.drop_column("request", "deletion_told_at")
    op.drop_table("purge")
    op.drop_table("legal_hold")
