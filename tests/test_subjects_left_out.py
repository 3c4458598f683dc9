"""The portal without a subject: its pages, links and jobs are absent, everything else works."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.exams import seating
from clearance.exams.statuses import ExamStatus
from clearance.jobs import worker
from clearance.licences import expiry_job
from clearance.models import Request, Service
from clearance.models.enums import Role, Status
from clearance.services import versions
from clearance.services.extension import Job
from clearance.transfers import operations as transfer_operations
from clearance.transfers.statuses import TransferStatus
from tests.support import request_factories, transfer_factories
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient

SOON = kuwait_today() + timedelta(days=30)
PRESENT = {"exams": ("licences", "transfers"), "transfers": ("licences", "exams")}
SERVICES = {"exams": {"exam", "issuance"}, "transfers": {"transfer"}}
PAGES = {"exams": "/office/exams/", "transfers": "/my/transfers/"}
JOBS = {"exams": seating.daily, "transfers": transfer_operations.lapse_unanswered}
ROLES = ("agent", Role.REVIEWER, Role.MANAGER, Role.ADMINISTRATOR)
OUT_OF_ORDER = "This service is out of order at present."

absences = pytest.mark.parametrize("absent", sorted(PRESENT))


@pytest.fixture
def people(office: Office) -> Office:
    """An office at work on all subjects, in the complete portal."""
    with office.app.app_context():
        offices = transfer_factories.make_offices()
        office.people["agent"] = offices.releaser.id
        office.people["transfer"] = transfer_factories.make_sent(offices).id
    agent = office.people["agent"]
    for status in (ExamStatus.SEATED, ExamStatus.PASSED, Status.RETURNED, Status.UNDER_REVIEW):
        office.people[status] = office.request(status, agent=agent)
    with office.app.app_context():
        organisation_id = db.session.get_one(
            Request, office.people[Status.RETURNED]
        ).organisation_id
    licence = office.licence(organisation_id, expires=SOON)
    office.people["renewal"] = office.request(agent=agent, code="renewal", licence_id=licence)
    return office


def in_variant(people: Office, make_app: Callable[..., Flask], absent: str) -> Office:
    """The same people and rows in a portal without the subject."""
    found = Office(make_app(built_in=PRESENT[absent]))
    found.people = people.people
    return found


def browser_of(office: Office, role: str) -> PageClient:
    return office.browser(office.people["agent"]) if role == "agent" else office.staff(role)


def check_links(app: Flask, page: Page) -> None:
    """Every link within the portal leads to a page that there is."""
    routes = app.url_map.bind("localhost")
    for anchor in page.soup.select("a[href^='/']"):
        path = urlsplit(str(anchor["href"])).path
        assert routes.test(path), f"{page.url} links to {path}"


@absences
@pytest.mark.parametrize("role", ROLES)
def test_every_page_of_the_menu_opens_and_links_to_no_absent_page(
    people: Office, make_app: Callable[..., Flask], absent: str, role: str
) -> None:
    office = in_variant(people, make_app, absent)
    browser = browser_of(office, role)
    page = browser.get("/my/" if role == "agent" else "/office/")
    entries = {str(link["href"]) for link in page.soup.select("nav a[href]")}
    assert len(entries) > 5 and PAGES[absent] not in entries
    for url in sorted(entries):
        check_links(office.app, browser.get(url))
    browser.get(PAGES[absent], status=404)


@absences
def test_requests_of_the_absent_subject_are_listed_and_read(
    people: Office, make_app: Callable[..., Flask], absent: str
) -> None:
    office = in_variant(people, make_app, absent)
    for role, area in (("agent", "my"), (Role.REVIEWER, "office")):
        browser = browser_of(office, role)
        listed = browser.get(f"/{area}/requests/").text
        with office.app.app_context():
            rows = db.session.execute(
                sa.select(Request.id, Request.number, Request.organisation_id)
            ).all()
            asking = db.session.get_one(Request, office.people[Status.RETURNED]).organisation_id
        for row in rows:
            if area == "office" or row.organisation_id == asking:
                assert row.number in listed
                check_links(office.app, browser.get(f"/{area}/requests/{row.id}/"))


@absences
def test_services_of_the_absent_subject_are_out_of_order_and_say_so(
    people: Office, make_app: Callable[..., Flask], absent: str
) -> None:
    office = in_variant(people, make_app, absent)
    with office.app.app_context():
        assert set(versions.out_of_order()) == SERVICES[absent]
    page = browser_of(office, "agent").get("/my/services/")
    assert page.text.count(OUT_OF_ORDER) == len(SERVICES[absent])


@absences
def test_a_fresh_database_gets_the_other_services_and_a_renewal_lives(
    make_app: Callable[..., Flask], absent: str
) -> None:
    office = Office(make_app(built_in=PRESENT[absent]))
    with office.app.app_context():
        request_factories.load_services(utc_now())
        published = set(db.session.scalars(sa.select(Service.code)))
    assert not published & SERVICES[absent]
    assert len(published | SERVICES[absent]) == 9
    request_id = office.renewal(office.licence(expires=SOON))
    browser = office.staff()
    page = browser.get(f"/office/requests/{request_id}/do/approve")
    page = browser.submit(page, form="#step")
    assert office.status(request_id) == Status.APPROVED
    check_links(office.app, page)


@absences
def test_jobs_of_the_absent_subject_do_not_run(
    make_app: Callable[..., Flask], absent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    jobs = make_app(built_in=PRESENT[absent]).extensions["jobs"]
    monkeypatch.setattr(jobs, "_run_once", lambda job, now: ran.append(job.name))
    for wake in ("_queue_all", "_make_files", "_make_copies"):
        monkeypatch.setattr(jobs, wake, lambda: None)
    jobs.tick()
    registered = {Job(work, 60).name for subject, work in JOBS.items() if subject != absent}
    assert set(ran) == set(worker._periodic) | registered | {Job(expiry_job.daily, 60).name}


def test_a_link_to_the_broker_is_gone_without_transfers(
    office: Office, make_app: Callable[..., Flask]
) -> None:
    with office.app.app_context():
        offices = transfer_factories.make_offices()
        req = transfer_factories.make_accepted(offices)
        assert req.status == TransferStatus.AWAITING_BROKER
        token = transfer_factories.token_of(req)
    PageClient(office.app).get(f"/consent/{token}")
    variant = make_app(built_in=PRESENT["transfers"])
    PageClient(variant).get(f"/consent/{token}", status=404)
