"""What every journey must keep to."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest
from flask import has_request_context, request

from clearance.auth import passwords
from clearance.web import lanes


@pytest.fixture(autouse=True)
def _hashes_in_their_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a request hashes among the pages: its waiting would take their threads."""
    take_turn = passwords._turn

    def turn() -> AbstractContextManager[None]:
        if has_request_context() and request.endpoint is not None and request.path != "/":
            assert lanes.is_hashing(request.method, request.path), request.path
        return take_turn()

    monkeypatch.setattr(passwords, "_turn", turn)
