"""Client timeouts shared by both servers, and the waitress configuration."""

from __future__ import annotations

import time
from typing import Any

import waitress
from flask import Flask
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer

from clearance.core import database
from clearance.core.settings import Settings
from clearance.web import lanes

WEB_THREADS = 8  # more would only queue at SQLite's one writer (design section 4)
WAITING_WRITERS = WEB_THREADS // 2  # leaves threads for readers
CONNECTIONS = 500  # open at once; half of the usual limit of open files
GRACE_SECONDS = 20
SLOWEST_BYTES_A_SECOND = 8 * 1024
IDLE_SECONDS = 30
HEAD_MAX_BYTES = 64 * 1024
# Responses up to this size wait for slow clients on disk, not in a thread.
WAITING_MAX_BYTES = 1024**3


def is_too_slow(seconds: float, received: int) -> bool:
    """Return whether to drop a request of which `received` bytes came in `seconds`.

    A phone with a weak signal may take minutes for its photographs; a client that sends a byte now
    and then only blocks others.
    """
    return seconds > GRACE_SECONDS + received / SLOWEST_BYTES_A_SECOND


def make_server(app: Flask) -> Any:
    """Return waitress for `app`, listening on HOST and PORT; call its `run`.

    It receives requests and sends responses in its own loop, so a slow client costs a connection
    only; threads handle complete requests and are free once the response is written.
    """
    settings: Settings = app.extensions["settings"]
    database.limit_waiting(app, WAITING_WRITERS)
    sockets: dict[int, Any] = {}
    server = waitress.create_server(
        app,
        map=sockets,
        host=settings.host,
        port=settings.port,
        _dispatcher=lanes.Dispatcher(WEB_THREADS),
        ident=None,
        connection_limit=CONNECTIONS,
        asyncore_use_poll=True,  # select() fails beyond 1024 open files
        channel_timeout=IDLE_SECONDS,
        cleanup_interval=5,
        max_request_header_size=HEAD_MAX_BYTES,
        # Above its own limit the application answers with a page; this one is the hard limit.
        max_request_body_size=2 * settings.request_max_bytes,
        outbuf_high_watermark=WAITING_MAX_BYTES,
        # `security_headers` handles them: only named proxies are trusted.
        clear_untrusted_proxy_headers=False,
    )
    for listener in sockets.values():
        if isinstance(listener, BaseWSGIServer):
            listener.channel_class = _Channel
    return server


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress is untyped
    """A connection that is closed when its request arrives too slowly."""

    _began = 0.0
    _received = 0

    def received(self, data: bytes) -> Any:
        """Process received data, or close the connection."""
        if self.request is None:
            self._began, self._received = time.monotonic(), 0
        self._received += len(data)
        if is_too_slow(time.monotonic() - self._began, self._received):
            self.will_close = True
            return False
        return super().received(data)
