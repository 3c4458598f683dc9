"""On PostgreSQL the trail cannot be truncated, and its head follows the seals by a trigger.

The trigger and the function that locks the head act for the owner of the tables, so that the
portal's own role needs no right to change the head. Source: security requirement 61a.

Revision ID: 0026
Revises: 0025
"""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TRAIL = ("event", "event_seal", "access_event")
LOCK_HEAD = """
CREATE FUNCTION clearance_chain_head(OUT last integer, OUT last_hash text)
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS
$$ SELECT position, hash FROM chain_head WHERE id = 1 FOR UPDATE $$
"""
# A process of the release before has moved the head itself: then nothing is left to do.
MOVE_HEAD = """
CREATE FUNCTION clearance_move_head() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE low integer; high integer; many bigint;
BEGIN
  SELECT min(i.position), max(i.position), count(*) INTO low, high, many FROM inserted i;
  IF many = 0 THEN RETURN NULL; END IF;
  UPDATE chain_head h SET position = high, hash = i.hash
    FROM inserted i WHERE i.position = high AND h.id = 1 AND h.position = low - 1;
  IF high - low + 1 <> many OR (SELECT h.position FROM chain_head h WHERE h.id = 1) < high THEN
    RAISE EXCEPTION 'seals follow the head of the chain';
  END IF;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute(LOCK_HEAD)
    op.execute(MOVE_HEAD)
    op.execute(
        "CREATE TRIGGER event_seal_moves_head AFTER INSERT ON event_seal "
        "REFERENCING NEW TABLE AS inserted "
        "FOR EACH STATEMENT EXECUTE FUNCTION clearance_move_head()"
    )
    for table in TRAIL:
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION clearance_insert_only()"
        )


def downgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    for table in TRAIL:
        op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
    op.execute("DROP TRIGGER event_seal_moves_head ON event_seal")
    op.execute("DROP FUNCTION clearance_move_head()")
    op.execute("DROP FUNCTION clearance_chain_head()")
