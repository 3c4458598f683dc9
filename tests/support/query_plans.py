"""What a statement's plan does with the tables that grow: reads one as a whole, or sorts it.

SQLite is asked as it plans without statistics, PostgreSQL with the statistics of the rows that are
there, scaled to the sizes of LARGE. Both plan for bound values as a page sends them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

# The tables that no page may read as a whole, with their rows at 1,000,000 requests. All others are
# far smaller: the register has 50,000 licences then, organisations and users are fewer still.
LARGE = {
    "access_event": 2_000_000,
    "delivery": 4_000_000,
    "document": 3_000_000,
    "event": 4_000_000,
    "internal_note": 500_000,
    "issued_document": 1_000_000,
    "licence_change": 1_000_000,
    "message": 500_000,
    "notice": 3_000_000,
    "remark": 500_000,
    "request": 1_000_000,
    "user_session": 1_000_000,
}
FEW = 10_000  # rows that a page may sort
OFTEN = 500  # one row of so many is met soon enough for a page to end early
# Few rows have equal values here, so that what they find may be sorted.
SELECTIVE = re.compile(
    r"ix_request_(mobile|licence|civil_service)|ix_event_(request|object)"
    r"|ix_licence_change_licence_id|uq_\w+|sqlite_autoindex_\w+|rowid=\?"
)
# These hold what the office has to answer, however many requests there are.
SHORT = re.compile(r"ix_request_(undecided|at_office_\w+)")
# What nearly every row meets, so that a page ends early.
USUAL = re.compile(
    r"(request\.status != \?|likely\(access_event\.kind IN \([^)]*\)\)|1 = 1"
    r"|\(*\(status\)::text <> '\w+'::text\)*)( AND )?"
)

_SQLITE_READS = re.compile(r"(SCAN|SEARCH) (\w+)(.*)")
_ALIAS = re.compile(r"_\d+$")
# What reads all of its input before it gives a row.
_WHOLE_INPUT = frozenset({"Aggregate", "Hash", "Materialize", "SetOp", "Sort", "WindowAgg"})


def pretend_sizes(connection: sa.Connection) -> None:
    """Let PostgreSQL believe that the large tables have the rows of LARGE, like those they have."""
    connection.exec_driver_sql("ANALYZE")
    for table, rows in LARGE.items():
        connection.exec_driver_sql(
            "WITH size AS (SELECT oid, %(rows)s / greatest(reltuples, 1) AS factor FROM pg_class"
            " WHERE relname = %(table)s AND relkind = 'r')"
            " UPDATE pg_class SET reltuples = greatest(reltuples, 1) * factor,"
            " relpages = greatest(relpages, 1) FROM size WHERE pg_class.oid = size.oid"
            " OR pg_class.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = size.oid)",
            {"rows": rows, "table": table},
        )


def faults(connection: sa.Connection, statement: str, params: Any) -> list[str]:
    """What the plan does with large tables that it must not; [] if nothing."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", params).all()
        return list(_sqlite_faults([(row[1], str(row[3])) for row in rows], statement))
    explained = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", params).scalar()
    return list(_postgresql_faults(explained[0]["Plan"], ends_early=False))


def _sqlite_faults(plan: list[tuple[int, str]], statement: str) -> Iterator[str]:
    ends_early = " LIMIT " in statement
    sorted_parts = {part for part, line in plan if re.match(r"USE TEMP B-TREE FOR [^L]", line)}
    for part, line in plan:
        read = _SQLITE_READS.match(line)
        if read is None or _ALIAS.sub("", read[2]) not in LARGE:
            continue
        if read[1] == "SEARCH":
            if part in sorted_parts and not SELECTIVE.search(line):
                yield f"sorts: {line}"
        elif part in sorted_parts or not ends_early:
            yield f"reads all: {line}"
        elif _is_filtered(statement, read[2], part == 0) and not SHORT.search(line):
            yield f"may read all: {line}"


def _is_filtered(statement: str, table: str, is_outermost: bool) -> bool:
    """Return whether the part that reads the table has a condition that few rows may meet.

    Of subqueries the first that reads it is judged, up to its limit.
    """
    part = (_without_subqueries(statement) if is_outermost else statement).partition(
        f"FROM {table}"
    )[2]
    part = USUAL.sub("", part if is_outermost else part.partition(" LIMIT ")[0])
    return re.search(r"WHERE (?!\s*(ORDER BY|LIMIT|\)|$))", part) is not None


def _without_subqueries(statement: str) -> str:
    """Return the statement without the subqueries among its columns."""
    depth, depths = 0, []
    for sign in statement:
        depth += sign == "("
        depths.append(depth)
        depth -= sign == ")"
    while (start := statement.partition(" FROM ")[0].find("(SELECT")) >= 0:
        end = next(
            at
            for at in range(start, len(statement))
            if depths[at] == depths[start] and statement[at] == ")"
        )
        statement = statement[:start] + statement[end + 1 :]
        depths = depths[:start] + depths[end + 1 :]
    return statement


def _postgresql_faults(node: dict[str, Any], *, ends_early: bool) -> Iterator[str]:
    kind, table, index = node["Node Type"], node.get("Relation Name"), node.get("Index Name", "")
    ends_early = (ends_early or kind == "Limit") and kind not in _WHOLE_INPUT
    if table in LARGE and not node.get("Index Cond") and kind != "Bitmap Heap Scan":
        condition = USUAL.sub("", node.get("Filter", "")).strip("() ")
        is_rare = condition and node["Plan Rows"] * OFTEN < LARGE[table]
        if not SHORT.search(index) and (is_rare or not ends_early):
            yield f"{'may read' if ends_early else 'reads'} all: {kind} of {table}: {condition}"
    for child in node.get("Plans", ()):
        if kind == "Sort" and child["Plan Rows"] > FEW and (found := _tables(child) & set(LARGE)):
            yield f"sorts {child['Plan Rows']:,} rows of {', '.join(sorted(found))}"
        yield from _postgresql_faults(child, ends_early=ends_early)


def _tables(node: dict[str, Any]) -> set[str]:
    own = {node["Relation Name"]} if "Relation Name" in node else set()
    return own.union(*(_tables(child) for child in node.get("Plans", ())))
