"""Subscriptions at the office: the list, deciding on one and on many, who may."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core import reasons
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Membership, Notice, Organisation, Subscription, User
from clearance.models.enums import Role
from clearance.notifications.inbox import text_of
from clearance.organisations import subscription_changes, subscriptions
from tests.support import factories, request_factories
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient

URL = "/office/subscriptions/"
NAMES = ("Alpha", "Beta", "Gamma")


@pytest.fixture
def asked(app: Flask, office: Office) -> list[int]:
    """What three organisations have asked for; ids in the order of NAMES."""
    with app.app_context():
        request_factories.load_services()
        request_factories.publish(request_factories.TRIVIAL, subscription="by_approval")
        ids = []
        for place, name in enumerate(NAMES):
            organisation = factories.make_organisation(
                name_en=f"{name} Clearing", name_ar=f"مكتب {name}", licence_no=f"KW-{place + 7}"
            )
            office.people[name] = factories.make_agent(organisation).id
            ids.append(ask(office.people[name]))
        return ids


def ask(user_id: int) -> int:
    actor = actor_of(db.session.get_one(User, user_id))
    shown = {entry.code: entry.version for entry in subscriptions.catalogue(actor, utc_now())}
    organisation_id = actor.standings[0].organisation_id
    version = shown["greeting"]
    row = subscription_changes.ask(organisation_id, "greeting", actor, utc_now(), version=version)
    db.session.commit()
    return row.id


def withdraw(subscription_id: int, user_id: int) -> None:
    row = db.session.get_one(Subscription, subscription_id)
    actor = actor_of(db.session.get_one(User, user_id))
    subscription_changes.withdraw(
        row.organisation_id, "greeting", actor, utc_now(), version=row.version
    )
    db.session.commit()


def stored(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        found = sa.select(Subscription.status, Subscription.reason).order_by(Subscription.id)
        return [(status, reason) for status, reason in db.session.execute(found)]


def lines(page: Page) -> list[str]:
    return [" ".join(row.get_text(" ").split()) for row in page.soup.select("tbody tr")]


def choose(browser: PageClient, step: str, ids: list[int]) -> Page:
    return browser.post(f"{URL}action/", {"action": step, "rowid": [str(each) for each in ids]})


def test_reviewer_finds_what_is_asked_from_the_home_page_and_approves_it(
    app: Flask, office: Office, asked: list[int]
) -> None:
    reviewer = office.staff()
    page = reviewer.get(reviewer.get("/office/").link("Subscriptions to decide"))
    assert len(lines(page)) == 3
    page = reviewer.get(page.link("Alpha Clearing"))
    assert "Greeting Request" in page.h1 and "Requested" in page.text
    page = reviewer.submit(reviewer.get(page.link("Approve")))
    assert "The subscription was approved." in page.text and "Approved" in page.text
    assert [status for status, _reason in stored(app)] == ["active", "asked", "asked"]
    with app.app_context():
        told = sa.select(Notice.user_id).where(Notice.event == "subscription:decided")
        assert list(db.session.scalars(told)) == [office.people["Alpha"]]


def test_refusing_needs_a_reason_and_keeps_the_language(
    app: Flask, office: Office, asked: list[int]
) -> None:
    reviewer = office.staff(language="ar")
    url = f"{URL}{asked[0]}/do/refuse"
    page = reviewer.submit(reviewer.get(url), {"reason": " "}, status=400)
    assert "سبباً" in page.error_of("reason")
    assert stored(app)[0] == ("asked", "")
    page = reviewer.submit(page, {"reason": "ينقص عقد التأسيس."})
    assert "تم رفض الاشتراك" in page.text and "ينقص عقد التأسيس." in page.text
    assert stored(app)[0] == ("refused", "ينقص عقد التأسيس.")


def test_a_ready_reason_is_read_by_everybody_in_their_own_language(
    app: Flask, office: Office, asked: list[int]
) -> None:
    with app.app_context():
        row = db.session.get_one(Subscription, asked[0])
        organisation = db.session.get_one(Organisation, row.organisation_id)
        english = factories.make_agent(organisation, language="en")
        readers = (office.people["Alpha"], "ar"), (english.id, "en")
    reviewer = office.staff()
    page = reviewer.get(f"{URL}{asked[0]}/do/refuse")
    ready = page.soup.select("#ready_reason option[value]:not([value=''])")
    assert "does not meet the conditions" in ready[0].get_text()
    values = {"ready_reason": ready[0]["value"], "reason": "(KW-7)"}
    assert "does not meet" in reviewer.submit(page, values).text
    status, kept = stored(app)[0]
    assert status == "refused"
    assert reasons.read(kept, "ar") == "لا تتوفر في الجهة الشروط المطلوبة للخدمة.\n(KW-7)"
    words = {"ar": "السبب: لا تتوفر في الجهة", "en": "Reason: The organisation does not meet"}
    with app.app_context():
        for user_id, lang in readers:
            told = db.session.scalars(sa.select(Notice).where(Notice.user_id == user_id)).one()
            assert words[lang] in text_of(told, lang)[1]
    shown = office.browser(readers[0][0], "ar").get("/my/subscriptions/")
    assert "الشروط المطلوبة للخدمة" in shown.text


def test_many_are_decided_each_for_itself_and_the_results_say_so(
    app: Flask, office: Office, asked: list[int]
) -> None:
    reviewer = office.staff()
    page = choose(reviewer, "approve", [*asked, 999_999])
    assert len(lines(page)) == 3
    with app.app_context():
        withdraw(asked[1], office.people["Beta"])
    page = reviewer.submit(page)
    assert "Done for 2 subscriptions." in page.text
    assert "ended this subscription" in next(line for line in lines(page) if "Beta" in line)
    assert [status for status, _reason in stored(app)] == ["active", "left", "active"]
    arabic = reviewer.submit(page, {"_language": "ar"}, form="#results")
    assert len(lines(arabic)) == 3


def test_same_form_sent_twice_decides_once(app: Flask, office: Office, asked: list[int]) -> None:
    reviewer = office.staff()
    page = reviewer.get(f"{URL}{asked[0]}/do/approve")
    reviewer.submit(page)
    assert "was approved" not in reviewer.submit(page).text
    late = reviewer.submit(page, {"form_key": "another"}, status=409)
    assert "The reviewer Alsabah approved this subscription" in late.text
    with app.app_context():
        told = sa.select(sa.func.count()).where(Notice.event == "subscription:decided")
        assert db.session.scalar(told) == 1


def test_own_organisation_is_another_reviewers(
    app: Flask, office: Office, asked: list[int]
) -> None:
    own = office.person("Own")
    with app.app_context():
        organisation = db.session.get_one(Subscription, asked[0]).organisation_id
        db.session.add(Membership(user_id=own, organisation_id=organisation, created_at=utc_now()))
        db.session.commit()
    reviewer = office.browser(own)
    page = reviewer.get(f"{URL}{asked[0]}/")
    assert "your own organisation" in page.text
    page = choose(reviewer, "approve", asked[:2])
    page = reviewer.submit(page)
    assert "your own organisation" in next(line for line in lines(page) if "Alpha" in line)
    assert [status for status, _reason in stored(app)] == ["asked", "active", "asked"]


def test_manager_reads_and_exports_and_decides_nothing(
    app: Flask, office: Office, asked: list[int]
) -> None:
    manager = office.staff(Role.MANAGER)
    page = manager.get(f"{URL}{asked[0]}/")
    assert not page.soup.select("a[href*='/do/']")
    for target in (f"{URL}{asked[0]}/do/approve", f"{URL}do/approve?id={asked[0]}"):
        manager.get(target, status=404)
    posted = {"row": f"{asked[0]}-1", "form_key": "k"}
    manager.post(f"{URL}{asked[0]}/do/approve", posted, status=404)
    manager.post(f"{URL}action/", {"action": "approve", "rowid": str(asked[0])}, status=404)
    with app.app_context():
        row = db.session.get_one(Subscription, asked[1])
        db.session.get_one(Organisation, row.organisation_id).name_en = "=HYPERLINK(1)"
        db.session.commit()
    rows = manager.get(f"{URL}export/csv/", check=False).csv_rows
    assert {row["Status"] for row in rows} == {"Waiting for the office"}
    assert {"'=HYPERLINK(1)", "Alpha Clearing"} <= {row["Organisation"] for row in rows}
    office.staff().get(f"{URL}export/csv/", status=404)


def test_list_is_searched_and_filtered(office: Office, asked: list[int]) -> None:
    reviewer = office.staff()
    found_by = {
        "search=gam": ["Gamma"],
        "search=KW-8": ["Beta"],
        "search=٧": [],
        "flt0_status=active": [],
        "flt0_status=asked&flt1_service=greeting": list(reversed(NAMES)),
        "flt0_service=exam": [],
        "flt0_from=2100-01-01": [],
    }
    for query, names in found_by.items():
        shown = [row for row in lines(reviewer.get(f"{URL}?{query}")) if "Clearing" in row]
        assert len(shown) == len(names), query
        assert all(name in row for name, row in zip(names, shown, strict=True)), query
    reviewer.get(f"{URL}?flt0_status=nonsense", status=400)


def test_nobody_else_finds_the_pages(office: Office, asked: list[int]) -> None:
    for browser in (office.staff(Role.ADMINISTRATOR), office.browser(office.people["Alpha"])):
        for target in ("", f"{asked[0]}/", f"{asked[0]}/do/approve", f"details/?id={asked[0]}"):
            browser.get(f"{URL}{target}", status=404)
    reviewer = office.staff()
    for target in ("999999/", "999999/do/approve", f"{asked[0]}/do/leave", "do/nothing"):
        reviewer.get(f"{URL}{target}", status=404)
