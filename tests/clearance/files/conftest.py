"""What the tests of files need around them."""

from __future__ import annotations

import pytest

from clearance.files import file_inspection


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other work of the machine must not decide what is said of a file."""
    monkeypatch.setattr(file_inspection, "WALL_SECONDS", 60)
