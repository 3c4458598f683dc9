"""The agent's part of an exam, from choosing the service to the result, without scripts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.exams.effects import SeatChoice
from clearance.exams.flow import ExamAction
from clearance.exams.statuses import ExamStatus
from clearance.models import Document, Exam, Request, User
from clearance.models.enums import Status
from clearance.services.decisions import RemarkInput, Remarks
from clearance.services.flows import Action
from tests.journeys import steps
from tests.support import factories, files, request_factories
from tests.support.pages import PageClient
from tests.support.rows import count_of

FORM = steps.REQUEST_FORM
WORDS = {
    "ar": {
        "services": "خدماتي",
        "next": "التالي",
        "send": "تم إرسال الطلب",
        "withdraw": "سحب",
        "passed": "اجتياز",
    },
    "en": {
        "services": "My services",
        "next": "Next",
        "send": "Sent to the office",
        "withdraw": "Withdraw",
        "passed": "passed",
    },
}


@pytest.fixture
def agent(app: Flask) -> User:
    with app.app_context():
        request_factories.load_services()
        return factories.make_agent()


def row(app: Flask) -> Request:
    with app.app_context():
        return db.session.scalars(sa.select(Request)).one()


def as_reviewer(app: Flask, reviewer: User, action: Action, **options: Any) -> None:
    with app.app_context():
        request_factories.step(
            db.session.scalars(sa.select(Request)).one(), action, reviewer, **options
        )


@pytest.mark.databases
@pytest.mark.parametrize("language", ["ar", "en"])
def test_an_agent_walks_from_my_services_to_the_result(
    app: Flask, agent: User, language: str
) -> None:
    words, client = WORDS[language], PageClient(app, language=language)
    factories.sign_in(client, agent)
    with app.app_context():
        reviewer = factories.make_staff()
        values = request_factories.values_for("exam")

    page = client.get(client.get("/my/").link(words["services"]))
    page = client.get(page.soup.select_one("#service-exam a.button")["href"])
    assert words["next"] in page.text
    page = client.submit(page, {"broker_type": "general"}, form="#start")

    typed = {
        name: getattr(value, "isoformat", lambda v=value: v)() for name, value in values.items()
    }
    page = client.submit(page, typed | {"civil_id": "1"}, form=FORM)
    assert page.error_of("civil_id")
    page = client.submit(page, typed, form=FORM)
    page = steps.upload(client, page, "civil_id_copy", files.jpeg(), "البطاقة المدنية.jpg")
    page = steps.upload(client, page, "photo", files.png(), "photo.png")
    page = client.submit(page, form=FORM, press="submit=send")
    assert page.soup.select_one(".error-summary a[href='#documents-section']")
    page = steps.upload(client, page, "good_conduct", files.pdf(), "conduct.pdf")
    page = client.submit(page, form=FORM, press="submit=send")
    req = row(app)
    assert req.status == Status.SUBMITTED
    assert words["send"] in page.soup.select_one("h1 .badge").get_text()
    assert req.number in page.text

    remarks = (
        RemarkInput("التاريخ غير صحيح.", field="civil_id_expiry"),
        RemarkInput("الصورة قديمة.", document_kind="photo"),
    )
    as_reviewer(
        app, reviewer, Action.RETURN, reason="استكمل النواقص.", data=Remarks(remarks=remarks)
    )
    page = client.get("/my/")
    page = client.get(page.soup.select_one("#now .tasks a")["href"])
    assert "الصورة قديمة." in page.text
    page = steps.upload(client, page, "photo", files.jpeg(), "new.jpg")
    values = {"civil_id_expiry": "2036-01-01"}
    page = client.submit(page, values, form=FORM, press="submit=send")
    assert (row(app).status, row(app).number) == (Status.SUBMITTED, req.number)

    as_reviewer(app, reviewer, Action.PREAPPROVE)
    with app.app_context():
        exam = request_factories.make_exam()
    as_reviewer(app, reviewer, ExamAction.SEAT, data=SeatChoice(exam_id=exam.id))
    page = client.get(f"/my/requests/{req.id}/")
    page = client.submit(page, form="form[action$='/do/confirm']")
    assert row(app).status == ExamStatus.CONFIRMED
    after = exam.held_at + timedelta(hours=2)
    as_reviewer(app, reviewer, ExamAction.PASS, now=after)

    page = client.get("/my/notices/")
    assert words["passed"] in page.text
    page = client.submit(page, form=".notices form")
    assert row(app).status == ExamStatus.PASSED
    past = page.soup.select("#history .timeline li")
    assert len(past) >= 7
    with app.app_context():
        assert count_of(Document) == 4
        assert db.session.get_one(Exam, exam.id).seats_taken == 1
        assert utc_now() < exam.held_at
