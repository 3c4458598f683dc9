"""One contender in a process of its own: answers what the runner asks, and tells what it cost.

    python -m benchmarks.peers.worker floor

Reads a JSON line {"path", "cookie"} and writes one {"ms", "status", "bytes", "text"}, or the
cookie of a new session for {"sign_in": true}. ms: of processor, of the whole process.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
from typing import Any
from wsgiref.util import setup_testing_defaults


def main() -> None:
    """Serve the runner until it closes."""
    answers, sys.stdout = sys.stdout, sys.stderr  # so that no log line is taken for an answer
    contender = importlib.import_module(f"benchmarks.peers.{sys.argv[1]}")
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        given = contender.sign_in() if "sign_in" in asked else _call(contender.application, asked)
        print(json.dumps(given), file=answers, flush=True)


def _call(application: Any, asked: dict[str, str]) -> dict[str, Any]:
    path, _mark, query = asked["path"].partition("?")
    environ: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": query, "HTTP_HOST": "localhost"}
    if asked["cookie"]:
        environ["HTTP_COOKIE"] = asked["cookie"]
    setup_testing_defaults(environ)
    status: list[str] = []

    def start_response(line: str, *_rest: Any) -> Any:
        status.append(line)

    began = time.process_time()
    parts = application(environ, start_response)
    body = b"".join(parts)
    if hasattr(parts, "close"):
        parts.close()
    taken = time.process_time() - began
    found = {"ms": taken * 1000, "status": int(status[0][:3]), "bytes": len(body)}
    return found | {"text": body.decode()}


if __name__ == "__main__":
    main()
