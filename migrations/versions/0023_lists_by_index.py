"""Indexes in the order in which the office lists messages, the trail, papers and the register.

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

NEW = {
    "ix_access_event_at": ("access_event", ["at", "id"]),
    "ix_access_event_object": ("access_event", ["object_id", "at", "id"]),
    "ix_broker_name": ("broker", ["name_folded", "id"]),
    "ix_delivery_created": ("delivery", ["created_at", "id"]),
    "ix_delivery_event": ("delivery", ["event", "created_at", "id"]),
    "ix_delivery_status": ("delivery", ["status", "created_at", "id"]),
    "ix_event_at": ("event", ["at", "id"]),
    "ix_event_kind": ("event", ["kind", "at", "id"]),
    "ix_issued_document_kind": ("issued_document", ["kind", "issued_at", "id"]),
    "ix_licence_expires": ("licence", ["expires", "id"]),
}
# Table, columns before, columns now.
CHANGED = {
    "ix_access_event_kind": ("access_event", ["kind", "id"], ["kind", "at", "id"]),
    "ix_event_object": (
        "event",
        ["object_type", "object_id", "id"],
        ["object_id", "object_type", "id"],
    ),
}


def upgrade() -> None:
    for name, (table, columns) in NEW.items():
        op.create_index(name, table, columns)
    for name, (table, _before, now) in CHANGED.items():
        op.drop_index(name, table)
        op.create_index(name, table, now)


def downgrade() -> None:
    for name, (table, before, _now) in CHANGED.items():
        op.drop_index(name, table)
        op.create_index(name, table, before)
    for name, (table, _columns) in NEW.items():
        op.drop_index(name, table)
