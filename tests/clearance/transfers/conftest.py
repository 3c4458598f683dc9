"""The offices between which brokers are transferred."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support import transfer_factories
from tests.support.transfer_factories import Offices


@pytest.fixture
def offices(context: Flask) -> Offices:
    """The present office and the new one, with their users and a licensed broker."""
    return transfer_factories.make_offices()
