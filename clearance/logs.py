"""Logs: JSON lines on standard error with the request's id, never with secrets."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from flask import Flask, g, has_request_context


def init_app(app: Flask) -> None:
    """Configure structlog and let warnings of the libraries through it."""
    shared: list[Any] = [
        _add_request_id,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    if not app.testing:
        root.handlers = [handler]
    logging.getLogger("huey").setLevel(logging.WARNING)  # a line for each tick tells nothing
    root.setLevel(logging.INFO if not app.testing else logging.WARNING)


def _add_request_id(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    if has_request_context() and "request_id" not in event:
        event["request_id"] = g.get("request_id", "")
    return event
