"""From adding a user to their first request: both kinds, both languages, over HTTP with codes."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Invitation, Membership, Organisation, Request, User
from clearance.organisations import opening
from tests.journeys import steps
from tests.support import factories, request_factories
from tests.support.pages import Page, PageClient

OWN_PASSWORD = "Sidra-9-Marjan?"
EMAIL, MOBILE, MOBILE_E164 = "munira@example.com", "50007788", "+96550007788"


@pytest.fixture
def general(app: Flask) -> str:
    """The e-mail of a general user of an office with everything subscribed."""
    with app.app_context():
        request_factories.load_services()
        office = factories.make_organisation(name_ar="مكتب النخلة", name_en="Nakhla Office")
        opening.subscribe(office, utc_now())
        return factories.make_agent(office).email


def signed_in(app: Flask, email: str, lang: str) -> PageClient:
    with app.app_context():
        user = db.session.scalars(sa.select(User).where(User.email == email)).one()
        return factories.browser_of(app, user, lang)


def add(client: PageClient, **changes: Any) -> Page:
    page = client.get("/my/users/new/")
    values: dict[str, Any] = {
        "first_name": "منيرة",
        "last_name": "الرشيدي",
        "latin_name": "Munira Alrashidi",
        "gender": "female",
        "civil_id": factories.civil_id(),
        "mobile": MOBILE,
        "email": EMAIL,
        "services": ["exam", "renewal"],
        "password": factories.PASSWORD,
        "password_confirm": factories.PASSWORD,
        "captcha": steps.image_text(client.app, page),
        "accept_terms": "y",
    }
    return client.submit(page, values | changes, form="#user-form")


def first_sign_in(client: PageClient) -> Page:
    """Sign in with the given password, choose an own one, type both codes, go on."""
    page = steps.sign_in(client, EMAIL, factories.PASSWORD)
    assert page.url == "/password"
    refused = {"new_password": factories.PASSWORD, "new_password_confirm": factories.PASSWORD}
    page = client.submit(page, refused, form="#password-form")
    assert page.error_of("new_password")
    client.get("/my/", check=False)  # leads back: nothing else is open yet
    chosen = {"new_password": OWN_PASSWORD, "new_password_confirm": OWN_PASSWORD}
    page = client.submit(page, chosen, form="#password-form")
    assert page.url == "/verify"
    page = steps.type_codes(client, page, EMAIL, MOBILE_E164)
    assert page.url == "/verify/done"
    return client.get(page.link(steps.TEXTS[str(page.soup.html["lang"])]["ok"]))


@pytest.mark.parametrize(
    ("lang", "exam"),
    [("ar", "طلب امتحان وكلاء التخليص"), ("en", "Take the clearing agents' exam")],
)
def test_an_additional_user_has_two_services_and_loses_one_with_its_form_open(
    app: Flask, general: str, lang: str, exam: str
) -> None:
    office = signed_in(app, general, lang)
    add(office)
    theirs = PageClient(app, language=lang)
    home = first_sign_in(theirs)
    assert home.url == "/my/"
    services = theirs.get("/my/services/")
    assert exam in services.text
    with app.app_context():
        user = db.session.scalars(sa.select(User).where(User.email == EMAIL)).one()
        draft = request_factories.make_draft(user, "exam").id
        membership = db.session.scalars(
            sa.select(Membership.id).where(Membership.user_id == user.id)
        ).one()
    form = theirs.get(f"/my/requests/{draft}/form")
    page = office.get(f"/my/users/{membership}/")
    office.submit(page, {"services": ["renewal"]}, form="#user-form")
    theirs.submit(form, {"name_ar_1": "غيرها"}, form="main form[id]", status=404)
    theirs.get(f"/my/requests/{draft}/form", status=404)
    notices = theirs.get("/my/notices/")
    assert exam in notices.text
    with app.app_context():
        assert db.session.get_one(Request, draft).name_ar_1 != "غيرها"


def test_an_added_general_user_manages_the_users(app: Flask, general: str) -> None:
    add(signed_in(app, general, "en"), is_general="y", services=None)
    theirs = PageClient(app, language="en")
    first_sign_in(theirs)
    page = theirs.get("/my/users/")
    assert "Munira Alrashidi" in page.text
    assert page.soup.select_one("#awaited") is None


@pytest.mark.parametrize(
    ("lang", "texts"),
    [
        (
            "ar",
            [
                "دعوة من مكتب النخلة",
                "مستخدم إضافي",
                "طلب امتحان وكلاء التخليص",
                "تم انضمامك إلى الجهة.",
            ],
        ),
        (
            "en",
            [
                "Invitation from Nakhla Office",
                "Additional user",
                "Take the clearing agents' exam",
                "You have joined the organisation.",
            ],
        ),
    ],
)
def test_who_has_an_account_accepts_in_the_portal(
    app: Flask, general: str, lang: str, texts: list[str]
) -> None:
    with app.app_context():
        known = factories.make_agent()
        email, user_id = known.email, known.id
    add(signed_in(app, general, lang), email=email)
    theirs = signed_in(app, email, lang)
    with app.app_context():
        number = db.session.scalars(sa.select(Invitation.id)).one()
    page = theirs.get("/my/notices/")
    page = theirs.submit(page, form="form[action$='/open']")
    assert page.url == f"/my/invitations/{number}/"
    for text in texts[:3]:
        assert text in page.text
    page = theirs.submit(page, form="form[action$='/accept']")
    assert texts[3] in page.text
    with app.app_context():
        office = db.session.scalars(
            sa.select(Organisation.id).where(Organisation.name_en == "Nakhla Office")
        ).one()
        joined = db.session.scalars(
            sa.select(Membership).where(
                Membership.user_id == user_id, Membership.organisation_id == office
            )
        ).one()
        assert sorted(grant.service_code for grant in joined.grants) == ["exam", "renewal"]
    again = theirs.post(f"/my/invitations/{number}/accept", {}, status=409)
    assert again.soup.select_one("form[action$='/accept']") is None
    assert theirs.get("/my/invitations/").soup.select("ul.tasks") == []


def test_an_invitation_is_nobody_elses_and_can_be_declined_once(app: Flask, general: str) -> None:
    with app.app_context():
        known, other = factories.make_agent(), factories.make_agent()
        email, stranger = known.email, other.email
    office = signed_in(app, general, "en")
    add(office, email=email)
    with app.app_context():
        number = db.session.scalars(sa.select(Invitation.id)).one()
    for reader in (stranger, general):
        client = signed_in(app, reader, "en")
        client.get(f"/my/invitations/{number}/", status=404)
        client.post(f"/my/invitations/{number}/accept", {}, status=404)
        client.post(f"/my/invitations/{number}/refuse", {}, status=404)
    theirs = signed_in(app, email, "en")
    assert len(theirs.get("/my/invitations/").soup.select("ul.tasks li")) == 1
    page = theirs.get(f"/my/invitations/{number}/")
    theirs.submit(page, form="form[action$='/refuse']")
    page = theirs.post(f"/my/invitations/{number}/accept", {}, status=409)
    assert "You have declined this invitation." in page.text
    assert "Waiting for a response" in office.get("/my/users/").text
