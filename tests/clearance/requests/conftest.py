"""A draft, and a reviewer whose name is looked for."""

from __future__ import annotations

import pytest
from flask import Flask

from clearance.models import Request, User
from tests.support import factories, request_factories


@pytest.fixture
def draft(agent: User) -> Request:
    """The agent's draft, without a document."""
    return request_factories.make_draft(agent, with_documents=False)


@pytest.fixture
def reviewer(context: Flask) -> User:
    """A reviewer of the office."""
    return factories.make_staff(first_name="نورة", last_name="الصباح")
