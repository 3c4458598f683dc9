"""Response times of lists, searches and exports with many requests, and what queries scan.

    python -m benchmarks.lists 200000                # SQLite in a temporary folder
    python -m benchmarks.lists 200000 --kind postgresql
    python -m benchmarks.lists 0 --database sqlite:////tmp/filled.sqlite --rounds 50

Times are of complete responses (session, menu, queries, template) without the network, after a
warm-up: the median by the clock, and of the processor's time the median and the least, which says
most on a machine that has other work.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from benchmarks import worlds
from clearance.auth import sessions
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.models import Request, User
from clearance.models.enums import SessionStage, Status

ROUNDS = 7
LIMIT_MS = 15
NOT_COUNTED = ("PRAGMA", "BEGIN", "SET ")
SCAN_MS = 10
PEOPLE = {
    "reviewer": "reviewer@example.com",
    "manager": "manager@example.com",
    "administrator": "admin@example.com",
    "general": "general@example.com",
}
OFFICE, MINE = "/office/requests/", "/my/requests/"
GROWING = ("request", "event", "notice", "delivery", "document")
Statement = tuple[str, Any]


@dataclass
class Measured:
    """One URL: its response times, and what its queries scanned."""

    name: str
    times: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    slowest: Statement = ("", ())
    scans: list[str] = field(default_factory=list)
    statements: int = 0

    @property
    def median(self) -> float:
        """Median response time in milliseconds."""
        return statistics.median(self.times)

    @property
    def processor(self) -> float:
        """Median CPU time in milliseconds, regardless of other load."""
        return statistics.median(self.worked)


def main() -> None:
    """Fill a database, measure it, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("requests", type=int)
    parser.add_argument("--kind", choices=worlds.KINDS, default="sqlite")
    parser.add_argument("--database", help="measure this one, filled already where 0 is asked for")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="answers measured of each page")
    parser.add_argument("--plans", action="store_true", help="print the plan of slow queries")
    parser.add_argument("--only", default="", help="only measurements whose name contains this")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as files:
        if args.database:
            _measure(worlds.application(args.database, files), args)
            return
        with worlds.made(args.kind) as url:
            _measure(worlds.application(url, files), args)


def _measure(app: Flask, args: argparse.Namespace) -> None:
    with app.app_context():
        if args.requests:
            worked = time.process_time()
            seconds = worlds.fill(args.requests)
            worked = time.process_time() - worked
            print(
                f"{args.requests:,} requests made in {seconds:.0f} s ({worked:.0f} s of processor)"
            )
        cases = _cases()
        db.session.remove()
    with app.test_request_context(method="POST"):
        keys = {name: _sign_in(name) for name in PEOPLE}
        db.session.remove()
    print("\n| page | median ms | processor ms | least | statements | looks through |")
    print("|---|---:|---:|---:|---:|---|")
    for who, name, url in cases:
        if args.only in name:
            measured = _time(app, keys[who], name, url, args.rounds)
            mark = " **slow**" if measured.processor > LIMIT_MS else ""
            scans = ", ".join(measured.scans)
            numbers = (
                f"{measured.median:.1f} | {measured.processor:.1f} | {min(measured.worked):.1f}"
                f" | {measured.statements}"
            )
            print(f"| {name} | {numbers}{mark} | {scans} |", flush=True)
            if args.plans and (mark or scans):
                print(measured.slowest[0], measured.slowest[1], sep="\n")
                print(*_plan(app, measured.slowest), sep="\n")
    if "export" in f"export {args.only}":
        _export(app, keys["manager"], f"{OFFICE}export/csv/")


def _cases() -> list[tuple[str, str, str]]:
    """Return (who, what, URL) of everything measured, for the existing rows."""
    sent = Request.status != Status.DRAFT
    total = db.session.scalar(sa.select(sa.func.count()).where(sent)) or 0
    rows = sa.select(Request.id, Request.number, Request.civil_id, Request.mobile).where(sent)
    newest_first = rows.order_by(Request.sent_at.desc(), Request.id.desc())
    middle = db.session.execute(newest_first.offset(total // 2).limit(1)).one()
    near_end = db.session.execute(newest_first.offset(total - 30).limit(1)).one()
    organisation = _standing("general@example.com")
    mine = rows.where(Request.organisation_id == organisation).order_by(
        Request.created_at.desc(), Request.id.desc()
    )
    owned = db.session.scalar(sa.select(sa.func.count()).select_from(mine.subquery())) or 0
    own = db.session.execute(mine.offset(owned // 2).limit(1)).one()
    reviewer = _id_of("reviewer@example.com")
    office = [
        ("first page", ""),
        ("middle page", f"?after={middle.id}"),
        ("last page", f"?after={near_end.id}"),
        ("state passed", "?flt0_status=passed"),
        ("state passed, middle", f"?flt0_status=passed&after={_passed_middle()}"),
        ("state open", "?flt0_status=open"),
        ("state approved (none)", "?flt0_status=approved"),
        ("service", "?flt0_service=exam"),
        ("reviewer", f"?flt0_reviewer={reviewer}"),
        ("reviewer nobody", "?flt0_reviewer=none"),
        ("reviewer and state", f"?flt0_reviewer={reviewer}&flt1_status=under_review"),
        ("organisation", "?flt0_organisation=%D8%AE%D9%84%D9%8A%D8%AC"),
        ("age over 30 days", "?flt0_age=31"),
        ("age up to 2 days", "?flt0_age=0-2"),
        ("queue mine", "?flt0_queue=mine"),
        ("queue unassigned", "?flt0_queue=unassigned"),
        ("queue late", "?flt0_queue=late"),
        ("queue waiting", "?flt0_queue=waiting"),
        *_searches(middle, "?search="),
    ]
    cases = [("reviewer", f"office, {name}", OFFICE + query) for name, query in office]
    trail = "/office/audit/"
    cases += [
        ("administrator", "trail, first page", trail),
        ("administrator", "trail, of one request", f"{trail}?search={middle.number}"),
        ("reviewer", "office, home of a reviewer", "/office/"),
        ("manager", "office, home of a manager", "/office/"),
        ("manager", "office, dashboard of a month", "/office/dashboard/"),
        ("manager", "office, dashboard of a year", "/office/dashboard/?span=year"),
        ("reviewer", "office, one request", f"{OFFICE}details/?id={middle.id}"),
        ("general", "mine, home", "/my/"),
        ("general", "mine, first page", MINE),
        ("general", "mine, middle page", f"{MINE}?after={own.id}"),
        ("general", "mine, state returned", f"{MINE}?flt0_status=returned"),
        ("general", "mine, state open", f"{MINE}?flt0_status=open"),
        ("general", "mine, sorted by sending", f"{MINE}?sort=4"),
        ("general", "mine, services", "/my/services/"),
        ("general", "mine, one request", f"{MINE}details/?id={own.id}"),
        *(("general", f"mine, {name}", MINE + url) for name, url in _searches(own, "?search=")),
    ]
    for who, area, row in (("reviewer", "office", middle), ("general", "my", own)):
        found = _searches(row, f"/{area}/search?q=")
        cases += [(who, f"{area}, one {name}", url) for name, url in found]
    return cases


def _searches(row: Any, prefix: str) -> Iterator[tuple[str, str]]:
    texts = {
        "search: frequent name": "محمد",
        "search: two names": "احمد المطيري",
        "search: four names": "احمد سالم يوسف الفيلكاوي",
        "search: unknown name": "زكرياء",
        "search: name in English": "alfail",
        "search: request number": row.number,
        "search: serial alone": row.number.split("/")[1],
        "search: civil number": row.civil_id,
        "search: beginning of one": row.civil_id[:5],
        "search: mobile": row.mobile[-8:],
    }
    for name, text in texts.items():
        yield name, prefix + text


def _passed_middle() -> int:
    passed = Request.status == ExamStatus.PASSED
    count = db.session.scalar(sa.select(sa.func.count()).where(passed)) or 0
    rows = sa.select(Request.id).where(passed).order_by(Request.sent_at.desc(), Request.id.desc())
    return db.session.scalars(rows.offset(count // 2).limit(1)).one()


def _id_of(email: str) -> int:
    return db.session.scalars(sa.select(User.id).where(User.email == email)).one()


def _standing(email: str) -> int:
    user = db.session.scalars(sa.select(User).where(User.email == email)).one()
    standing = sessions.actor_of(user).standing
    return standing.organisation_id if standing else 0


def _sign_in(name: str) -> str:
    user = db.session.get_one(User, _id_of(PEOPLE[name]))
    key = sessions.open_session(user, SessionStage.FULL, utc_now())
    db.session.commit()
    return key


def _client(app: Flask, key: str) -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = key
        cookie["_fresh"] = True
    return client


def _time(app: Flask, key: str, name: str, url: str, rounds: int) -> Measured:
    client, measured = _client(app, key), Measured(name)
    client.get(url)  # fills what the process keeps
    with _watched(app) as seen:
        answer = client.get(url)
    assert answer.status_code == 200, f"{name}: {answer.status_code} {url}"
    measured.statements = sum(not text.startswith(NOT_COUNTED) for _seconds, (text, _) in seen)
    measured.slowest = max(seen, key=lambda each: each[0])[1]
    for seconds, statement in seen:
        if seconds * 1000 > SCAN_MS:  # ignore scans that a limit ends early
            fresh = (scan for scan in _scans(app, statement) if scan not in measured.scans)
            measured.scans += fresh
    for _round in range(rounds):
        began, worked = time.perf_counter(), time.thread_time()
        client.get(url)
        measured.times.append((time.perf_counter() - began) * 1000)
        measured.worked.append((time.thread_time() - worked) * 1000)
    return measured


@contextmanager
def _watched(app: Flask) -> Iterator[list[tuple[float, Statement]]]:
    """Collect (seconds, statement) of the queries run in the block."""
    seen: list[tuple[float, Statement]] = []
    began: list[float] = []

    def before(*_args: Any) -> None:
        began.append(time.perf_counter())

    def after(_conn: Any, _cursor: Any, text: str, params: Any, *_rest: Any) -> None:
        seen.append((time.perf_counter() - began.pop(), (text, params)))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


def _plan(app: Flask, statement: Statement) -> list[str]:
    text, params = statement
    if not text.lstrip().upper().startswith("SELECT"):
        return []
    with app.app_context():
        engine = db.engine
        how = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
        with engine.connect() as connection:
            return [str(row[-1]) for row in connection.exec_driver_sql(how + text, params)]


def _scans(app: Flask, statement: Statement) -> list[str]:
    """Return which growing tables the query scans completely."""
    found = []
    for line in _plan(app, statement):
        words = line.split()
        table = next((name for name in GROWING if name in words), None)
        is_scan = words[:1] == ["SCAN"] and "USING" not in words
        if table and (is_scan or f"Seq Scan on {table} " in f"{line} "):
            found.append(f"{table} as a whole")
    return found


def _export(app: Flask, key: str, url: str) -> None:
    """Read the export in chunks to its end, watching memory use."""
    before = most = _memory_mb()
    began, size, lines = time.perf_counter(), 0, 0
    answer = _client(app, key).get(url, buffered=False)
    assert answer.status_code == 200, answer.status_code
    for chunk in answer.iter_encoded():
        size, lines = size + len(chunk), lines + chunk.count(b"\r\n")
        most = max(most, _memory_mb())
    answer.close()
    print(
        f"\nCSV of everything: {lines - 1:,} rows, {size / 1e6:.0f} MB in "
        f"{time.perf_counter() - began:.0f} s; memory grew by {most - before:.0f} MB"
    )


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    main()
