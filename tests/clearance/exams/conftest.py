"""Who acts in the tests of exams."""

from __future__ import annotations

import pytest

from clearance.auth.sessions import actor_of
from clearance.core.actor import Actor
from clearance.models import User


@pytest.fixture
def actor(reviewer: User) -> Actor:
    """The reviewer, as an actor."""
    return actor_of(reviewer)
