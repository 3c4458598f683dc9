"""docs/map.md: every module under its subject, in the words of its own first line.

`python -m tests.map` brings the words up to date, drops what is gone and puts what is new under
UNPLACED; whoever adds a module moves its line to the subject it belongs to.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from clearance.core.settings import ROOT

FILE = ROOT / "docs" / "map.md"
UNPLACED = "## To be placed"
_LINE = re.compile(r"^- `([^`]+)`: .*$")


def modules() -> dict[str, str]:
    """Path of each module without its `.py` → the first sentence or line of its docstring."""
    rooms = [ROOT / name for name in ("clearance", "forms", "admin_views")]
    paths = [ROOT / "app.py", *sorted(path for room in rooms for path in room.rglob("*.py"))]
    return {_name(path): _first_line(path) for path in paths}


def refreshed(text: str) -> str:
    """`text` with each line in today's words, without what is gone, with what is new at the end."""
    known = modules()
    lines: list[str] = []
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is None:
            lines.append(line)
        elif (words := known.pop(found[1], None)) is not None:
            lines.append(_entry(found[1], words))
    if known:
        lines += ["", UNPLACED, ""] if UNPLACED not in lines else []
        lines += [_entry(name, words) for name, words in known.items()]
    return "\n".join(lines) + "\n"


def _name(path: Path) -> str:
    name = path.relative_to(ROOT).with_suffix("").as_posix()
    return name.removesuffix("/__init__") + ("/" if path.name == "__init__.py" else "")


def _first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, f"{path} does not say what belongs in it"
    return docstring.splitlines()[0]


def _entry(name: str, words: str) -> str:
    return f"- `{name}`: {words}"


if __name__ == "__main__":
    FILE.write_text(refreshed(FILE.read_text(encoding="utf-8")), encoding="utf-8")
