"""Twelve canaries through every flow, failing ones included: none may sing in a log."""

from __future__ import annotations

import io
import logging
import re
import runpy
import smtplib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa
import structlog
from flask import Flask
from gunicorn.config import Config
from gunicorn.glogging import Logger
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, OperationalError

from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.core.settings import ROOT
from clearance.models import Organisation, PasswordReset, Request, User
from clearance.models.enums import Role
from clearance.notifications import delivery
from clearance.requests import drafts
from clearance.web import logging as web_logging
from tests.journeys import steps
from tests.support import factories, files, issued_factories, request_factories
from tests.support.gateways import free_port, queued_code
from tests.support.pages import PageClient

MakeApp = Callable[..., Flask]
PASSWORD, CUSTOMS = "Canary-7-Qafas!", "Canary-8-Jumruk!"
EMAIL, MOBILE, CIVIL = "canary.person@example.com", "+96550998877", "288010100115"
PASSPORT, FILE = "Q7730991", "canary-in-a-mine.pdf"
REMARK = "The canary was seen near the harbour"
PERSON = {"email": EMAIL, "mobile": "50998877", "civil_id": CIVIL}


class Lines:
    """What the portal and gunicorn write, as in production and with DEBUG switched on."""

    def __init__(self) -> None:
        self.written = io.StringIO()
        self._gunicorn = Config()
        for name, value in runpy.run_path(str(ROOT / "gunicorn.conf.py")).items():
            if name in self._gunicorn.settings:
                self._gunicorn.set(name, value)
        assert self._gunicorn.accesslog is None
        self._gunicorn.set("accesslog", "-")  # as an operator may switch it on
        self._access = Logger(self._gunicorn)
        self._access.access_log.handlers = [logging.StreamHandler(self.written)]

    def follow(self, app: Flask) -> None:
        """Write gunicorn's line for every request of the application."""
        inner = app.wsgi_app

        def outer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
                answer = SimpleNamespace(status=status, headers=headers, sent=0)
                asked = SimpleNamespace(headers=[("COOKIE", environ.get("HTTP_COOKIE", ""))])
                whole = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
                said = environ | {"RAW_URI": whole, "SERVER_PROTOCOL": "HTTP/1.1"}
                self._access.access(answer, asked, said, timedelta(milliseconds=5))
                return start(status, headers, *more)

            return inner(environ, started)

        app.wsgi_app = outer  # type: ignore[method-assign]  # Flask's documented way

    def __str__(self) -> str:
        return self.written.getvalue()


@pytest.fixture
def lines() -> Iterator[Lines]:
    lines, root = Lines(), logging.getLogger()
    handler, level = web_logging.handler_to(lines.written), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


@dataclass
class Planted:
    """The values that must not be found; those made by the portal are added on the way."""

    values: dict[str, str] = field(default_factory=dict)

    def found_in(self, text: str) -> list[str]:
        """The names of the values that the text has; digits inside longer ones do not count."""
        return [
            name
            for name, value in self.values.items()
            if re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text)
        ]


@pytest.fixture
def planted() -> Planted:
    given = {
        "password": PASSWORD,
        "customs password": CUSTOMS,
        "e-mail": EMAIL,
        "mobile": MOBILE,
        "mobile as typed": PERSON["mobile"],
        "civil number": CIVIL,
        "passport": PASSPORT,
        "remark": REMARK,
        "file name": FILE,
    }
    return Planted(given)


def register(client: PageClient, planted: Planted) -> None:
    """Register with a customs system that is down, then without, and prove both contacts."""
    customs = {"has_customs_account": "y", "licence_no": "KW-9", "customs_user": "canary.user"}
    passwords = {"password": PASSWORD, "password_confirm": PASSWORD}
    given = PERSON | passwords | customs | {"customs_password": CUSTOMS}
    steps.send_registration(client, status=503, **given)
    steps.send_registration(client, **PERSON, **passwords)
    page = steps.sign_in(client, EMAIL, PASSWORD)
    planted.values |= {"e-mail code": steps.code_to(client.app, EMAIL)}
    planted.values |= {"mobile code": steps.code_to(client.app, MOBILE), "wrong code": "645342"}
    page = client.submit(page, {"email_code": "645342", "mobile_code": "645342"})
    steps.type_codes(client, page, EMAIL, MOBILE)


def sign_in(app: Flask, planted: Planted) -> PageClient:
    """Sign in after a wrong try, and set up an app for the second factor."""
    client = PageClient(app, language="en")
    steps.sign_in(client, EMAIL, f"{PASSWORD}x")
    planted.values["wrong password"] = f"{PASSWORD}x"
    steps.sign_in(client, EMAIL, PASSWORD)
    page = client.get("/my/account/factor")
    secret = page.soup.select_one("#factor-key").get_text().replace(" ", "")
    planted.values |= {"TOTP secret": secret, "TOTP code": pyotp.TOTP(secret).at(utc_now())}
    typed = {"code": planted.values["TOTP code"], "current_password": PASSWORD}
    client.submit(page, typed, form="#factor-form")
    with client.http.session_transaction() as cookie:
        planted.values["session"] = cookie["_user_id"]
    for cookie_of_browser in client.http._cookies.values():
        planted.values[f"cookie {cookie_of_browser.key}"] = cookie_of_browser.value
    return client


def reset(client: PageClient, planted: Planted) -> None:
    """Ask for a reset and try a wrong code at its link."""
    page = client.get("/reset")
    values = {"email": EMAIL, "captcha": steps.image_text(client.app, page)}
    client.submit(page, values, form="#reset-form")
    with client.app.app_context():
        planted.values["reset code"] = queued_code(EMAIL)
        newest = sa.select(PasswordReset.ref).order_by(PasswordReset.id.desc()).limit(1)
        planted.values["reset link"] = db.session.scalars(newest).one()
    page = client.get(f"/reset/confirm?ref={planted.values['reset link']}")
    new = {"new_password": PASSWORD, "new_password_confirm": PASSWORD, "code": "ABCD2345"}
    typed = new | {"captcha": steps.image_text(client.app, page)}
    client.submit(page, typed, form="#reset-confirm-form")


def apply(client: PageClient) -> int:
    """Fill in a renewal with files good and bad, send it, write to the office. Returns its id."""
    with client.app.app_context():
        request_factories.load_services()
        organisation = db.session.scalars(sa.select(Organisation)).one()
        soon = kuwait_today() + timedelta(days=20)
        licence = issued_factories.make_licence(organisation, expires=soon)
        user = db.session.scalars(sa.select(User)).one()
        draft = request_factories.make_draft(user, "renewal", licence_id=licence.id).id
    page = client.get(f"/my/requests/{draft}/form")
    typed = {"passport_no": PASSPORT, "mobile": MOBILE, "email": EMAIL}
    page = client.submit(page, typed, form=steps.REQUEST_FORM)
    steps.upload(client, page, "civil_id_copy", files.pdf(), FILE)
    steps.upload(client, page, "civil_id_copy", files.truncated(files.pdf(), 0.2), FILE)
    page = client.get(f"/my/requests/{draft}/form")
    page = client.submit(page, form=steps.REQUEST_FORM, press="submit=send")
    client.submit(page, {"body": REMARK}, form="form[action$='/messages']")
    return draft


def read_at_the_office(app: Flask, request_id: int) -> None:
    """Read and search by what was typed, and return the request with a remark."""
    with app.app_context():
        reviewer = factories.make_staff(Role.REVIEWER)
    client = factories.browser_of(app, reviewer)
    for typed in (CIVIL, MOBILE, EMAIL, PASSPORT, REMARK):
        client.get(f"/office/search?q={typed}".replace("+", "%2B"), check=False)
    page = client.get(f"/office/requests/{request_id}/")
    client.post(f"/office/requests/{request_id}/notes", {"note": REMARK}, check=False)
    for link in page.soup.select("a[href*='/documents/']"):  # some have lost their file
        client.http.get(str(link["href"]))


def run_into_errors(client: PageClient, draft: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """400, 404 and 500, and 503 because the database is away."""
    typed = {"passport_no": PASSPORT, "address": REMARK, "email": EMAIL}
    client.get(f"/my/requests/{draft + 99}/?q={CIVIL}", status=404)
    client.get(f"/canary/{PASSWORD}{PASSWORD}/", status=404)
    client.http.post(f"/my/requests/{draft}/form", data=typed)  # no token
    address, token = f"/my/requests/{draft}/form?q={EMAIL}", {"csrf_token": client.csrf_token()}

    def fail(*args: Any, **options: Any) -> None:
        raise RuntimeError("a fault of ours")

    client.app.testing = False  # faults end in the page, as in production
    with monkeypatch.context() as broken:
        broken.setattr(drafts, "save", fail)
        broken.setattr(drafts, "start", fail)
        client.http.post("/my/services/exam/start", data=typed | token)
        client.http.post(address, data=typed | token)

    def lose(connection: Any, cursor: Any, statement: str, parameters: Any, *more: Any) -> None:
        raise OperationalError(statement, parameters, Exception("no connection"))

    with client.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lose)
    try:
        assert client.http.post(address, data=typed | token).status_code == 503
        login = {"email": EMAIL, "password": PASSWORD} | token
        assert client.http.post("/login", data=login).status_code == 503
    finally:
        event.remove(engine, "before_cursor_execute", lose)
        client.app.testing = True


def refused(*args: Any) -> None:
    raise smtplib.SMTPRecipientsRefused({EMAIL: (550, f"no such mailbox {EMAIL}".encode())})


@pytest.mark.databases(heavy="postgresql")
def test_no_canary_is_in_the_log_whatever_fails(
    make_app: MakeApp, lines: Lines, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(
        mail_server="127.0.0.1",
        mail_port=free_port(),
        sms_url=f"json://127.0.0.1:{free_port()}/?:to={{mobile}}",
        customs_url=f"http://127.0.0.1:{free_port()}",
        customs_token="canary-token-of-customs",
    )
    lines.follow(app)
    planted.values |= {"SECRET_KEY": app.extensions["settings"].secret_key}
    planted.values |= {"token of customs": "canary-token-of-customs"}
    register(PageClient(app, language="en"), planted)
    client = sign_in(app, planted)
    draft = apply(client)
    read_at_the_office(app, draft)
    reset(PageClient(app, language="en"), planted)
    with app.app_context():
        delivery.deliver_due(utc_now())  # both gateways are down
        monkeypatch.setattr(delivery, "_send_mail", refused)
        delivery.deliver_due(utc_now() + timedelta(hours=1))
    run_into_errors(client, draft, monkeypatch)
    assert planted.found_in(str(lines)) == []
    assert str(lines).count("\n") > 50
    assert len(planted.values) > 12


@pytest.mark.databases
def test_an_error_of_the_database_quotes_no_value(context: Flask, lines: Lines) -> None:
    agent = factories.make_agent(email=EMAIL, mobile=MOBILE)
    other = factories.make_agent()
    draft = request_factories.make_draft(agent, address=REMARK)
    broken: dict[Any, dict[str, str]] = {
        # A draft has no number: PostgreSQL prints the row that fails the check.
        sa.update(Request).where(Request.id == draft.id).values(number="CE/1/26"): {},
        sa.update(User).where(User.id == other.id).values(email=EMAIL): {},
        sa.text("UPDATE request SET id = id + abs(CAST(:typed AS INTEGER)) / 0"): {"typed": REMARK},
    }
    db.session.commit()
    for statement, parameters in list(broken.items())[: 3 if is_postgresql() else 2]:
        with pytest.raises(DBAPIError) as caught:
            db.session.execute(statement, parameters)
        structlog.get_logger("clearance").error("fault", exc_info=caught.value)
        db.session.rollback()
    assert not any(value in str(lines) for value in (EMAIL, REMARK, "أحمد"))
    assert "number_when_sent" in str(lines)  # what is needed to find the fault is said


def is_postgresql() -> bool:
    return db.engine.dialect.name == "postgresql"


def test_a_remark_on_the_way_is_not_told(lines: Lines) -> None:
    """The test itself: a logger that says too much is heard."""
    logging.getLogger("a.dependency").debug("told %s", REMARK)
    assert Planted({"remark": REMARK}).found_in(str(lines)) == ["remark"]
