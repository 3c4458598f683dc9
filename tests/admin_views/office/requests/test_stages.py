"""Stages and teams on the pages of the office and of the applicant."""

from __future__ import annotations

from typing import Any

import pytest
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core.extensions import db
from clearance.models import Request, Team, TeamMember, User
from clearance.models.enums import Role, Status
from clearance.requests import printing
from tests.support import request_factories
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient
from tests.support.stage_factories import CHECK, SIGN, VISIT, VISITED, publish

LIST = "/office/requests/"


def staged(office: Office, *stages: dict[str, Any]) -> None:
    with office.app.app_context():
        request_factories.load_services()
        publish(*stages)


def permit(office: Office, **options: Any) -> int:
    return office.request(code="permit", **options)


def put_in_teams(office: Office, **members: int) -> None:
    with office.app.app_context():
        for code, user_id in members.items():
            if db.session.get(Team, code) is None:
                db.session.add(
                    Team(code=code, name_ar=f"فريق {code}", name_en=f"Team {code}", position=1)
                )
                db.session.flush()
            db.session.add(TeamMember(team_code=code, user_id=user_id))
        db.session.commit()


def approve(browser: PageClient, request_id: int, status: int = 200, **values: str) -> Page:
    page = browser.get(f"{LIST}{request_id}/do/approve")
    return browser.submit(page, values, form="#step", status=status)


def at(office: Office, request_id: int) -> tuple[str, str | None]:
    found: tuple[str, str | None] = office.read(
        request_id, lambda req: (str(req.status), req.stage)
    )
    return found


def test_the_stage_stands_beside_the_status(office: Office) -> None:
    staged(office, CHECK, SIGN)
    request_id = permit(office)
    reviewer, agent = office.staff(), office.browser(office.agent())
    assert "Stage: Check" in reviewer.get(f"{LIST}{request_id}/").text
    approve(reviewer, request_id)
    for page in (
        reviewer.get(LIST),
        reviewer.get(f"{LIST}{request_id}/"),
        reviewer.get("/office/"),
        agent.get("/my/requests/"),
        agent.get(f"/my/requests/{request_id}/"),
        agent.get("/my/"),
    ):
        assert "Signature" in page.text
    history = agent.get(f"/my/requests/{request_id}/").text
    assert "A stage was approved" in history and "Stage: Check" in history
    assert "The stage “Signature” is due by" in history
    with office.app.app_context():
        number = db.session.get_one(Request, request_id).number
    csv = agent.http.get("/my/requests/export/csv/").get_data(as_text=True)
    (line,) = [row for row in csv.splitlines() if str(number) in row]
    assert "Sent to the office – Signature" in line


def test_what_the_office_fills_in_is_asked_at_the_approval_of_its_stage(office: Office) -> None:
    staged(office, CHECK, SIGN | {"fields": [VISITED]})
    request_id = permit(office)
    first, second = office.staff(), office.browser(office.person("Second"))
    assert not first.get(f"{LIST}{request_id}/do/approve").soup.select("[name^=office-]")
    approve(first, request_id, **{"office-visited_on": "04/03/2026"})
    assert at(office, request_id) == (Status.SUBMITTED, "sign")
    page = approve(second, request_id, 400, **{"office-visited_on": ""})
    assert page.error_of("office-visited_on")
    assert at(office, request_id) == (Status.SUBMITTED, "sign")
    page = approve(second, request_id, **{"office-visited_on": "04/03/2026"})
    assert at(office, request_id) == (Status.APPROVED, None)
    assert "Filled in by the office" in page.text and "04/03/2026" in page.text
    assert "04/03/2026" in office.browser(office.agent()).get(f"/my/requests/{request_id}/").text


def test_the_office_fills_in_fields_of_every_type_and_finds_them_again(office: Office) -> None:
    def field(name: str, kind: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "type": kind, "label": {"ar": name, "en": name.title()}, **more}

    choices = [{"value": value, "label": {"ar": value, "en": value}} for value in ("gate", "berth")]
    fields = [
        field("place", "choice", choices=choices, required=True),
        field("persons", "number", minimum=1, maximum=9),
        field("findings", "textarea"),
        field("reason", "text", max_length=20),
        field("is_sealed", "bool"),
        field("again_on", "date", when={"field": "crew", "at_least": 10}),
    ]
    staged(office, CHECK | {"fields": fields}, SIGN)
    request_id = permit(office, crew=3)
    browser = office.staff()
    page = browser.get(f"{LIST}{request_id}/do/approve")
    names = {tag["name"] for tag in page.soup.select("#step [name^=office-]")}
    assert names == {f"office-{each['name']}" for each in fields[:-1]}
    typed = {
        "office-place": "gate",
        "office-persons": "12",
        "office-findings": "سليم",
        "office-reason": "دوري",
        "office-is_sealed": "y",
    }
    page = approve(browser, request_id, 400, **typed)
    assert "maximum is 9" in page.error_of("office-persons")
    approve(browser, request_id, **typed | {"office-persons": "٤"})
    answers = office.read(request_id, lambda req: req.answers)
    kept = {"place": "gate", "persons": 4, "findings": "سليم", "reason": "دوري", "is_sealed": True}
    assert {name: answers[name] for name in kept} == kept and answers["again_on"] is None
    second = office.browser(office.person("Second"))
    second.submit(
        second.get(f"{LIST}{request_id}/do/return"), {"reason": "عدّل العدد."}, form="#step"
    )
    assert "Findings" in second.get(f"{LIST}{request_id}/").text


def test_a_chosen_row_in_another_teams_stage_says_why_it_is_left(office: Office) -> None:
    staged(office, CHECK, SIGN | {"fields": [VISITED], "team": "review"})
    mine, other = office.person("Mine"), office.person("Other")
    put_in_teams(office, review=mine, inspection=other)
    with office.app.app_context():
        publish(CHECK | {"team": "inspection"}, code="visit", prefix="VS")
    own, theirs = permit(office), office.request(code="visit")
    second = permit(office)
    browser = office.browser(mine)
    approve(browser, second)
    page = browser.get(f"{LIST}do/approve?id={own}&id={theirs}")
    assert "Only members of the team “Team inspection” can do this." in page.text
    browser.submit(page, form="#step")
    assert at(office, own) == (Status.SUBMITTED, "sign")
    assert at(office, theirs) == (Status.SUBMITTED, "check")


def test_chosen_rows_are_each_asked_for_the_fields_of_their_own_stage(office: Office) -> None:
    staged(office, CHECK | {"fields": [VISITED]}, SIGN)
    first, second = permit(office), permit(office)
    browser = office.staff()
    page = browser.get(f"{LIST}do/approve?id={first}&id={second}")
    values = {f"office-visited_on-{first}": "04/03/2026"}
    page = browser.submit(page, values, form="#step", status=400)
    assert page.error_of(f"office-visited_on-{second}")
    values[f"office-visited_on-{second}"] = "05/03/2026"
    browser.submit(page, values, form="#step")
    kept = [office.read(key, lambda req: req.answers["visited_on"]) for key in (first, second)]
    assert kept == ["2026-03-04", "2026-03-05"]


def test_the_list_is_narrowed_by_stage_and_by_team(office: Office) -> None:
    staged(office, CHECK, SIGN)
    put_in_teams(office, review=office.person("Mine"), inspection=office.person("Other"))
    waiting, moved, plain = permit(office), permit(office), office.request()
    approve(office.browser(office.person("Mine")), moved)
    browser = office.staff(Role.MANAGER)

    def listed(query: str) -> set[int]:
        page = browser.get(f"{LIST}?{query}")
        return {int(box["value"]) for box in page.soup.select("input[name=rowid]")}

    assert listed("flt0_stage=permit.check") == {waiting}
    assert listed("flt0_stage=permit.sign") == {moved}
    assert listed("flt0_team=review") == {waiting, moved}
    assert listed("flt0_team=inspection") == set()
    assert listed("") == {waiting, moved, plain}
    browser.get(f"{LIST}?flt0_stage=permit.other", status=400)


def test_the_queue_of_a_reviewer_has_what_their_teams_can_take(office: Office) -> None:
    staged(office, CHECK)
    mine, other = office.person("Mine"), office.person("Other")
    put_in_teams(office, review=mine, inspection=other)
    staged_id, plain = permit(office), office.request()

    def queued(user: int) -> set[int]:
        page = office.browser(user).get(f"{LIST}?flt0_queue=unassigned")
        return {int(box["value"]) for box in page.soup.select("input[name=rowid]")}

    assert queued(mine) == {staged_id, plain}
    assert queued(other) == {plain}
    page = office.browser(other).get(f"{LIST}{staged_id}/")
    assert "Only members of the team “Review team” can do this." in page.text


def test_a_stopped_clock_leaves_the_request_in_its_queue_behind_those_that_are_due(
    office: Office,
) -> None:
    staged(office, CHECK | {"clock": "stopped"})
    stopped, due = permit(office), office.request()
    browser = office.staff()
    assert "No due date runs in this stage." in browser.get(f"{LIST}{stopped}/").text
    number, first = (office.read(key, lambda req: req.number) for key in (stopped, due))
    assert f"Request number: {first}" in browser.get(f"{LIST}next").text
    assert number in browser.get(f"{LIST}?flt0_queue=unassigned").text
    assert number in browser.get("/office/").text


def test_managers_see_how_much_waits_in_each_stage_and_with_each_team(office: Office) -> None:
    staged(office, CHECK, SIGN)
    put_in_teams(office, review=office.person("Mine"), inspection=office.person("Other"))
    permit(office)
    page = office.staff(Role.MANAGER).get("/office/")
    stages = [row.get_text(" ", strip=True) for row in page.soup.select("#stages li")]
    assert stages == ["Greeting Request – Check 1", "Greeting Request – Signature 0"]
    teams = [row.get_text(" ", strip=True) for row in page.soup.select("#teams tbody tr")]
    assert teams == ["Review team 1 0", "Team inspection 0 0"]


def test_a_manager_is_offered_the_members_of_the_stages_team(office: Office) -> None:
    staged(office, CHECK)
    put_in_teams(office, review=office.person("Mine"), inspection=office.person("Other"))
    page = office.staff(Role.MANAGER).get(f"{LIST}{permit(office)}/do/assign")
    options = page.soup.select("select[name=reviewer_id] option[value]:not([value=''])")
    assert [int(option["value"]) for option in options] == [office.person("Mine")]


def test_the_list_takes_no_more_queries_for_rows_in_stages(office: Office) -> None:
    staged(office, CHECK, SIGN)
    permit(office)
    staged(office, CHECK)  # so that it is in an earlier version
    permit(office)
    browser = office.staff()
    browser.get(LIST)  # the process keeps definitions and teams from here on
    few = office.queries(browser, LIST)
    for _row in range(4):
        permit(office)
    assert office.queries(browser, LIST) == few


def test_a_decision_on_many_takes_no_more_queries_for_rows_in_stages(office: Office) -> None:
    staged(office, CHECK, VISIT, SIGN)
    put_in_teams(office, review=office.person("Mine"), inspection=office.person("Other"))
    keys = [permit(office, agent=office.agent()) for _row in range(5)]
    browser = office.browser(office.person("Other"))

    def asked(ids: list[int]) -> int:
        chosen = "&".join(f"id={key}" for key in ids)
        return office.queries(browser, f"{LIST}do/approve?{chosen}")

    asked(keys)
    assert asked(keys) == asked(keys[:2])


@pytest.mark.databases
def test_the_printed_request_names_the_stage_and_what_the_office_filled_in(office: Office) -> None:
    staged(office, CHECK | {"fields": [VISITED]}, SIGN)
    request_id = permit(office)
    approve(office.staff(), request_id, **{"office-visited_on": "04/03/2026"})
    with office.app.app_context():
        req = db.session.get_one(Request, request_id)
        reader = actor_of(db.session.get_one(User, office.agent()))
        with force_locale("en"):
            content = printing._content(req, "en", reader)
    assert content["summary"][1]["value"].strip("\u2068\u2069") == "Sent to the office – Signature"
    assert content["groups"][-1]["title"] == "Filled in by the office"
