"""The main job through HTTP with real gateways: register, prove, apply, correct, sit, be told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core import chain
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.models import Exam, Request
from clearance.models.enums import Role, Status
from clearance.notifications import delivery
from tests.journeys import steps
from tests.support import factories, files, request_factories
from tests.support.gateways import SmsGateway, SmtpGateway, text_of
from tests.support.pages import PageClient

PASSED = {"ar": "اجتياز", "en": "passed"}


@pytest.fixture
def portal(make_app: Callable[..., Flask], mail: SmtpGateway, sms: SmsGateway) -> Iterator[Flask]:
    """The application with real gateways and a reviewer."""
    app = make_app(
        mail_server="127.0.0.1",
        mail_port=mail.port,
        sms_url=f"json://127.0.0.1:{sms.port}/?:to={{mobile}}",
    )
    with app.app_context():
        request_factories.load_services()
        factories.make_staff(Role.REVIEWER, email="reviewer@example.com")
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def send_out(app: Flask) -> None:
    """Let the sender work through the outbox."""
    with app.app_context():
        delivery.deliver_due(utc_now())
        db.session.commit()


@pytest.mark.databases
@pytest.mark.timeout(120)
@pytest.mark.parametrize("lang", ["ar", "en"])
def test_from_registration_to_the_result(
    portal: Flask, mail: SmtpGateway, sms: SmsGateway, lang: str
) -> None:
    agent = PageClient(portal, language=lang)
    register_and_prove(portal, agent, mail, sms)
    request_id = apply(portal, agent)
    reviewer = sign_in_reviewer(portal, mail, lang)

    values = {
        "mark-field-address": "y",
        "remark-field-address": "يرجى كتابة رقم القسيمة.",
        "reason": "استكمل العنوان.",
    }
    decide(reviewer, request_id, "return", values)
    page = agent.get(f"/my/requests/{request_id}/form")
    assert page.soup.find("input", attrs={"name": "civil_id"}) is None
    values = {"address": "حولي، شارع تونس، قسيمة 21"}
    agent.submit(page, values, form="#request-form", press="submit=send")
    decide(reviewer, request_id, "preapprove")

    exam_id = hold_exam(reviewer)
    page = agent.get(f"/my/requests/{request_id}/")
    agent.submit(page, form="form[action$='/do/confirm']")
    assert status_of(portal, request_id) == ExamStatus.CONFIRMED
    let_the_exam_begin(portal, exam_id)
    record_results(reviewer, exam_id)
    assert status_of(portal, request_id) == ExamStatus.PASSED

    page = agent.get("/my/notices/")
    number = number_of(portal, request_id)
    assert number in page.text
    assert PASSED[lang] in page.text
    send_out(portal)
    told = [text_of(each) for each in mail.to(steps.EMAIL)]
    assert sum(number in text for text in told) >= 5
    with portal.app_context():
        assert chain.verify(db.session()).faults == []


def register_and_prove(app: Flask, client: PageClient, mail: SmtpGateway, sms: SmsGateway) -> None:
    """Register; the codes come by mail and SMS; type both and land in the portal."""
    steps.send_registration(client)
    send_out(app)
    page = steps.sign_in(client)
    codes = {
        "email_code": mail.code_for(steps.EMAIL),
        "mobile_code": sms.code_for(steps.MOBILE_E164),
    }
    page = client.submit(page, codes, form="#verify-form")
    link = page.soup.select_one("main a.button-primary")
    assert link is not None
    assert client.get(link["href"]).url.startswith("/my/")


def apply(app: Flask, client: PageClient) -> int:
    """Choose the service and the broker type, fill in, give three documents, send."""
    page = client.get("/my/services/")
    page = client.get(page.soup.select_one("#service-exam a.button")["href"])
    page = client.submit(page, {"broker_type": "private"}, form="#start")
    with app.app_context():
        values = request_factories.values_for("exam")
    typed = {
        name: getattr(value, "isoformat", lambda kept=value: kept)()
        for name, value in values.items()
    }
    page = client.submit(page, typed, form="#request-form", press="submit=save")
    for kind, data, name in (
        ("civil_id_copy", files.jpeg(), "البطاقة المدنية.jpg"),
        ("photo", files.png(), "photo.png"),
        ("good_conduct", files.pdf(), "conduct.pdf"),
    ):
        page = steps.upload(client, page, kind, data, name)
    page = client.submit(page, form="#request-form", press="submit=send")
    with app.app_context():
        req = db.session.scalars(sa.select(Request)).one()
    assert req.status == Status.SUBMITTED
    assert req.number in page.text
    return req.id


def sign_in_reviewer(app: Flask, mail: SmtpGateway, lang: str) -> PageClient:
    """Sign in with the second factor that comes by mail."""
    client = PageClient(app, language=lang)
    page = steps.sign_in(client, "reviewer@example.com")
    send_out(app)
    code = mail.code_for("reviewer@example.com")
    page = client.submit(page, {"code": code}, form="main form")
    assert page.url.startswith("/office/")
    return client


def decide(
    reviewer: PageClient, request_id: int, action: str, values: dict[str, Any] | None = None
) -> None:
    """Take a step from the review page's own link."""
    page = reviewer.get(f"/office/requests/details/?id={request_id}")
    link = page.soup.select_one(f"main a[href*='/do/{action}']")
    reviewer.submit(reviewer.get(link["href"]), values, form="#step")


def hold_exam(reviewer: PageClient) -> int:
    """Make a sitting and announce it."""
    today = kuwait_today()
    values = {
        "held_on": (today + timedelta(days=9)).isoformat(),
        "held_time": "09:30",
        "confirm_by": (today + timedelta(days=4)).isoformat(),
        "place_ar": "قاعة التدريب",
        "place_en": "Training Hall",
        "seats": "10",
    }
    page = reviewer.submit(reviewer.get("/office/exams/new/"), values)
    found = re.search(r"[?&]id=(\d+)", page.url)
    assert found is not None
    page = reviewer.get(f"/office/exams/{found[1]}/do/announce")
    reviewer.submit(page, form="form[action$='/do/announce']")
    return int(found[1])


def record_results(reviewer: PageClient, exam_id: int) -> None:
    """Choose "passed" for the one candidate, look it over, record it."""
    page = reviewer.get(f"/office/exams/{exam_id}/results")
    name = page.soup.select_one("#results-grid select")["name"]
    page = reviewer.submit(page, {name: "passed"}, form="#results-grid")
    reviewer.submit(page, form="main form:has(button[name=confirmed])", press="confirmed=1")


def let_the_exam_begin(app: Flask, exam_id: int) -> None:
    """Let the days pass: the sitting moves to an hour ago."""
    with app.app_context():
        exam = db.session.get_one(Exam, exam_id)
        exam.held_at = utc_now() - timedelta(hours=1)
        exam.confirm_by = kuwait_today() - timedelta(days=1)
        db.session.commit()


def status_of(app: Flask, request_id: int) -> str:
    with app.app_context():
        return str(db.session.get_one(Request, request_id).status)


def number_of(app: Flask, request_id: int) -> str:
    with app.app_context():
        return str(db.session.get_one(Request, request_id).number)
