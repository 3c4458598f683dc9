"""Who gets what at every address: the kept matrix against the portal, and what it must say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from markupsafe import escape

from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Grant, Membership, User, UserSession
from clearance.models.enums import SessionStage
from clearance.public.session_gate import OPEN_TO_ALL
from tests.support import access, access_world
from tests.support.access import Walk
from tests.support.access_cases import SAFE, Case, all_cases
from tests.support.access_world import AGENTS, ROLES, STAFF, World

KEPT = access.read_file()
COUNTS = access.read_file(access.COUNTS_FILE)
PLACE = {role: place for place, role in enumerate(ROLES)}
DEMO_ONLY = "GET /dev/messages"
# What whoever holds the code of a document or a broker's link is shown.
HELD = {
    DEMO_ONLY,
    "GET /check/<code> [own]",
    "GET /receipt/<digest> [own]",
    "GET /consent/<token> [own]",
}
# Where `foreign` reads what the organisation asks of it: a transfer, and to join.
ASKED_TOO_EARLY = "POST /my/requests/<int:request_id>/link [asked, not yet the broker]"
ASKED = {
    "GET /my/",
    "GET /my/invitations/",
    "GET /my/invitations/<int:invitation_id>/ [own]",
    "GET /my/notices/",
    "GET /my/search",
    "GET /my/transfers/",
    "GET /my/transfers/<int:request_id>/ [own]",
    ASKED_TOO_EARLY,
}
BROKERS = ("GET /my/brokers/<", "GET /my/issued/<")
JSON = {"Accept": "application/json"}  # also where only the status counts: no page is drawn then
# Where rows are chosen: who is missing is left out of the choice.
OF_MANY = ("/action/", "/office/subscriptions/do/")
DECIDED = (
    "POST /office/requests",
    "POST /office/exams",
    "POST /office/licences",
    "POST /office/brokers",
    "POST /office/issued",
    "POST /office/subscriptions",
)
REACHED = {"page", "away", "does"}
OTHER_BODIES = [
    ("application/json", "[1]"),
    ("application/json", ""),
    ("application/problem+json", '{"email": "\\ud800"}'),
    ("text/plain", "csrf_token=x"),
    (None, "email=a%40example.com"),
]


# Tests of one role run one after the other, so that each role walks once.
each_role = pytest.mark.parametrize("who", ROLES, scope="module")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = access_world.build(tmp_path_factory.mktemp("access"))
    yield made
    made.restore()  # closes the connections too


@pytest.fixture(scope="module")
def cases(world: World) -> list[Case]:
    return all_cases(world.app, world.rows)


@pytest.fixture(scope="module")
def walked(world: World, cases: list[Case]) -> Callable[[str], Walk]:
    """Walk over every address as a role, once in this module."""
    return cache(lambda who: access.walk(world, who, cases))


# The file and the URL map


def test_every_address_has_its_lines_and_every_line_its_address(cases: list[Case]) -> None:
    assert [case.name for case in cases] == list(KEPT)


def test_the_matrix_has_a_word_for_each_role_in_its_columns(cases: list[Case]) -> None:
    assert {len(words) for words in KEPT.values()} == {len(ROLES)}
    assert access.FILE.read_text(encoding="utf-8") == access.text_of(KEPT)


def test_the_page_about_the_matrix_states_how_many_cells_it_has() -> None:
    page = Path(__file__).parent.parent / "docs" / "access.md"
    lines, cells = len(KEPT), len(KEPT) * len(ROLES)
    assert f"{lines:,} lines × {len(ROLES)} roles = {cells:,} cells" in page.read_text("utf-8")


def test_what_stands_in_demo_mode_only_is_the_page_of_messages(app: Flask, world: World) -> None:
    here, there = ({rule.rule for rule in each.url_map.iter_rules()} for each in (app, world.app))
    assert there - here == {"/dev/messages"}
    assert here <= there


# The portal against the file


@each_role
def test_every_cell_of_a_role_is_what_the_portal_answers(
    walked: Callable[[str], Walk], who: str
) -> None:
    kept = {name: words[PLACE[who]] for name, words in KEPT.items()}
    assert walked(who).words == kept


@each_role
def test_every_page_takes_as_many_statements_as_its_line_says(
    walked: Callable[[str], Walk], world: World, cases: list[Case], who: str
) -> None:
    kept = {name: words[PLACE[who]] for name, words in COUNTS.items()}
    found = {name: str(number) for name, number in walked(who).reads.items()}
    again = {case.name: case for case in cases if found.get(case.name) != kept.get(case.name)}
    for name in found.keys() & again:  # its first time filled what the process keeps
        found[name] = str(access.reads_of(world, who, again[name]))
    assert found == {name: number for name, number in kept.items() if number != access.NO_PAGE}


@each_role
def test_reading_changes_nothing_but_sessions_counters_and_access_events(
    walked: Callable[[str], Walk], who: str
) -> None:
    assert walked(who).written_by_reading == []


@each_role
def test_what_is_refused_changes_nothing(walked: Callable[[str], Walk], who: str) -> None:
    assert walked(who).written_by_refusal == []


@each_role
def test_missing_foreign_and_forbidden_are_one_and_the_same_page(
    walked: Callable[[str], Walk], who: str
) -> None:
    pages = walked(who).missing_pages
    assert set(pages) == {access.PORTAL, *access.OWN_MISSING_PAGES.values()}
    assert {len(texts) for texts in pages.values()} == {1}


@pytest.mark.parametrize(
    "who", ["visitor", "pending", "ungranted", "additional", "general", "foreign"]
)
def test_no_page_shows_a_word_of_rows_that_are_not_the_readers(
    walked: Callable[[str], Walk], who: str
) -> None:
    assert set(walked(who).leaks) - HELD <= (ASKED if who == "foreign" else set())


def test_who_is_asked_about_a_transfer_learns_the_names_and_numbers_alone(
    walked: Callable[[str], Walk], world: World
) -> None:
    leaks = walked("foreign").leaks
    assert {line: leaks[line] - world.told for line in ASKED} == dict.fromkeys(ASKED, set())


@each_role
def test_every_post_without_its_token_is_refused_and_changes_nothing(
    world: World, cases: list[Case], who: str
) -> None:
    posts = {case.rule: case for case in reversed(cases) if case.method not in SAFE}
    answers = {
        case.name: world.open(
            who, case.method, case.address, headers=JSON, data=case.body()
        ).status_code
        for case in posts.values()
    }
    assert {name: status for name, status in answers.items() if status != 400} == {}
    assert world.changed() == []


@each_role
def test_head_is_answered_as_get_is_and_changes_nothing(
    walked: Callable[[str], Walk], world: World, cases: list[Case], who: str
) -> None:
    found = walked(who).words
    # one address of a rule for each way in which it answers
    chosen = {(case.rule, found[case.name]): case for case in cases if case.method in SAFE}.values()
    answers = {case.name: access.word_of(world.open(who, "HEAD", case.address)) for case in chosen}
    assert {name: word for name, word in answers.items() if word != found[name]} == {}
    assert world.changed() == []


@each_role
def test_no_address_takes_another_safe_method_for_a_post(
    world: World, cases: list[Case], who: str
) -> None:
    read = {case.address for case in cases if case.method in SAFE}
    addresses = {case.rule: case.address for case in cases}.values()
    asked = {(method, address) for address in addresses for method in ("HEAD", "OPTIONS")}
    answers = {
        (method, address): world.open(who, method, address).status_code
        for method, address in sorted(asked)
        if method == "OPTIONS" or address not in read  # where GET is taken, see above
    }
    assert {asked: status for asked, status in answers.items() if status >= 500} == {}
    assert world.changed() == []


@each_role
def test_every_address_that_takes_posts_takes_form_data_only(
    world: World, cases: list[Case], who: str
) -> None:
    token = {"X-CSRFToken": world.browsers[who].token, **JSON}
    posts = {case.rule: case for case in reversed(cases) if case.method not in SAFE}
    answers = {
        (case.name, kind): world.open(
            who, case.method, case.address, headers=token, data=data, content_type=kind
        )
        for case in posts.values()
        for kind, data in OTHER_BODIES
    }
    assert {key: each.status for key, each in answers.items() if each.status_code != 415} == {}
    assert all(set(answer.get_json()) == {"error", "reference"} for answer in answers.values())
    assert world.changed() == []


@pytest.mark.parametrize(
    ("who", "method"), [("visitor", "PUT"), ("general", "PATCH"), ("reviewer", "DELETE")]
)
def test_no_address_takes_another_unsafe_method(
    world: World, cases: list[Case], who: str, method: str
) -> None:
    addresses = {case.rule: case.address for case in reversed(cases)}
    token = JSON | {"X-CSRFToken": world.browsers[who].token}
    answers = {
        rule: world.open(who, method, address, headers=token).status_code
        for rule, address in addresses.items()
    }
    assert set(answers.values()) == {405}
    assert world.changed() == []


@pytest.mark.parametrize("who", ["visitor", "pending"])
def test_a_script_without_a_full_sign_in_gets_401_as_json(
    world: World, cases: list[Case], who: str
) -> None:
    token = {"X-CSRFToken": world.browsers[who].token}
    shut = [case for case in cases if KEPT[case.name][PLACE[who]] in {"login", "verify"}]
    for case in shut:
        if case.endpoint in OPEN_TO_ALL:  # the page of signing in itself
            continue
        headers = JSON | ({} if case.method in SAFE else token)
        response = world.open(who, case.method, case.address, headers=headers, data=case.body())
        assert (response.status_code, response.mimetype) == (401, "application/json"), case.name
        assert list(response.get_json()) == ["error"]


def test_a_visitor_comes_back_to_where_they_were_going(world: World, cases: list[Case]) -> None:
    followed = set()
    for case in cases:
        if case.method in SAFE and KEPT[case.name][PLACE["visitor"]] == "login":
            response = world.open("visitor", "GET", case.address)
            kept = parse_qs(urlsplit(response.location).query)["next"]
            assert response.location.startswith("/login?next=/"), case.name
            assert kept == [case.address], case.name
            if case.rule not in followed:  # the page keeps whatever its own address says
                followed.add(case.rule)
                there = world.open("visitor", "GET", response.location).get_data(as_text=True)
                assert escape(response.location) in there


@pytest.mark.parametrize("who", ["foreign", "reviewer"])
def test_a_script_gets_the_same_json_for_missing_foreign_and_forbidden(
    world: World, cases: list[Case], who: str
) -> None:
    gone = [case for case in cases if KEPT[case.name][PLACE[who]] == "gone"]
    answers = set()
    for case in gone:
        if case.method in SAFE and case.endpoint not in access.OWN_MISSING_PAGES:
            response = world.open(who, "GET", case.address, headers=JSON)
            answers.add(access.comparable(response))
    assert len(answers) == 1
    assert "application/json" in answers.pop()


@pytest.mark.parametrize(
    ("who", "stage", "door"),
    [
        ("reviewer", SessionStage.FACTOR, "/login/factor"),
        ("general", SessionStage.PASSWORD, "/password"),
        ("general", SessionStage.VERIFY, "/verify"),
    ],
)
def test_a_sign_in_that_is_not_complete_opens_its_next_step_only(
    world: World, cases: list[Case], who: str, stage: SessionStage, door: str
) -> None:
    world.browsers["halfway"] = access_world.sign_in(world, who, stage)
    own = {door, "/session/stay", "/verify/resend" if door == "/verify" else door}
    for case in cases:
        if KEPT[case.name][PLACE["visitor"]] != "login" or case.rule in own | {"/logout"}:
            continue
        response = access.ask(world, "halfway", case)
        assert (response.status_code, response.location) == (302, door), case.name
    assert world.open("halfway", "GET", door).status_code == 200
    world.restore()


# What the file must say, whatever the portal answers


def words_of(*roles: str, method: str = "", under: str = "") -> set[str]:
    """The words of these roles on the lines of a method and a part of the portal."""
    return {
        words[PLACE[role]]
        for name, words in KEPT.items()
        for role in roles
        if name.startswith(method) and name.split()[1].startswith(under)
    }


def test_the_office_is_not_there_for_agents_nor_the_agents_area_for_the_office() -> None:
    assert words_of(*AGENTS, under="/office/") == {"gone"}
    assert words_of(*STAFF, under="/my/") == {"gone"}


def test_nothing_of_either_area_is_there_before_signing_in_is_complete() -> None:
    for area in ("/my/", "/office/"):
        assert words_of("visitor", under=area) == {"login"}
        assert words_of("pending", under=area) == {"verify"}


def test_rows_of_another_organisation_and_services_not_granted_are_not_there() -> None:
    shown = {
        name: words
        for name, words in KEPT.items()
        if any(
            each in name for each in ("request_id", "/copy", "<grid>", "GET /my/requests/details")
        )
        and "/my/transfers/" not in name
        and name != ASKED_TOO_EARLY  # their own request, of which another office is asked
    }
    assert len(shown) > 100
    assert {words[PLACE["foreign"]] for words in shown.values()} == {"gone"}
    assert {words[PLACE["ungranted"]] for words in shown.values()} == {"gone"}


def test_brokers_and_their_documents_are_not_there_for_others_nor_without_a_grant() -> None:
    shown = {name: words for name, words in KEPT.items() if name.startswith(BROKERS)}
    assert len(shown) == 5
    for name, words in shown.items():
        assert words[PLACE["foreign"]] == words[PLACE["ungranted"]] == "gone", name
        is_granted = "missing" not in name and "card" not in name
        assert (words[PLACE["additional"]] == "page") is is_granted, name


def test_only_the_general_user_who_is_asked_answers_a_transfer() -> None:
    answered = {name: words for name, words in KEPT.items() if "/my/transfers/<int" in name}
    asked = {"own": "foreign", "asked": "general"}
    assert len(answered) > 15
    for name, words in answered.items():
        who = asked.get(re.split(r"[\[\], ]+", name)[-2])
        is_theirs = name.startswith("GET") or any(
            word in name for word in ("[accept", "[decline", "/link [")
        )
        for role in AGENTS:
            is_open = words[PLACE[role]] in REACHED
            assert is_open is (role == who and is_theirs), f"{name}: {role}"


def test_missing_rows_are_not_there_for_anybody() -> None:
    for name, words in KEPT.items():
        if name.endswith("missing]") and not any(each in name for each in OF_MANY):
            assert not REACHED & set(words), name


def test_drafts_are_not_there_for_the_office() -> None:
    for name, words in KEPT.items():
        address = name.split()[1]
        if "draft" in name and address.startswith("/office/") and "services" not in address:
            assert set(words) == {"login", "verify", "gone"}, name


def test_managers_and_administrators_decide_nothing() -> None:
    for name, words in KEPT.items():
        if name.startswith(DECIDED):
            is_assigning = "[assign" in name
            allowed = {"gone"} | ({"does", "away"} if is_assigning else set())
            assert words[PLACE["manager"]] in allowed, name
            assert words[PLACE["administrator"]] == "gone", name


PERSONAL = ("account", "exports", "lists", "notices")
"""Pages of the office on which everybody keeps what is theirs."""


def test_reviewers_and_managers_change_nothing_that_administrators_keep() -> None:
    kept = {
        name: words
        for name, words in KEPT.items()
        if name.startswith("POST /office/")
        and not name.startswith((*DECIDED, *(f"POST /office/{own}" for own in PERSONAL)))
    }
    for name, words in kept.items():
        may_hold = {"does"} if name.startswith("POST /office/retention/") else set()
        assert words[PLACE["reviewer"]] == "gone"
        # A manager can verify the trail, and place and lift legal holds.
        assert words[PLACE["manager"]] in {"gone", "page"} | may_hold


def test_no_line_ends_in_a_fault() -> None:
    assert not [name for name, words in KEPT.items() if any(word[0] == "5" for word in words)]


# What changes about a reader acts on the next request (security rule 15)


@pytest.fixture
def change(world: World) -> Iterator[Callable[..., None]]:
    """Change rows behind the back of a signed-in browser; put back afterwards."""

    def make(statement: sa.UpdateBase) -> None:
        with world.app.app_context():
            db.session.execute(statement)
            db.session.commit()

    yield make
    world.restore()


def status_of(world: World, who: str, address: str) -> int:
    return world.open(who, "GET", address.format(**world.rows)).status_code


def membership_of(world: World, who: str) -> sa.ColumnElement[bool]:
    return Membership.user_id == world.people[who].id


OWN = (
    "/my/requests/{sent}/",
    "/my/requests/{draft}/form",
    "/my/requests/{sent}/print",
    "/my/brokers/{broker}/",
    "/my/issued/{issued}/",
    "/my/services/letter/several/{grid}",
)
GENERALS = ("/my/transfers/{asked}/", "/my/users/{membership}/")


@pytest.mark.parametrize("who", ["general", "additional"])
def test_a_membership_taken_away_shuts_its_requests_at_once(
    world: World, change: Callable[..., None], who: str
) -> None:
    assert {status_of(world, who, each) for each in OWN} == {200}
    change(sa.update(Membership).where(membership_of(world, who)).values(is_active=False))
    assert {status_of(world, who, each) for each in OWN} == {404}
    assert status_of(world, who, "/my/") == 200
    posted = {"csrf_token": world.browsers[who].token, "version": 1, "broker_type": "private"}
    form = f"/my/requests/{world.rows['draft']}/form"
    assert world.open(who, "POST", form, data=posted).status_code == 404
    world.open(who, "POST", "/my/services/exam/", data=posted)
    assert "request" not in set(world.changed())


def test_a_grant_taken_away_shuts_its_requests_at_once(
    world: World, change: Callable[..., None]
) -> None:
    assert {status_of(world, "additional", each) for each in OWN} == {200}
    mine = sa.select(Membership.id).where(membership_of(world, "additional"))
    change(sa.delete(Grant).where(Grant.membership_id.in_(mine.scalar_subquery())))
    assert {status_of(world, "additional", each) for each in OWN} == {404}
    exported = world.open("additional", "GET", "/my/requests/export/csv/").get_data(as_text=True)
    assert len(exported.splitlines()) == 1


def test_a_general_user_made_additional_keeps_what_is_granted_only(
    world: World, change: Callable[..., None]
) -> None:
    assert {status_of(world, "general", address) for address in GENERALS} == {200}
    change(sa.update(Membership).where(membership_of(world, "general")).values(is_general=False))
    assert {status_of(world, "general", each) for each in (*OWN, *GENERALS)} == {404}


@pytest.mark.parametrize("who", ["general", "reviewer", "administrator"])
def test_a_disabled_user_is_out_at_once(
    world: World, change: Callable[..., None], who: str
) -> None:
    home = "/my/" if who == "general" else "/office/"
    assert status_of(world, who, home) == 200
    change(sa.update(User).where(User.id == world.people[who].id).values(is_active=False))
    answer = world.open(who, "GET", home)
    assert (answer.status_code, answer.location) == (302, f"/login?next={home}")
    assert world.open(who, "GET", home, headers=JSON).status_code == 401


@pytest.mark.parametrize("role", ["manager", "administrator"])
def test_a_reviewer_given_another_role_decides_nothing_from_then_on(
    world: World, change: Callable[..., None], role: str
) -> None:
    step = "/office/requests/{taken}/do/return"
    assert status_of(world, "reviewer", step) == 200
    change(sa.update(User).where(User.id == world.people["reviewer"].id).values(role=role))
    assert status_of(world, "reviewer", step) == 404
    posted = {"csrf_token": world.browsers["reviewer"].token, "reason": "x", "version": 1}
    refused = world.open("reviewer", "POST", step.format(**world.rows), data=posted)
    assert refused.status_code == 404
    assert world.changed() == ["user"]


def test_an_ended_session_is_out_at_once(world: World, change: Callable[..., None]) -> None:
    now = utc_now()
    change(sa.update(UserSession).where(UserSession.ended_at.is_(None)).values(ended_at=now))
    for who, home in (("general", "/my/"), ("reviewer", "/office/")):
        assert world.open(who, "GET", home).location == f"/login?next={home}"
