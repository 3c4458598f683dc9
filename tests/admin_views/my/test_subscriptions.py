"""The catalogue of subscriptions as agents see and use it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Event, Subscription, User
from clearance.organisations import subscription_changes
from tests.admin_views.my.conftest import People
from tests.support import factories, request_factories
from tests.support.pages import Page, PageClient

URL = "/my/subscriptions/"
Browser = Callable[..., PageClient]


@pytest.fixture
def services(app: Flask, people: People) -> People:
    """A service that the office approves and one that is had at once, besides the shipped ones."""
    with app.app_context():
        for code, terms, prefix in (
            ("guarded", "by_approval", "GU"),
            ("wished", "on_request", "WI"),
        ):
            request_factories.publish(
                request_factories.TRIVIAL,
                code=code,
                prefix=prefix,
                subscription=terms,
                title={"ar": f"خدمة {prefix}", "en": f"Service {code}"},
            )
    return people


def card(page: Page, code: str) -> str:
    found = page.soup.select_one(f"#service-{code}")
    assert found is not None
    return " ".join(found.get_text(" ").split())


def press(browser: PageClient, code: str, step: str = "ask") -> Page:
    page = browser.get(URL)
    return browser.submit(page, form=f"#service-{code} form[action*='{step}']")


def statuses(app: Flask, people: People) -> dict[str, str]:
    with app.app_context():
        found = sa.select(Subscription.service_code, Subscription.status).where(
            Subscription.organisation_id == people.organisation.id
        )
        return {code: status for code, status in db.session.execute(found)}


def test_each_card_says_how_the_organisation_stands_and_has_one_step(
    services: People, browser: Browser
) -> None:
    page = browser(services.owner).get(URL)
    assert page.h1 == "Subscriptions"
    assert "Subscribed" in card(page, "exam") and "End subscription" in card(page, "exam")
    assert "Required documents" in card(page, "exam")
    assert "Not subscribed" in card(page, "guarded")
    assert "Request subscription" in card(page, "guarded")
    assert card(page, "wished").endswith("Subscribe Service wished")
    arabic = browser(services.owner, "ar").get(URL)
    assert arabic.h1 == "الاشتراك بالخدمات"
    assert "غير مشترك" in card(arabic, "guarded") and "طلب اشتراك" in card(arabic, "guarded")


def test_asking_taking_back_and_subscribing_at_once(
    app: Flask, services: People, browser: Browser
) -> None:
    owner = browser(services.owner)
    page = press(owner, "guarded")
    assert "We have asked the office" in page.text and "not decided yet" in card(page, "guarded")
    page = press(owner, "guarded", "withdraw")
    assert "was withdrawn" in page.text and "Request subscription" in card(page, "guarded")
    page = press(owner, "wished")
    assert "now subscribed to the service" in page.text
    assert "Since" in card(page, "wished")
    assert statuses(app, services) == {"guarded": "left", "wished": "active"}


def test_refusal_is_shown_with_its_reason_until_it_is_asked_again(
    app: Flask, services: People, browser: Browser
) -> None:
    owner = browser(services.owner)
    press(owner, "guarded")
    with app.app_context():
        row = db.session.scalars(sa.select(Subscription)).one()
        subscription_changes.decide(
            row.id,
            approve=False,
            reason="ينقص عقد التأسيس.",
            actor=actor_of(db.session.get_one(User, services.staff.id)),
            version=row.version,
            now=utc_now(),
        )
        db.session.commit()
    text = card(owner.get(URL), "guarded")
    assert "ينقص عقد التأسيس." in text and "Rejected on" in text
    assert "ينقص" not in card(press(owner, "guarded"), "guarded")


def test_second_click_of_the_same_page_leads_to_the_first_result(
    app: Flask, services: People, browser: Browser
) -> None:
    owner = browser(services.owner)
    page = owner.get(URL)
    for _ in range(2):
        shown = owner.submit(page, form="#service-guarded form")
        assert "changed in the meantime" not in shown.text
    old = owner.submit(page, {"form_key": "other"}, form="#service-guarded form", status=409)
    assert "changed in the meantime" in old.text
    with app.app_context():
        kinds = sa.select(Event.kind).where(Event.kind.startswith("subscription:"))
        assert list(db.session.scalars(kinds)) == ["subscription:asked"]


def test_leaving_asks_first_and_tells_what_it_causes(
    app: Flask, services: People, browser: Browser
) -> None:
    owner = browser(services.owner)
    with app.app_context():
        granted = db.session.get_one(User, services.ungranted.id).name_in("ar")
        request_factories.make_draft(
            db.session.get_one(User, services.owner.id), "greeting", words="مرحبا"
        )
    page = owner.get(owner.get(URL).link("End subscription Greeting"))
    assert granted in page.text and "1 draft will be kept" in page.text
    page = owner.submit(page)
    assert "subscription has ended" in page.text
    assert card(page, "greeting").endswith("Subscribe Greeting Request")
    assert statuses(app, services)["greeting"] == "left"
    assert "not have access" in browser(services.ungranted).get("/my/services/").text


def test_open_requests_keep_the_organisation_and_are_linked(
    app: Flask, services: People, browser: Browser
) -> None:
    with app.app_context():
        user = db.session.get_one(User, services.owner.id)
        sent = request_factories.make_sent(user, "greeting", words="مرحبا")
        number, request_id = str(sent.number), sent.id
    owner = browser(services.owner)
    page = owner.get(URL)
    assert "open requests" in card(page, "greeting") and "Leave" not in card(page, "greeting")
    assert page.link(number).endswith(f"id={request_id}")
    page = owner.get(f"{URL}greeting/leave")
    assert number in page.text and not page.soup.select("main form")
    posted = {"version": "1", "organisation": services.organisation.id, "form_key": "k"}
    page = owner.post(f"{URL}greeting/leave", posted, status=409)
    assert "open requests" in page.text
    assert statuses(app, services) == {"greeting": "active"}


def test_additional_user_reads_why_nothing_can_be_changed(
    services: People, browser: Browser
) -> None:
    page = browser(services.granted).get(URL)
    assert "Only a general user" in page.text
    assert not page.soup.select("main form") and "End subscription" not in page.text
    page = browser(services.granted, "ar").get(f"{URL}exam/leave")
    assert "المستخدم العام" in page.text and not page.soup.select("main form")


def test_forged_posts_are_answered_as_missing_pages(
    app: Flask, services: People, browser: Browser
) -> None:
    own = services.organisation.id
    with app.app_context():
        foreign = actor_of(db.session.get_one(User, services.foreign.id)).standings[0]
    posted = {"version": "0", "form_key": "k"}
    for user, organisation in (
        (services.granted, own),
        (services.foreign, own),
        (services.owner, foreign.organisation_id),
        (services.staff, own),
    ):
        for step in ("ask", "leave", "withdraw"):
            browser(user).post(
                f"{URL}wished/{step}", posted | {"organisation": organisation}, status=404
            )
    owner = browser(services.owner)
    for target, organisation in (
        ("wished/approve", own),
        ("nothing/ask", own),
        ("wished/ask", 0),
    ):
        owner.post(f"{URL}{target}", posted | {"organisation": organisation}, status=404)
    owner.post(f"{URL}wished/ask", {"organisation": own}, status=400)
    owner.get(f"{URL}nothing/leave", status=404)
    assert statuses(app, services) == {}


def test_user_without_an_organisation_and_staff(
    app: Flask, people: People, browser: Browser
) -> None:
    with app.app_context():
        lonely = factories.make_user()
    assert "No services yet" in browser(lonely).get(URL).text
    browser(people.staff).get(URL, status=404)
