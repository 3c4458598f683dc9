"""Teams of reviewers: their page, and what keeps one from losing its last member unseen."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from clearance.accounts import staff_accounts, staff_invitations, teams
from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Event, Invitation, Notice, Request, Team, TeamMember, User
from clearance.models.enums import Role
from clearance.requests import deadlines
from tests.support import request_factories
from tests.support.office_people import Office
from tests.support.pages import Page
from tests.support.stage_factories import CHECK, publish

LIST = "/office/teams/"
INSPECTION = {
    "code": "inspection",
    "name_ar": "فريق المعاينة",
    "name_en": "Inspection team",
    "position": "1",
}


def add(office: Office, *members: int, **values: Any) -> Page:
    browser = office.staff(Role.ADMINISTRATOR)
    chosen = {"members": [str(key) for key in members]} if members else {}
    return browser.submit(browser.get(f"{LIST}new/"), INSPECTION | chosen | values, form="#record")


def members_of(office: Office, code: str) -> set[int]:
    with office.app.app_context():
        return teams.member_ids(code)


def edit(office: Office, code: str, members: list[int], status: int = 200, **values: Any) -> Page:
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get(f"{LIST}edit/?id={code}")
    chosen = values | {"members": [str(key) for key in members]}
    return browser.submit(page, chosen, form="#record", status=status)


def waiting(office: Office) -> int:
    with office.app.app_context():
        request_factories.load_services()
        publish(CHECK | {"team": "inspection"})
    return office.request(code="permit")


@pytest.mark.databases
def test_with_the_second_team_everybody_is_written_into_the_first(office: Office) -> None:
    first, second = office.person("First"), office.person("Second")
    page = office.staff(Role.ADMINISTRATOR).get(LIST)
    assert "Every active reviewer" in page.text
    add(office, second)
    assert members_of(office, "review") == {first, second}
    assert members_of(office, "inspection") == {second}
    later = office.person("Later")
    assert later not in members_of(office, "review")
    kinds = office.kinds("reference:team:")
    assert sorted(kinds) == ["reference:team:created"] + ["reference:team:members"] * 2


def test_members_are_not_asked_for_while_everybody_is_in_the_only_team(office: Office) -> None:
    office.person("First")
    page = office.staff(Role.ADMINISTRATOR).get(f"{LIST}edit/?id=review")
    assert not page.soup.select("[name=members]")


def test_members_are_changed_with_their_trail(office: Office) -> None:
    first, second = office.person("First"), office.person("Second")
    add(office, second)
    edit(office, "inspection", [first, second])
    assert members_of(office, "inspection") == {first, second}
    page = office.staff(Role.MANAGER).get(LIST)
    assert "First Alsabah, Second Alsabah" in page.text
    with office.app.app_context():
        kept = db.session.scalars(
            sa.select(Event.changes)
            .where(Event.kind == "reference:team:members")
            .order_by(Event.id.desc())
        ).first()
        assert kept == {"members": [[second], sorted([first, second])]}


def test_a_disabled_member_stays_written_down(office: Office) -> None:
    first, second = office.person("First"), office.person("Second")
    add(office, first, second)
    with office.app.app_context():
        db.session.get_one(User, second).is_active = False
        db.session.commit()
    assert members_of(office, "inspection") == {first}
    edit(office, "inspection", [first], name_en="Inspectors")
    with office.app.app_context():
        kept = db.session.scalars(
            sa.select(TeamMember.user_id).where(TeamMember.team_code == "inspection")
        )
        assert set(kept) == {first, second}


def test_the_last_member_goes_only_when_confirmed(office: Office) -> None:
    only = office.person("Only")
    office.person("Other")
    add(office, only)
    waiting(office)
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get(f"{LIST}edit/?id=inspection")
    page = browser.submit(page, {"members": []}, form="#record")
    assert "“Inspection team” would have no members left. 1 open request waits" in page.text
    assert members_of(office, "inspection") == {only}
    browser.submit(page, {"members": [], "confirmed": "y"}, form="#record")
    assert members_of(office, "inspection") == set()


def test_someone_elses_change_of_the_members_is_not_overwritten_unseen(office: Office) -> None:
    first, second = office.person("First"), office.person("Second")
    add(office, first)
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get(f"{LIST}edit/?id=inspection")
    edit(office, "inspection", [first, second])
    page = browser.submit(page, {"members": [str(first)]}, form="#record")
    assert "Now saved: First Alsabah, Second Alsabah" in page.text
    assert members_of(office, "inspection") == {first, second}


def test_disabling_the_last_member_needs_to_be_confirmed(office: Office) -> None:
    only = office.person("Only")
    office.person("Other")
    add(office, only)
    waiting(office)
    browser = office.staff(Role.ADMINISTRATOR)
    details = browser.get(f"/office/staff/details/?id={only}")
    page = browser.submit(details, form=f'form[action$="/{only}/disable"]', status=409)
    assert "1 open request waits for it" in page.text
    with office.app.app_context():
        assert db.session.get_one(User, only).is_active
    browser.submit(page, form=f'form[action$="/{only}/disable"]')
    with office.app.app_context():
        assert not db.session.get_one(User, only).is_active


def test_another_role_for_the_last_member_needs_to_be_confirmed(office: Office) -> None:
    only = office.person("Only")
    office.person("Other")
    add(office, only)
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get(f"/office/staff/{only}/role")
    page = browser.submit(page, {"role": "manager"}, form="#step", status=409)
    assert "would have no members left" in page.text
    browser.submit(page, {"role": "manager", "confirmed": "y"}, form="#step")
    with office.app.app_context():
        assert db.session.get_one(User, only).role == Role.MANAGER
        assert db.session.scalars(sa.select(TeamMember.user_id)).all() != [only]
        changed = sa.select(Event.changes).where(Event.kind == "staff:role:changed")
        assert db.session.scalars(changed).one()["teams"] == [["inspection", "review"], []]


def test_the_only_reviewer_of_an_idle_office_is_disabled_at_once(office: Office) -> None:
    only, administrator = office.person("Only"), office.person("Keeper", Role.ADMINISTRATOR)
    with office.app.app_context():
        keeper = actor_of(db.session.get_one(User, administrator))
        staff_accounts.disable(db.session.get_one(User, only), keeper, utc_now())
        assert not db.session.get_one(User, only).is_active


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.MANAGER])
def test_an_invited_reviewer_joins_the_teams_of_the_invitation(office: Office, role: str) -> None:
    add(office, office.person("First"))
    browser = office.staff(Role.ADMINISTRATOR)
    values: dict[str, Any] = {"email": "new@example.com", "role": str(role)}
    if role == Role.REVIEWER:
        page = browser.submit(
            browser.get("/office/staff/invite"), values, form="#invitation", status=400
        )
        assert "Choose at least one team." in page.text
        values["teams"] = ["inspection"]
    browser.submit(browser.get("/office/staff/invite"), values, form="#invitation")
    with office.app.app_context():
        invited = db.session.scalars(sa.select(Invitation)).one()
        assert invited.teams == (["inspection"] if role == Role.REVIEWER else [])


def accept(link: str) -> User:
    user = staff_invitations.accept_invitation(
        link.rpartition("/")[2],
        utc_now(),
        first_name="New",
        last_name="Reviewer",
        password="Nakhla-7-Bahr!",
        language="en",
    )
    assert user is not None
    return user


def invite(office: Office, *codes: str) -> str:
    with office.app.app_context():
        _row, link = staff_invitations.invite_staff(
            "new@example.com", Role.REVIEWER, utc_now(), teams=codes
        )
        db.session.commit()
        return link


def test_joining_by_an_invitation_leads_into_its_teams(office: Office) -> None:
    add(office, office.person("First"))
    link = invite(office, "inspection", "gone")
    with office.app.app_context():
        assert actor_of(accept(link)).teams == {"inspection"}


def test_who_was_invited_while_there_was_one_team_is_in_it(office: Office) -> None:
    link = invite(office)
    add(office, office.person("First"))
    with office.app.app_context():
        assert actor_of(accept(link)).teams == {"review"}


def test_who_was_disabled_when_the_second_team_began_is_in_the_first(office: Office) -> None:
    away = office.person("Away", is_active=False)
    add(office, office.person("First"))
    with office.app.app_context():
        assert actor_of(db.session.get_one(User, away)).teams == {"review"}


def test_an_invitation_asks_for_no_teams_where_there_is_one(office: Office) -> None:
    page = office.staff(Role.ADMINISTRATOR).get("/office/staff/invite")
    assert not page.soup.select("[name=teams]")


def test_late_requests_are_told_to_the_members_of_their_team(office: Office) -> None:

    inspector = office.person("Only")
    office.person("Other")
    add(office, inspector)
    request_id = waiting(office)
    with office.app.app_context():
        db.session.get_one(Request, request_id).due_on = utc_now().date().replace(year=2025)
        db.session.commit()
        assert deadlines.tell_late(utc_now()) == 1
        told = sa.select(Notice.user_id).where(Notice.event == "office:late")
        assert db.session.scalars(told).all() == [inspector]


def test_a_team_is_never_deleted(office: Office) -> None:
    office.staff(Role.ADMINISTRATOR).post(f"{LIST}delete/", {"id": "review"}, status=404)
    with office.app.app_context():
        assert db.session.get(Team, "review") is not None
