"""The people of these tests: an office with its colleagues, a foreign office, staff."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask

from clearance.models import Organisation, Request, User
from tests.support import factories, request_factories
from tests.support.pages import PageClient


@dataclass
class People:
    """Who looks at the pages. granted may use the exam, ungranted another service only."""

    organisation: Organisation
    owner: User
    granted: User
    ungranted: User
    foreign: User
    staff: User


@pytest.fixture
def people(from_world: Callable[..., People]) -> People:
    return from_world("people", _people)


def _people() -> People:
    request_factories.load_services()
    request_factories.publish(request_factories.TRIVIAL)
    organisation = factories.make_organisation()
    return People(
        organisation=organisation,
        owner=factories.make_agent(organisation),
        granted=factories.make_agent(organisation, is_general=False, services=("exam",)),
        ungranted=factories.make_agent(organisation, is_general=False, services=("greeting",)),
        foreign=factories.make_agent(),
        staff=factories.make_staff(),
    )


@pytest.fixture
def browser(app: Flask) -> Callable[..., PageClient]:
    """Open a browser in which a user is signed in (a visitor's without one)."""

    def open_browser(user: User | None = None, language: str = "en") -> PageClient:
        client = PageClient(app, language=language)
        if user is not None:
            factories.sign_in(client, user)
        return client

    return open_browser


@pytest.fixture
def mine(browser: Callable[..., PageClient], people: People) -> PageClient:
    """The owner's browser, in English."""
    return browser(people.owner)


@pytest.fixture
def draft(app: Flask, people: People) -> Request:
    """The owner's draft, with all its documents."""
    with app.app_context():
        return request_factories.make_draft(people.owner)


@pytest.fixture
def empty_draft(app: Flask, people: People) -> Request:
    """The owner's draft, without a document."""
    with app.app_context():
        return request_factories.make_draft(people.owner, with_documents=False)


@pytest.fixture
def sent(app: Flask, people: People) -> Request:
    """A request that the owner sent."""
    with app.app_context():
        return request_factories.make_sent(people.owner)
