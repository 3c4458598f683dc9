"""Changing one's e-mail or mobile: proved by a code, the old address told, nothing betrayed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from clearance.accounts import contact_change
from clearance.auth import one_time_codes, password_changes, sessions
from clearance.auth.reauthentication import WrongPassword
from clearance.core.clock import utc_now
from clearance.core.errors import TooManyTries
from clearance.core.extensions import db
from clearance.models import Delivery, Event, Notice, User
from clearance.models.enums import Channel, CodePurpose
from tests.journeys import steps
from tests.support import factories
from tests.support.costs import costs_of
from tests.support.factories import PASSWORD
from tests.support.gateways import queued_code
from tests.support.pages import Page, PageClient, form_data
from tests.support.parallel import run_together
from tests.support.rows import count_of

NEW = "new.address@example.com"
NEW_MOBILE, NEW_E164 = "5999 0001", "+96559990001"
PLACES = pytest.mark.parametrize(("area", "lang"), [("my", "ar"), ("office", "en")])
TEXTS = {
    "ar": {
        "password": "كلمة المرور الحالية غير صحيحة.",
        "code": "رمز التحقق غير صحيح أو لم يعد صالحاً.",
        "changed": "تم تغيير بريدك الإلكتروني.",
        "same": "هذا هو البريد الإلكتروني لحسابك حالياً.",
        "sent": "أُرسل رمز إلى",
    },
    "en": {
        "password": "This is not your current password.",
        "code": "This code is wrong or has expired.",
        "changed": "Your e-mail address was changed.",
        "same": "Your account already has this e-mail address.",
        "sent": "We sent a code to",
    },
}


def ask(client: PageClient, address: str, *, name: str = "email", **more: Any) -> Page:
    area = more.pop("area", "my")
    page = client.get(f"/{area}/account/contact/{name}")
    values = {"address": address, "current_password": PASSWORD} | more
    return client.submit(page, values, form="#contact-form")


def type_code(client: PageClient, page: Page, code: str, *, status: int = 200) -> Page:
    return client.submit(page, {"code": code}, form="#code-form", status=status)


def contacts(app: Flask, user: User) -> tuple[str, str | None]:
    with app.app_context():
        return tuple(
            db.session.execute(sa.select(User.email, User.mobile).where(User.id == user.id)).one()
        )


def told(app: Flask, address: str) -> list[str]:
    """The events of everything queued for that address."""
    with app.app_context():
        query = sa.select(Delivery.event).where(Delivery.address == address).order_by(Delivery.id)
        return list(db.session.scalars(query))


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


@PLACES
def test_a_new_email_counts_when_its_code_is_typed_and_the_old_one_is_told(
    app: Flask, area: str, lang: str
) -> None:
    user = steps.person(app, area, language=lang)
    client, other = factories.browser_of(app, user, lang), factories.browser_of(app, user, lang)
    page = ask(client, "  New.Address@Example.com ", area=area)
    assert TEXTS[lang]["sent"] in page.text
    assert NEW in page.text
    assert contacts(app, user)[0] == user.email
    page = type_code(client, page, steps.code_to(app, NEW))
    assert page.url == f"/{area}/account/"
    assert TEXTS[lang]["changed"] in page.text
    assert contacts(app, user) == (NEW, user.mobile)
    assert other.http.get(f"/{area}/account/").status_code == 302
    assert told(app, user.email) == ["account:contact:changed"]
    assert told(app, str(user.mobile)) == ["account:contact:changed"]
    assert told(app, NEW) == ["code:contact"]
    with app.app_context():
        bodies = db.session.scalars(
            sa.select(Delivery.body).where(Delivery.event == "account:contact:changed")
        ).all()
        assert not any(NEW in body for body in bodies)
        assert any("n•••@example.com" in body for body in bodies)
        event = db.session.scalars(sa.select(Event)).one()
        assert (event.kind, event.actor_id) == ("account:contact:changed", user.id)
        assert NEW not in str(event.changes)
    page = steps.sign_in(steps.browser(app, lang), NEW)
    assert page.url in {"/my/", "/login/factor"}
    page = steps.sign_in(steps.browser(app, lang), user.email)
    assert page.url == "/login"


def test_a_mobile_is_changed_by_an_sms_and_the_old_one_is_told(app: Flask) -> None:
    user = steps.person(app)
    client = factories.browser_of(app, user)
    page = ask(client, NEW_MOBILE, name="mobile")
    type_code(client, page, steps.code_to(app, NEW_E164))
    assert contacts(app, user) == (user.email, NEW_E164)
    assert told(app, str(user.mobile)) == ["account:contact:changed"]
    assert told(app, NEW_E164) == ["code:contact"]


def test_staff_without_a_mobile_add_one(app: Flask) -> None:
    user = steps.person(app, "office", mobile=None, mobile_proved_at=None)
    client = factories.browser_of(app, user)
    page = ask(client, NEW_MOBILE, name="mobile", area="office")
    type_code(client, page, steps.code_to(app, NEW_E164))
    assert contacts(app, user) == (user.email, NEW_E164)
    assert told(app, user.email) == ["account:contact:changed"]


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_what_is_wrong_with_the_form_stands_beside_its_field(app: Flask, lang: str) -> None:
    user = steps.person(app)
    client = factories.browser_of(app, user, lang)
    page = ask(client, NEW, current_password="Wrong-7-Password!")
    assert page.error_of("current_password") == TEXTS[lang]["password"]
    assert form_data(page.form("#contact-form"))["address"] == NEW
    assert ask(client, user.email).error_of("address") == TEXTS[lang]["same"]
    assert ask(client, "no address").error_of("address")
    assert ask(client, NEW, current_password="").error_of("current_password")
    assert ask(client, "+44 7400 123456", name="mobile").error_of("address")
    client.get("/my/account/contact/fax", status=404)
    assert told(app, NEW) == []


@pytest.mark.parametrize("name", ["email", "mobile"])
def test_a_known_address_gets_the_same_page_and_its_owner_is_told(app: Flask, name: str) -> None:
    user, owner = steps.person(app), steps.person(app, language="en")
    address = owner.email if name == "email" else str(owner.mobile)
    client = factories.browser_of(app, user)
    page = ask(client, address, name=name)
    known = page.text.replace(address, "-")
    client.submit(page, form="form[action$='/cancel']")
    assert told(app, address) == ["account:contact:known"]
    free = NEW if name == "email" else NEW_E164
    assert ask(client, free, name=name).text.replace(free, "-") == known
    assert contacts(app, user) == (user.email, user.mobile)


def test_an_address_that_became_somebody_elses_meanwhile_is_refused_to_its_second_owner(
    app: Flask,
) -> None:
    first, second = steps.person(app), steps.person(app)
    pages = [(factories.browser_of(app, user), user) for user in (first, second)]
    asked = [(client, ask(client, NEW), user) for client, user in pages[:1]]
    code = steps.code_to(app, NEW)
    with time_machine.travel(utc_now() + timedelta(minutes=2)):  # one code a minute to an address
        client = factories.browser_of(app, second)
        page = ask(client, NEW)
        late_code = steps.code_to(app, NEW)
        type_code(asked[0][0], asked[0][1], code)
        assert contacts(app, first)[0] == NEW
        page = type_code(client, page, late_code)
    assert "Another account now uses this e-mail address." in page.text
    assert contacts(app, second)[0] == second.email


def test_asking_costs_the_same_whether_the_address_is_known(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []
    for address in ("first@example.com", steps.person(app).email, NEW):
        client = factories.browser_of(app, steps.person(app))
        page = client.get("/my/account/contact/email")
        values = {"address": address, "current_password": PASSWORD}
        with costs_of(app, monkeypatch) as cost:
            client.submit(page, values, form="#contact-form")
        costs.append(cost)
    assert costs[1] == costs[2]  # the first reads what the process keeps
    assert costs[1]["hashes"] == 1


@pytest.mark.databases
def test_of_two_who_prove_the_same_email_at_once_one_gets_it(app: Flask) -> None:
    with app.app_context():
        users = [factories.make_agent() for _each in range(2)]
        actors = []
        for user in users:
            one_time_codes.create(
                f"user:{user.id}", CodePurpose.CONTACT, Channel.EMAIL, NEW, "en", utc_now()
            )
            db.session.commit()
            actors.append((sessions.actor_of(user), queued_code(NEW)))
            db.session.commit()
    outcomes: list[contact_change.Confirmed | None] = []

    def confirm(number: int) -> None:
        actor, code = actors[number]
        with app.app_context(), factories.visit(app, ip=f"10.0.0.{number}"):
            outcomes.append(contact_change.confirm(actor, Channel.EMAIL, code, utc_now()))
            db.session.commit()

    run_together(confirm, 2)
    assert sorted(bool(outcome and outcome.refusal) for outcome in outcomes) == [False, True]
    with app.app_context():
        emails = db.session.scalars(sa.select(User.email)).all()
    assert emails.count(NEW) == 1


def test_codes_that_prove_something_else_change_nothing(app: Flask) -> None:
    user, stranger = steps.person(app), steps.person(app)
    client = factories.browser_of(app, user)
    page = ask(client, NEW)
    code = steps.code_to(app, NEW)
    foreign = factories.browser_of(app, stranger)
    ask(foreign, "others@example.com")
    sms = factories.browser_of(app, user)
    ask(sms, NEW_MOBILE, name="mobile")
    for other in (
        wrong(code),
        steps.code_to(app, "others@example.com"),
        steps.code_to(app, NEW_E164),
    ):
        page = type_code(client, page, other)
        assert TEXTS["en"]["code"] in page.error_of("code")
    # Another's pending change is out of reach, whatever is posted along.
    token = foreign.csrf_token()
    data = {"csrf_token": token, "code": code, "user_id": user.id, "address": NEW}
    foreign.post("/my/account/contact/email/code", data)
    assert contacts(app, stranger)[0] == stranger.email
    assert contacts(app, user) == (user.email, user.mobile)
    type_code(client, page, code)
    assert contacts(app, user)[0] == NEW


def test_a_code_for_an_older_address_or_an_expired_one_fails(app: Flask) -> None:
    user = steps.person(app)
    client = factories.browser_of(app, user)
    with time_machine.travel(utc_now()) as clock:
        page = ask(client, "first@example.com")
        old = steps.code_to(app, "first@example.com")
        client.submit(page, form="form[action$='/cancel']")
        page = ask(client, NEW)
        page = type_code(client, page, old)
        assert page.error_of("code")
        code = steps.code_to(app, NEW)
        clock.shift(one_time_codes.LIFETIME)
        page = type_code(client, page, code)
        assert page.error_of("code"), "ten minutes are over"
        page = client.submit(page, form="form[action$='/resend']")
        fresh = steps.code_to(app, NEW)
        page = type_code(client, page, fresh)
        assert contacts(app, user)[0] == NEW
        client.get("/my/account/contact/email")
        page = client.post("/my/account/contact/email/code", {"code": fresh})
        assert page.soup.select_one("#contact-form"), "a used code leads back to asking"


def test_what_was_sent_to_the_old_email_is_of_no_more_use(app: Flask) -> None:
    user = steps.person(app)
    client = factories.browser_of(app, user)
    with app.app_context(), factories.visit(app):
        ref = password_changes.ask_reset(user.email, "en", utc_now())
        db.session.commit()
    reset_code = steps.code_to(app, user.email)
    type_code(client, ask(client, NEW), steps.code_to(app, NEW))
    with app.app_context(), factories.visit(app):
        assert not password_changes.confirm_reset(ref, reset_code, "Safina-42-Rih?", utc_now())


def test_five_wrong_tries_void_the_code(app: Flask) -> None:
    user = steps.person(app)
    client = factories.browser_of(app, user)
    page = ask(client, NEW)
    code = steps.code_to(app, NEW)
    for _try in range(one_time_codes.TRIES):
        page = type_code(client, page, wrong(code))
    page = type_code(client, page, code)
    assert page.error_of("code")
    assert contacts(app, user)[0] == user.email


def test_asking_is_counted_by_address_and_by_account(context: Flask) -> None:
    actor = sessions.actor_of(factories.make_agent())
    db.session.commit()

    def send(address: str, password: str = PASSWORD) -> None:
        with factories.visit(context):
            contact_change.ask(actor, Channel.EMAIL, address, password, utc_now())
            db.session.commit()

    send(NEW)
    with pytest.raises(TooManyTries):
        send(NEW)
    for number in range(4):  # what was refused does not count
        send(f"other{number}@example.com")
    with pytest.raises(TooManyTries):
        send("other9@example.com")
    for _try in range(5):
        with pytest.raises(WrongPassword):
            send(NEW, "Wrong-7-Password!")
    with pytest.raises(TooManyTries):
        send(NEW, "Wrong-7-Password!")


@pytest.mark.parametrize(
    ("lang", "soon", "later"),
    [
        ("ar", "بعد 60 ثانية", "بعد 55 دقيقة"),
        ("en", "again in 60 seconds", "again in 55 minutes"),
    ],
)
def test_who_asks_too_often_reads_when_to_come_again(
    app: Flask, lang: str, soon: str, later: str
) -> None:
    client = factories.browser_of(app, steps.person(app), lang)

    def refused() -> str:
        page = client.get("/my/account/contact/email")
        values = {"address": NEW, "current_password": PASSWORD}
        return client.submit(page, values, form="#contact-form", status=429).text

    with time_machine.travel(utc_now(), tick=False) as clock:
        for number in range(5):  # in an hour, to one address
            client.submit(ask(client, NEW), form="form[action$='/cancel']")
            if number == 0:
                assert soon in refused()
            clock.shift(timedelta(minutes=1))
        assert later in refused()


def test_looking_changes_nothing(app: Flask) -> None:
    user = steps.person(app)
    client = factories.browser_of(app, user)
    ask(client, NEW)
    with app.app_context():
        before = count_of(Delivery)
    for name in ("email", "mobile"):
        client.get(f"/my/account/contact/{name}")
    for step in ("code", "resend", "cancel"):
        assert client.http.get(f"/my/account/contact/email/{step}").status_code == 405
    with app.app_context():
        assert count_of(Delivery) == before
        assert count_of(Notice) == 0
        actor = sessions.actor_of(db.session.get_one(User, user.id))
        db.session.rollback()
        assert contact_change.pending(actor, Channel.EMAIL, utc_now()) is not None
