"""The office whose users are attacked."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.member_factories import World


@pytest.fixture
def world(app: Flask) -> World:
    return World(app)
