"""Fixtures of the office's tests."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.office_people import Office


@pytest.fixture
def office(app: Flask) -> Office:
    """Makes people, requests and browsers."""
    return Office(app)
