"""One log line and the counters of each request, written when its last byte is handed over."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from flask import Flask, Response, g, has_app_context, request

from clearance.core import metrics
from clearance.core.extensions import db
from clearance.core.request_kind import method_label

log = structlog.get_logger("clearance.web")

NO_ROUTE = "(none)"
# What SQLAlchemy's connections say to begin a transaction is no statement of the portal.
_BEGINNINGS = ("PRAGMA", "BEGIN", "SET TRANSACTION")


def init_app(app: Flask) -> None:
    """Follow every request; register it first, so that it begins first and ends last."""
    app.before_request(_begin)
    app.after_request(partial(_follow, app))


def count_statements(app: Flask) -> None:
    """Count the statements of requests and jobs (in `g.statements`), and the database's errors."""
    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", _count_statement)
    sa.event.listen(engine, "handle_error", _count_error)


def _begin() -> None:
    g.began = time.perf_counter()


def _follow(app: Flask, response: Response) -> Response:
    """Note what the request was; a streamed response goes on after its context has ended."""
    rule = request.url_rule
    about = {
        "request_id": g.get("request_id", ""),
        "method": method_label(),
        "route": rule.rule if rule is not None else NO_ROUTE,
        "role": _role(),
        "status": response.status_code,
    }
    began = g.get("began", time.perf_counter())
    response.call_on_close(partial(_end, app, about, began, g._get_current_object()))
    return response


def _end(app: Flask, about: dict[str, Any], began: float, context: Any) -> None:
    seconds = time.perf_counter() - began
    statements = context.get("statements", 0)
    log.info("request", **about, ms=round(seconds * 1000, 1), statements=statements)
    counters: metrics.Metrics = app.extensions["metrics"]
    method, route = about["method"], about["route"]
    counters.add(metrics.REQUESTS, method, route, f"{about['status'] // 100}xx")
    counters.observe(metrics.REQUEST_SECONDS, route, amount=seconds)
    counters.add(metrics.STATEMENTS, route, amount=statements)


def _role() -> str:
    """Return the reader's role as far as the request needed to know it; no query."""
    actor = g.get("_login_user")  # where Flask-Login keeps it
    if not getattr(actor, "is_authenticated", False):
        return "visitor"
    return str(actor.role) if actor.is_full else "pending"


def _count_statement(
    _connection: Any, _cursor: Any, statement: str, _params: Any, _context: Any, _many: bool
) -> None:
    if has_app_context() and not statement.startswith(_BEGINNINGS):
        g.statements = g.get("statements", 0) + 1


def _count_error(context: sa.engine.ExceptionContext) -> None:
    fault = context.sqlalchemy_exception
    if isinstance(fault, sa.exc.IntegrityError):
        kind = "constraint"
    else:
        kind = "unavailable" if isinstance(fault, sa.exc.OperationalError) else "other"
    metrics.add(metrics.DATABASE_ERRORS, kind)
