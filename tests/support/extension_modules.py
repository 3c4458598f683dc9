"""Modules that EXTENSIONS can name, made for one test."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from clearance.services.extension import Extension


def put(patch: pytest.MonkeyPatch, name: str, /, **parts: Any) -> str:
    """Make the module `name` importable, with an EXTENSION of that name and parts."""
    module = ModuleType(name)
    module.EXTENSION = Extension(**{"name": name} | parts)  # type: ignore[attr-defined]  # made here
    patch.setitem(sys.modules, name, module)
    return name
