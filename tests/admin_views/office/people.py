"""People and requests for the tests of the office, made outside any browser's transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from clearance.extensions import db
from clearance.models import Request, User
from clearance.vocabulary import Role, Status
from tests import factories, request_factories
from tests.pages import PageClient


class Office:
    """Makes what a test needs and opens browsers for its people; hands out ids, not rows."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.people: dict[str, int] = {}

    def person(self, name: str, role: str = Role.REVIEWER, **columns: Any) -> int:
        """The staff user called `name`, made once."""
        if name not in self.people:
            with self.app.app_context():
                values = {"first_name": name, "last_name": "Alsabah"} | columns
                self.people[name] = factories.make_staff(role, **values).id
        return self.people[name]

    def agent(self, name: str = "agent", **columns: Any) -> int:
        """The agent called `name`, made once with an organisation."""
        if name not in self.people:
            with self.app.app_context():
                self.people[name] = factories.make_agent(**columns).id
        return self.people[name]

    def browser(self, user_id: int, language: str = "en") -> PageClient:
        """A browser in which that user is signed in."""
        client = PageClient(self.app, language=language)
        with self.app.app_context():
            user = db.session.get_one(User, user_id)
        factories.sign_in(client, user)
        return client

    def staff(self, role: str = Role.REVIEWER, language: str = "en") -> PageClient:
        """A browser of somebody with that role."""
        return self.browser(self.person(f"The {role}", role), language)

    def request(
        self,
        status: str = Status.SUBMITTED,
        *,
        reviewer: int | None = None,
        agent: int | None = None,
        **options: Any,
    ) -> int:
        """A request walked to `status`; returns its id."""
        agent = agent or self.agent()
        with self.app.app_context():
            req = request_factories.make_request(
                db.session.get_one(User, agent),
                status,
                reviewer=db.session.get_one(User, reviewer) if reviewer else None,
                **options,
            )
            return req.id

    def read(self, request_id: int, look: Callable[[Request], Any]) -> Any:
        """What `look` sees of the request as it is stored now."""
        with self.app.app_context():
            return look(db.session.get_one(Request, request_id))

    def status(self, request_id: int) -> str:
        """The stored state of the request."""
        return str(self.read(request_id, lambda req: req.status))
