"""Worker process that inspects one file: its limits, commands and answer.

`file_inspection_worker.py PATHS COMMAND [ARGUMENT…]` reads a file from standard input and writes
one line of JSON, {"fault": …, "pages": …}, followed by the bytes produced. A file that exceeds
the limits ends only this process. It starts for every file, so it imports little.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

CPU_SECONDS = 2
MEMORY_BYTES = 200 * 1024 * 1024
# The module of every command loads only the libraries it needs.
COMMANDS = {
    "check_pdf": "clearance.files.pdf_inspection_worker",
    "draw_page": "clearance.files.pdf_inspection_worker",
    "rewrite_picture": "clearance.files.picture_worker",
    "convert_webp": "clearance.files.picture_worker",
    "convert_heic": "clearance.files.heic_worker",
    "draw_picture": "clearance.files.picture_worker",
    "read_workbook": "clearance.files.table_worker",
}


class Answer(NamedTuple):
    """The result. fault: "", or a word listed in `file_inspection`.

    data: the file produced; after a crash of our own, its traceback.
    """

    fault: str = ""
    pages: int = 0
    data: bytes = b""


def answer_to(command: str, data: bytes, arguments: list[str]) -> Answer:
    """Run one command on the bytes of an untrusted file; always returns an answer."""
    module = import_module(COMMANDS[command])
    try:
        answer: Answer = getattr(module, command)(data, *arguments)
    except (MemoryError, RecursionError):
        return Answer("complex")
    except module.LIBRARY_FAULTS:
        return Answer("broken")
    except Exception:  # ours: the file is not to blame
        return Answer("crashed", data=traceback.format_exc().encode())
    return answer


def limit_growth() -> None:
    """Limit the memory a file may use beyond what interpreter and libraries take.

    RLIMIT_AS covers every mapping, so it is set to the current size (about 55 MiB) plus 200 MiB.
    """
    most = _mapped_bytes() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _mapped_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:  # not Linux: assume a similar size
        return 64 * 1024 * 1024
    return pages * resource.getpagesize()


def main(paths: str, command: str, *arguments: str) -> None:
    """Set the limits, read the file, and write the answer."""
    # SIGKILL follows SIGXCPU after a second. No copy of a document may reach a disk.
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
