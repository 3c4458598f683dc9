"""Licences of the owner's organisation."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.admin_views.my.conftest import People
from tests.support.batches import make_licences


@pytest.fixture
def three(app: Flask, people: People) -> list[int]:
    """The ids of three licences that can be renewed."""
    return make_licences(app, people, 3)
