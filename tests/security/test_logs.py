"""Secrets and people's numbers, planted where they are typed, are found in no log and no table."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa
import structlog
from flask import Flask
from sqlalchemy.exc import IntegrityError

from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import User
from clearance.models.enums import Role, SessionStage
from clearance.web import logging as web_logging
from tests.journeys import steps
from tests.support import factories
from tests.support.gateways import queued_code
from tests.support.pages import PageClient
from tests.support.rows import count_of

TYPED = "Canary-7-Qafas!"
CUSTOMS = "Canary-8-Jumruk!"
NEW = "Canary-9-Jadid!x"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the portal's own handler writes, as in production."""
    written = io.StringIO()
    handler = web_logging.handler_to(written)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def stored(app: Flask) -> str:
    """Everything that the database keeps, as text."""
    with app.app_context():
        tables = db.metadata.sorted_tables
        rows = [db.session.execute(sa.select(table)).all() for table in tables]
    return "\n".join(repr(tuple(row)) for each in rows for row in each)


def wrong_sign_in(client: PageClient, email: str, password: str) -> None:
    client.submit(client.get("/login"), {"email": email, "password": password})


def refused_registration(client: PageClient) -> None:
    """A customs account that the customs system does not know."""
    steps.send_registration(
        client,
        has_customs_account="y",
        licence_no="KW-9",
        customs_user="canary.user",
        customs_password=CUSTOMS,
        password=NEW,
        password_confirm=NEW,
    )


def reset(client: PageClient, email: str) -> str:
    """Choose the password NEW by the mailed code, which is returned."""
    page = client.get("/reset")
    values = {"email": email, "captcha": steps.image_text(client.app, page)}
    client.submit(page, values, form="#reset-form")
    with client.app.app_context():
        ref = db.session.scalar(sa.text("SELECT ref FROM password_reset"))
        code = queued_code(email)
    page = client.get(f"/reset/confirm?ref={ref}")
    values = {
        "captcha": steps.image_text(client.app, page),
        "code": code,
        "new_password": NEW,
        "new_password_confirm": NEW,
    }
    assert client.submit(page, values, form="#reset-confirm-form").url == "/login"
    return code


@pytest.mark.databases
def test_what_is_typed_in_secret_is_nowhere_else(
    app: Flask, client: PageClient, log: io.StringIO
) -> None:
    with app.app_context():
        agent, staff = factories.make_agent(), factories.make_staff(Role.REVIEWER)
        pending = factories.make_registration()
    wrong_sign_in(client, agent.email, TYPED)
    refused_registration(client)
    code = reset(client, agent.email)
    other = PageClient(app)
    key = factories.sign_in(other, staff, SessionStage.FACTOR)
    other.submit(other.get("/login/factor"), {"code": "918273"})
    new = factories.browser_of(app, pending, language=None, stage=SessionStage.VERIFY)
    new.submit(new.get("/verify"), {"email_code": "645342", "mobile_code": "756453"})
    client.get("/invitation/canary-token-of-nobody", status=404)
    told, kept = log.getvalue(), stored(app)
    codes = (code, "918273", "645342", "756453")
    for secret in (TYPED, CUSTOMS, NEW, key, *codes, "canary-token-of-nobody"):
        planted = re.compile(rf"(?<!\w){re.escape(secret)}(?!\w)")  # digests hold any digits
        assert not planted.search(told)
        assert not planted.search(kept)
    for number in (agent.email, agent.mobile, agent.civil_id, pending.civil_id):
        assert str(number) not in told


def test_secret_and_spare_codes_of_an_app_are_on_their_page_alone(
    app: Flask, client: PageClient, log: io.StringIO
) -> None:
    with app.app_context():
        agent = factories.make_agent()
    key = factories.sign_in(client, agent)
    page = client.get("/my/account/factor")
    written = page.soup.select_one("#factor-key")
    assert written is not None
    secret = written.get_text().replace(" ", "")
    wrong = {"code": "918273", "current_password": TYPED}
    page = client.submit(page, wrong, form="#factor-form")
    right = {"code": pyotp.TOTP(secret).at(utc_now()), "current_password": factories.PASSWORD}
    page = client.submit(page, right, form="#factor-form")
    spares = [code.get_text() for code in page.soup.select("#spare-codes code")]
    assert len(spares) == 10
    client.submit(page, form="form[action='/logout']")
    steps.sign_in(client, agent.email)
    client.submit(client.get("/login/factor"), {"code": spares[0]}, form="#factor-form")
    told = log.getvalue() + stored(app)
    joined = [spare.replace(" ", "") for spare in spares]
    planted = (secret, written.get_text(), TYPED, key, "918273", *spares, *joined)
    assert not [each for each in planted if re.search(rf"(?<!\w){re.escape(each)}(?!\w)", told)]


def test_a_fault_of_the_database_is_logged_without_what_was_to_be_stored(
    app: Flask, log: io.StringIO
) -> None:
    with app.test_request_context(method="POST"):
        first = factories.make_user(email="canary.person@example.com")
        taken = {"email": first.email, "mobile": factories.mobile(), "civil_id": first.civil_id}
        with pytest.raises(IntegrityError) as caught:
            factories.make_user(**taken)
        db.session.rollback()
        structlog.get_logger("clearance").error("fault", exc_info=caught.value)
        logging.getLogger("a.dependency").warning("told %s of %s", first.email, first.mobile)
    for value in (*taken.values(), first.mobile, first.password_hash):
        assert str(value) not in log.getvalue()
    assert "INSERT INTO" in log.getvalue()  # what is needed to find the fault stays


@pytest.mark.parametrize(
    "typed", ["a\r\nb", 'x"}\n{"event": "forged"}', "\x1b[31m", "\x9b2J", "\u202etxt", "\u2028x"]
)
def test_a_line_of_the_log_cannot_be_forged(app: Flask, log: io.StringIO, typed: str) -> None:
    structlog.get_logger("clearance").warning("typed", value=typed)
    logging.getLogger("a.dependency").warning("typed %s", typed)
    lines = log.getvalue().splitlines()
    assert len(lines) == 2
    assert all(
        line.isascii() and "\x1b" not in line and json.loads(line)["level"] == "warning"
        for line in lines
    )


def test_a_posted_name_that_no_form_has_is_not_in_the_log() -> None:
    posted = ["version", "ahmad@example.com", "\x1b[2J", "x" * 41, "289123100018", *["more"] * 50]
    names = web_logging.field_names(posted)
    assert (names[:5], len(names)) == (["version", "…", "…", "…", "…"], 20)


@pytest.mark.databases
def test_the_trail_masks_addresses(app: Flask, client: PageClient) -> None:
    wrong_sign_in(client, "canary.person@example.com", TYPED)
    with app.app_context():
        details: list[Any] = list(db.session.scalars(sa.text("SELECT detail FROM access_event")))
        assert count_of(User) == 0
    assert details == ["c•••@example.com"]
