"""Requests know their stage, its team and who approved the stages before it.

Those of services with two approvals are in the first or the second of two stages.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_request_undecided": (
        "sent_at, id, status, due_on, reviewer_id, service_code{further}",
        "decided_at IS NULL",
    ),
    "ix_request_at_office_reviewer": ("reviewer_id, due_on, sent_at, id", ""),
    "ix_request_at_office_service": ("service_code, sent_at", ""),
}
WAS_AT_OFFICE = "decided_at IS NULL AND due_on IS NOT NULL"
AT_OFFICE = "decided_at IS NULL AND (due_on IS NOT NULL OR team_code IS NOT NULL)"


def upgrade() -> None:
    is_postgres = op.get_context().dialect.name == "postgresql"
    kind = "JSONB" if is_postgres else "JSON"
    reference = "CONSTRAINT fk_request_team_code REFERENCES team (code)"
    op.execute("ALTER TABLE request ADD COLUMN stage VARCHAR(40)")
    op.execute(f"ALTER TABLE request ADD COLUMN team_code VARCHAR(40) {reference}")
    op.execute(f"ALTER TABLE request ADD COLUMN approvals {kind} DEFAULT '{{}}' NOT NULL")
    _make_indexes(", team_code, stage", AT_OFFICE)
    build = "jsonb_build_object" if is_postgres else "json_object"
    for version_id in _with_two_approvals():
        op.execute(
            f"UPDATE request SET approvals = {build}('first', first_approver_id) "
            "WHERE status = 'preapproved' AND first_approver_id IS NOT NULL "
            f"AND service_version_id = {version_id}"
        )
        op.execute(
            "UPDATE request SET stage = 'second', team_code = 'review', version = version + 1, "
            "status = CASE WHEN reviewer_id IS NULL THEN 'submitted' ELSE 'under_review' END "
            f"WHERE status = 'preapproved' AND service_version_id = {version_id}"
        )
        op.execute(
            "UPDATE request SET stage = 'first', "
            "team_code = CASE WHEN status = 'returned' THEN NULL ELSE 'review' END "
            "WHERE status IN ('submitted', 'under_review', 'returned') AND stage IS NULL "
            f"AND service_version_id = {version_id}"
        )


def downgrade() -> None:
    """Lose who approved which stage, but for the first one."""
    for version_id in _with_two_approvals():
        op.execute(
            "UPDATE request SET status = 'preapproved', version = version + 1 "
            "WHERE stage = 'second' AND status IN ('submitted', 'under_review') "
            f"AND service_version_id = {version_id}"
        )
    _make_indexes("", WAS_AT_OFFICE)
    for column in ("approvals", "team_code", "stage"):
        op.execute(f"ALTER TABLE request DROP COLUMN {column}")


def _make_indexes(further: str, at_office: str) -> None:
    for name, (columns, condition) in INDEXES.items():
        op.execute(f"DROP INDEX {name}")
        op.execute(
            f"CREATE INDEX {name} ON request ({columns.format(further=further)}) "
            f"WHERE {condition or at_office}"
        )


def _with_two_approvals() -> list[int]:
    versions = sa.table("service_version", sa.column("id"), sa.column("definition", sa.JSON))
    rows = op.get_bind().execute(sa.select(versions.c.id, versions.c.definition))
    return [key for key, definition in rows if definition.get("flow") == "two_approvals"]
