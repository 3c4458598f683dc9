"""gunicorn threaded worker that hands only complete requests to threads."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import unquote

from gunicorn import util
from gunicorn.http import get_parser
from gunicorn.http.body import ChunkedReader
from gunicorn.workers.gthread import TConn, ThreadWorker

from clearance.core import database
from clearance.web import lanes
from clearance.web.serving import HEAD_MAX_BYTES, WAITING_WRITERS, is_too_slow

READ_BYTES = 64 * 1024
SUCCESSOR_SECONDS = 10  # that a new worker may need until it takes connections
ANSWER_SECONDS = 30  # for a client to accept a part of a response
# Pages and static files fit, so their threads need not wait for slow clients.
ANSWER_BUFFER_BYTES = 512 * 1024


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn is untyped
    """Receives requests in the worker's own loop, as waitress does, then passes them to threads.

    In gunicorn's own worker a thread waits for every byte, so a few slow clients block it. A
    connection serves one request (`keepalive` must be 0).
    """

    def init_process(self) -> None:
        """Start without connections; does not return while the worker runs."""
        self._arriving: set[TConn] = set()
        self._takes_until: float | None = None
        super().init_process()

    def load_wsgi(self) -> None:
        """Load this process's application."""
        super().load_wsgi()
        database.limit_waiting(self.wsgi, WAITING_WRITERS)

    def get_thread_pool(self) -> Executor:
        """Return the threads for pages, with the hashing lane."""
        return _Lanes(self.cfg.threads)

    def enqueue_req(self, conn: TConn) -> None:
        """Wait in the loop for a new connection's request."""
        conn.sock = Arriving(conn.sock, partial(self._length, conn))
        conn.sock.setblocking(False)
        self._arriving.add(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._receive, conn))

    def handle_exit(self, sig: int, frame: object) -> None:
        """Take connections until the workers that replace this one are ready, then stop."""
        if self._takes_until is None:
            self._takes_until = time.monotonic() + SUCCESSOR_SECONDS

    def murder_pending(self) -> None:
        """Close connections that are too slow; the loop calls it every second."""
        if self._takes_until is not None and time.monotonic() > self._takes_until:
            self.alive = False
        super().murder_pending()
        for conn in [connection for connection in self._arriving if connection.sock.is_too_slow]:
            self._leave_loop(conn)
            self._drop(conn)

    def handle(self, conn: TConn) -> bool:
        """Answer and close in a thread; gunicorn's loop would wait for the client to close."""
        super().handle(conn)
        conn.sock.finish()
        return False

    def _receive(self, conn: TConn, _sock: object) -> None:
        try:
            is_open = conn.sock.receive()
        except BlockingIOError:
            return
        except OSError:
            is_open = False
        if not is_open:
            self._leave_loop(conn)
            self._drop(conn)
        elif conn.sock.is_ready:
            self._leave_loop(conn)
            conn.data_ready = True
            super().enqueue_req(conn)

    def _leave_loop(self, conn: TConn) -> None:
        self.poller.unregister(conn.sock)
        self._arriving.discard(conn)

    def _drop(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def _length(self, conn: TConn, head: bytes) -> int | None:
        """Return the length of the body after `head`, as parsed by gunicorn.

        None leaves the body unread: the head is invalid or the body far too large, and the thread
        answers that. Raises: ConnectionAbortedError for a body without a length; browsers and
        buffering proxies send one.
        """
        try:
            parsed = next(get_parser(self.cfg, [head], conn.client))
            reader = parsed.body.reader
        except Exception:  # the thread's own parser reports any fault to the client
            return None
        conn.sock.is_hashing = lanes.is_hashing(parsed.method, unquote(parsed.path))
        if isinstance(reader, ChunkedReader):
            conn.sock.sendall(b"HTTP/1.1 411 Length Required\r\nConnection: close\r\n\r\n")
            raise ConnectionAbortedError
        largest = 2 * self.wsgi.config["MAX_CONTENT_LENGTH"]  # refused with a page up to here
        return int(reader.length) if reader.length <= largest else None


class _Lanes(ThreadPoolExecutor):
    """Two thread pools; password-hashing requests use the smaller one."""

    def __init__(self, pages: int) -> None:
        super().__init__(pages)
        self._hashing = ThreadPoolExecutor(lanes.HASHING_THREADS)

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        (conn,) = args
        if conn.sock.is_hashing:
            return self._hashing.submit(lanes.timed(work), conn)
        return super().submit(work, conn)

    def shutdown(self, *args: Any, **kwargs: Any) -> None:
        self._hashing.shutdown(*args, **kwargs)
        super().shutdown(*args, **kwargs)


class Arriving:
    """A connection's socket while its request arrives; the thread reads the request from here.

    length_of: returns the length of the body for a complete head; None: do not await the body.
    """

    def __init__(self, sock: socket.socket, length_of: Callable[[bytes], int | None]) -> None:
        self._sock = sock
        self._length_of = length_of
        self._kept = SpooledTemporaryFile(READ_BYTES)  # noqa: SIM115 - closed with the socket
        self._began = time.monotonic()
        self._head = b""
        self._received = 0
        self._size = sys.maxsize
        self.is_ready = False
        self.is_hashing = False
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ANSWER_BUFFER_BYTES)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    @property
    def is_too_slow(self) -> bool:
        """Whether the client's time is up."""
        return is_too_slow(time.monotonic() - self._began, self._received)

    def receive(self) -> bool:
        """Receive data; sets `is_ready` when a thread can continue. False: the client has left.

        Raises: BlockingIOError, OSError.
        """
        data = self._sock.recv(READ_BYTES)
        self._kept.write(data)
        self._received += len(data)
        if self._size == sys.maxsize:
            self._read_head(data)
        if self._received >= self._size:
            self.is_ready = True
        if self.is_ready:
            self._kept.seek(0)
        return bool(data)

    def _read_head(self, data: bytes) -> None:
        self._head += data
        head, end, _body = self._head.partition(b"\r\n\r\n")
        if end:
            length = self._length_of(head + end)
            if length is None:
                self.is_ready = True
            else:
                self._size = len(head + end) + length
        elif len(self._head) > HEAD_MAX_BYTES:
            self.is_ready = True  # the thread's parser rejects it

    def recv(self, size: int, *_flags: int) -> bytes:
        """Return received data only; a thread never waits for more."""
        return self._kept.read(size)

    def setblocking(self, is_blocking: bool) -> None:
        """Set a timeout, so that no call blocks forever."""
        with suppress(OSError):  # already closed
            self._sock.settimeout(ANSWER_SECONDS if is_blocking else 0)

    def finish(self) -> None:
        """Close after the response; data the client still sends must not reset the connection."""
        if self._received < self._size:
            util.close_graceful(self._sock)
        self.close()

    def close(self) -> None:
        """Close the socket and the buffer."""
        self._kept.close()
        self._sock.close()
