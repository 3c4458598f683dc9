"""The process of its own in which one file is looked into: its limits, its commands, its answer.

`file_inspection_worker.py PATHS COMMAND [ARGUMENT…]` reads a file from standard input and writes
one line of JSON, {"fault": …, "pages": …}, with the bytes that were made behind it. A file that
needs more than the limits ends this process alone. Imports no room: it starts for every file.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

CPU_SECONDS = 2
MEMORY_BYTES = 200 * 1024 * 1024
# Which module knows a command; each loads only the libraries it needs.
COMMANDS = {
    "check_pdf": "clearance.files.pdf_inspection_worker",
    "draw_page": "clearance.files.pdf_inspection_worker",
    "rewrite_picture": "clearance.files.picture_worker",
    "draw_picture": "clearance.files.picture_worker",
}


class Answer(NamedTuple):
    """What was found. fault: "", or a word of `file_process`. data: the picture that was made."""

    fault: str = ""
    pages: int = 0
    data: bytes = b""


def answer_to(command: str, data: bytes, arguments: list[str]) -> Answer:
    """Run one command on the bytes of a file, whatever they are; always answers."""
    work = getattr(import_module(COMMANDS[command]), command)
    try:
        answer: Answer = work(data, *arguments)
    except MemoryError:
        return Answer("complex")
    except Exception:  # libraries fail on hostile files in any way they like
        return Answer("broken")
    return answer


def limit_growth() -> None:
    """Bound what a file may add to the memory that interpreter and libraries take by themselves.

    RLIMIT_AS bounds every mapping, so the limit is what is mapped now (some 55 MiB) and 200 MiB.
    """
    most = _mapped_bytes() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _mapped_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:  # not Linux: nearly what it is there
        return 64 * 1024 * 1024
    return pages * resource.getpagesize()


def main(paths: str, command: str, *arguments: str) -> None:
    """Take the limits, then the file, and answer."""
    # One second more before the end that cannot be caught. No copy of a document reaches a disk.
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(kind, (0, 0))
    sys.path.extend(paths.split(os.pathsep))
    import_module(COMMANDS[command]).load_libraries()
    limit_growth()
    fault, pages, data = answer_to(command, sys.stdin.buffer.read(), list(arguments))
    head = json.dumps({"fault": fault, "pages": pages}).encode()
    sys.stdout.buffer.write(head + b"\n")
    sys.stdout.buffer.write(data)


if __name__ == "__main__":
    main(*sys.argv[1:])
