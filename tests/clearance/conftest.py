"""The people of the domain's tests, and the circumstances in which a use case is called."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from clearance.core.extensions import db
from clearance.models import User
from tests.support import factories, request_factories


@pytest.fixture
def agent(context: Flask) -> User:
    """An agent of an organisation of his own; the shipped services are published."""
    request_factories.load_services()
    return factories.make_agent()


@pytest.fixture
def reviewer(context: Flask) -> User:
    """A reviewer of the office."""
    return factories.make_staff()


@pytest.fixture
def visit(app: Flask) -> Iterator[Flask]:
    """The application within a visitor's POST."""
    with factories.visit(app):
        yield app
        db.session.rollback()


@pytest.fixture
def plain_english() -> Iterator[None]:
    """Texts can be written, in English, without the portal and its database."""
    app = Flask(__name__)
    Babel(app, default_locale="en")
    with app.app_context():
        yield


@pytest.fixture
def english(context: Flask) -> Iterator[None]:
    """Texts are written in English."""
    with force_locale("en"):
        yield
