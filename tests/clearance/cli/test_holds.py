"""`flask hold`: placed, listed and lifted by a keeper, and refused in one line."""

from __future__ import annotations

import pytest
from flask import Flask

from clearance.core.extensions import db
from clearance.models.enums import Role, Status
from tests.support import factories, request_factories

WHY = ("--why", "Court order 12/2026")


def run(app: Flask, *arguments: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["hold", *arguments])
    return result.exit_code, result.output


@pytest.fixture
def known(app: Flask) -> dict[str, str]:
    with app.app_context():
        agent = factories.make_agent()
        req = request_factories.make_request(agent, Status.SUBMITTED)
        staff = {role: factories.make_staff(role).email for role in Role if role != Role.AGENT}
        db.session.commit()
        return {"agent": agent.email, "request": str(req.number), **staff}


def test_a_keeper_holds_a_number_an_account_and_a_request_and_lifts_them(
    app: Flask, known: dict[str, str]
) -> None:
    number, by = factories.civil_id(), ("--by", known["manager"], *WHY)
    about = [f"civil number {number}", known["agent"], f"request {known['request']}"]
    for subject, words in zip((number, known["agent"], known["request"]), about, strict=True):
        code, said = run(app, "place", subject, *by)
        assert (code, said.rstrip().endswith(f"is placed on {words}.")) == (0, True), said
        assert run(app, "place", subject, *by)[0] == 1
    listed = run(app, "list")[1].splitlines()
    assert sorted(line.split("  ")[2] for line in listed) == sorted(about)
    for line in listed:
        assert run(app, "lift", line.split()[0], *by)[0] == 0
        assert run(app, "lift", line.split()[0], *by)[0] == 1
    assert run(app, "list") == (0, "")


def test_holds_by_command_are_refused_in_one_line(app: Flask, known: dict[str, str]) -> None:
    number = factories.civil_id()
    manager, administrator = known["manager"], known["administrator"]
    cases = [
        (number, known["reviewer"], "manager or administrator"),
        (number, "nobody@example.com", "manager or administrator"),
        ("123", manager, "A civil number has 12 digits"),
        ("nobody@example.com", manager, "There is no nobody@example.com"),
        ("LR/999/26", manager, "There is no LR/999/26"),
        (known["request"], administrator, "that this keeper may read"),
    ]
    for subject, keeper, words in cases:
        code, said = run(app, "place", subject, "--by", keeper, *WHY)
        assert code != 0
        assert words in said
    assert run(app, "place", number, "--by", manager, "--why", " ")[0] == 1
    assert run(app, "lift", "99", "--by", manager, *WHY)[0] == 1
    assert run(app, "list") == (0, "")
