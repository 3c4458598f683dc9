"""What a reviewer is warned of before deciding: each warning, and when there is none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.models import Licence, Organisation, Request, User
from clearance.models.enums import LicenceStatus, SuspendedBy
from clearance.requests import review_warnings
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.issued_factories import make_licence

NOW = utc_now()
TODAY = kuwait_today()
SOON = TODAY + timedelta(days=30)


def renewal(agent: User, licence: Licence | None = None, **values: Any) -> Request:
    licence = licence or make_licence(agent.memberships[0].organisation, expires=SOON)
    return requests.make_sent(agent, "renewal", licence_id=licence.id, **values)


def texts(req: Request) -> list[str]:
    return [str(warning.text) for warning in review_warnings.warnings(req, NOW)]


@pytest.mark.usefixtures("english")
def test_nothing_is_warned_of_without_a_cause(agent: User) -> None:
    assert texts(renewal(agent)) == []


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize(
    ("field", "named"),
    [
        ("guarantee_expiry", "Bank guarantee"),
        ("civil_id_expiry", "Civil ID card"),
        ("passport_expiry", "Passport"),
    ],
)
def test_a_link_that_ends_before_the_new_expiry(agent: User, field: str, named: str) -> None:
    req = renewal(agent, **{field: TODAY + timedelta(days=90)})
    (warning,) = review_warnings.warnings(req, NOW)
    told = f"{named} expires on {TODAY + timedelta(days=90):%d/%m/%Y}"
    assert str(warning.text).startswith(told)
    assert str(warning.change).startswith("Approve an earlier date"), "as a reviewer can"


@pytest.mark.usefixtures("english")
def test_other_open_requests_about_the_same_person_or_licence(agent: User) -> None:
    req = renewal(agent)
    letter = requests.make_sent(agent, "letter", licence_id=req.licence_id, language="ar")
    (warning,) = review_warnings.warnings(req, NOW)
    assert str(letter.number) in str(warning.text)
    assert warning.url.endswith(f"?id={letter.id}")
    requests.step(letter, requests.Action.WITHDRAW, agent)
    assert texts(req) == []


@pytest.mark.usefixtures("english")
def test_the_same_passport_number_on_another_broker(agent: User) -> None:
    other = make_licence(passport_no="n42z")
    (text,) = texts(renewal(agent, passport_no="N42Z"))
    assert "same passport number" in text
    assert other.number in text and other.broker.organisation.name_en in text


@pytest.mark.usefixtures("english")
def test_a_person_who_is_in_the_register_already(agent: User) -> None:
    licensed = make_licence()
    exam = requests.make_sent(agent, civil_id=licensed.broker.civil_id)
    (text,) = texts(exam)
    assert "already in the register" in text
    assert f"licence {licensed.number} (Active)" in text


@pytest.mark.usefixtures("english")
def test_a_licence_that_the_office_suspended(agent: User) -> None:
    req = renewal(agent)
    licence = db.session.get_one(Licence, req.licence_id)
    licence.status, licence.suspended_by = LicenceStatus.SUSPENDED, SuspendedBy.OFFICE
    db.session.commit()
    (warning,) = review_warnings.warnings(req, NOW)
    assert licence.number in str(warning.text)
    assert warning.url == f"/office/licences/{licence.id}/"


@pytest.mark.usefixtures("english")
def test_an_exam_passed_too_long_ago(agent: User) -> None:
    exam = requests.make_request(agent, ExamStatus.PASSED)
    req = requests.make_sent(agent, "issuance", candidate_id=exam.id)
    assert texts(req) == []
    exam.decided_at = NOW - timedelta(days=4 * 366)
    db.session.commit()
    (text,) = texts(req)
    assert text.startswith("The exam was passed on")
    db.session.execute(sa.update(Request).where(Request.id == exam.id).values(status="failed"))
    assert texts(req) == ["The portal has no record that this person passed the exam."]


def test_the_warnings_are_in_the_pages_language_and_end_with_the_decision(agent: User) -> None:
    req = renewal(agent, guarantee_expiry=TODAY + timedelta(days=90))
    (text,) = texts(req)
    assert "الضمان البنكي" in text
    requests.step(req, requests.Action.WITHDRAW, agent)
    assert texts(req) == []


@pytest.mark.usefixtures("english")
def test_another_organisations_request_about_the_person_is_told_too(agent: User) -> None:
    elsewhere = factories.make_agent()
    req = renewal(agent)
    civil_id = db.session.get_one(Licence, req.licence_id).broker.civil_id
    exam = requests.make_sent(elsewhere, civil_id=civil_id)
    assert any(str(exam.number) in text for text in texts(req))
    assert db.session.get_one(Organisation, exam.organisation_id).id != req.organisation_id
