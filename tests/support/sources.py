"""The modules of the product, for tests that read source code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from clearance.core.settings import ROOT


def _sources() -> Iterator[tuple[str, Path]]:
    yield "app", ROOT / "app.py"
    for folder in ("clearance", "forms", "admin_views"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__"), path


MODULES = dict(_sources())  # dotted name -> file; no tests
