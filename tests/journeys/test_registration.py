"""Registering in both variants and both languages, and every refusal of it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from clearance.auth.passwords import hash_password
from clearance.core.clock import utc_now
from clearance.core.errors import ServiceUnavailable
from clearance.core.extensions import db
from clearance.customs import client as customs_client
from clearance.models import CustomsAccount, Delivery, Registration, User
from tests.journeys import steps
from tests.support import factories
from tests.support.costs import count_hashes
from tests.support.pages import Page, PageClient, without_chance
from tests.support.rows import count_of

CUSTOMS_ANSWER: dict[str, Any] = {
    "holder": {"first_name": "بدر", "last_name": "الرشيدي", "civil_id": "285050500017"},
    "organisation": {"name_ar": "مكتب البحر", "name_en": "Sea Office"},
    "brokers": [],
}


def registrations(app: Flask) -> list[Registration]:
    with app.app_context():
        return list(db.session.scalars(sa.select(Registration).order_by(Registration.id)))


def add_customs_account(app: Flask) -> None:
    with app.app_context():
        holder = CUSTOMS_ANSWER["holder"] | {"civil_id": factories.civil_id()}
        db.session.add(
            CustomsAccount(
                licence_no="KW-5000",
                customs_user="badr.office",
                password_hash=hash_password("Customs-9-Word!"),
                answer=CUSTOMS_ANSWER | {"holder": holder},
            )
        )
        db.session.commit()


def customs_values(**changes: Any) -> dict[str, Any]:
    return {
        "has_customs_account": "y",
        "first_name": "",
        "last_name": "",
        "civil_id": "",
        "licence_no": "KW-5000",
        "customs_user": "badr.office",
        "customs_password": "Customs-9-Word!",
    } | changes


@pytest.mark.databases
@pytest.mark.parametrize("lang", ["ar", "en"])
def test_an_agent_registers_and_gets_both_codes_but_no_user_yet(app: Flask, lang: str) -> None:
    client = steps.browser(app, lang)
    page = steps.send_registration(client)
    assert page.h1 == steps.TEXTS[lang]["sent"]
    assert page.url == "/register/sent"
    (registration,) = registrations(app)
    assert (registration.email, registration.mobile) == (steps.EMAIL, steps.MOBILE_E164)
    assert (registration.language, registration.is_void) == (lang, False)
    assert registration.password_hash.startswith("$argon2id$")
    assert len(steps.code_to(app, steps.EMAIL)) == 6
    assert len(steps.code_to(app, steps.MOBILE_E164)) == 6
    with app.app_context():
        assert count_of(User) == 0


def test_a_company_gives_its_name_too(app: Flask) -> None:
    client = steps.browser(app)
    page = steps.send_registration(client, legal_entity="company")
    assert page.error_of("organisation_name") == steps.TEXTS["ar"]["needed"]
    assert registrations(app) == []
    steps.send_registration(client, legal_entity="company", organisation_name="شركة النخيل")
    assert registrations(app)[0].organisation_name == "شركة النخيل"


def test_arabic_digits_are_taken_wherever_a_number_is_typed(app: Flask) -> None:
    steps.send_registration(steps.browser(app), civil_id="٢٨٨٠١٠١٠٠١١٥", mobile="٥٠٠٠١٢٣٤")
    (registration,) = registrations(app)
    assert (registration.civil_id, registration.mobile) == ("288010100115", steps.MOBILE_E164)


@pytest.mark.databases
@pytest.mark.parametrize("lang", ["ar", "en"])
def test_a_general_broker_registers_with_the_customs_account(app: Flask, lang: str) -> None:
    add_customs_account(app)
    page = steps.send_registration(steps.browser(app, lang), **customs_values())
    assert page.h1 == steps.TEXTS[lang]["sent"]
    (registration,) = registrations(app)
    assert (registration.first_name, registration.last_name) == ("بدر", "الرشيدي")
    assert registration.customs_data is not None
    assert "Customs-9-Word!" not in str(registration.customs_data)


def test_the_customs_box_is_offered_to_a_clearing_agent_only(app: Flask) -> None:
    client = steps.browser(app)
    page = client.get("/register")
    box = page.soup.find(attrs={"name": "has_customs_account"}).find_parent(
        attrs={"data-shows": True}
    )
    assert box["data-shows"] == "legal_entity=clearing_agent"
    assert not box.has_attr("hidden")
    page = client.submit(
        page, {"legal_entity": "company"}, form="#register-form", press="_change=1"
    )
    box = page.soup.find(attrs={"name": "has_customs_account"}).find_parent(
        attrs={"data-shows": True}
    )
    assert box.has_attr("hidden")
    # Ticked nevertheless, it does not count.
    page = steps.send_registration(client, legal_entity="company", **customs_values())
    assert page.error_of("first_name") == steps.TEXTS["ar"]["needed"]
    assert page.error_of("licence_no") == ""


def test_without_scripts_a_button_shows_the_fields_of_the_choice(app: Flask) -> None:
    client = steps.browser(app)
    page = client.get("/register")
    values = steps.registration_values(has_customs_account="y")
    page = client.submit(page, values, form="#register-form", press="_change=1")
    assert not _is_hidden(page, "licence_no")
    assert _is_hidden(page, "civil_id")
    assert page.soup.find(attrs={"name": "email"})["value"] == steps.EMAIL
    assert page.soup.select(".error-summary") == []
    assert registrations(app) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"licence_no": "KW-9999"},
        {"customs_user": "somebody.else"},
        {"customs_password": "Wrong-9-Word!"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_the_customs_refusal_is_one_text_whatever_was_wrong(
    app: Flask, changes: dict[str, str]
) -> None:
    add_customs_account(app)
    page = steps.send_registration(steps.browser(app, "en"), **customs_values(**changes))
    summary = page.soup.select_one(".error-summary").get_text(" ")
    assert str(customs_client.Rejected().message) in summary
    assert page.soup.find(attrs={"name": "email"})["value"] == steps.EMAIL
    assert "Customs-9-Word!" not in str(page.soup)
    assert registrations(app) == []


def test_with_customs_down_nothing_typed_is_lost(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: Any) -> None:
        raise ServiceUnavailable("The customs system is not responding. Try again later.")

    monkeypatch.setattr(customs_client, "verify", down)
    page = steps.send_registration(steps.browser(app, "en"), status=503, **customs_values())
    assert "is not responding" in page.soup.select_one(".error-summary").get_text()
    for name, value in (("licence_no", "KW-5000"), ("customs_user", "badr.office")):
        assert page.soup.find(attrs={"name": name})["value"] == value
    for name in ("customs_password", "password", "captcha"):
        assert not page.soup.find(attrs={"name": name}).get("value")
    assert registrations(app) == []


def test_an_organisation_with_a_general_user_says_to_ask_them(app: Flask) -> None:
    add_customs_account(app)
    with app.app_context():
        factories.make_agent(factories.make_organisation(licence_no="KW-5000"))
    page = steps.send_registration(steps.browser(app, "en"), **customs_values())
    assert "Ask the general user to add you under Users." in page.text
    assert registrations(app) == []


WRONG = [
    ("first_name", "", "needed"),
    ("last_name", "  ", "needed"),
    ("first_name", "س" * 81, "80"),
    ("latin_name", "", ""),
    ("latin_name", "نورة الشمري", "60"),
    ("latin_name", "N" * 61, "60"),
    ("gender", "", "needed"),
    ("gender", "other", ""),
    ("legal_entity", "ministry", ""),
    ("civil_id", "", "needed"),
    ("civil_id", "12345", "12"),
    ("civil_id", "288010100116", ""),
    ("civil_id", "288130100115", ""),
    ("mobile", "", "needed"),
    ("mobile", "22451234", "+"),
    ("mobile", "abc", "+"),
    ("email", "", "needed"),
    ("email", "noura@", "name@example.com"),
    ("password", "", "needed"),
    ("password", "Short-1", "8"),
    ("password", "nakhla-7-bahr!", "A"),
    ("password", "Kuwait@2026", ""),
    ("password", "Aa1!" * 40, "128"),
    ("password_confirm", "Nakhla-8-Bahr!", ""),
    ("captcha", "", "needed"),
    ("accept_terms", None, ""),
]


@pytest.mark.parametrize("lang", ["ar", "en"])
@pytest.mark.parametrize(("name", "value", "said"), WRONG)
def test_a_wrong_value_is_answered_beside_its_field_in_the_pages_language(
    app: Flask, lang: str, name: str, value: str | None, said: str
) -> None:
    page = steps.send_registration(steps.browser(app, lang), **{name: value})
    error = page.error_of(name)
    assert steps.TEXTS[lang].get(said, said) in error
    assert error
    assert any("\u0600" <= letter <= "\u06ff" for letter in error) == (lang == "ar")
    summary = page.soup.select_one(".error-summary")
    assert summary.select_one(f'a[href="#{name}"]')
    for other in ("first_name", "email", "mobile", "civil_id"):
        if other != name:
            typed = steps.registration_values()[other]
            assert page.soup.find(attrs={"name": other})["value"] == typed
    if name in {"civil_id", "mobile", "email"} and value:
        assert page.soup.find(attrs={"name": name})["value"] == value
    for secret in ("password", "password_confirm", "captcha"):
        assert not page.soup.find(attrs={"name": secret}).get("value")
    assert registrations(app) == []


def test_a_name_given_in_latin_letters_is_not_asked_for_twice(app: Flask) -> None:
    names = {"first_name": "Noura", "last_name": "O'Neill-Alshammari", "latin_name": ""}
    page = steps.send_registration(steps.browser(app, "en"), **names)
    assert page.url == "/register/sent"


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_a_wrong_image_text_is_refused_and_used_up(app: Flask, lang: str) -> None:
    client = steps.browser(app, lang)
    page = client.get("/register")
    right = steps.image_text(app, page)
    old_ref = page.soup.find(attrs={"name": "captcha_ref"})["value"]
    values = steps.registration_values(captcha=right.swapcase() + "x")
    answer = client.submit(page, values, form="#register-form")
    assert answer.error_of("captcha") == steps.TEXTS[lang]["image"]
    assert answer.soup.find(attrs={"name": "captcha_ref"})["value"] != old_ref
    # The first image is spent, so its right text comes too late.
    answer = client.submit(page, values | {"captcha": right}, form="#register-form")
    assert answer.error_of("captcha") == steps.TEXTS[lang]["image"]
    assert registrations(app) == []


def test_an_expired_image_text_is_refused(app: Flask) -> None:
    client = steps.browser(app)
    with time_machine.travel(utc_now(), tick=False) as clock:
        page = client.get("/register")
        text = steps.image_text(app, page)
        clock.shift(301)
        values = steps.registration_values(captcha=text)
        answer = client.submit(page, values, form="#register-form")
    assert answer.error_of("captcha") == steps.TEXTS["ar"]["image"]
    assert registrations(app) == []


def test_the_image_text_of_another_form_does_not_serve(app: Flask) -> None:
    client = steps.browser(app)
    foreign = client.get("/reset")
    page = client.get("/register")
    values = steps.registration_values(
        captcha=steps.image_text(app, foreign),
        captcha_ref=foreign.soup.find(attrs={"name": "captcha_ref"})["value"],
    )
    answer = client.submit(page, values, form="#register-form")
    assert answer.error_of("captcha") == steps.TEXTS["ar"]["image"]


def test_the_spoken_digits_serve_as_well(app: Flask) -> None:
    client = steps.browser(app)
    page = client.get("/register")
    ref = page.soup.find(attrs={"name": "captcha_ref"})["value"]
    with app.app_context():
        from_row = db.session.execute(
            sa.text("SELECT spoken_digits FROM captcha WHERE ref = :ref"), {"ref": ref}
        ).scalar_one()
    answer = client.submit(page, steps.registration_values(captcha=from_row), form="#register-form")
    assert answer.h1 == steps.TEXTS["ar"]["sent"]


def test_another_image_keeps_what_was_typed(app: Flask) -> None:
    client = steps.browser(app)
    page = client.get("/register")
    old_ref = page.soup.find(attrs={"name": "captcha_ref"})["value"]
    values = steps.registration_values(captcha="abc")
    answer = client.submit(page, values, form="#register-form", press="_refresh=captcha")
    assert answer.soup.find(attrs={"name": "captcha_ref"})["value"] != old_ref
    assert answer.soup.find(attrs={"name": "first_name"})["value"] == "نورة"
    assert answer.soup.select(".error-summary") == []
    assert not answer.soup.find(attrs={"name": "captcha"}).get("value")


@pytest.mark.databases
@pytest.mark.parametrize("known", ["email", "mobile", "civil_id"])
def test_what_is_known_is_answered_alike_and_its_owner_is_told(app: Flask, known: str) -> None:
    with app.app_context():
        owner = factories.make_agent(civil_id="288010100123", mobile="+96550009999")
        value, owner_email = str(getattr(owner, known)), owner.email
    first = _raw_registration(app, {})
    second = _raw_registration(
        app, {"email": "other@example.com", "mobile": "50007777"} | {known: value}
    )
    assert without_chance(first) == without_chance(second)
    _, void = registrations(app)
    assert void.is_void
    with app.app_context():
        events = db.session.scalars(
            sa.select(Delivery.event).where(Delivery.address.in_([owner_email, "+96550009999"]))
        ).all()
    assert set(events) == {"account:registration:known"}


@pytest.mark.databases
def test_the_registration_of_a_known_address_never_completes(app: Flask) -> None:
    with app.app_context():
        factories.make_agent(email=steps.EMAIL)
    client = steps.browser(app, "en")
    steps.send_registration(client, password="Other-7-Madina!", password_confirm="Other-7-Madina!")
    page = steps.sign_in(client, password="Other-7-Madina!")
    assert page.h1 == steps.TEXTS["en"]["verify"]
    mobile_code = steps.code_to(app, steps.MOBILE_E164)
    page = client.submit(
        page, {"email_code": "123456", "mobile_code": mobile_code}, form="#verify-form"
    )
    assert steps.TEXTS["en"]["code"] in page.error_of("email_code")
    with app.app_context():
        assert count_of(User) == 1


def test_known_and_unknown_cost_the_same_number_of_hashes(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        email = factories.make_agent().email
    counts = []
    for address, number in (("nobody@example.com", "50007777"), (email, "50007778")):
        with monkeypatch.context() as patch:
            counter = count_hashes(patch)
            _raw_registration(app, {"email": address, "mobile": number})
            counts.append(counter["hashes"])
    assert counts == [1, 1]


@pytest.mark.databases
def test_an_image_text_solved_in_another_browser_is_not_taken(app: Flask) -> None:
    solver, other = steps.browser(app, "en"), steps.browser(app, "en")
    solved, page = solver.get("/register"), other.get("/register")
    solution = {
        "captcha_ref": solved.soup.find(attrs={"name": "captcha_ref"})["value"],
        "captcha": steps.image_text(app, solved),
    }
    values = steps.registration_values() | solution
    refused = other.submit(page, values, form="#register-form")
    assert refused.error_of("captcha") == steps.TEXTS["en"]["image"]
    assert registrations(app) == []
    taken = solver.submit(solved, values, form="#register-form")
    assert taken.h1 == steps.TEXTS["en"]["sent"]


def test_sending_twice_makes_one_registration_and_the_same_page(app: Flask) -> None:
    client = steps.browser(app)
    page = client.get("/register")
    values = steps.registration_values(captcha=steps.image_text(app, page))
    first = client.submit(page, values, form="#register-form")
    second = client.submit(page, values, form="#register-form")
    assert first.h1 == second.h1 == steps.TEXTS["ar"]["sent"]
    assert len(registrations(app)) == 1


def test_fields_of_no_form_are_ignored(app: Flask) -> None:
    page = steps.send_registration(steps.browser(app), is_void="1", role="administrator")
    assert page.h1 == steps.TEXTS["ar"]["sent"]
    (registration,) = registrations(app)
    assert not registration.is_void


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_too_many_registrations_are_answered_by_a_page_with_429(app: Flask, lang: str) -> None:
    client = steps.browser(app, lang)
    with time_machine.travel(utc_now(), tick=False) as clock:
        for number in range(3):
            _raw_registration(app, {"mobile": f"5000888{number}"})
            clock.shift(61)
        page = steps.send_registration(client, status=429, mobile="50008889")
    assert int(page.response.headers["Retry-After"]) > 0
    assert page.soup.html["lang"] == lang
    assert len(registrations(app)) == 3


def test_a_password_never_reaches_the_log(
    app: Flask, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    add_customs_account(app)
    steps.send_registration(steps.browser(app), **customs_values(customs_password="Canary-9-Word!"))
    steps.send_registration(steps.browser(app), surplus="1")
    printed = capsys.readouterr()
    for canary in ("Canary-9-Word!", steps.PASSWORD):
        assert canary not in caplog.text + printed.out + printed.err


def _is_hidden(page: Page, name: str) -> bool:
    part = page.soup.find(attrs={"name": name}).find_parent(attrs={"data-shows": True})
    return bool(part.has_attr("hidden"))


def _raw_registration(app: Flask, changes: dict[str, str]) -> Any:
    """Send a registration without following; the answer itself."""
    client = PageClient(app, language="ar")
    page = client.get("/register")
    data = {
        **steps.registration_values(**changes),
        "captcha": steps.image_text(app, page),
        "captcha_ref": page.soup.find(attrs={"name": "captcha_ref"})["value"],
        "csrf_token": page.soup.find(attrs={"name": "csrf_token"})["value"],
    }
    return client.http.post("/register", data=data)
