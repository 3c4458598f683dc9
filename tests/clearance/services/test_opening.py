"""Opening dates: days in Kuwait, both included; refusals name the day; corrections always may."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core.clock import kuwait_midnight, utc_now
from clearance.core.errors import Refused
from clearance.models import Request, User
from clearance.models.enums import Status
from clearance.requests import available_actions, drafts
from clearance.services import opening, versions
from clearance.services.flows import Action
from tests.support import factories
from tests.support import request_factories as requests

FIRST, LAST = date(2027, 1, 10), date(2027, 1, 20)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture(autouse=True)
def plain(context: Flask) -> None:
    requests.publish(requests.TRIVIAL, opens_on=FIRST, closes_on=LAST)


def at(day: date, hour: int = 9) -> datetime:
    return kuwait_midnight(day) + timedelta(hours=hour)


def begin(user: User, now: datetime) -> Request:
    req = drafts.start("greeting", actor_of(user), now, "private")
    drafts.save(req, {"name_ar_1": "أحمد", "words": "سلام"}, actor_of(user), now)
    return req


def refusal(call: object, *args: object, lang: str = "en") -> str:
    assert callable(call)
    with force_locale(lang), pytest.raises(Refused) as refused:
        call(*args)
    with force_locale(lang):
        return str(refused.value)


@pytest.mark.parametrize("now", [kuwait_midnight(FIRST), kuwait_midnight(LAST + DAY) - SECOND])
def test_both_days_are_included(agent: User, now: datetime) -> None:
    req = begin(agent, now)
    assert requests.step(req, Action.SEND, agent, now=now).status == Status.SUBMITTED


@pytest.mark.parametrize(
    ("now", "lang", "told"),
    [
        (kuwait_midnight(FIRST) - SECOND, "en", "This service opens on 10 January 2027."),
        (kuwait_midnight(LAST + DAY), "en", "This service closed on 20 January 2027."),
        (kuwait_midnight(FIRST) - SECOND, "ar", "10 يناير 2027"),
        (kuwait_midnight(LAST + DAY), "ar", "20 يناير 2027"),
    ],
)
def test_before_and_after_nothing_is_started_and_the_day_is_named(
    agent: User, now: datetime, lang: str, told: str
) -> None:
    assert told in refusal(begin, agent, now, lang=lang)
    with force_locale(lang):
        offers = available_actions.startable_services(actor_of(agent), now)
        (offer,) = [offer for offer in offers if offer.code == "greeting"]
        assert offer.refusal is not None and told in str(offer.refusal.text)
        assert offer.warning is None  # the day is no obstacle of the user's own


def test_what_was_begun_in_time_cannot_be_sent_after_the_last_day(agent: User) -> None:
    req = begin(agent, at(LAST))
    after = kuwait_midnight(LAST + DAY)
    with force_locale("en"):
        (warning,) = available_actions.send_warnings(req, actor_of(agent), after)
        assert "Saved drafts are kept." in str(warning.change)
    told = refusal(lambda: requests.step(req, Action.SEND, agent, now=after))
    assert told == str(warning.text) == "This service closed on 20 January 2027."
    assert req.status == Status.DRAFT
    drafts.save(req, {"words": "مرحبا"}, actor_of(agent), after)
    assert req.answers["words"] == "مرحبا"


def test_a_correction_of_a_sent_request_may_be_sent_after_the_last_day(agent: User) -> None:
    req = requests.step(begin(agent, at(LAST)), Action.SEND, agent, now=at(LAST))
    reviewer, later = factories.make_staff(), at(LAST + 3 * DAY)
    requests.step(req, Action.RETURN, reviewer, now=later, reason="صحّح العبارة.")
    drafts.save(req, {"words": "أهلا"}, actor_of(agent), later)
    assert available_actions.send_warnings(req, actor_of(agent), later) == []
    assert requests.step(req, Action.SEND, agent, now=later).status == Status.SUBMITTED


def test_a_new_last_day_holds_for_drafts_of_earlier_versions(agent: User) -> None:
    req = begin(agent, at(LAST))
    requests.publish(requests.TRIVIAL, opens_on=FIRST, closes_on=LAST + 7 * DAY)
    assert requests.step(req, Action.SEND, agent, now=at(LAST + DAY)).status == Status.SUBMITTED


def test_a_first_day_after_the_last_prevents_publishing() -> None:
    document = versions.current("greeting").definition.model_dump(mode="json", by_alias=True)
    assert versions.faults(document | {"opens_on": "2027-01-20", "closes_on": "2027-01-20"}) == []
    assert versions.faults(document | {"opens_on": "2027-01-21", "closes_on": "2027-01-20"}) == [
        "opens_on: The first day is after the last one."
    ]
    assert versions.faults(document | {"closes_on": "soon"})[0].startswith("closes_on: ")


@pytest.mark.parametrize(
    ("dates", "told"),
    [
        ({}, ""),
        ({"opens_on": FIRST}, "Open from 10 January 2027"),
        ({"opens_on": FIRST - 2 * DAY}, ""),
        ({"closes_on": LAST}, "Open until 20 January 2027"),
        ({"closes_on": FIRST - 2 * DAY}, "This service closed on 8 January 2027."),
        ({"opens_on": FIRST, "closes_on": LAST}, "Open from 10 January 2027 to 20 January 2027"),
    ],
)
def test_the_card_tells_from_when_until_when(dates: dict[str, date], told: str) -> None:
    always: dict[str, date | None] = {"opens_on": None, "closes_on": None}
    service = versions.current("greeting").definition.model_copy(update=always | dates)
    with force_locale("en"):
        assert opening.sentence(service, FIRST - DAY) == told


def test_a_service_without_dates_is_open_on_every_day(agent: User) -> None:
    requests.publish(requests.TRIVIAL)
    assert requests.make_sent(agent, "greeting", words="سلام", now=utc_now()).number
