"""What a stranger could time: the same work for a known address as for an unknown one."""

from __future__ import annotations

import pytest
from flask import Flask

from clearance.auth.registrants import hash_of_sign_up
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.organisations import opening
from tests.journeys import steps
from tests.support import factories, request_factories
from tests.support.costs import costs_of
from tests.support.pages import PageClient

FIRST = "first"
"""Its cost is not compared: it reads what the process keeps from then on."""


def known_details() -> dict[str, str]:
    person = factories.make_agent()
    return {name: getattr(person, name) for name in ("email", "mobile", "civil_id")}


def test_a_wrong_password_costs_the_same_whoever_has_the_address(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    awaited = "awaited@example.com"
    with app.app_context():
        known = factories.make_agent().email
        for _ in range(3):
            factories.make_registration(
                email=awaited, password_hash=hash_of_sign_up(awaited, factories.PASSWORD)
            )
    costs = []
    for email in (known, "nobody@example.com", awaited):
        client = PageClient(app)
        page = client.get("/login")
        with costs_of(app, monkeypatch) as cost:
            client.submit(page, {"email": email, "password": "Wrong-1-Word!"})
        costs.append(cost)
    assert costs[0] == costs[1] == costs[2]
    assert costs[0]["hashes"] == 2
    assert costs[0]["writings"] > 0


def test_asking_for_a_reset_costs_the_same_whether_the_address_is_known(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        known = factories.make_agent().email
    costs = []
    for email in (f"{FIRST}@example.com", known, "nobody@example.com"):
        client = PageClient(app)
        page = client.get("/reset")
        values = {"email": email, "captcha": steps.image_text(app, page)}
        with costs_of(app, monkeypatch) as cost:
            client.submit(page, values, form="#reset-form")
        costs.append(cost)
    assert costs[1] == costs[2]
    assert costs[1]["writings"] > 0


def test_signing_up_costs_the_same_whether_the_person_is_known(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        known = known_details()
    costs = []
    for name in (FIRST, "nothing", *known):
        client = PageClient(app)
        page = client.get("/register")
        values = steps.registration_values(
            civil_id=factories.civil_id(),
            mobile=factories.mobile(),
            email=f"{name}@example.com",
            captcha=steps.image_text(app, page),
        )
        values |= {name: known[name]} if name in known else {}
        with costs_of(app, monkeypatch) as cost:
            client.submit(page, values, form="#register-form")
        costs.append(cost)
    assert costs[1:] == [costs[1]] * 4
    assert costs[1]["hashes"] == 1
    assert costs[1]["writings"] > 0


def test_adding_a_user_costs_the_same_whether_the_person_is_known(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        request_factories.load_services()
        organisation = factories.make_organisation()
        general = factories.make_agent(organisation)
        opening.subscribe(organisation, utc_now())
        db.session.commit()
        client = factories.browser_of(app, general, language=None)
        known = known_details()
    costs = []
    for name in (FIRST, "nothing", *known):
        page = client.get("/my/users/new/")
        values = {
            "first_name": "منيرة",
            "last_name": "الرشيدي",
            "latin_name": "Munira Alrashidi",
            "gender": "female",
            "civil_id": factories.civil_id(),
            "mobile": factories.mobile(),
            "email": f"{name}@example.com",
            "services": ["exam"],
            "password": factories.PASSWORD,
            "password_confirm": factories.PASSWORD,
            "captcha": steps.image_text(app, page),
            "accept_terms": "y",
        }
        values |= {name: known[name]} if name in known else {}
        with costs_of(app, monkeypatch) as cost:
            answer = client.submit(page, values, form="#user-form")
        assert answer.url == "/my/users/"
        costs.append(cost)
    assert costs[1:] == [costs[1]] * 4
    assert costs[1]["hashes"] == 1
    assert costs[1]["writings"] > 0
