"""The portal without a subject: its pages, links and jobs are absent, everything else works."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

import clearance
from clearance import demo
from clearance.auth.sessions import actor_of
from clearance.core import office_settings
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.errors import PermissionDenied
from clearance.core.extensions import db
from clearance.core.settings import BadSettings
from clearance.exams import seating
from clearance.exams.statuses import ExamStatus
from clearance.figures import summaries, weekly
from clearance.issuing import voiding
from clearance.jobs import worker
from clearance.licences import expiry_job, office_actions
from clearance.models import IssuedDocument, Licence, Notice, Request, Service
from clearance.models.enums import Role, Status
from clearance.services import versions
from clearance.services.extension import Job
from clearance.transfers import operations as transfer_operations
from clearance.transfers.statuses import TransferStatus
from tests.support import factories, request_factories, transfer_factories
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient

SHIPPED = list(Path(clearance.__file__).parent.glob("*/definitions/*.yaml"))
SOON = kuwait_today() + timedelta(days=30)
PRESENT: dict[str, tuple[str, ...]] = {
    "exams": ("licences", "transfers"),
    "licences": (),
    "transfers": ("licences", "exams"),
}
SERVICES = {"exams": {"exam", "issuance"}, "transfers": {"transfer"}}
SERVICES["licences"] = {service.stem for service in SHIPPED}
PAGES = {"exams": "/office/exams/", "transfers": "/my/transfers/"}
JOBS = {"exams": seating.daily, "transfers": transfer_operations.lapse_unanswered}
SETTINGS = {
    "exams": {"exam_validity_years", "exam_waiting_days", "exam_attempts"},
    "licences": {"renewal_window_days", "licence_validity_years", "reminder_days"},
    "transfers": {"transfer_silence_days"},
}
HEADINGS = {"exams": "Exam", "licences": "Licences"}  # a transfer's setting is one of requests
ROLES = ("agent", Role.REVIEWER, Role.MANAGER, Role.ADMINISTRATOR)
OUT_OF_ORDER = "This service is out of order."

absences = pytest.mark.parametrize("absent", sorted(PRESENT))
with_licences = pytest.mark.parametrize("absent", ["exams", "transfers"])


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
    assert len(entries) > 5
    for url in sorted(entries):
        check_links(office.app, browser.get(url))
    if absent in PAGES:
        assert PAGES[absent] not in entries
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
@pytest.mark.parametrize(("area", "role"), [("my", "agent"), ("office", Role.REVIEWER)])
def test_lists_offer_the_statuses_of_the_absent_subject_by_their_codes(
    people: Office, make_app: Callable[..., Flask], absent: str, area: str, role: str
) -> None:
    office = in_variant(people, make_app, absent)
    known = office.app.extensions["services"].statuses
    with office.app.app_context():
        gone = set(db.session.scalars(sa.select(Request.status))) - set(known)
        (status, *_others) = sorted(gone)
        number = db.session.scalars(
            sa.select(Request.number).where(Request.status == status)
        ).first()
    browser = browser_of(office, role)
    filters = f"/{area}/requests/?open=filters"
    page = browser.get(filters)
    offered = {
        str(option["value"]): option.get_text() for option in page.soup.select("main select option")
    }
    assert {code: offered.get(code) for code in gone} == {code: code for code in gone}
    assert number in browser.get(f"/{area}/requests/?flt0_status={status}").text
    complete = browser_of(people, role).get(filters).soup
    assert [option["value"] for option in complete.select("main select option")].count(status) == 1


@pytest.mark.parametrize("is_read", [True, False])
def test_old_notice_opens_without_the_page_of_an_absent_subject(
    people: Office, make_app: Callable[..., Flask], *, is_read: bool
) -> None:
    office = in_variant(people, make_app, "transfers")
    with office.app.app_context():
        notice = db.session.scalars(
            sa.select(Notice).where(Notice.user_id == office.people["agent"])
        ).first()
        assert notice is not None
        notice.url = f"/my/transfers/{office.people['transfer']}/"
        notice.read_at = utc_now() if is_read else None
        db.session.commit()
        opening = f"/my/notices/{notice.id}/open"
    browser = browser_of(office, "agent")
    for path in ("/my/", "/my/notices/"):
        check_links(office.app, browser.get(path))
    assert urlsplit(browser.post(opening, {}).url).path == "/my/notices/"


@absences
def test_services_of_the_absent_subject_are_out_of_order_and_say_so(
    people: Office, make_app: Callable[..., Flask], absent: str
) -> None:
    office = in_variant(people, make_app, absent)
    with office.app.app_context():
        assert set(versions.out_of_order()) == SERVICES[absent]
    page = browser_of(office, "agent").get("/my/services/")
    assert page.text.count(OUT_OF_ORDER) == len(SERVICES[absent])


@with_licences
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


@with_licences
def test_jobs_of_the_absent_subject_do_not_run(
    make_app: Callable[..., Flask], absent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    jobs = make_app(built_in=PRESENT[absent]).extensions["jobs"]
    monkeypatch.setattr(jobs, "_run_once", lambda job, now: ran.append(job.name))
    for wake in ("_queue_all", "_make_files", "_make_copies"):
        monkeypatch.setattr(jobs, wake, lambda: None)
    jobs.tick()
    others = [work for subject, work in JOBS.items() if subject != absent]
    others += [expiry_job.daily, summaries.refresh, weekly.send]
    assert set(ran) == set(worker._periodic) | {Job(work, 60).name for work in others}


@absences
def test_settings_of_the_absent_subject_are_gone_with_their_heading(
    people: Office, make_app: Callable[..., Flask], absent: str
) -> None:
    kept = in_variant(people, make_app, absent)
    gone = {absent} | {name for name in PRESENT if name not in PRESENT[absent]}
    shown = {}
    for office in (people, kept):
        page = office.staff(Role.ADMINISTRATOR).get("/office/settings/")
        shown[office] = {str(field["name"]) for field in page.soup.select("#settings [id][name]")}
        headings = {legend.get_text() for legend in page.soup.select("legend")}
        told = {HEADINGS[name] for name in HEADINGS if office is people or name not in gone}
        assert headings & set(HEADINGS.values()) == told
    assert shown[people] - shown[kept] == set().union(*(SETTINGS[name] for name in gone))
    browser = kept.staff(Role.ADMINISTRATOR)
    page = browser.get("/office/settings/")
    browser.submit(page, {"returned_lapse_days": "45"}, form="#settings")
    with kept.app.app_context():
        assert office_settings.get("returned_lapse_days") == 45
    with people.app.app_context():  # another application of this process still has them all
        assert set(office_settings.all_values()) >= set().union(*SETTINGS.values())


@pytest.mark.parametrize(
    ("absent", "anchors"),
    [("exams", ["exam"]), ("licences", ["licences", "several"]), ("transfers", ["transfer"])],
)
def test_the_guide_leaves_out_the_absent_subject(
    make_app: Callable[..., Flask], absent: str, anchors: list[str]
) -> None:
    office, complete = Office(make_app(built_in=PRESENT[absent])), Office(make_app())
    for portal, is_there in ((office, False), (complete, True)):
        page = PageClient(portal.app).get("/guide")
        for anchor in anchors:
            assert (page.soup.select_one(f"h2#{anchor}") is not None) is is_there
            assert (page.soup.select_one(f"nav a[href='#{anchor}']") is not None) is is_there


@absences
def test_the_demo_fills_without_the_stories_of_the_absent_subject(
    make_app: Callable[..., Flask], absent: str
) -> None:
    with make_app(built_in=PRESENT[absent]).app_context():
        versions.publish_missing(utc_now())
        db.session.commit()
        demo.build_world(utc_now())
        told = set(db.session.scalars(sa.select(Request.service_code)))
        assert told == {path.stem for path in SHIPPED} - SERVICES[absent]
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Licence)) >= 60
        db.session.commit()


def test_register_is_not_changed_without_licences(
    people: Office, make_app: Callable[..., Flask]
) -> None:
    office = in_variant(people, make_app, "licences")
    with office.app.app_context(), force_locale("en"):
        reviewer = actor_of(factories.make_staff(Role.REVIEWER))
        licence = db.session.scalars(sa.select(Licence)).first()
        assert licence is not None
        document = IssuedDocument(licence=licence)
        for refusal in (
            office_actions.suspend_refusal(licence, reviewer),
            voiding.void_refusal(document, reviewer),
        ):
            assert refusal is not None and str(refusal.text) == OUT_OF_ORDER
        with pytest.raises(PermissionDenied, match=OUT_OF_ORDER):
            office_actions.suspend(licence, reviewer, "reason", licence.version, utc_now())
        with pytest.raises(PermissionDenied, match=OUT_OF_ORDER):
            voiding.void(document, reviewer, "reason", utc_now())


@pytest.mark.parametrize("dependent", ["exams", "transfers"])
def test_subject_without_the_licences_that_it_needs_stops_the_start(
    make_app: Callable[..., Flask], dependent: str
) -> None:
    with pytest.raises(BadSettings, match=f"^EXTENSIONS: {dependent} needs licences, which is"):
        make_app(built_in=(dependent,))


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
