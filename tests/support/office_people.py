"""People and requests for the tests of the office, made outside any browser's transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db
from clearance.models import Event, Licence, Organisation, Request, User
from clearance.models.enums import Role, Status
from tests.support import factories, issued_factories, request_factories
from tests.support.pages import PageClient
from tests.support.statements import statements_of


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
        with self.app.app_context():
            user = db.session.get_one(User, user_id)
        return factories.browser_of(self.app, user, language)

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

    def licence(self, organisation_id: int | None = None, **columns: Any) -> int:
        """A broker with a licence; columns of either replace what is made up. Returns its id."""
        with self.app.app_context():
            organisation = (
                db.session.get_one(Organisation, organisation_id) if organisation_id else None
            )
            return issued_factories.make_licence(organisation, **columns).id

    def renewal(self, licence_id: int, **options: Any) -> int:
        """A request to renew that licence, sent by an agent of its organisation."""
        return self.about(licence_id, "renewal", **options)

    def about(
        self, licence_id: int, code: str, status: str = Status.SUBMITTED, **options: Any
    ) -> int:
        """A request for that service about the licence, sent by its organisation."""
        with self.app.app_context():
            request_factories.load_services()
            licence = db.session.get_one(Licence, licence_id)
            name = f"agent of {licence.broker.organisation_id}"
            if name not in self.people:
                self.people[name] = factories.make_agent(licence.broker.organisation).id
            agent = self.people[name]
        return self.request(status, agent=agent, code=code, licence_id=licence_id, **options)

    def queries(self, browser: PageClient, url: str) -> int:
        """How many statements the page took."""
        with statements_of(self.app) as sent:
            browser.get(url)
        return len(sent)

    def read(self, request_id: int, look: Callable[[Request], Any]) -> Any:
        """What `look` sees of the request as it is stored now."""
        with self.app.app_context():
            return look(db.session.get_one(Request, request_id))

    def status(self, request_id: int) -> str:
        """The stored state of the request."""
        return str(self.read(request_id, lambda req: req.status))

    def kinds(self, prefix: str) -> list[str]:
        """The kinds of the trail's events with that beginning, in their order."""
        kinds = sa.select(Event.kind).where(Event.kind.startswith(prefix)).order_by(Event.id)
        with self.app.app_context():
            return list(db.session.scalars(kinds))
