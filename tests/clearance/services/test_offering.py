"""What the office offers: its order of services, and stopping, starting and archiving them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core import office_settings
from clearance.core.clock import kuwait_date, kuwait_midnight, utc_now
from clearance.core.errors import BadFields, NotFound, Refused
from clearance.core.extensions import db
from clearance.models import Event, Organisation, Request, Service, User
from clearance.models.enums import Status
from clearance.organisations import subscriptions
from clearance.requests import available_actions, drafts
from clearance.services import offering, versions
from clearance.services.flows import Action
from clearance.services.offering import State
from tests.support import factories
from tests.support import request_factories as requests

NOW = utc_now()
TODAY = kuwait_date(NOW)
CODE = "greeting"
VALUES = {"name_ar_1": "سالم", "words": "مرحبا"}
NOTICE = {"ar": "نعود بعد العيد.", "en": "Back after the holiday."}
Act = Callable[..., Service]


def later(days: int) -> datetime:
    return NOW + timedelta(days)


def day(days: int) -> date:
    return TODAY + timedelta(days)


def state(days: int = 0) -> State:
    return offering.state_of(db.session.get_one(Service, CODE), day(days))


def last_event() -> Event:
    return db.session.scalars(sa.select(Event).order_by(Event.id.desc()).limit(1)).one()


def refusal_of(act: Act, **given: Any) -> str:
    with pytest.raises(Refused) as refused:
        act(CODE, None, NOW, why="", **given)
    return str(refused.value)


@pytest.fixture
def greeting(english: None) -> Service:
    requests.publish(requests.TRIVIAL)
    return db.session.get_one(Service, CODE)


@pytest.fixture
def user(greeting: Service) -> User:
    return factories.make_agent()


def start_refusal(user: User, now: datetime = NOW) -> str:
    offer = next(
        each
        for each in available_actions.startable_services(actor_of(user), now)
        if each.code == CODE
    )
    return f"{offer.refusal.text} {offer.refusal.change}" if offer.refusal else ""


def send_refusal(req: Request, user: User, now: datetime) -> str:
    refusal = available_actions.action(req, Action.SEND, actor_of(user), now).refusal
    return str(refusal.text) if refusal else ""


# The office's order


@pytest.fixture
def three(english: None) -> list[str]:
    for place, code in enumerate(["one", "two", "three"]):
        prefix = "ABC"[place] * 2
        requests.publish(requests.TRIVIAL, code=code, prefix=prefix, position=5)
    offering.move("one", -9, None, NOW)
    return order()


def order() -> list[str]:
    return [version.definition.code for version in versions.all_current()]


@pytest.mark.parametrize(
    ("code", "steps", "place", "after"),
    [
        ("two", -1, 2, ["one", "two", "three"]),
        ("one", 1, 2, ["three", "one", "two"]),
        ("two", 1, 3, ["one", "three", "two"]),
        ("one", -1, 1, ["one", "three", "two"]),
        ("two", -2, 1, ["two", "one", "three"]),
    ],
)
def test_a_service_moves_within_the_list(
    three: list[str], code: str, steps: int, place: int, after: list[str]
) -> None:
    assert three == ["one", "three", "two"]
    assert offering.move(code, steps, None, NOW) == place
    assert order() == after


def test_a_move_is_in_the_trail_and_no_move_is_not(three: list[str]) -> None:
    offering.move("two", -1, None, NOW)
    event = last_event()
    assert (event.kind, event.object_id) == ("office:service:moved", "two")
    assert event.changes == {"position": [3, 2]}
    offering.move("one", -1, None, NOW)
    assert last_event().id == event.id
    with pytest.raises(NotFound):
        offering.move("gone", 1, None, NOW)


def test_a_new_version_leaves_the_offices_order_alone(three: list[str]) -> None:
    offering.move("two", -9, None, NOW)
    requests.publish(requests.TRIVIAL, code="two", prefix="BB", position=900)
    assert order() == ["two", "one", "three"]


# Stopping and starting


def test_a_stopped_service_stays_visible_and_cannot_be_begun(user: User) -> None:
    assert start_refusal(user) == ""
    offering.stop(CODE, user.id, NOW, why="Holiday", notice=NOTICE)
    assert state() == State.STOPPED
    last = (TODAY + timedelta(13)).strftime("%d/%m/%Y")
    told = "The office has stopped this service. Back after the holiday. "
    assert start_refusal(user) == f"{told}Drafts that were begun before can be sent until {last}."
    with force_locale("ar"):
        assert "نعود بعد العيد." in start_refusal(user)
    with pytest.raises(Refused, match="The office has stopped this service"):
        drafts.start(CODE, actor_of(user), NOW, "private")
    assert (last_event().kind, last_event().reason) == ("office:service:stopped", "Holiday")
    assert last_event().changes == {
        "stopped_on": [None, TODAY.isoformat()],
        "stop_notice": [None, NOTICE],
    }


def test_a_copy_of_a_stopped_service_is_refused(user: User) -> None:
    req = requests.make_sent(user, CODE, **VALUES)
    offering.stop(CODE, None, NOW, why="")
    refusal = drafts.copy_refusal(req, actor_of(user), NOW)
    assert refusal is not None and "stopped" in str(refusal.text)


def test_days_of_a_stop_are_kuwaits_and_inclusive(user: User) -> None:
    offering.stop(CODE, None, NOW, why="", since=day(2))
    offering.start(CODE, None, NOW, why="", since=day(5))
    assert [state(days) for days in range(7)] == [
        *[State.IN_USE] * 2,
        *[State.STOPPED] * 3,
        *[State.IN_USE] * 2,
    ]
    assert start_refusal(user, later(1)) == ""
    assert f"You can apply again from {day(5):%d/%m/%Y}." in start_refusal(user, later(4))
    assert start_refusal(user, later(5)) == ""


def test_a_draft_can_be_sent_for_the_days_of_the_setting(user: User) -> None:
    administrator = actor_of(factories.make_staff("administrator"))
    req = requests.make_draft(user, CODE)
    offering.stop(CODE, None, NOW, why="", since=day(1))
    office_settings.set("stopped_draft_days", 3, administrator, NOW)
    refusals = [send_refusal(req, user, later(days)) for days in range(6)]
    assert refusals == [*[""] * 4, *["The office has stopped this service."] * 2]
    office_settings.set("stopped_draft_days", 0, administrator, NOW)
    assert [bool(send_refusal(req, user, later(days))) for days in range(2)] == [False, True]


def test_a_correction_can_always_be_sent_and_decisions_go_on(user: User) -> None:
    returned = requests.make_request(user, Status.RETURNED, code=CODE, **VALUES)
    taken = requests.make_request(user, Status.UNDER_REVIEW, code=CODE, **VALUES)
    offering.stop(CODE, None, NOW, why="")
    assert send_refusal(returned, user, later(40)) == ""
    assert taken.reviewer_id is not None
    reviewer = actor_of(db.session.get_one(User, taken.reviewer_id))
    assert available_actions.action(taken, Action.APPROVE, reviewer, later(40)).refusal is None


@pytest.mark.parametrize("act", [offering.stop, offering.start])
def test_a_day_that_has_passed_is_refused(greeting: Service, act: Act) -> None:
    offering.stop(CODE, None, NOW, why="")
    with pytest.raises(BadFields) as fault:
        act(CODE, None, NOW, why="", since=day(-1))
    assert list(fault.value.faults) == ["since"]
    act(CODE, None, NOW, why="", since=day(0))


@pytest.mark.parametrize(("given", "missing"), [("ar", "notice_en"), ("en", "notice_ar")])
def test_what_the_card_says_is_in_both_languages(
    greeting: Service, given: str, missing: str
) -> None:
    with pytest.raises(BadFields) as fault:
        offering.stop(CODE, None, NOW, why="", notice={"ar": "", "en": "", given: "x"})
    assert list(fault.value.faults) == [missing]


def test_stopping_again_changes_the_words_and_the_end_but_not_the_first_day(
    greeting: Service,
) -> None:
    offering.stop(CODE, None, NOW, why="")
    offering.start(CODE, None, NOW, why="", since=day(9))
    offering.stop(CODE, None, later(3), why="", notice=NOTICE)
    kept = (greeting.stopped_on, greeting.resumes_on, greeting.stop_notice)
    assert kept == (TODAY, None, NOTICE)


def test_starting_at_once_ends_a_stop_and_a_planned_one(greeting: Service) -> None:
    for since in (day(0), day(3)):
        offering.stop(CODE, None, NOW, why="", since=since, notice=NOTICE)
        offering.start(CODE, None, NOW, why="Over")
        assert (greeting.stopped_on, greeting.resumes_on, greeting.stop_notice) == (None,) * 3
        assert (last_event().kind, last_event().reason) == ("office:service:started", "Over")


def test_a_service_whose_stop_is_over_can_be_stopped_anew(greeting: Service) -> None:
    offering.stop(CODE, None, NOW, why="")
    offering.start(CODE, None, NOW, why="", since=day(2))
    with pytest.raises(Refused, match="in use already"):
        offering.start(CODE, None, later(2), why="")
    offering.stop(CODE, None, later(2), why="")
    assert (greeting.stopped_on, greeting.resumes_on) == (day(2), None)


def test_what_is_in_use_or_unknown_cannot_be_started(greeting: Service) -> None:
    assert refusal_of(offering.start) == "This service is in use already."
    for act in (offering.stop, offering.start, offering.archive, offering.restore):
        with pytest.raises(NotFound):
            act("gone", None, NOW, why="")


# Archiving


def test_only_a_stopped_service_without_open_requests_is_archived(user: User) -> None:
    req = requests.make_sent(user, CODE, **VALUES)
    assert refusal_of(offering.archive) == "Only a stopped service can be archived."
    offering.stop(CODE, None, NOW, why="", since=day(1))
    assert refusal_of(offering.archive) == "Only a stopped service can be archived."
    offering.stop(CODE, None, NOW, why="")
    assert offering.open_requests() == {CODE: 1}
    assert refusal_of(offering.archive) == "This service has open requests."
    requests.step(req, Action.WITHDRAW, user)
    offering.archive(CODE, None, NOW, why="")
    assert state() == State.ARCHIVED


def test_an_archived_service_is_gone_and_its_requests_are_read(user: User) -> None:
    draft = requests.make_draft(user, CODE)
    offering.stop(CODE, None, NOW, why="")
    offering.start(CODE, None, NOW, why="", since=day(2))
    offering.archive(CODE, None, NOW, why="Never used")
    offers = available_actions.startable_services(actor_of(user), NOW)
    assert CODE not in {offer.code for offer in offers}
    assert send_refusal(draft, user, NOW) == send_refusal(draft, user, later(3)) != ""
    assert versions.for_request(draft).code == CODE
    assert CODE in {version.definition.code for version in versions.all_newest()}
    assert (last_event().kind, last_event().reason) == ("office:service:archived", "Never used")
    for act in (offering.stop, offering.start, offering.archive):
        assert refusal_of(act) == "This service is archived."


def test_a_restored_service_is_stopped_until_it_is_started(user: User) -> None:
    assert refusal_of(offering.restore) == "This service is not archived."
    offering.stop(CODE, None, NOW, why="")
    offering.archive(CODE, None, NOW, why="")
    offering.restore(CODE, None, NOW, why="")
    assert state(400) == State.STOPPED
    offering.start(CODE, None, NOW, why="")
    assert start_refusal(user) == ""


def test_versions_are_found_by_number(context: Flask) -> None:
    first = requests.publish(requests.TRIVIAL)
    second = requests.publish(requests.TRIVIAL, processing_days=9)
    assert versions.of_service(CODE) == [second, first]
    assert (versions.numbered(CODE), versions.numbered(CODE, 1)) == (second, first)
    for code, number in ((CODE, 3), ("gone", None)):
        with pytest.raises(NotFound):
            versions.numbered(code, number)


# A pilot with chosen organisations


@pytest.fixture
def others(user: User) -> User:
    """A general user of another organisation than `user`."""
    return factories.make_agent()


def organisation_of(user: User) -> Organisation:
    return user.memberships[0].organisation


def pilot(user: User, days: int = 2, **given: Any) -> Service:
    chosen = organisation_of(user).name_ar
    given = {"until": day(days), "organisations": chosen} | given
    service = offering.pilot(CODE, user.id, NOW, why="Trying it", **given)
    db.session.commit()
    return service


def seen(user: User, days: int = 0) -> list[str]:
    offers = available_actions.startable_services(actor_of(user), later(days))
    return [offer.code for offer in offers]


@pytest.mark.databases
def test_a_pilot_is_seen_and_begun_by_its_organisations_alone(user: User, others: User) -> None:
    offering.stop(CODE, user.id, NOW, why="")
    assert CODE in seen(others)
    pilot(user)
    assert (state(), state(2), state(3)) == (State.PILOT, State.PILOT, State.STOPPED)
    assert (CODE in seen(user), CODE in seen(others)) == (True, False)
    assert start_refusal(user) == ""
    req = drafts.start(CODE, actor_of(user), NOW, "private")
    assert req.service_code == CODE
    with pytest.raises(NotFound):
        drafts.start(CODE, actor_of(others), NOW, "private")
    organisation_id = organisation_of(others).id
    assert CODE not in subscriptions.granted_codes(organisation_id)
    assert CODE not in {each.code for each in subscriptions.catalogue(actor_of(others), NOW)}
    assert CODE not in {each.definition.code for each in versions.offered_to(None)}


@pytest.mark.databases
def test_after_its_last_day_in_kuwait_a_pilot_is_stopped_and_its_drafts_may_be_sent(
    user: User, others: User
) -> None:
    offering.stop(CODE, user.id, NOW, why="")
    pilot(user)
    req = requests.make_draft(user, CODE, **VALUES)
    midnight = kuwait_midnight(day(3))
    assert start_refusal(user, midnight - timedelta(seconds=1)) == ""
    last = (TODAY + timedelta(16)).strftime("%d/%m/%Y")
    assert start_refusal(user, midnight).endswith(f"can be sent until {last}.")
    assert CODE in seen(others, 3)
    action = available_actions.action(req, Action.SEND, actor_of(user), later(16))
    late = available_actions.action(req, Action.SEND, actor_of(user), later(17))
    assert (action.refusal, late.refusal is not None) == (None, True)


def test_what_others_began_before_a_pilot_may_be_sent_as_with_a_stop(
    user: User, others: User
) -> None:
    req = requests.make_draft(others, CODE, **VALUES)
    offering.stop(CODE, user.id, NOW, why="")
    pilot(user)
    assert available_actions.action(req, Action.SEND, actor_of(others), later(1)).refusal is None
    with pytest.raises(NotFound):
        drafts.copy_refusal(requests.step(req, Action.SEND, others), actor_of(others), NOW)


def test_a_start_ends_a_pilot_for_everybody_and_a_stop_ends_it_for_its_organisations(
    user: User, others: User
) -> None:
    offering.stop(CODE, user.id, NOW, why="")
    pilot(user)
    offering.stop(CODE, user.id, NOW, why="")
    assert state() == State.STOPPED
    assert CODE in seen(others)
    assert "The office has stopped this service" in start_refusal(user)
    pilot(user)
    service = offering.start(CODE, user.id, NOW, why="")
    assert (state(), service.pilot_until) == (State.IN_USE, None)
    assert start_refusal(others) == ""


def test_a_pilot_and_its_organisations_are_in_the_trail(user: User, others: User) -> None:
    offering.stop(CODE, user.id, NOW, why="")
    pilot(user)
    first, second = organisation_of(user).name_ar, organisation_of(others).name_ar
    pilot(user, 5, organisations=f"{first}\n\n {second} \n{first}")
    event = last_event()
    assert (event.kind, event.reason) == ("office:service:piloted", "Trying it")
    assert event.changes["pilot_until"] == [day(2).isoformat(), day(5).isoformat()]
    assert event.changes["organisations"] == [[first], [first, second]]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"until": day(-1)}, "until"),
        ({"organisations": " \n"}, "organisations"),
        ({"organisations": "nobody"}, "organisations"),
        ({"organisations": "\n".join(map(str, range(101)))}, "organisations"),
    ],
)
def test_a_pilot_until_a_day_that_passed_or_with_unknown_organisations_is_refused(
    user: User, given: dict[str, Any], field: str
) -> None:
    offering.stop(CODE, user.id, NOW, why="")
    with pytest.raises(BadFields) as refused:
        pilot(user, **given)
    assert list(refused.value.faults) == [field]


def test_only_what_is_stopped_is_piloted_and_a_pilot_is_not_archived(user: User) -> None:
    given = {"until": day(2), "organisations": "x"}
    assert "Only a stopped service" in refusal_of(offering.pilot, **given)
    offering.stop(CODE, user.id, NOW, why="")
    pilot(user)
    assert "Only a stopped service" in refusal_of(offering.archive)


def test_a_pilot_with_an_organisation_whose_users_are_all_disabled_offers_nothing(
    user: User, others: User
) -> None:
    offering.stop(CODE, user.id, NOW, why="")
    pilot(others)
    others.memberships[0].is_active = False
    db.session.commit()
    assert actor_of(others).standing is None
    with pytest.raises(NotFound):
        drafts.start(CODE, actor_of(others), NOW, "private")
