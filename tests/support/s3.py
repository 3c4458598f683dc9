"""An S3 server in a process of its own, behind a proxy that breaks what it is told to."""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from clearance.core.settings import Settings
from clearance.files.s3 import Bucket
from tests.support.gateways import free_port

BUCKET = "clearance-test"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
PATIENCE_SECONDS = 60
OF_THE_PROXY = {"content-length", "transfer-encoding", "connection", "server", "date"}


class FaultyS3:
    """The address of the proxy, and what is wrong at present.

    fault: "503", "403", "slow" (no answer), "gone" (the connection breaks), "cut" (half of each
    file arrives), "dripping" (it arrives byte by byte), "half", "flipped" and "swallowed" (a write
    is acknowledged, but half, another or nothing of it is stored), "careless" (conditions of writes
    are ignored), "forgetful" (no upload is known). seen: method and path of each request.
    """

    def __init__(self, backend: int) -> None:
        self.fault = ""
        self.seen: list[str] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                with suppress(ConnectionError):  # the client has given up
                    proxy._answer(self, backend)

            do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = handle_any

            def log_message(self, *_arguments: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler, backend: int) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        self.seen.append(f"{handler.command} {handler.path}")
        handler.close_connection = True
        if self._is_answered(handler):
            return
        is_write = handler.command == "PUT"
        if is_write and self.fault == "half":
            body = body[: len(body) // 2]
        if is_write and self.fault == "flipped":
            body = bytes([body[0] ^ 1]) + body[1:]
        if self.fault == "careless":
            del handler.headers["If-None-Match"]
        status, headers, data = _asked(handler, backend, body)
        if handler.command == "GET" and self.fault == "cut":
            _send(handler, status, data[: len(data) // 2], headers, length=len(data))
        elif handler.command == "GET" and self.fault == "dripping":
            _send(handler, status, b"", headers, length=len(data))
            for byte in data:
                handler.wfile.write(bytes([byte]))
                time.sleep(0.05)
        else:
            length = int(headers.get("content-length", len(data)))
            _send(handler, status, data, headers, length=length)

    def _is_answered(self, handler: BaseHTTPRequestHandler) -> bool:
        """Answer in the server's place, or not at all, where that is what is wrong."""
        if self.fault == "slow":
            time.sleep(3)
        elif self.fault in {"503", "403"}:
            _send(handler, int(self.fault), b"", {})
        elif self.fault == "swallowed" and handler.command == "PUT":
            _send(handler, 200, b"", {"ETag": '"0123456789abcdef0123456789abcdef"'})
        elif self.fault == "forgetful" and "uploads" in handler.path:
            _send(handler, 404, b"<Error><Code>NoSuchUpload</Code></Error>", {})
        else:
            return self.fault == "gone"
        return True


def _asked(
    handler: BaseHTTPRequestHandler, backend: int, body: bytes
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", backend, timeout=30)
    dropped = {"content-length", "x-amz-checksum-sha256", "connection", "expect"}
    headers = {k: v for k, v in handler.headers.items() if k.lower() not in dropped}
    connection.request(handler.command, handler.path, body, headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, data


def _send(
    handler: BaseHTTPRequestHandler,
    status: int,
    data: bytes,
    headers: dict[str, str],
    length: int | None = None,
) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        if name.lower() not in OF_THE_PROXY:
            handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(data) if length is None else length))
    handler.end_headers()
    handler.wfile.write(data)


@contextmanager
def running() -> Iterator[FaultyS3]:
    """Start both; the bucket exists."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        proxy = FaultyS3(port)
        try:
            bucket(proxy, "").client.create_bucket(Bucket=BUCKET)
            yield proxy
        finally:
            proxy.close()
    finally:
        process.kill()
        process.wait()


def bucket(server: FaultyS3, prefix: str) -> Bucket:
    """A part of the bucket."""
    settings = Settings(s3_endpoint=server.endpoint, aws_default_region="us-east-1", **KEYS)
    return Bucket(f"s3://{BUCKET}/{prefix}", settings)


def _wait_for(port: int) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the S3 server did not start")
