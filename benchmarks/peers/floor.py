"""The floor: a bare Flask page with the same columns, by the raw driver, in 25 rows by keyset.

No session, user, menu, count, filter form or translation: what is left is what such a page costs.
`/` makes its template from a string for each answer, as short examples do; `/compiled` once.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from flask import Flask, render_template, render_template_string, request

PAGE = 25
DATABASE = os.environ["PEERS_DATABASE"]
IS_SQLITE = DATABASE.startswith("sqlite")
MARK = "?" if IS_SQLITE else "%s"
COLUMNS = (
    *("id", "number", "service_code", "name", "civil_id", "organisation", "status", "reviewer"),
    *("sent_at", "due_on"),
)
SELECT = """
SELECT r.id, r.number, r.service_code,
  trim(r.name_ar_1 || ' ' || r.name_ar_2 || ' ' || r.name_ar_3 || ' ' || r.name_ar_4),
  r.civil_id, o.name_ar, r.status, u.first_name || ' ' || u.last_name, r.sent_at, r.due_on
FROM request r JOIN organisation o ON o.id = r.organisation_id
LEFT JOIN "user" u ON u.id = r.reviewer_id
WHERE r.status <> 'draft' {where} ORDER BY r.sent_at DESC, r.id DESC LIMIT 26
"""
TEMPLATE = Path(__file__).with_name("templates").joinpath("floor.html").read_text("utf-8")

application = Flask(__name__)
_open: dict[int, Any] = {}


@application.get("/")
def page() -> str:
    """Show a page of the requests."""
    return render_template_string(TEMPLATE, **_page())


@application.get("/compiled")
def compiled_page() -> str:
    """Show the same page of a template that was compiled before."""
    return render_template("floor.html", **_page())


def _page() -> dict[str, Any]:
    where, values = _conditions()
    rows = _connection().execute(SELECT.format(where=where), values).fetchall()
    return {
        "columns": COLUMNS[1:],
        "rows": rows[:PAGE],
        "search": request.args.get("search", ""),
        "next_id": rows[PAGE - 1][0] if len(rows) > PAGE else None,
    }


def _conditions() -> tuple[str, list[Any]]:
    given, found, values = request.args, "", []
    if "status" in given:
        found += f" AND r.status = {MARK}"
        values.append(given["status"])
    if "number" in given:
        found += f" AND r.number = {MARK}"
        values.append(given["number"])
    if "name" in given:
        found += f" AND r.name_folded LIKE {MARK}"
        values.append(f"% {given['name']}%")
    if "after" in given:
        found += f" AND (r.sent_at, r.id) < (SELECT sent_at, id FROM request WHERE id = {MARK})"
        values.append(int(given["after"]))
    return found, values


def _connection() -> Any:
    """Return this process's connection; gunicorn forks after the module was loaded."""
    if os.getpid() not in _open:
        if IS_SQLITE:
            path = DATABASE.removeprefix("sqlite:///")
            _open[os.getpid()] = sqlite3.connect(path, check_same_thread=False)
        else:
            import psycopg

            url = DATABASE.replace("postgresql+psycopg://", "postgresql://")
            _open[os.getpid()] = psycopg.connect(url, autocommit=True)
    return _open[os.getpid()]
