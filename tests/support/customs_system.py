"""A small real customs system over HTTP for tests: it can be slow, silent, broken or down."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

TOKEN = "customs-token-for-tests"
LICENCE_NO = "KW-1001"
USER = "demo.broker"
PASSWORD = "Customs-7-Demo!"

HOLDER_CIVIL_ID = "285010100015"


def broker(civil_id: str, number: str, **values: Any) -> dict[str, Any]:
    """A broker as the customs system tells of him."""
    return {
        "broker_type": "general",
        "name_ar": ["أحمد", "عبد الله", "", "الكندري"],
        "name_en": ["Ahmad", "Abdullah", "", "Alkandari"],
        "nationality": "KW",
        "civil_id": civil_id,
        "civil_id_expiry": "2030-05-01",
        "passport_no": "P1234567",
        "passport_expiry": "2029-01-31",
        "licence": {
            "number": number,
            "guarantee_no": "LG 2519770/011926",
            "guarantee_expiry": "2028-12-31",
            "issued": "2020-01-01",
            "expires": "2028-06-30",
            "status": "active",
        },
    } | values


def answer(*brokers: Mapping[str, Any]) -> dict[str, Any]:
    """What the system answers for an account it agrees to."""
    return {
        "holder": {"first_name": "أحمد", "last_name": "الكندري", "civil_id": HOLDER_CIVIL_ID},
        "organisation": {"name_ar": "مكتب الكندري للتخليص", "name_en": "Alkandari Clearing"},
        "brokers": list(brokers) or [broker(HOLDER_CIVIL_ID, "CL/100")],
    }


class CustomsSystem:
    """Serves POST /accounts/verify on a free port of loopback while the `with` block lasts."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.status: int | None = None  # another status than the right one
        self.body: bytes | None = None  # another body than the right one
        self.silent = False
        self.dripping = False
        self.location = ""
        self._over = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """What CUSTOMS_URL must be."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _reply(self, path: str, token: str, question: dict[str, Any]) -> tuple[int, bytes]:
        if path != "/accounts/verify":
            return 404, b"{}"
        if token != f"Bearer {TOKEN}":
            return 403, b"{}"
        right = {"licence_no": LICENCE_NO, "user_id": USER, "password": PASSWORD}
        if question != right:
            return 401, b'{"error": "refused"}'
        return 200, json.dumps(answer()).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        system = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                system.asked.append(question)
                if system.silent:
                    system._over.wait(30)
                    return
                status, body = system._reply(
                    self.path, self.headers.get("Authorization", ""), question
                )
                body = body if system.body is None else system.body
                with suppress(OSError):  # the portal has hung up
                    self.send_response(system.status or status)
                    if system.location:
                        self.send_header("Location", system.location)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self._write(body)

            def _write(self, body: bytes) -> None:
                if not system.dripping:
                    self.wfile.write(body)
                    return
                for byte in body:
                    if system._over.is_set():
                        return
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(0.05)

            def log_message(self, format: str, *args: Any) -> None:
                """Keep the test's output quiet."""

        return Handler
