"""Stamps of further tables that processes keep, and indexes of an organisation's requests.

Revision ID: 0030
Revises: 0029
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

WATCHED = ("legal_entity", "message_text", "service_pilot")
INDEXES = {
    "ix_request_organisation_sent": ["organisation_id", "sent_at", "id"],
    "ix_request_organisation_service": ["organisation_id", "service_code", "sent_at", "id"],
}
BY_STATUS = "ix_request_organisation_status"


def upgrade() -> None:
    stamps = sa.table("change_stamp", sa.column("name"), sa.column("token"))
    op.bulk_insert(stamps, [{"name": name, "token": secrets.token_hex(8)} for name in WATCHED])
    for table in WATCHED:
        if op.get_context().dialect.name == "sqlite":
            for verb in ("insert", "update", "delete"):
                op.execute(
                    f"CREATE TRIGGER {table}_stamp_{verb} AFTER {verb} ON {table} BEGIN "
                    "UPDATE change_stamp SET token = lower(hex(randomblob(8))) "
                    f"WHERE name = '{table}'; END"
                )
        else:
            op.execute(
                f"CREATE TRIGGER {table}_stamp AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE "
                f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION clearance_stamp()"
            )
    for name, columns in INDEXES.items():
        op.create_index(name, "request", columns)
    op.drop_index(BY_STATUS, "request")
    op.create_index(BY_STATUS, "request", ["organisation_id", "status", "sent_at", "id"])


def downgrade() -> None:
    op.drop_index(BY_STATUS, "request")
    op.create_index(BY_STATUS, "request", ["organisation_id", "status", "created_at", "id"])
    for name in INDEXES:
        op.drop_index(name, "request")
    for table in WATCHED:
        if op.get_context().dialect.name == "sqlite":
            for verb in ("insert", "update", "delete"):
                op.execute(f"DROP TRIGGER {table}_stamp_{verb}")
        else:
            op.execute(f"DROP TRIGGER {table}_stamp ON {table}")
        op.execute(f"DELETE FROM change_stamp WHERE name = '{table}'")
