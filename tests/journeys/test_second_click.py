"""A double click on a form with an image: the second waits and leads where the first one did."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clearance.accounts import registration
from clearance.auth import captcha, password_changes, rate_limits
from clearance.core.errors import TooManyTries
from clearance.organisations import invitations
from tests.journeys import steps
from tests.support.member_factories import World, filled
from tests.support.pages import PageClient, form_data

Posting = Callable[[], TestResponse]
A_MINUTE = timedelta(minutes=1)  # a click's patience, where the machine may be slow


def opened(
    browser: PageClient, url: str, form: str, fill: Callable[[Any], dict[str, Any]]
) -> Posting:
    """Open a page and fill its form; what is returned posts it."""
    page = browser.get(url)
    data = form_data(page.form(form)) | fill(page)
    return lambda: browser.http.post(url, data=data)


def registering(app: Flask, **other: str) -> Posting:
    def fill(page: Any) -> dict[str, Any]:
        return steps.registration_values(captcha=steps.image_text(app, page)) | other

    return opened(steps.browser(app, "en"), "/register", "#register-form", fill)


def asking(app: Flask, **other: str) -> Posting:
    def fill(page: Any) -> dict[str, Any]:
        return {"email": "noura@example.com", "captcha": steps.image_text(app, page)} | other

    return opened(steps.browser(app, "en"), "/reset", "#reset-form", fill)


def adding(app: Flask, **other: str) -> Posting:
    world = World(app)
    return opened(
        world.client(world.general, "en"),
        "/my/users/new/",
        "#user-form",
        lambda page: filled(app, page) | other,
    )


FORMS = [
    (registering, registration, "register"),
    (asking, password_changes, "ask_reset"),
    (adding, invitations, "invite"),
]


@pytest.mark.parametrize(("opening", "module", "use_case"), FORMS)
@pytest.mark.parametrize("is_refused", [False, True])
@pytest.mark.databases
def test_a_second_click_waits_for_the_first(
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    opening: Callable[..., Posting],
    module: Any,
    use_case: str,
    is_refused: bool,
) -> None:
    began, go_on, act = Event(), Event(), getattr(module, use_case)

    def slow(*args: Any, **kwargs: Any) -> Any:
        began.set()
        assert go_on.wait(timeout=40)
        if is_refused:
            raise TooManyTries(60)
        return act(*args, **kwargs)

    monkeypatch.setattr(module, use_case, slow)
    monkeypatch.setattr(captcha, "PATIENCE", A_MINUTE)
    post = opening(app)
    consumed: list[str] = []
    consume = rate_limits.consume

    def noted(policy: str, *keys: str) -> None:
        consumed.append(policy)
        consume(policy, *keys)

    monkeypatch.setattr(rate_limits, "consume", noted)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(post)
        assert began.wait(timeout=40)
        second = pool.submit(post)
        with pytest.raises(TimeoutError):
            second.result(timeout=0.7)
        assert consumed.count("captcha_ip") == 1  # however long the wait is
        go_on.set()
        answers = [first.result(), second.result()]
    if is_refused:
        assert [answer.status_code for answer in answers] == [429, 200]
        assert "does not match the image" in answers[1].text
    else:
        assert [answer.status_code for answer in answers] == [303, 303]
        assert answers[0].location == answers[1].location


@pytest.mark.parametrize("opening", [registering, asking, adding])
def test_a_wrong_text_is_answered_at_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch, opening: Callable[..., Posting]
) -> None:
    monkeypatch.setattr(captcha, "PATIENCE", A_MINUTE)
    post = opening(app, captcha="wrong")
    began = time.monotonic()
    assert "does not match the image" in post().text
    assert time.monotonic() - began < captcha.PATIENCE.total_seconds() / 2
