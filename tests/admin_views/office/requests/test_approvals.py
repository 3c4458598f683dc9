"""Approving what grants an expiry date: asked, checked and told, on one request and on many."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.licences import granted_expiry
from clearance.models import Licence, Request
from clearance.models.enums import LicenceStatus, Status
from tests.support import factories
from tests.support.office_people import Office
from tests.support.pages import Page

LIST = "/office/requests/"
TODAY = kuwait_today()
SOON = TODAY + timedelta(days=30)
ASKED = TODAY + timedelta(days=800)


def expires(office: Office, licence_id: int) -> date:
    with office.app.app_context():
        return db.session.get_one(Licence, licence_id).expires


def renewals(office: Office, count: int) -> tuple[list[int], list[int]]:
    """Licences about to expire, and the requests to renew them."""
    licences = [office.licence(expires=SOON) for _ in range(count)]
    return licences, [office.renewal(licence, licence_expiry=ASKED) for licence in licences]


def approve(office: Office, request_id: int, status: int = 200, **typed: Any) -> Page:
    browser = office.staff()
    page = browser.get(f"{LIST}{request_id}/do/approve")
    return browser.submit(page, typed, form="#step", status=status)


def test_the_proposed_expiry_is_filled_in_and_what_is_granted_counts(office: Office) -> None:
    (licence_id,), (request_id,) = renewals(office, 1)
    page = office.staff().get(f"{LIST}{request_id}/do/approve")
    field = page.soup.select_one("[name=granted_expiry]")
    assert (field["type"], field["value"]) == ("text", f"{ASKED:%d/%m/%Y}")
    words = page.soup.select_one("#granted_expiry-words")
    assert words.get_text() == f"{ASKED.day} {ASKED:%B %Y}"
    assert {"granted_expiry-hint", "granted_expiry-words"} <= {*field["aria-describedby"].split()}
    assert "dd/mm/yyyy" in page.soup.select_one("#granted_expiry-hint").get_text()
    granted = TODAY + timedelta(days=500)
    page = approve(office, request_id, granted_expiry=f"{granted:%d/%m/%Y}")
    assert office.status(request_id) == Status.APPROVED
    assert expires(office, licence_id) == granted
    assert f"{granted:%d/%m/%Y}" in page.soup.select_one("#data").get_text()
    assert {word.get_text(strip=True) for word in page.soup.select("#issued td strong")} == {
        "Licence certificate",
        "Broker ID card",
    }


@pytest.mark.parametrize(
    ("typed", "language", "told"),
    [
        ("", "en", "Enter a value."),
        ("31/02/2030", "en", "Enter a date as day"),
        (f"{TODAY:%d/%m/%Y}", "en", "must be in the future"),
        (f"{TODAY:%d/%m/%Y}", "ar", "تاريخ الانتهاء الممنوح"),
        (f"01/01/{TODAY.year + 21}", "en", "The latest expiry date you can approve is"),
    ],
)
def test_a_date_that_cannot_be_granted_is_refused_beside_its_field(
    office: Office, typed: str, language: str, told: str
) -> None:
    (licence_id,), (request_id,) = renewals(office, 1)
    browser = office.staff(language=language)
    page = browser.get(f"{LIST}{request_id}/do/approve")
    page = browser.submit(page, {"granted_expiry": typed}, form="#step", status=400)
    assert told in page.error_of("granted_expiry")
    assert office.status(request_id) == Status.SUBMITTED
    assert expires(office, licence_id) == SOON


def test_the_page_says_what_the_approval_causes_and_warns(office: Office) -> None:
    licence_id = office.licence(expires=SOON)
    request_id = office.renewal(
        licence_id, licence_expiry=ASKED, guarantee_expiry=TODAY + timedelta(days=100)
    )
    page = office.staff().get(f"{LIST}{request_id}/do/approve")
    causes = page.soup.select_one(".causes").get_text()
    assert "The licence is active until the approved expiry date" in causes
    assert "A broker ID card is issued" in causes
    assert "Bank guarantee expires on" in page.soup.select_one(".alert-warning").get_text()
    reject = office.staff().get(f"{LIST}{request_id}/do/reject")
    assert reject.soup.select_one(".causes") is None
    assert reject.soup.select_one("[name=granted_expiry]") is None


def test_many_renewals_are_approved_each_with_its_own_date(office: Office) -> None:
    licences, requests = renewals(office, 3)
    with office.app.app_context():
        db.session.get_one(Request, requests[2]).guarantee_expiry = TODAY + timedelta(days=70)
        db.session.commit()
    browser = office.staff()
    query = "&".join(f"id={request}" for request in requests)
    page = browser.get(f"{LIST}do/approve?{query}")
    warned = ["Bank guarantee expires on" in row.get_text() for row in page.soup.select("tbody tr")]
    assert warned == [False, False, True]
    days = [TODAY + timedelta(days=number) for number in (400, 500, 600)]
    typed = {
        f"granted_expiry-{key}": day.isoformat() for key, day in zip(requests, days, strict=True)
    }
    wrong = typed | {f"granted_expiry-{requests[1]}": "2020-01-01"}
    again = browser.submit(page, wrong, form="#step", status=400)
    assert "must be in the future" in again.error_of(f"granted_expiry-{requests[1]}")
    assert again.error_of(f"granted_expiry-{requests[0]}") == ""
    number = office.read(requests[1], lambda req: req.number)
    assert number in again.soup.select_one(".error-summary").get_text()
    assert {office.status(request) for request in requests} == {Status.SUBMITTED}, (
        "none is done yet"
    )
    kept = again.soup.select_one(f"[name=granted_expiry-{requests[2]}]")["value"]
    assert kept == f"{days[2]:%d/%m/%Y}"
    done = browser.submit(again, typed, form="#step")
    assert "Done for 3 requests." in done.text
    assert [expires(office, licence) for licence in licences] == days


def test_of_many_the_impossible_ones_ask_no_date_and_stay_as_they_are(office: Office) -> None:
    licences, requests = renewals(office, 2)
    letter = office.about(office.licence(), "letter", language="ar", addressee="بنك الخليج")
    with office.app.app_context():
        db.session.get_one(Licence, licences[0]).status = LicenceStatus.CANCELLED
        db.session.commit()
    browser = office.staff()
    query = "&".join(f"id={each}" for each in (*requests, letter))
    page = browser.get(f"{LIST}do/approve?{query}")
    asked = [field["name"] for field in page.soup.select("[data-day] input")]
    assert asked == [f"granted_expiry-{requests[1]}"]
    done = browser.submit(page, {}, form="#step")
    assert "Done for 2 requests." in done.text
    assert "The licence is cancelled permanently." in done.text
    assert [office.status(each) for each in (*requests, letter)] == [
        Status.SUBMITTED,
        Status.APPROVED,
        Status.APPROVED,
    ]


def test_asking_about_more_of_one_organisation_takes_no_more_queries(office: Office) -> None:
    with office.app.app_context():
        organisation = factories.make_organisation().id
    requests = [office.renewal(office.licence(organisation, expires=SOON)) for _ in range(5)]
    browser = office.staff()

    def asked(count: int) -> int:
        query = "&".join(f"id={request}" for request in requests[:count])
        return office.queries(browser, f"{LIST}do/approve?{query}")

    asked(1)
    assert asked(5) == asked(2)


def test_what_changed_in_the_register_since_sending_refuses_the_approval(office: Office) -> None:
    (licence_id,), (request_id,) = renewals(office, 1)
    browser = office.staff()
    page = browser.get(f"{LIST}{request_id}/do/approve")
    with office.app.app_context():
        db.session.get_one(Licence, licence_id).guarantee_no = "LG 9"
        db.session.commit()
    answer = browser.submit(page, {}, form="#step", status=409)
    assert "to “LG 9”" in answer.text
    assert office.status(request_id) == Status.SUBMITTED


def test_the_register_beside_the_data_is_that_of_the_requests_own_licence(office: Office) -> None:
    (licence_id,), (request_id,) = renewals(office, 1)
    with office.app.app_context():
        own = db.session.get_one(Licence, licence_id)
        other = Licence(
            number="KW-OLD",
            broker_id=own.broker_id,
            guarantee_no="LG OLD",
            guarantee_expiry=own.guarantee_expiry,
            issued=own.issued,
            expires=TODAY - timedelta(days=900),
            status=LicenceStatus.CANCELLED,
        )
        db.session.add(other)
        db.session.commit()
        req = db.session.get_one(Request, request_id)
        assert granted_expiry.proposed_expiry(req, utc_now()) == ASKED
    data = office.staff().get(f"{LIST}{request_id}/").soup.select_one("#data").get_text(" ")
    assert f"{SOON:%d/%m/%Y}" in data
    assert "LG OLD" not in data
