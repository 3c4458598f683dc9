"""Logging: JSON lines on standard error with the request id, never with secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from itertools import islice
from typing import Any, TextIO

import structlog
from flask import Flask, g, has_request_context

from clearance.core.values import mask_civil_id, mask_email, mask_mobile

# Personal data, masked even in messages of libraries and database errors (rule 45).
_PERSONAL = (
    (re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+"), mask_email),
    (re.compile(r"(?<!\w)\+[0-9]{8,15}(?!\w)"), mask_mobile),
    (re.compile(r"(?<!\w)[0-9]{12}(?!\w)"), mask_civil_id),
)

_NAME = re.compile(r"[a-z][a-z_-]{0,39}")


def init_app(app: Flask) -> None:
    """Configure structlog and route the libraries' warnings through it."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    if not app.testing:
        root.handlers = [handler_to(sys.stderr)]
    logging.getLogger("huey").setLevel(logging.WARNING)  # it logs every tick
    root.setLevel(logging.INFO if not app.testing else logging.WARNING)


def handler_to(stream: TextIO) -> logging.Handler:
    """Return a handler that writes every record to `stream` as one line of JSON."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _mask,
                # ASCII alone: other characters could move the cursor in a terminal that shows it.
                structlog.processors.JSONRenderer(ensure_ascii=True),
            ],
        )
    )
    return handler


def field_names(names: Iterable[str]) -> list[str]:
    """Return posted names for a log line, 20 at most; one that no form has may be anything."""
    return [name if _NAME.fullmatch(name) else "…" for name in islice(names, 20)]


def _mask(logger: Any, method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    return {name: _masked(value) for name, value in event.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    if not isinstance(value, str):
        return value
    for pattern, mask in _PERSONAL:
        for found in set(pattern.findall(value)):
            value = value.replace(found, mask(found))
    return value


def _add_request_id(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    if has_request_context() and "request_id" not in event:
        event["request_id"] = g.get("request_id", "")
    return event


_SHARED: list[Any] = [
    _add_request_id,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
