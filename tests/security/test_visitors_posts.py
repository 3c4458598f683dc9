"""Everything a visitor may post: counted by address, and refused cheaply before any dear work."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from clearance.auth import passwords
from clearance.public import session_gate
from tests.journeys import steps
from tests.support import factories
from tests.support.pages import PageClient

MOST = 5
SLOWEST = 1.0  # seconds of a core, pages and image texts included
PASSWORD = "Sidra-9-Marjan?"
BODY: dict[str, Any] = {
    **steps.registration_values(),
    "password": PASSWORD,
    "password_confirm": PASSWORD,
    "new_password": PASSWORD,
    "new_password_confirm": PASSWORD,
    "code": "ABCD2345",
    "captcha": "nobody",
    "captcha_ref": "0" * 40,
    "lang": "en",
    "answer": "consent",
}
# What a visitor who was refused by nothing costs: a password is compared with that of a user, and
# with those of the sign-ups by one hash more, whether there are any or not.
MAY_HASH = {"/login": 2 * MOST}


def addresses(app: Flask) -> list[str]:
    """Everywhere that a visitor may post, with a token that nobody was given."""
    return sorted(
        "/" + rule.rule.lstrip("/").replace("<token>", "nobody-was-given-this")
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ())
        and (rule.endpoint in session_gate.OPEN_TO_ALL or _is_marked(app, rule.endpoint))
    )


def _is_marked(app: Flask, endpoint: str) -> bool:
    return bool(getattr(app.view_functions[endpoint], "is_open_to_all", False))


@pytest.fixture
def limited(make_app: Callable[..., Flask]) -> Flask:
    """The portal, which lets an address post five times a minute."""
    return make_app(limits={"post_ip": f"{MOST} per 1 minute", "sign_in_ip": f"{MOST} per 1 hour"})


@pytest.fixture
def dear(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was hashed and judged, by name."""
    done: list[str] = []
    for name in ("hash_password", "verify_password", "_is_guessable"):
        real = getattr(passwords, name)

        def noted(*arguments: Any, name: str = name, real: Any = real, **named: Any) -> Any:
            done.append(name)
            return real(*arguments, **named)

        for module in _users_of(real):
            monkeypatch.setattr(module, name, noted)
    return done


def _users_of(real: Any) -> list[Any]:
    return [
        module
        for key, module in list(sys.modules.items())
        if key.partition(".")[0] in {"clearance", "forms"}
        and getattr(module, real.__name__, None) is real
    ]


def post(client: PageClient, address: str, **changes: Any) -> Any:
    data = {"csrf_token": client.csrf_token(), **BODY, **changes}
    return client.http.post(
        address,
        data=data,
        content_type="multipart/form-data",  # so that letters of any script take no room
        environ_overrides={"REMOTE_ADDR": client.ip},
    )


def test_everything_a_visitor_posts_is_counted_by_address_before_dear_work(
    limited: Flask, dear: list[str]
) -> None:
    for number, address in enumerate(addresses(limited)):
        client = PageClient(limited, language="en", ip=f"10.0.1.{number}")
        dear.clear()
        statuses = [post(client, address).status_code for _try in range(MOST)]
        assert 429 not in statuses, address
        assert not {500, 503} & set(statuses), address
        assert len(dear) <= MAY_HASH.get(address, 0), (address, dear)
        dear.clear()
        refused = post(client, address)
        assert refused.status_code == 429, address
        assert int(refused.headers["Retry-After"]) > 0
        assert dear == [], address


def test_one_address_that_posts_too_much_leaves_others_alone(limited: Flask) -> None:
    loud, quiet = (PageClient(limited, language="en", ip=f"10.0.2.{n}") for n in (1, 2))
    while post(loud, "/reset").status_code != 429:
        pass
    assert post(quiet, "/reset").status_code == 200


def test_an_office_behind_one_address_signs_in_one_after_another(limited: Flask) -> None:
    with limited.app_context():
        people = [factories.make_agent().email for _person in range(MOST + 3)]
    for email in people:
        client = PageClient(limited, language="en", ip="10.0.3.1")
        assert steps.sign_in(client, email).url == "/my/"


def test_a_link_nobody_was_given_is_not_found_and_nothing_is_judged(
    app: Flask, dear: list[str]
) -> None:
    client = PageClient(app, language="en")
    answer = post(client, "/invitation/invented", password="Kuwait@2026")
    assert answer.status_code == 404
    assert dear == []


@pytest.mark.parametrize("address", ["/register", "/reset/confirm?ref=invented"])
def test_no_password_is_judged_where_the_image_text_is_wrong(
    app: Flask, dear: list[str], address: str
) -> None:
    client = PageClient(app, language="en")
    answer = post(client, address, password="Kuwait@2026")
    assert steps.TEXTS["en"]["image"] in answer.get_data(as_text=True)
    assert dear == []


def test_what_a_visitor_posts_is_short(app: Flask) -> None:
    for address in addresses(app):
        client = PageClient(app, language="en")
        answer = post(client, address, email="x" * session_gate.VISITORS_MOST_BYTES)
        assert answer.status_code == 413, address


@pytest.mark.parametrize("unit", ["\u0301\u0323", "ﷺ", "a.", "4@8({[<369$!|7"])
def test_nothing_a_visitor_types_takes_long(app: Flask, unit: str) -> None:
    size = session_gate.VISITORS_MOST_BYTES - 8 * 1024  # the other fields need some
    long = dict.fromkeys(("password", "new_password"), "Aa1!" + unit * 6)
    for address in addresses(app):
        for name in ("email", "first_name", "mobile", "code", "captcha"):
            client = PageClient(app, language="en")
            typed = long | {name: (unit * size).encode()[:size].decode(errors="ignore")}
            start = time.thread_time()
            answer = post(client, address, **typed)
            assert time.thread_time() - start < SLOWEST, (address, name)
            assert answer.status_code not in {413, 500, 503}, (address, name)
