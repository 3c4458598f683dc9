"""My account: which messages, in which language, my data as a download, sessions, idle warning."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from clearance.accounts import data_exports
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import AccessEvent, DataCopy, Delivery, Event, NoticePreference, User
from clearance.notifications import notices
from tests.journeys import steps
from tests.support import factories
from tests.support.factories import PASSWORD
from tests.support.pages import Page
from tests.support.rows import count_of

PLACES = pytest.mark.parametrize(("area", "lang"), [("my", "ar"), ("office", "en")])
ABOUT = {"number": "CE/8/26", "service": {"ar": "طلب", "en": "Request"}}
TEXTS = {
    "ar": {
        "saved": "حُفظ اختيارك.",
        "fixed": "لا يمكن إيقاف هذه الرسائل.",
        "why": "لأنه يتعلق بحسابك أو بصلاحياتك.",
        "making": "جارٍ إعداد النسخة",
        "ready": "النسخة جاهزة",
        "password": "كلمة المرور الحالية غير صحيحة.",
        "ended": "أُنهيت جميع الجلسات الأخرى.",
    },
    "en": {
        "saved": "Your choice was saved.",
        "fixed": "These messages cannot be turned off.",
        "why": "It is about your account or your access.",
        "making": "Your copy is being made",
        "ready": "Your copy is ready",
        "password": "This is not your current password.",
        "ended": "You have been signed out everywhere else.",
    },
}


def ticked(page: Page) -> set[str]:
    return {str(box["value"]) for box in page.soup.select("input[name=wanted][checked]")}


def tell(app: Flask, user: User, event: str) -> list[tuple[str, str]]:
    """(channel, language) of what goes out when that user is told of `event`."""
    with app.app_context():
        notice = notices.notify_user(event, user_id=user.id, params=ABOUT, now=utc_now())
        rows = db.session.execute(
            sa.select(Delivery.channel, Delivery.language)
            .where(Delivery.notice_id == notice.id)
            .order_by(Delivery.id)
        ).all()
        db.session.commit()
        return [(channel, language) for channel, language in rows]


def count(app: Flask, model: Any) -> int:
    with app.app_context():
        return count_of(model)


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_what_is_switched_off_does_not_go_out_and_stands_in_the_portal(
    app: Flask, lang: str
) -> None:
    user = steps.person(app, language=lang)
    client = factories.browser_of(app, user, lang)
    page = client.get("/my/account/notices")
    keys = ticked(page)
    assert {"request:preapproved/email", "request:preapproved/sms"} <= keys, "all to begin with"
    assert "account:registration:known/email" not in keys, "it goes to an address"
    assert TEXTS[lang]["fixed"] in page.text
    assert TEXTS[lang]["why"] in page.text
    assert not any(key.startswith("request:approved") for key in keys)
    kept = sorted(keys - {"request:preapproved/sms"})
    page = client.submit(page, {"wanted": kept}, form="#notices-form")
    assert TEXTS[lang]["saved"] in page.text
    assert ticked(page) == set(kept)
    assert tell(app, user, "request:preapproved") == [("email", lang)]
    assert tell(app, user, "request:sent") == [("email", lang), ("sms", lang)]
    assert len(client.get("/my/notices/").soup.select(".notice")) == 2
    page = client.submit(client.get("/my/account/notices"), {"wanted": None}, form="#notices-form")
    assert ticked(page) == set()
    assert tell(app, user, "request:preapproved") == []
    page = client.submit(page, {"wanted": sorted(keys)}, form="#notices-form")
    assert tell(app, user, "request:preapproved") == [("email", lang), ("sms", lang)]
    with app.app_context():
        kinds = db.session.scalars(sa.select(Event.kind)).all()
        assert list(kinds) == ["account:notices:chosen"] * 3


@pytest.mark.parametrize(
    "key", ["account:password:changed/email", "office:late/email", "request:message/sms", "x"]
)
def test_what_is_not_ones_own_to_choose_is_refused_and_nothing_is_kept(
    app: Flask, key: str
) -> None:
    client = factories.browser_of(app, steps.person(app))
    page = client.get("/my/account/notices")
    client.submit(page, {"wanted": [key]}, form="#notices-form", status=400)
    assert count(app, NoticePreference) == 0


def test_preferences_are_of_who_posts_them(app: Flask) -> None:
    user, other = steps.person(app), steps.person(app)
    client = factories.browser_of(app, user)
    page = client.get("/my/account/notices")
    client.submit(page, {"wanted": None, "user_id": other.id, "id": other.id}, form="#notices-form")
    assert tell(app, user, "request:preapproved") == []
    assert len(tell(app, other, "request:preapproved")) == 2


def test_staff_choose_among_the_offices_events(app: Flask) -> None:
    page = factories.browser_of(app, steps.person(app, "office")).get("/office/account/notices")
    wanted = {f"office:{each}/email" for each in ("assigned", "late", "message")}
    files = {f"account:export:{each}/email" for each in ("ready", "not_made")}
    assert ticked(page) == wanted | files | {"service:changed/email"}
    fixed = page.soup.select_one("#fixed")
    assert fixed is not None
    assert "Password changed" in fixed.text
    assert "Request approved" not in fixed.text


def test_messages_come_in_the_language_chosen(app: Flask) -> None:
    user = steps.person(app, language="ar")
    client = factories.browser_of(app, user, "ar")
    page = client.submit(client.get("/my/account/"), {"lang": "en"}, form="#language-form")
    assert page.soup.html is not None and page.soup.html["lang"] == "en"
    assert tell(app, user, "request:sent") == [("email", "en"), ("sms", "en")]
    chosen = page.soup.select_one("#lang option[selected]")
    assert chosen is not None and chosen["value"] == "en"


@PLACES
def test_my_data_is_asked_made_and_downloaded_by_its_owner_alone(
    app: Flask, area: str, lang: str
) -> None:
    user = steps.person(app, area, language=lang)
    client, stranger = (
        factories.browser_of(app, user, lang),
        factories.browser_of(app, steps.person(app, area), lang),
    )
    lead = {"ar": "الحصول على نسخة من بياناتي", "en": "Get a copy of my data"}[lang]
    page = client.get(client.get(f"/{area}/account/").link(lead))
    client.get(f"/{area}/account/data/file", status=404)
    page = client.submit(page, {"current_password": "Wrong-7-Password!"}, form="#data-form")
    assert page.error_of("current_password") == TEXTS[lang]["password"]
    assert count(app, DataCopy) == 0
    page = client.submit(page, {"current_password": PASSWORD}, form="#data-form")
    assert TEXTS[lang]["making"] in page.text
    assert page.soup.select_one("#data-form") is None
    with app.app_context():
        assert data_exports.make_waiting(utc_now()) == 1
    page = client.get(f"/{area}/account/data")
    assert TEXTS[lang]["ready"] in page.text
    file = client.http.get(f"/{area}/account/data/file")
    headers = file.headers
    assert headers["Content-Type"] == "application/zip"
    assert headers["Content-Disposition"].startswith('attachment; filename="my-data-')
    assert headers["Cache-Control"] == "no-store"
    with ZipFile(io.BytesIO(file.get_data())) as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("profile.json"))["email"] == user.email
    stranger.get(f"/{area}/account/data/file", status=404)
    assert steps.browser(app).http.get(f"/{area}/account/data/file").status_code == 302
    notice = client.get(f"/{area}/notices/")
    page = client.submit(notice, form=".notice form")
    assert page.url == f"/{area}/account/data"


@PLACES
def test_sessions_are_named_and_all_others_end_at_once(app: Flask, area: str, lang: str) -> None:
    user = steps.person(app, area)
    client, stranger = (
        factories.browser_of(app, user, lang),
        factories.browser_of(app, steps.person(app, area), lang),
    )
    others = [factories.browser_of(app, user, lang) for _each in range(2)]
    page = client.get(f"/{area}/account/")
    shown = page.soup.select_one("#sessions")
    assert shown is not None
    assert len(shown.select("li")) == 3
    page = client.submit(page, form="form[action$='/end-others']")
    assert TEXTS[lang]["ended"] in page.text
    assert page.soup.select_one("form[action$='/end-others']") is None
    for other in others:
        assert other.http.get(f"/{area}/account/").status_code == 302
    stranger.get(f"/{area}/account/")
    with app.app_context():
        assert "session:end:others" in db.session.scalars(sa.select(AccessEvent.kind)).all()


@PLACES
def test_every_page_warns_before_the_idle_end_and_prolongs_on_wish(
    app: Flask, area: str, lang: str
) -> None:
    client = factories.browser_of(app, steps.person(app, area), lang)
    seconds = {"my": "1800", "office": "900"}[area]
    for path in ("", "contact/email", "contact/mobile", "notices", "data"):
        page = client.get(f"/{area}/account/{path}")
        body = page.soup.body
        assert body is not None
        assert body["data-idle-seconds"] == seconds
        assert page.soup.select_one("#idle-dialog") is not None
    other = factories.browser_of(app, steps.person(app, area), lang)
    token = page.soup.select_one("meta[name='csrf-token']")
    assert token is not None
    nearly = timedelta(seconds=int(seconds) - 60)
    with time_machine.travel(utc_now() + nearly, tick=False) as clock:
        stay = client.http.post(body["data-stay-url"], headers={"X-CSRFToken": token["content"]})
        assert stay.status_code == 200
        clock.shift(nearly)
        client.get(f"/{area}/account/data")
        assert other.http.get(f"/{area}/account/data").status_code == 302


def test_looking_changes_nothing(app: Flask) -> None:
    client = factories.browser_of(app, steps.person(app))
    for path in ("", "notices", "data"):
        client.get(f"/my/account/{path}")
        assert client.http.head(f"/my/account/{path}").status_code == 200
    assert client.http.get("/my/account/sessions/end-others").status_code == 405
    assert [count(app, each) for each in (NoticePreference, DataCopy, Event, Delivery)] == [0] * 4


@pytest.mark.parametrize("path", ["contact/email", "notices", "data", "data/file"])
def test_the_other_areas_account_is_not_there(app: Flask, path: str) -> None:
    factories.browser_of(app, steps.person(app)).get(f"/office/account/{path}", status=404)
    factories.browser_of(app, steps.person(app, "office")).get(f"/my/account/{path}", status=404)


NAMES = {
    "ar": ("تم حفظ اسمك.", "سالم العتيبي", "بالحروف الإنجليزية فقط"),
    "en": ("Your name was saved.", "Salem Alotaibi", "in English letters only"),
}


@pytest.mark.parametrize("lang", ["ar", "en"])
@pytest.mark.parametrize("area", ["my", "office"])
def test_the_latin_name_is_stored_and_shown_in_english(app: Flask, area: str, lang: str) -> None:
    user = steps.person(app, area, first_name="سالم", last_name="العتيبي")
    client = factories.browser_of(app, user, lang)
    said, shown, wrong = NAMES[lang]
    page = client.get(f"/{area}/account/")
    page = client.submit(page, {"latin_name": "سالم"}, form="#name-form")
    assert wrong in page.error_of("latin_name")
    page = client.submit(page, {"latin_name": " "}, form="#name-form")
    assert page.error_of("latin_name") == steps.TEXTS[lang]["needed"]
    page = client.submit(page, {"latin_name": "Salem  Alotaibi"}, form="#name-form")
    assert page.url == f"/{area}/account/"
    assert said in page.text
    assert page.soup.select_one(".welcome bdi").get_text() == shown
    assert page.soup.select_one("#latin_name")["value"] == "Salem Alotaibi"
    with app.app_context():
        assert db.session.get_one(User, user.id).latin_name == "Salem Alotaibi"


@pytest.mark.parametrize(("lang", "shown"), [("ar", "سالم العتيبي"), ("en", "Salem Alotaibi")])
def test_a_mail_greets_in_the_letters_of_its_language(app: Flask, lang: str, shown: str) -> None:
    names = {"first_name": "سالم", "last_name": "العتيبي", "latin_name": "Salem Alotaibi"}
    user = steps.person(app, "office", language=lang, **names)
    with app.app_context():
        notices.notify_user("office:late", user_id=user.id, params=ABOUT, now=utc_now())
        (mail,) = db.session.scalars(sa.select(Delivery).where(Delivery.channel == "email"))
        assert shown in mail.body.splitlines()[0]


@pytest.mark.parametrize(
    ("gender", "lang", "greeting"),
    [
        ("male", "ar", "السيد سالم العتيبي المحترم،"),
        ("female", "ar", "السيدة سالم العتيبي المحترمة،"),
        (None, "ar", "سالم العتيبي، تحية طيبة وبعد،"),
        ("female", "en", "Dear سالم العتيبي,"),
    ],
)
def test_a_mail_greets_by_gender_where_it_is_known(
    app: Flask, gender: str | None, lang: str, greeting: str
) -> None:
    names = {"first_name": "سالم", "last_name": "العتيبي"}
    user = steps.person(app, "office", language=lang, gender=gender, **names)
    with app.app_context():
        notices.notify_user("office:late", user_id=user.id, params=ABOUT, now=utc_now())
        (mail,) = db.session.scalars(sa.select(Delivery).where(Delivery.channel == "email"))
        first = mail.body.splitlines()[0]
        assert first.translate(dict.fromkeys(map(ord, "\u2066\u2067\u2068\u2069"))) == greeting
