"""Users and organisations as the office finds and reads them; sessions that it ends."""

from __future__ import annotations

import sqlalchemy as sa

from clearance.auth.sessions import active_sessions
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.values import mask_civil_id
from clearance.models import AccessEvent, User
from clearance.models.enums import Role
from tests.support import factories
from tests.support.office_people import Office


def test_sessions_of_anybody_are_seen_and_ended_one_by_one_or_together(office: Office) -> None:
    agent = office.agent()
    first, second, third = (office.browser(agent) for _number in range(3))
    browser = office.staff(Role.ADMINISTRATOR)
    with office.app.app_context():
        newest = active_sessions(agent, utc_now())[0].id
    page = browser.get(f"/office/users/details/?id={agent}")
    page = browser.submit(page, form=f"#sessions form[action$='/sessions/{newest}/end']")
    assert [each.http.get("/my/").status_code for each in (first, second, third)] == [200, 200, 302]
    browser.post(f"/office/users/{agent}/sessions/{newest}/end", {}, status=404)
    browser.submit(page, form="#sessions form[action$='/sessions/end']")
    assert [each.http.get("/my/").status_code for each in (first, second)] == [302, 302]
    assert office.kinds("account:session") == ["account:session:ended", "account:sessions:ended"]


def test_users_are_found_by_name_mail_and_number_and_listed_masked(office: Office) -> None:
    civil_id = factories.civil_id()
    wanted = office.agent(
        "wanted",
        first_name="عبد الله",
        last_name="الهاجري",
        civil_id=civil_id,
        email="w@example.com",
    )
    office.agent("other", first_name="Salem", last_name="X", email="o@example.com")
    browser = office.staff(Role.MANAGER)
    for typed in ("عبدالله", "w@exam", civil_id):
        page = browser.get(f"/office/users/?search={typed}")
        links = [a["href"] for a in page.soup.select("tbody a")]
        assert links == [f"/office/users/details/?id={wanted}"], typed
        assert civil_id not in page.soup.select_one("tbody").get_text()
        assert mask_civil_id(civil_id) in page.text


def test_reading_a_user_is_noted(office: Office) -> None:
    agent, manager = office.agent(), office.person("reader", Role.MANAGER)
    office.browser(manager).get(f"/office/users/details/?id={agent}")
    with office.app.app_context():
        noted = db.session.scalars(sa.select(AccessEvent).where(AccessEvent.kind == "user:read"))
        assert [(note.user_id, note.object_id) for note in noted] == [(manager, str(agent))]


def test_an_organisation_shows_its_users(office: Office) -> None:
    agent = office.agent("member", first_name="Yousef", last_name="Alhajri")
    with office.app.app_context():
        organisation = db.session.get_one(User, agent).memberships[0].organisation_id
    page = office.staff(Role.MANAGER).get(f"/office/organisations/details/?id={organisation}")
    assert "Yousef Alhajri" in page.soup.select_one("#users").get_text()
