"""`/metrics`: counters and gauges as Prometheus reads them, for the operator alone."""

from __future__ import annotations

import hmac

from flask import Response, current_app, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from clearance.auth import rate_limits
from clearance.core.errors import NotFound
from clearance.core.request_kind import is_local
from clearance.core.settings import Settings


def metrics() -> Response:
    """GET: the metrics, for a program on this machine or one that sends METRICS_TOKEN; else 404."""
    if not _has_token() and not is_local(request):
        raise NotFound
    registry = CollectorRegistry()
    registry.register(current_app.extensions["metrics"])
    registry.register(current_app.extensions["gauges"])
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _has_token() -> bool:
    """Return whether the bearer token is right. Raises: TooManyTries after many wrong ones."""
    settings: Settings = current_app.extensions["settings"]
    sent = request.authorization
    if sent is None or not sent.token or not settings.metrics_token:
        return False
    if hmac.compare_digest(sent.token.encode(), settings.metrics_token.encode()):
        return True
    rate_limits.consume("metrics_ip", rate_limits.client_ip())
    return False
