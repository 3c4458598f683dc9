"""YAML files shipped with the code: reading them, typed parts, and faults with their paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

# PyYAML's optional C loader is ten times as fast.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableFile(Exception):
    """A file that is not there, is no YAML, or holds no mapping."""


class Part(BaseModel):
    """A mapping of a file: immutable, without unknown names, texts stripped."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def read(path: Path) -> dict[str, Any]:
    """Read one file as a mapping, without validating it. Raises: UnreadableFile."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - a safe one
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UnreadableFile(str(error)) from None
    if not isinstance(document, dict):
        raise UnreadableFile("not a mapping of names to values")
    return document


def faults_of(error: ValidationError) -> list[str]:
    """Return every fault as `path: message`, the path as in documents[0].kind."""
    found = []
    for fault in error.errors():
        path, message = path_of(fault["loc"]), fault["msg"].removeprefix("Value error, ")
        found.append(f"{path}: {message}" if path else message)
    return found


def path_of(place: tuple[int | str, ...]) -> str:
    """Return where a fault is, as in documents[0].kind; "" for the whole."""
    path = ""
    for part in place:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path
