"""Health probes: liveness and readiness; they reveal nothing else."""

from __future__ import annotations

from pathlib import Path

import structlog
from flask import Response
from sqlalchemy.exc import SQLAlchemyError

from clearance.core import schema
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.files import folder, storage
from clearance.services import versions

log = structlog.get_logger("clearance.public")


def healthz() -> Response:
    """GET: the process responds."""
    return Response("ok\n", mimetype="text/plain")


def readyz() -> Response:
    """GET: database reachable with its migrations, its disk and the storage writable; else 503.

    Names the services that are out of order, which leave the portal ready; other details go to
    the log only.
    """
    failing = [name for name, is_well in _CHECKS.items() if not is_well()]
    if failing:
        log.error("not_ready", failing=failing)
        return Response("not ready\n", status=503, mimetype="text/plain")
    codes = ", ".join(versions.out_of_order())
    told = f"services out of order: {codes}\n" if codes else ""
    return Response(f"ok\n{told}", mimetype="text/plain")


def _has_schema() -> bool:
    try:
        with own_transaction(write=False) as connection:
            return schema.is_new_enough(connection)
    except SQLAlchemyError:
        return False


def _has_storage() -> bool:
    return storage.is_ready()


def _has_room() -> bool:
    """Return whether SQLite can grow; PostgreSQL manages its own disk."""
    url = db.engine.url
    is_file = url.get_backend_name() == "sqlite"
    return not is_file or folder.takes_files(Path(str(url.database)).parent)


_CHECKS = {"database": _has_schema, "disk": _has_room, "storage": _has_storage}
