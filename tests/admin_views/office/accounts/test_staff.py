"""The office's staff: invited, disabled, given another role, by administrators alone."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from clearance.auth.sessions import active_sessions
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Delivery, Invitation, Notice, User
from clearance.models.enums import Role, Status
from clearance.notifications import inbox
from tests.support.office_people import Office
from tests.support.pages import Page

STAFF = "/office/staff/"


def invite(office: Office, values: dict[str, str], **more: Any) -> Page:
    browser = office.staff(Role.ADMINISTRATOR)
    return browser.submit(browser.get(f"{STAFF}invite"), values, form="#invitation", **more)


def test_an_invitation_goes_out_once_and_can_be_withdrawn(office: Office) -> None:
    browser = office.staff(Role.ADMINISTRATOR)
    form = browser.get(f"{STAFF}invite")
    for _ in range(2):
        page = browser.submit(
            form, {"email": "New@Example.com", "role": "reviewer"}, form="#invitation"
        )
    assert "new@example.com" in page.soup.select_one("#invitations").get_text()
    with office.app.app_context():
        assert len(db.session.scalars(sa.select(Invitation)).all()) == 1
        assert db.session.scalars(sa.select(Delivery.address)).all() == ["new@example.com"]
    page = browser.submit(page, form="#invitations form")
    assert page.soup.select_one("#invitations") is None
    assert office.kinds("staff:") == ["staff:user:invited", "staff:invitation:withdrawn"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "nobody", "role": "reviewer"}, "email"),
        ({"email": "", "role": "reviewer"}, "email"),
        ({"email": "a@example.com", "role": ""}, "role"),
        ({"email": "a@example.com", "role": "agent"}, "role"),
    ],
)
def test_a_wrong_invitation_is_told_beside_its_field(
    office: Office, values: dict[str, str], field: str
) -> None:
    page = invite(office, values, status=400)
    assert page.error_of(field)
    assert office.kinds("staff:") == []


def test_who_is_a_user_already_is_not_invited(office: Office) -> None:
    office.person("Known", email="known@example.com")
    page = invite(office, {"email": "known@example.com", "role": "manager"}, status=409)
    assert "Another user already has" in page.error_of("email")


def test_a_disabled_reviewer_is_out_at_once_and_can_come_back(office: Office) -> None:
    reviewer = office.person("Huda")
    theirs = office.browser(reviewer)
    theirs.get("/office/")
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get(f"{STAFF}details/?id={reviewer}")
    page = browser.submit(page, form=f"form[action$='{reviewer}/disable']")
    assert "Disabled" in page.text
    assert theirs.http.get("/office/").status_code == 302
    with office.app.app_context():
        assert db.session.get_one(User, reviewer).is_active is False
        assert active_sessions(reviewer, utc_now()) == []
    browser.submit(page, form=f"form[action$='{reviewer}/enable']")
    assert office.kinds("staff:user") == ["staff:user:disabled", "staff:user:enabled"]


def test_administrators_cannot_shut_themselves_or_the_last_one_out(office: Office) -> None:
    me = office.person("me", Role.ADMINISTRATOR)
    browser = office.browser(me)
    assert browser.get(f"{STAFF}details/?id={me}").soup.select_one("#access") is None
    page = browser.post(f"{STAFF}{me}/disable", {}, status=409)
    assert "This is your own account" in page.text
    with office.app.app_context():
        assert db.session.get_one(User, me).is_active


def test_a_new_role_counts_at_once_and_the_person_is_told(office: Office) -> None:
    reviewer = office.person("Huda", language="en")
    theirs = office.browser(reviewer)
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get(browser.get(f"{STAFF}details/?id={reviewer}").link("Change the role"))
    assert "reviewer" not in [option["value"] for option in page.soup.select("#role option")]
    assert browser.submit(page, {"role": ""}, form="#step", status=400).error_of("role")
    changed = browser.submit(page, {"role": "manager"}, form="#step")
    assert "The role was changed" in changed.text
    assert theirs.http.get("/office/").status_code == 302
    other = {"role": "administrator", "form_key": "of another page"}
    late = browser.submit(page, other, form="#step", status=409)
    assert "changed in the meantime" in late.text
    with office.app.app_context():
        assert db.session.get_one(User, reviewer).role == Role.MANAGER
        notice = db.session.scalars(sa.select(Notice).where(Notice.user_id == reviewer)).one()
        assert "Your role is now: Manager." in inbox.text_of(notice, "en")[1]
    assert office.kinds("staff:") == ["staff:role:changed"]


def test_managers_find_what_somebody_who_reviews_no_more_still_has(office: Office) -> None:
    gone = office.person("Huda")
    request_id = office.request(Status.UNDER_REVIEW, reviewer=gone)
    with office.app.app_context():
        db.session.get_one(User, gone).role = Role.MANAGER
        db.session.commit()
    manager = office.staff(Role.MANAGER)
    page = manager.get(manager.get("/office/").link("Huda Alsabah (no longer a reviewer)"))
    assert office.read(request_id, lambda req: req.number) in page.text


def test_only_administrators_change_staff(office: Office) -> None:
    reviewer = office.person("Huda")
    manager = office.staff(Role.MANAGER)
    assert manager.get(f"{STAFF}details/?id={reviewer}").soup.select("main form") == []
    manager.get(f"{STAFF}invite", status=404)
    for place in ("disable", "enable", "role", "sessions/end", "sessions/1/end"):
        manager.post(f"{STAFF}{reviewer}/{place}", {}, status=404)
    manager.post(f"{STAFF}invitations/1/withdraw", {}, status=404)


def test_agents_are_no_staff_and_staff_no_users(office: Office) -> None:
    agent, reviewer = office.agent(), office.person("Huda")
    browser = office.staff(Role.ADMINISTRATOR)
    browser.get(f"{STAFF}details/?id={agent}", status=404)
    browser.post(f"{STAFF}{agent}/disable", {}, status=404)
    browser.get(f"/office/users/details/?id={reviewer}", status=404)
    with office.app.app_context():
        assert db.session.get_one(User, agent).is_active
