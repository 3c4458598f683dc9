"""A reviewer with a name, and browsers beside the test's own transaction."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context

import pytest
from flask import Flask

from clearance.core.extensions import db
from clearance.models import User
from tests.support import factories
from tests.support.pages import PageClient
from tests.support.sitting_pages import RealBrowser


@pytest.fixture
def reviewer(context: Flask) -> User:
    return factories.make_staff(first_name="منى", last_name="الرشيد")


@pytest.fixture
def browser(context: Flask) -> Callable[..., PageClient]:
    def open_for(user: User, language: str = "en") -> PageClient:
        db.session.commit()
        client = PageClient(context)
        client.http = RealBrowser(context, context.response_class)
        client.http.set_cookie("lang", language)
        Context().run(factories.sign_in, client, user)
        return client

    return open_for
