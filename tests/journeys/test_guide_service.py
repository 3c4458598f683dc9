"""The service of docs/add-a-service.md: published, asked for, inspected, issued, checked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from clearance.auth.sessions import actor_of
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.extensions import db
from clearance.models import IssuedDocument, Request
from clearance.models.enums import Role, Status
from clearance.services import drafting
from tests.support import factories, request_factories
from tests.support.office_people import Office
from tests.support.pages import PageClient

GUIDE = Path(__file__).parents[2] / "docs" / "add-a-service.md"
VISIT = {
    "name_ar_1": "سالم",
    "port": "other",
    "other_port": "الدوحة",
    "visitors": "12",
    "starts_on": "01/04/2031",
    "ends_on": "05/04/2031",
}


def definition() -> dict[str, Any]:
    """Return the guide's example, open today."""
    text = re.search(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert text is not None
    return dict(yaml.safe_load(text[1])) | {"opens_on": "2020-01-01"}


@pytest.fixture
def begun(office: Office) -> PageClient:
    """The example published from the panel; gives the administrator's browser."""
    wanted = definition()
    with office.app.app_context():
        request_factories.load_services()
        keeper = actor_of(factories.make_staff(Role.ADMINISTRATOR))
        factories.make_staff()  # who decides
        code, now = wanted["code"], utc_now()
        drafting.create(code, wanted["prefix"], wanted["title"], None, keeper, now)
        drafting.change(code, lambda document: _become(document, wanted), 1, keeper, now)
        found = drafting.findings(drafting.source(code), kuwait_date(utc_now()))
        assert [str(each) for each in found] == []
        db.session.commit()
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get("/office/services/temporary_permit/draft/publish/")
    browser.submit(page, {"why": "A new service"}, form="#publish-form")
    return browser


def _become(document: dict[str, Any], wanted: dict[str, Any]) -> None:
    document.clear()
    document.update(wanted)


def test_the_guides_service_is_asked_for_inspected_issued_and_checked(
    office: Office, begun: PageClient
) -> None:
    agent = office.browser(office.agent())
    page = agent.get("/my/services/temporary_permit/")
    page = agent.submit(page, {"broker_type": "private"}, form="main form.form")
    page = agent.submit(page, VISIT | {"submit": "send"}, form="#request-form")
    assert "passport" in page.text.casefold()  # asked for, since there are several visitors
    with office.app.app_context():
        req = db.session.scalars(sa.select(Request)).one()
        request_factories.make_document(req, "passport_copy", req.created_by)
        request_id = req.id
    page = agent.get(f"/my/requests/{request_id}/form")
    agent.submit(page, {"submit": "send"}, form="#request-form")

    reviewer = office.staff()
    page = reviewer.get(f"/office/requests/{request_id}/do/approve")
    reviewer.submit(page, {}, form="#step")
    page = reviewer.get(f"/office/requests/{request_id}/do/approve")
    refused = reviewer.submit(page, {}, form="#step", status=400)
    assert refused.error_of("office-visited_on")
    reviewer.submit(page, {"office-visited_on": "20/11/2026"}, form="#step")

    with office.app.app_context():
        req = db.session.get_one(Request, request_id)
        assert (req.status, req.answers["visited_on"]) == (Status.APPROVED, "2026-11-20")
        issued = db.session.scalars(sa.select(IssuedDocument)).one()
        code, number = issued.check_code, issued.number
        assert issued.content["facts"][0]["value"]["en"] == "Other"
    page = PageClient(office.app, language="en").get(f"/check/{code}")
    assert "Permit" in page.text and str(number) in page.text
    text = agent.get(f"/my/requests/{request_id}/").text
    for words in ("Other", "الدوحة", "Permit", str(number)):
        assert words in text
