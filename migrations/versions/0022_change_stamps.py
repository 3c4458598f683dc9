"""Stamps of the tables that processes keep in memory: a new token at every change.

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

WATCHED = ("choice_list", "service", "service_version", "setting", "team")


def upgrade() -> None:
    stamps = op.create_table(
        "change_stamp",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("token", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_change_stamp"),
    )
    op.bulk_insert(stamps, [{"name": name, "token": secrets.token_hex(8)} for name in WATCHED])
    if op.get_context().dialect.name == "sqlite":
        for table in WATCHED:
            for verb in ("insert", "update", "delete"):
                op.execute(
                    f"CREATE TRIGGER {table}_stamp_{verb} AFTER {verb} ON {table} BEGIN "
                    "UPDATE change_stamp SET token = lower(hex(randomblob(8))) "
                    f"WHERE name = '{table}'; END"
                )
        return
    op.execute(
        "CREATE FUNCTION clearance_stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "UPDATE change_stamp SET token = gen_random_uuid() "
        "WHERE name = TG_TABLE_NAME; RETURN NULL; END $$"
    )
    for table in WATCHED:
        op.execute(
            f"CREATE TRIGGER {table}_stamp AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE "
            f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION clearance_stamp()"
        )


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for table in WATCHED:
            for verb in ("insert", "update", "delete"):
                op.execute(f"DROP TRIGGER {table}_stamp_{verb}")
    else:
        for table in WATCHED:
            op.execute(f"DROP TRIGGER {table}_stamp ON {table}")
        op.execute("DROP FUNCTION clearance_stamp()")
    op.drop_table("change_stamp")
