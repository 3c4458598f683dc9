"""Checking and downloading what was issued, through HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.clock import kuwait_date, utc_now
from clearance.core.extensions import db
from clearance.core.i18n import format_day
from clearance.models import AccessEvent, IssuedDocument, Organisation, User
from clearance.models.enums import IssuedKind, LicenceStatus, LicenceStep, SuspendedBy
from tests.support import factories, issued_factories
from tests.support.pages import Page, PageClient


@dataclass
class Issued:
    """What the tests know of an issued card."""

    id: int
    code: str
    number: str
    request_id: int | None
    owner: User
    hidden: tuple[str, ...]


@pytest.fixture
def card(app: Flask) -> Issued:
    with app.app_context():
        owner = factories.make_agent()
        made = issued_factories.make_issued(IssuedKind.CARD, user=owner)
        assert made.licence is not None
        broker = made.licence.broker
        hidden = (broker.civil_id, broker.passport_no, broker.organisation.name_ar, "Gulf Office")
        card = Issued(
            made.id, made.check_code, made.content["number"], made.request_id, owner, hidden
        )
        db.session.refresh(owner)
        db.session.expunge_all()
        db.session.rollback()
        return card


def asked(client: PageClient, code: str, *, status: int = 200) -> Page:
    return client.submit(client.get("/check"), {"code": code}, form="main form", status=status)


def suspend(app: Flask, card: Issued) -> date:
    """Suspend the card's licence; returns the Kuwait day."""
    with app.app_context():
        licence = db.session.get_one(IssuedDocument, card.id).licence
        assert licence is not None
        now = utc_now()
        issued_factories.change_status(
            licence,
            LicenceStatus.SUSPENDED,
            LicenceStep.SUSPENDED,
            now,
            suspended_by=SuspendedBy.HOLDER,
        )
        return kuwait_date(now)


def test_a_typed_code_tells_kind_number_name_days_and_nothing_more(
    app: Flask, client: PageClient, card: Issued
) -> None:
    code = card.code.lower()
    page = asked(client, f"{code[:7]} {code[7:12]}-{code[12:]}")
    assert page.url == f"/check/{card.code}"
    assert page.h1 == "التحقق من وثيقة"
    for told in (card.number, "أحمد عبد الله العنزي", "Ahmad Abdullah Alenezi", "30/06/2030"):
        assert told in page.text
    assert "هذه الوثيقة صحيحة وسارية" in page.text
    assert [each for each in card.hidden if each in page.text] == []
    english = PageClient(app, language="en").get(f"/check/{card.code}")
    assert "This document is genuine and valid" in english.text
    assert "Broker ID card" in english.text


def test_a_suspended_licence_is_told_with_its_day_in_both_languages(
    app: Flask, card: Issued
) -> None:
    day = format_day(suspend(app, card))
    for language, said in (("ar", f"ولا يُعتد بها منذ {day}"), ("en", f"not valid since {day}")):
        page = PageClient(app, language=language).get(f"/check/{card.code}")
        assert said in page.text


def test_unknown_and_impossible_codes_get_one_and_the_same_page(client: PageClient) -> None:
    pages = [
        client.get("/check/ABCDEFGHIJKLMNOPQRST", status=404),
        client.get("/check/nonsense!", status=404),
        asked(client, "ABCDEFGHIJKLMNOPQRST", status=404),
        asked(client, "12", status=404),
        client.get("/check/" + "9" * 400, status=404),
    ]
    assert len({page.soup.main.get_text() for page in pages}) == 1
    assert "لا توجد وثيقة بهذا الرمز" in pages[0].text


def test_the_check_is_throttled_by_address(client: PageClient, card: Issued) -> None:
    stranger = {"environ_overrides": {"REMOTE_ADDR": "10.9.9.9"}}
    for _ in range(60):
        assert client.http.get("/check/ABCDEFGHIJKLMNOPQRST", **stranger).status_code == 404
    answer = client.http.get(f"/check/{card.code}", **stranger)
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (429, True)
    assert client.get(f"/check/{card.code}").status == 200


def test_the_holders_office_downloads_and_everybody_else_gets_404(app: Flask, card: Issued) -> None:
    url = f"/my/issued/{card.id}/"
    with app.app_context():
        client = factories.browser_of(app, card.owner, language=None)
    answer = client.http.get(url)
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="card-KW-')
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert client.http.get(url).data == answer.data
    assert client.get("/my/issued/").link("تنزيل") == url
    details = client.get(f"/my/requests/{card.request_id}/")
    assert details.soup.select_one(f'#issued a[href="{url}"]') is not None
    client.get(f"/my/issued/{card.id + 1}/", status=404)
    with app.app_context():
        stranger = factories.browser_of(app, factories.make_agent(), language=None)
    stranger.get(url, status=404)
    assert "لم تصدر أي وثيقة بعد" in stranger.get("/my/issued/").text
    assert PageClient(app).http.get(url).status_code == 302


def test_staff_leave_a_note_when_they_read_one(app: Flask, card: Issued) -> None:
    with app.app_context():
        client = factories.browser_of(app, factories.make_staff("reviewer"), language=None)
    url = f"/office/issued/{card.id}/file"
    assert client.http.get(url).data.startswith(b"%PDF-")
    client.get(f"/office/issued/{card.id + 1}/file", status=404)
    with app.app_context():
        noted = db.session.scalars(
            sa.select(AccessEvent).where(AccessEvent.kind == "issued:read")
        ).all()
        assert [(note.object_id, note.detail) for note in noted] == [(str(card.id), "card")]


def test_the_list_has_the_documents_of_the_chosen_organisation_alone(
    app: Flask, card: Issued
) -> None:
    """What the reader may open for another of their organisations is listed when it is chosen."""
    with app.app_context():
        owner = db.session.get_one(User, card.owner.id)
        own, other = owner.memberships[0].organisation_id, factories.make_organisation().id
        factories.make_membership(owner, db.session.get_one(Organisation, other))
        client = factories.browser_of(app, card.owner, language=None)
    url = f"/my/issued/{card.id}/"
    for organisation, listed in ((other, False), (own, True)):
        client.post("/my/organisation", {"organisation": organisation})
        assert (url in str(client.get("/my/issued/").soup.main)) is listed
        assert client.http.get(url).status_code == 200
