"""Typing both codes after the first sign-in, and everything that keeps one from it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from clearance.auth import one_time_codes
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import (
    Membership,
    Notice,
    Organisation,
    Subscription,
    User,
    UserSession,
    VerificationCode,
)
from clearance.models.enums import Channel, SessionStage
from tests.journeys import steps
from tests.support import factories


@pytest.mark.databases
@pytest.mark.parametrize("lang", ["ar", "en"])
def test_both_codes_make_the_user_and_lead_into_the_portal(app: Flask, lang: str) -> None:
    client = steps.browser(app, lang)
    steps.send_registration(client)
    page = steps.sign_in(client)
    assert (page.h1, page.url) == (steps.TEXTS[lang]["verify"], "/verify")
    page = steps.type_codes(client, page)
    assert page.url == "/verify/done"
    assert page.link(steps.TEXTS[lang]["ok"]) == "/my/"
    with app.app_context():
        user = db.session.scalars(sa.select(User)).one()
        assert (user.email, user.mobile, user.language) == (steps.EMAIL, steps.MOBILE_E164, lang)
        assert user.is_proved
        membership = db.session.scalars(sa.select(Membership)).one()
        assert (membership.user_id, membership.is_general) == (user.id, True)
        organisation = db.session.get_one(Organisation, membership.organisation_id)
        assert organisation.name_ar == "نورة الشمري"
        assert db.session.scalar(sa.select(Notice.event)) == "account:verified"


def test_the_organisation_gets_the_automatic_services(app: Flask) -> None:
    from clearance.services import versions as service_versions

    with app.app_context():
        service_versions.publish_missing(utc_now())
        db.session.commit()
        automatic = {
            version.definition.code
            for version in service_versions.all_current()
            if version.definition.subscription == "automatic"
        }
    client = steps.browser(app)
    steps.send_registration(client)
    steps.type_codes(client, steps.sign_in(client))
    with app.app_context():
        codes = db.session.scalars(
            sa.select(Subscription.service_code).where(Subscription.status == "active")
        )
        assert set(codes) == automatic


def test_verification_makes_a_new_session_and_ends_the_old(app: Flask) -> None:
    client = steps.browser(app)
    steps.send_registration(client)
    page = steps.sign_in(client)
    with client.http.session_transaction() as cookie:
        old = cookie["_user_id"]
    steps.type_codes(client, page)
    with client.http.session_transaction() as cookie:
        assert cookie["_user_id"] != old
        cookie["_user_id"] = old
    assert client.get("/verify").url.startswith("/login")


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_wrong_codes_are_answered_beside_their_fields(app: Flask, lang: str) -> None:
    client = steps.browser(app, lang)
    steps.send_registration(client)
    page = steps.sign_in(client)
    page = client.submit(page, {"email_code": "000000", "mobile_code": "12"}, form="#verify-form")
    assert "6" in page.error_of("mobile_code")
    page = client.submit(
        page, {"email_code": "000000", "mobile_code": "000000"}, form="#verify-form"
    )
    for name in ("email_code", "mobile_code"):
        assert steps.TEXTS[lang]["code"].rstrip(".") in page.error_of(name)
        assert not page.soup.find(attrs={"name": name}).get("value")
    page = client.submit(page, {}, form="#verify-form")
    assert page.error_of("email_code") == steps.TEXTS[lang]["needed"]


@pytest.mark.databases
@pytest.mark.parametrize("first", ["email_code", "mobile_code"])
def test_one_code_alone_is_taken_and_costs_the_other_no_try(app: Flask, first: str) -> None:
    client = steps.browser(app, "en")
    steps.send_registration(client)
    page = steps.sign_in(client)
    codes = {
        "email_code": steps.code_to(app, steps.EMAIL),
        "mobile_code": steps.code_to(app, steps.MOBILE_E164),
    }
    fields = {name: page.soup.find(attrs={"name": name}).get("autocomplete") for name in codes}
    assert fields == {"email_code": "off", "mobile_code": "one-time-code"}
    page = client.submit(page, {first: codes.pop(first)}, form="#verify-form")
    assert page.soup.find(attrs={"name": first}) is None
    ((other, code),) = codes.items()
    with app.app_context():
        left = sa.select(VerificationCode.tries_left).where(VerificationCode.used_at.is_(None))
        assert db.session.scalars(left).all() == [5]
    page = client.submit(page, {other: code}, form="#verify-form")
    assert page.url == "/verify/done"


def test_one_right_code_counts_and_is_not_asked_again(app: Flask) -> None:
    client = steps.browser(app, "en")
    steps.send_registration(client)
    page = steps.sign_in(client)
    code = steps.code_to(app, steps.EMAIL)
    page = client.submit(page, {"email_code": code, "mobile_code": "000000"}, form="#verify-form")
    assert "Your e-mail is verified." in page.text
    assert page.soup.find(attrs={"name": "email_code"}) is None
    page = client.submit(
        page, {"mobile_code": steps.code_to(app, steps.MOBILE_E164)}, form="#verify-form"
    )
    assert page.url == "/verify/done"


@pytest.mark.databases
@pytest.mark.parametrize("other", ["", "12"])
def test_a_code_that_is_not_there_yet_costs_no_try_and_holds_nothing_up(
    app: Flask, other: str
) -> None:
    client = steps.browser(app, "en")
    steps.send_registration(client)
    page = steps.sign_in(client)
    before = tries(app, Channel.EMAIL)
    codes = {"email_code": other, "mobile_code": steps.code_to(app, steps.MOBILE_E164)}
    page = client.submit(page, codes, form="#verify-form")
    assert "Your mobile number is verified." in page.text
    assert page.error_of("email_code")
    assert tries(app, Channel.EMAIL) == before == one_time_codes.TRIES
    page = client.submit(page, {"email_code": steps.code_to(app, steps.EMAIL)}, form="#verify-form")
    assert page.url == "/verify/done"


def tries(app: Flask, channel: Channel) -> int:
    with app.app_context():
        return db.session.scalars(
            sa.select(VerificationCode.tries_left).where(VerificationCode.channel == channel)
        ).one()


def test_a_phone_offers_the_code_of_the_message_for_the_mobile_alone(app: Flask) -> None:
    client = steps.browser(app)
    steps.send_registration(client)
    page = steps.sign_in(client)
    offered = page.soup.select("[autocomplete=one-time-code]")
    assert [field["name"] for field in offered] == ["mobile_code"]


def test_the_code_of_the_other_channel_does_not_serve(app: Flask) -> None:
    client = steps.browser(app)
    steps.send_registration(client)
    page = steps.sign_in(client)
    crossed = {
        "email_code": steps.code_to(app, steps.MOBILE_E164),
        "mobile_code": steps.code_to(app, steps.EMAIL),
    }
    page = client.submit(page, crossed, form="#verify-form")
    assert page.error_of("email_code")
    assert page.error_of("mobile_code")


def test_the_codes_of_another_registration_do_not_serve(app: Flask) -> None:
    steps.send_registration(
        steps.browser(app), email="else@example.com", mobile="50004321", civil_id="288010100123"
    )
    client = steps.browser(app)
    steps.send_registration(client)
    page = steps.sign_in(client)
    foreign = {
        "email_code": steps.code_to(app, "else@example.com"),
        "mobile_code": steps.code_to(app, "+96550004321"),
    }
    page = client.submit(page, foreign, form="#verify-form")
    assert page.error_of("email_code")
    assert page.error_of("mobile_code")


@pytest.mark.databases
def test_expired_codes_do_not_serve_and_new_ones_do(app: Flask) -> None:
    client = steps.browser(app)
    with time_machine.travel(utc_now(), tick=False) as clock:
        steps.send_registration(client)
        old = steps.code_to(app, steps.EMAIL)
        page = steps.sign_in(client)
        clock.shift(601)
        page = steps.type_codes(client, page)
        assert page.error_of("email_code")
        page = client.submit(page, {}, form="#resend-email")
        assert "بريدك الإلكتروني" in page.soup.select_one(".flashes").get_text()
        page = client.submit(page, {}, form="#resend-sms")
        assert steps.code_to(app, steps.EMAIL) != old
        assert steps.type_codes(client, page).url == "/verify/done"


def test_a_new_code_voids_the_earlier_one(app: Flask) -> None:
    client = steps.browser(app)
    with time_machine.travel(utc_now(), tick=False) as clock:
        steps.send_registration(client)
        old = steps.code_to(app, steps.EMAIL)
        page = steps.sign_in(client)
        clock.shift(61)
        page = client.submit(page, {}, form="#resend-email")
        mobile_code = steps.code_to(app, steps.MOBILE_E164)
        page = client.submit(
            page, {"email_code": old, "mobile_code": mobile_code}, form="#verify-form"
        )
    assert page.error_of("email_code")
    assert page.soup.find(attrs={"name": "mobile_code"}) is None


def test_a_new_code_is_sent_once_a_minute_at_most(app: Flask) -> None:
    client = steps.browser(app, "en")
    steps.send_registration(client)
    page = steps.sign_in(client)
    button = page.soup.select_one('button[form="resend-email"]')
    assert 0 < int(button["data-countdown"]) <= 60
    page = client.submit(page, {}, form="#resend-email", status=429)
    assert "Too many attempts" in page.h1


def test_an_unknown_channel_is_no_channel(app: Flask) -> None:
    client = steps.browser(app)
    steps.send_registration(client)
    steps.sign_in(client)
    client.post("/verify/resend", {"channel": "pigeon"}, status=400)


def test_five_wrong_tries_void_a_code(app: Flask) -> None:
    client = steps.browser(app)
    steps.send_registration(client)
    page = steps.sign_in(client)
    right = steps.code_to(app, steps.EMAIL)
    wrong = "111111" if right != "111111" else "222222"
    for _ in range(5):
        client.submit(page, {"email_code": wrong, "mobile_code": wrong}, form="#verify-form")
    page = steps.type_codes(client, page)
    assert page.error_of("email_code")
    assert page.error_of("mobile_code")


@pytest.mark.databases
@pytest.mark.parametrize("path", ["/my/", "/office/", "/login/factor", "/password"])
def test_an_unproved_session_reaches_only_verify(app: Flask, path: str) -> None:
    client = steps.browser(app)
    steps.send_registration(client)
    steps.sign_in(client)
    assert client.get(path).url == "/verify"
    response = client.http.get(path, headers={"Accept": "application/json"})
    assert response.status_code == 401


@pytest.mark.parametrize("path", ["/", "/terms", "/support", "/guide"])
def test_an_unproved_session_still_reads_public_pages(app: Flask, path: str) -> None:
    with app.app_context():
        registration = factories.make_registration()
    client = factories.browser_of(app, registration, "ar", stage=SessionStage.VERIFY)
    assert client.get(path).url == path


def test_an_unproved_session_can_sign_out_and_switch_language(app: Flask) -> None:
    with app.app_context():
        registration = factories.make_registration()
    client = factories.browser_of(app, registration, "ar", stage=SessionStage.VERIFY)
    assert client.post("/language", {"lang": "en", "next": "/verify"}).soup.html["lang"] == "en"
    assert client.post("/logout", {}).url == "/login"
    with app.app_context():
        assert db.session.scalar(sa.select(UserSession.ended_at)) is not None


@pytest.mark.databases
def test_an_added_user_first_chooses_a_password_then_types_both_codes(app: Flask) -> None:
    with app.app_context():
        user = factories.make_agent(
            is_general=False,
            email_proved_at=None,
            mobile_proved_at=None,
            must_change_password=True,
        )
        email, mobile = user.email, user.mobile or ""
    client = steps.browser(app)
    page = steps.sign_in(client, email)
    assert page.url == "/password"
    assert client.get("/verify").url == "/password"
    page = client.submit(
        page,
        {"new_password": "Safina-4-Qamar!", "new_password_confirm": "Safina-4-Qamar!"},
        form="#password-form",
    )
    assert page.url == "/verify"
    page = steps.type_codes(client, page, email, mobile)
    assert page.url == "/verify/done"
    assert steps.sign_in(steps.browser(app), email).soup.select(".error-summary")


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_a_password_of_ones_own_must_be_strong_and_another(app: Flask, lang: str) -> None:
    with app.app_context():
        user = factories.make_agent(must_change_password=True)
    client = factories.browser_of(app, user, lang, stage=SessionStage.PASSWORD)
    page = client.get("/password")
    for first, second, field in (
        ("", "", "new_password"),
        ("short", "short", "new_password"),
        ("Safina-4-Qamar!", "Safina-5-Qamar!", "new_password_confirm"),
        (steps.PASSWORD, steps.PASSWORD, "new_password"),
    ):
        page = client.submit(
            page, {"new_password": first, "new_password_confirm": second}, form="#password-form"
        )
        assert page.error_of(field), (first, second)
    with app.app_context():
        assert db.session.get_one(User, user.id).must_change_password
