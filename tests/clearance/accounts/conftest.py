"""A visit of the portal, in which somebody signs up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from clearance.core.extensions import db
from clearance.services import versions
from tests.support import factories
from tests.support.registering import NOW


@pytest.fixture
def signing_up(app: Flask) -> Iterator[Flask]:
    """The application during a POST of a visitor; the services are published."""
    with factories.visit(app):
        versions.publish_missing(NOW)
        db.session.commit()
        yield app
        db.session.rollback()
