"""Who gets what at every address: the walk that both the test and the writing of the file use.

`python -m tests.access` prints the table as the portal answers now; what is kept in
tests/access_matrix.txt was read line by line before it was kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from clearance.vocabulary import Role, SessionStage
from tests import factories, request_factories
from tests.pages import PageClient

FILE = Path(__file__).with_name("access_matrix.txt")
ROLES = (
    "visitor",
    "pending",
    "ungranted",
    "additional",
    "general",
    "foreign",
    "reviewer",
    "manager",
    "administrator",
)
MISSING = 999_999


@dataclass(frozen=True)
class Rows:
    """Ids that the addresses are filled with; they belong to the organisation of `general`."""

    values: dict[str, Any]


@dataclass(frozen=True)
class World:
    """A client for each role, and rows of one organisation."""

    clients: dict[str, PageClient]
    rows: dict[str, Any]


def build(app: Flask, more_rows: Callable[[Any, Any], dict[str, Any]]) -> World:
    """Make people of every role and the rows; more_rows(general, reviewer) → argument → value."""
    with app.app_context():
        request_factories.load_services()
        office, other = factories.make_organisation(), factories.make_organisation()
        people = {
            "ungranted": factories.make_agent(office, is_general=False, services=()),
            "additional": factories.make_agent(office, is_general=False, services=("exam",)),
            "general": factories.make_agent(office),
            "foreign": factories.make_agent(other),
            "reviewer": factories.make_staff(Role.REVIEWER),
            "manager": factories.make_staff(Role.MANAGER),
            "administrator": factories.make_staff(Role.ADMINISTRATOR),
            "pending": factories.make_agent(email_proved_at=None),
        }
        rows = more_rows(people["general"], people["reviewer"])
        clients = {role: PageClient(app, language="en") for role in ROLES}
        for role, person in people.items():
            stage = SessionStage.VERIFY if role == "pending" else SessionStage.FULL
            factories.sign_in(clients[role], person, stage)
    return World(clients, rows)


def addresses(app: Flask, method: str, rows: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (line's name, address, which row) of every rule that takes `method`."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule):
        if method not in (rule.methods or ()):
            continue
        name = f"{method} {rule.rule}"
        if not rule.arguments:
            yield name, rule.rule, ""
            continue
        yield name, _fill(rule, rows), "own"
        missing = {key: MISSING if isinstance(value, int) else "x" for key, value in rows.items()}
        yield f"{name} [missing]", _fill(rule, {**rows, **missing}), "missing"


def answer(client: PageClient, method: str, address: str, *, token: str | None = None) -> str:
    """What the portal answers, in the word of the file."""
    data = {"csrf_token": token} if token else None
    response = client.http.open(address, method=method, data=data)
    return word_of(response)


def word_of(response: TestResponse) -> str:
    """page, gone, login, verify, away (another redirect) or the status."""
    if response.status_code in {301, 302, 303, 307, 308}:
        target = response.location or ""
        if re.match(r"(http://[^/]+)?/login(\?|$)", target):
            return "login"
        return "verify" if "/verify" in target else "away"
    return {200: "page", 404: "gone"}.get(response.status_code, str(response.status_code))


def read_file() -> dict[str, tuple[str, ...]]:
    """The kept table: line's name → words in the order of ROLES."""
    table = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, words = line.partition(" : ")
            table[name.strip()] = tuple(words.split())
    return table


def _fill(rule: Rule, rows: dict[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        return str(rows[match.group("name")])

    return re.sub(r"<(?:[^:<>]+:)?(?P<name>[^<>]+)>", value, rule.rule)
