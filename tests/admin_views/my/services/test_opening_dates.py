"""Opening dates on the pages: the card and the first step tell them, the form loses nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from clearance.core import i18n
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.models.enums import Status
from clearance.services import versions
from tests.admin_views.my.conftest import People
from tests.support import request_factories as requests
from tests.support.pages import PageClient
from tests.support.rows import all_requests

DAY = timedelta(days=1)


def publish(app: Flask, **days: int) -> None:
    """The trivial service, with its dates as days from today."""
    dates = {name: kuwait_today() + count * DAY for name, count in days.items()}
    with app.app_context():
        requests.publish(requests.TRIVIAL, **dates)


def in_words(app: Flask, count: int) -> str:
    with app.test_request_context("/", headers={"Cookie": "lang=en"}):
        return i18n.day_in_words(kuwait_today() + count * DAY)


def test_the_card_and_the_first_step_tell_until_when(
    app: Flask, mine: PageClient, people: People
) -> None:
    publish(app, opens_on=-1, closes_on=5)
    told = f"Open from {in_words(app, -1)} to {in_words(app, 5)}"
    card = mine.get("/my/services/").soup.find(id="service-greeting")
    assert told in card.get_text(" ") and card.select_one("a.button")
    assert told in mine.get("/my/services/greeting/").soup.select_one("main").get_text(" ")
    assert told in mine.get("/").soup.get_text(" ")


def test_a_service_about_a_broker_tells_it_above_the_brokers(
    app: Flask, mine: PageClient, people: People
) -> None:
    with app.app_context():
        renewal = versions.current("renewal").definition.model_dump(mode="json", by_alias=True)
        versions.publish(renewal | {"closes_on": kuwait_today() + DAY}, None, utc_now())
        db.session.commit()
    page = mine.get("/my/services/renewal/")
    assert f"Open until {in_words(app, 1)}" in page.soup.select_one("main").get_text(" ")


@pytest.mark.parametrize(
    ("days", "told"),
    [({"opens_on": 3}, "This service opens on"), ({"closes_on": -1}, "This service closed on")],
)
def test_a_closed_service_names_the_day_and_has_no_button(
    app: Flask, mine: PageClient, people: People, days: dict[str, int], told: str
) -> None:
    publish(app, **days)
    (count,) = days.values()
    sentence = f"{told} {in_words(app, count)}."
    card = mine.get("/my/services/").soup.find(id="service-greeting")
    assert card.get_text(" ").count(sentence) == 1 and card.select_one("a.button") is None
    page = mine.get("/my/services/greeting/")
    assert sentence in page.soup.select_one("main .refusal").get_text(" ")
    mine.post("/my/services/greeting/", {"broker_type": "private"})
    assert all_requests(app) == []


def test_a_form_open_past_the_last_day_says_so_and_keeps_what_was_typed(
    app: Flask, mine: PageClient, people: People
) -> None:
    publish(app, closes_on=0)
    start = mine.get("/my/services/greeting/")
    form = mine.submit(start, {"broker_type": "private"}, form="#start")
    publish(app, closes_on=-1)  # as if midnight had passed
    typed = {"name_ar_1": "أحمد", "words": "سلام"}
    page = mine.submit(form, typed, form="#request-form", press="submit=send", status=409)
    assert f"This service closed on {in_words(app, -1)}." in page.soup.select_one("main").get_text()
    (draft,) = all_requests(app)
    assert (draft.status, draft.name_ar_1, draft.answers) == (
        Status.DRAFT,
        "أحمد",
        {"words": "سلام"},
    )
