"""The office's page of deletions and holds, and the register of who read what."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.accounts import data_archive
from clearance.core.clock import utc_now
from clearance.core.database import reading
from clearance.core.extensions import db
from clearance.jobs import retention
from clearance.models import AccessEvent, Licence
from clearance.models.enums import Role
from clearance.services.flows import Action
from tests.support import attaching, factories, request_factories
from tests.support.office_people import Office

WORDS = {
    "ar": ("إصدار أمر حفظ قانوني", "يوجد أمر حفظ قانوني", "رفع أمر الحفظ القانوني"),
    "en": ("Place a legal hold", "Under a legal hold", "Lift the legal hold"),
}


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_a_manager_places_a_hold_on_a_request_and_lifts_it(office: Office, lang: str) -> None:
    place, held, lift = WORDS[lang]
    client = office.staff(Role.MANAGER, lang)
    url = f"/office/requests/{office.request()}/"
    page = client.submit(client.get(client.get(url).link(place)), form="#step", status=400)
    page = client.submit(page, {"reason": "حكم محكمة 12"}, form="#step")
    assert held in page.text
    assert "حكم محكمة 12" in page.text
    assert place not in page.text
    page = client.get("/office/retention/")
    assert "حكم محكمة 12" in page.text
    page = client.get(page.soup.select_one("#holds tbody a.button")["href"])
    assert lift in page.h1
    page = client.submit(page, {"reason": "انتهت القضية"}, form="#step")
    assert "انتهت القضية" in page.text
    assert held not in client.get(url).text


NUMBER_WORDS = {
    "ar": ("الرقم المدني", "يوجد خطأ في أحد أرقام"),
    "en": ("Civil number", "wrong digit"),
}
ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def test_only_those_who_keep_or_read_hold_people_and_reviewers_see_the_hold(
    office: Office,
) -> None:
    agent = office.agent("Badr")
    url = f"/office/retention/users/{agent}/hold"
    office.staff(Role.REVIEWER).get(url, status=404)
    office.browser(agent).get(url, status=404)
    client = office.staff(Role.ADMINISTRATOR)
    page = client.submit(client.get(url), {"reason": "Court order"}, form="#step")
    assert "Court order" in page.text
    page = client.get(url)
    assert "under a legal hold already" in page.text
    req = office.request(agent=agent)
    client.get(f"/office/retention/requests/{req}/hold", status=404)  # reads no requests
    manager = office.staff(Role.MANAGER)
    manager.submit(
        manager.get(f"/office/retention/requests/{req}/hold"), {"reason": "Why"}, form="#step"
    )
    page = office.staff(Role.REVIEWER).get(f"/office/requests/{req}/")
    assert "Under a legal hold" in page.text
    assert "Lift the legal hold" not in page.text
    assert "legal hold" not in office.browser(agent).get(f"/my/requests/{req}/").text


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_a_civil_number_is_held_from_the_page_of_holds_and_seen_where_it_is(
    office: Office, lang: str
) -> None:
    label, fault = NUMBER_WORDS[lang]
    number, unknown = factories.civil_id(), factories.civil_id()
    agent = office.agent("Badr", civil_id=number)
    client = office.staff(Role.ADMINISTRATOR, lang)
    url = "/office/retention/civil-numbers/hold"
    holds = client.get("/office/retention/")
    assert holds.soup.select_one(f"#holds a.button[href='{url}']")
    page = client.get(url)
    wrong = {"civil_id": f"{number[:-1]}{(int(number[-1]) + 1) % 10}", "reason": "حكم محكمة 12"}
    page = client.submit(page, wrong, form="#step", status=400)
    assert fault in page.soup.select_one(".field-wrong").get_text()
    for typed in (number.translate(ARABIC_INDIC), unknown):
        page = client.submit(client.get(url), wrong | {"civil_id": typed}, form="#step")
    rows = [row.get_text(" ", strip=True) for row in page.soup.select("#holds tbody tr")]
    assert [f"{label} {each}" in row for each, row in zip((unknown, number), rows, strict=True)]
    page = client.submit(client.get(url), wrong | {"civil_id": unknown}, form="#step", status=409)
    assert page.soup.select_one(".alert")
    details = f"/office/users/details/?id={agent}"
    assert f"{label} {number}" in client.get(details).soup.select_one("main").get_text(" ")
    req = office.request(agent=office.agent("Other"), civil_id=number)
    seen = office.staff(Role.REVIEWER, lang).get(f"/office/requests/{req}/")
    assert "حكم محكمة 12" in seen.soup.select_one("main").get_text(" ")


def test_a_broker_is_held_from_their_page_by_managers_alone(office: Office) -> None:
    licence = office.licence()
    with office.app.app_context():
        broker = db.session.get_one(Licence, licence).broker
        url, number = f"/office/brokers/{broker.id}/", broker.civil_id
        offer = f"/office/retention/civil-numbers/hold?broker={broker.id}"
    client = office.staff(Role.MANAGER)
    page = client.get(client.get(url).link("Place a legal hold"))
    assert page.soup.select_one("#civil_id")["value"] == number
    client.submit(page, {"reason": "Court order 12"}, form="#step")
    page = client.get(url)
    assert "Court order 12" in page.text
    assert "Place a legal hold" not in page.text
    reviewer = office.staff(Role.REVIEWER).get(url).text
    assert "Court order 12" in reviewer
    assert "Lift the legal hold" not in reviewer
    assert number not in office.staff(Role.ADMINISTRATOR).get(offer).text  # reads no brokers
    client.get(offer.replace("broker=", "broker=9"), status=404)


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_the_page_says_what_was_deleted_by_which_rule(office: Office, lang: str) -> None:
    with office.app.app_context():
        factories.make_registration(created_at=utc_now() - timedelta(days=8))
        retention.purge(utc_now())
    page = office.staff(Role.MANAGER, lang).get("/office/retention/")
    said = page.soup.select_one("#runs tbody").get_text(" ")
    assert ("التسجيلات غير المكتملة" if lang == "ar" else "Unfinished registrations") in said
    assert ("بعد 7 أيام" if lang == "ar" else "After 7 days") in said


def reads(app: Flask) -> list[tuple[str, int | None]]:
    with app.app_context():
        query = sa.select(AccessEvent.kind, AccessEvent.user_id).order_by(AccessEvent.id)
        return [(kind, reader) for kind, reader in db.session.execute(query)]


@pytest.mark.databases
def test_who_read_whose_papers_is_in_the_register_and_in_ones_own_copy(office: Office) -> None:
    app = office.app
    with app.app_context():
        owner = factories.make_agent()
        organisation = owner.memberships[0].organisation
        colleague = factories.make_agent(organisation)
        draft = request_factories.make_draft(owner, with_documents=False)
        document = attaching.attach(draft, owner, name="passport.pdf").id
        for kind in ("photo", "good_conduct"):
            request_factories.make_document(draft, kind, owner)
        request_factories.step(draft, Action.SEND, owner)
        req, number, owner_id = draft.id, draft.number, owner.id
        named = (number, owner.email, owner.civil_id)
        assert number
        reviewer = factories.make_staff(Role.REVIEWER)
        browsers = {
            name: factories.browser_of(app, user)
            for name, user in (("owner", owner), ("colleague", colleague), ("office", reviewer))
        }
    path = f"requests/{req}/documents/{document}/file"
    browsers["owner"].http.get(f"/my/{path}")
    browsers["colleague"].http.get(f"/my/{path}")
    browsers["office"].http.get(f"/office/{path}")
    browsers["office"].get(f"/office/requests/{req}/")
    with app.app_context():
        with reading():
            found = list(data_archive.reads(owner_id))
        told = [(each["by"], each["kind"], each["what"]) for each in found]
    assert told == [
        ("colleague", "document:read", "passport.pdf"),
        ("office", "document:read", "passport.pdf"),
        ("office", "request:read", number),
    ]
    manager = office.staff(Role.MANAGER)
    for typed in named:
        page = manager.get(f"/office/reads/?search={typed}")
        rows = [row.get_text(" ", strip=True) for row in page.soup.select("main tbody tr")]
        assert len(rows) == 3, typed
        assert "passport.pdf" in rows[-1]
        assert all(number in row for row in rows)
    assert len(manager.get("/office/reads/?search=nobody@example.com").soup.select("tbody tr")) <= 1
    for role in (Role.ADMINISTRATOR, Role.REVIEWER):
        office.staff(role).get("/office/reads/", status=404)
