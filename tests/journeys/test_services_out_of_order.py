"""Every page with a service that cannot be carried out, or a request in a status that is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.accounts import data_exports
from clearance.auth import sessions
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Request, ServiceVersion, User
from clearance.models.enums import Role, Status
from clearance.requests import eligibility
from tests.support import factories, request_factories
from tests.support.factories import PASSWORD
from tests.support.office_people import Office

BROKEN: dict[str, dict[str, Any]] = {
    "guard": {"guards": {"start": ["gone"], "send": ["gone"], "approval": ["gone"]}},
    "effect": {"on_approval": ["gone"]},
    "flow": {"flow": "gone"},
    "start": {"start": "gone"},
    "sign": {"sign": "gone"},
    "field": {
        "fields": [
            {"name": "name_ar_1"},
            {"name": "words", "type": "colour", "label": {"ar": "ع", "en": "W"}},
        ]
    },
    "title": {"title": None, "description": 7},
    "schema": {"schema": 99},
    "everything": {"schema": 1, "fields": 1, "subject": "", "subscription": "", "position": "x"},
}
OF_AGENTS = (
    *("/my/", "/my/services/", "/my/services/greeting/", "/my/services/exam/", "/my/requests/"),
    *("/my/requests/?flt0_service=greeting", "/my/requests/{sent}/", "/my/requests/{draft}/form"),
    *("/my/users/", "/my/users/new/", "/my/subscriptions/", "/my/organisation/", "/my/notices/"),
    *("/my/brokers/", "/my/invitations/", "/my/organisations/", "/my/account/data", "/"),
)
OF_THE_OFFICE = (
    *("/office/", "/office/requests/", "/office/requests/?flt0_service=greeting"),
    *("/office/requests/{sent}/", "/office/subscriptions/"),
)
OF_MANAGERS = (
    *("/office/services/", "/office/services/details/?id=greeting", "/office/document-kinds/"),
    *("/office/users/", "/office/organisations/", "/office/audit/"),
)
FILES = ("/my/requests/export/csv/", "/my/requests/{sent}/print")


@pytest.fixture
def requests_of(from_world: Callable[..., Any]) -> dict[str, int]:
    """Ids of an agent, a reviewer, and the agent's sent request and draft of a service."""
    found: dict[str, int] = from_world("greetings", _greetings)
    return found


def _greetings() -> dict[str, int]:
    request_factories.load_services()
    request_factories.publish(request_factories.TRIVIAL)
    agent, reviewer = factories.make_agent(), factories.make_staff()
    sent = request_factories.make_request(
        agent, Status.UNDER_REVIEW, code="greeting", reviewer=reviewer, words="سلام"
    )
    draft = request_factories.make_draft(agent, "greeting", words="سلام")
    return {"agent": agent.id, "reviewer": reviewer.id, "sent": sent.id, "draft": draft.id}


def rewrite(app: Flask, **changes: Any) -> None:
    with app.app_context():
        greeting = sa.select(ServiceVersion).where(ServiceVersion.service_code == "greeting")
        request_factories.rewrite(db.session.scalars(greeting).one(), **changes)


def copy_own_data(app: Flask, user_id: int) -> int:
    """Make a copy of the user's own data; returns how many were made."""
    with factories.visit(app):
        actor = sessions.actor_of(db.session.get_one(User, user_id))
        db.session.commit()
        data_exports.ask(actor, PASSWORD, utc_now())
        db.session.commit()
        return data_exports.make_waiting(utc_now())


def open_all(office: Office, ids: dict[str, int], language: str) -> None:
    """Open every page that could read a definition, as each reader; all answer 200."""
    agent = office.browser(ids["agent"], language)
    reviewer = office.browser(ids["reviewer"], language)
    manager = office.staff(Role.MANAGER, language)
    for path in OF_AGENTS:
        agent.get(path.format(**ids))
    for path in FILES:
        agent.get(path.format(**ids), check=False)
    for path in OF_THE_OFFICE:
        reviewer.get(path.format(**ids))
        manager.get(path.format(**ids))
    for path in OF_MANAGERS:
        manager.get(path.format(**ids))
    manager.get("/office/requests/export/csv/", check=False)
    office.staff(Role.ADMINISTRATOR, language).get("/office/")


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("name", BROKEN)
def test_every_page_answers(
    app: Flask, office: Office, requests_of: dict[str, int], name: str, language: str
) -> None:
    rewrite(app, **BROKEN[name])
    open_all(office, requests_of, language)
    assert copy_own_data(app, requests_of["agent"]) == 1
    assert office.status(office.request(Status.PREAPPROVED, agent=requests_of["agent"]))


@pytest.mark.parametrize("name", ["guard", "flow", "start", "field", "title", "schema"])
def test_start_is_refused_with_a_sentence(
    app: Flask, office: Office, requests_of: dict[str, int], name: str
) -> None:
    rewrite(app, **BROKEN[name])
    browser = office.browser(requests_of["agent"])
    shown = browser.get("/my/services/greeting/").text
    assert str(eligibility.OUT_OF_ORDER.text) in shown
    posted = browser.post("/my/services/greeting/", {"broker_type": "private", "start": "1"})
    assert str(eligibility.OUT_OF_ORDER.text) in posted.text
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Request)) == 2


def test_approval_with_an_effect_that_is_gone_is_refused(
    app: Flask, office: Office, requests_of: dict[str, int]
) -> None:
    rewrite(app, **BROKEN["effect"])
    sent = requests_of["sent"]
    version = office.read(sent, lambda req: req.version)
    page = office.browser(requests_of["reviewer"]).post(
        f"/office/requests/{sent}/do/approve", {"version": version}, status=409
    )
    assert str(eligibility.OUT_OF_ORDER.text) in page.text
    assert office.status(sent) == Status.UNDER_REVIEW


@pytest.mark.databases
def test_request_in_a_status_that_is_gone_is_shown_with_its_code(
    app: Flask, office: Office, requests_of: dict[str, int]
) -> None:
    with app.test_request_context(method="POST"):
        park = sa.text("UPDATE request SET status = 'parked' WHERE id = :id")
        db.session.execute(park, {"id": requests_of["sent"]})
        db.session.commit()
    open_all(office, requests_of, "en")
    assert copy_own_data(app, requests_of["agent"]) == 1
    agent = office.browser(requests_of["agent"])
    manager = office.staff(Role.MANAGER)
    for browser, room in ((agent, "my"), (manager, "office")):
        listed = browser.get(f"/{room}/requests/?flt0_service=greeting")
        assert "parked" in listed.text
        assert "parked" in browser.get(f"/{room}/requests/{requests_of['sent']}/").text
        rows = browser.get(f"/{room}/requests/export/csv/", check=False).csv_rows
        assert "parked" in [row["Status"] for row in rows]
