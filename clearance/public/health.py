"""Probes: whether the process answers, and whether it can work. They say nothing more."""

from __future__ import annotations

import structlog
from flask import Response
from sqlalchemy.exc import SQLAlchemyError

from clearance import schema, storage
from clearance.database import own_transaction

log = structlog.get_logger("clearance.health")


def healthz() -> Response:
    """GET: the process answers."""
    return Response("ok\n", mimetype="text/plain")


def readyz() -> Response:
    """GET: database reachable, migrations at head, storage writable; else 503. Details: log."""
    failing = [name for name, is_well in _CHECKS.items() if not is_well()]
    if failing:
        log.error("not_ready", failing=failing)
        return Response("not ready\n", status=503, mimetype="text/plain")
    return Response("ok\n", mimetype="text/plain")


def _has_schema() -> bool:
    try:
        with own_transaction(write=False) as connection:
            return schema.is_at_head(connection)
    except SQLAlchemyError:
        return False


def _has_storage() -> bool:
    return storage.is_ready()


_CHECKS = {"database": _has_schema, "storage": _has_storage}
