"""An extension that gives a real server something to try.

EXTENSIONS=tests.support.serving_extension loads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from flask import Flask
from werkzeug import Request, Response
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from clearance.public.session_gate import open_to_all
from clearance.services.extension import Extension
from clearance.web import csv_export, serving

ROWS_BEFORE_FAULT = 20_000
GRACE_SECONDS = 3

EXTENSION = Extension(name="trial", views="tests.support.serving_extension:add_routes")


def add_routes(app: Flask) -> None:
    """Add what is tried, and give slow clients less time than a test wants to take."""
    serving.GRACE_SECONDS = serving.IDLE_SECONDS = GRACE_SECONDS
    app.add_url_rule("/trial/broken.csv", view_func=open_to_all(broken))
    app.add_url_rule("/trial/whole.csv", view_func=open_to_all(whole))
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/trial/digest": digest})


def broken() -> Any:
    """A list that fails when much of it is sent."""

    def rows() -> Iterator[list[int]]:
        for number in range(ROWS_BEFORE_FAULT):
            yield [number] * 10
        raise RuntimeError("the database is gone")

    return csv_export.csv_response("broken.csv", ["number"] * 10, rows())


def whole() -> Any:
    """The same without the fault."""
    rows = ([number] * 10 for number in range(ROWS_BEFORE_FAULT))
    return csv_export.csv_response("whole.csv", ["number"] * 10, rows)


@Request.application
def digest(posted: Request) -> Response:
    """What was posted, as a hash: what the server gives on, before the portal judges it."""
    return Response(hashlib.sha256(posted.get_data()).hexdigest())
