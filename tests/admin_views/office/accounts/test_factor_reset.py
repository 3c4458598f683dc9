"""An administrator takes the app of somebody who lost it: who may, and what follows."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from clearance.auth import recovery_codes, second_factor
from clearance.core import crypto
from clearance.core.extensions import db
from clearance.models import Event, Notice, User
from clearance.models.enums import Role
from tests.journeys import steps
from tests.support.factories import PASSWORD
from tests.support.office_people import Office
from tests.support.pages import Page

REASON = "حضر بهويته المدنية إلى المكتب."
LISTS = pytest.mark.parametrize("people", ["users", "staff"])


def somebody(office: Office, people: str) -> int:
    """An agent or a reviewer with an app and its spare codes."""
    with office.app.app_context():
        columns: dict[str, Any] = {
            "totp_secret": crypto.encrypt("JBSWY3DPEHPK3PXP"),
            "second_factor": True,
        }
    user_id = (
        office.agent("Badr", **columns) if people == "users" else office.person("Huda", **columns)
    )
    with office.app.app_context():
        recovery_codes.replace(user_id)
        db.session.commit()
    return user_id


def means(office: Office, user_id: int) -> str:
    with office.app.app_context():
        return second_factor.means_of(db.session.get_one(User, user_id))


def events(office: Office) -> list[Event]:
    with office.app.app_context():
        query = sa.select(Event).where(Event.kind == "account:factor:reset")
        return list(db.session.scalars(query))


def address_of(people: str, user_id: int) -> str:
    return f"/office/{people}/{user_id}/factor/reset"


@LISTS
def test_a_lost_app_is_reset_with_a_reason(office: Office, people: str) -> None:
    user_id = somebody(office, people)
    theirs = office.browser(user_id)
    administrator = office.staff(Role.ADMINISTRATOR)
    page = administrator.get(f"/office/{people}/details/?id={user_id}")
    form = administrator.get(page.link("Reset two-step verification"))
    for _ in range(2):  # a double click
        page = administrator.submit(form, {"reason": REASON}, form="#step")
        assert "Two-step verification was reset" in page.text
    assert means(office, user_id) == ("none" if people == "users" else "email")
    (event,) = events(office)
    assert (event.object_id, event.reason) == (str(user_id), REASON)
    assert event.actor_id == office.people["The administrator"]
    with office.app.app_context():
        assert recovery_codes.left(user_id) == 0
        notice = db.session.scalars(sa.select(Notice)).one()
        assert (notice.user_id, notice.event) == (user_id, "account:factor:changed")
        email = db.session.get_one(User, user_id).email
    assert theirs.http.get("/my/" if people == "users" else "/office/").status_code == 302
    page = steps.sign_in(steps.browser(office.app), email, PASSWORD)
    assert page.url == ("/my/" if people == "users" else "/login/factor")


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_without_a_reason_nothing_is_reset(office: Office, lang: str) -> None:
    user_id = somebody(office, "users")
    administrator = office.staff(Role.ADMINISTRATOR, lang)
    page = administrator.get(address_of("users", user_id))
    for reason in ("", "  "):
        page = administrator.submit(page, {"reason": reason}, form="#step")
        assert page.error_of("reason") == steps.TEXTS[lang]["needed"]
    assert means(office, user_id) == "app"


def refused(page: Page, text: str) -> None:
    assert text in page.text
    assert page.soup.select("main form") == []


def test_nobody_resets_their_own(office: Office) -> None:
    with office.app.app_context():
        columns: dict[str, Any] = {
            "totp_secret": crypto.encrypt("JBSWY3DPEHPK3PXP"),
            "second_factor": True,
        }
    me = office.person("me", Role.ADMINISTRATOR, **columns)
    browser = office.browser(me)
    assert "factor/reset" not in str(browser.get(f"/office/staff/details/?id={me}").soup)
    refused(browser.get(address_of("staff", me)), "Change two-step verification under My account")
    browser.post(address_of("staff", me), {"reason": REASON}, status=409)
    assert means(office, me) == "app"


def test_without_an_app_there_is_nothing_to_reset(office: Office) -> None:
    reviewer = office.person("Huda")
    administrator = office.staff(Role.ADMINISTRATOR)
    refused(administrator.get(address_of("staff", reviewer)), "has no authenticator app")
    administrator.post(address_of("staff", reviewer), {"reason": REASON}, status=409)
    assert events(office) == []


@pytest.mark.parametrize("role", [Role.MANAGER, Role.REVIEWER])
def test_others_of_the_office_find_no_such_page(office: Office, role: str) -> None:
    user_id = somebody(office, "users")
    browser = office.staff(role)
    browser.get(address_of("users", user_id), status=404)
    browser.post(address_of("users", user_id), {"reason": REASON}, status=404)
    assert means(office, user_id) == "app"


def test_who_is_not_in_the_list_is_not_found(office: Office) -> None:
    agent = somebody(office, "users")
    administrator = office.staff(Role.ADMINISTRATOR)
    for address in (address_of("staff", agent), address_of("users", 999_999)):
        administrator.get(address, status=404)
        administrator.post(address, {"reason": REASON}, status=404)
    assert means(office, agent) == "app"
