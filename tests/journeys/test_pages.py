"""Pages to read, image texts and probes, in both languages."""

from __future__ import annotations

import resource
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core import schema
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.files import storage
from clearance.models import Announcement, Setting
from clearance.services import versions
from tests.journeys import steps
from tests.support import factories, request_factories
from tests.support.pages import ARABIC

PAGES = [
    "/",
    "/login",
    "/register",
    "/register/sent",
    "/reset",
    "/reset/sent?ref=x",
    "/reset/confirm?ref=x",
    "/terms",
    "/support",
    "/guide",
]


@pytest.mark.parametrize("lang", ["ar", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_a_public_page_is_whole_in_its_language(app: Flask, path: str, lang: str) -> None:
    page = steps.browser(app, lang).get(path)
    assert page.soup.html["lang"] == lang
    main = page.soup.main.get_text(" ")
    for own in page.soup.main.select("bdi, [lang]"):
        main = main.replace(own.get_text(), "")
    assert bool(ARABIC.search(main)) == (lang == "ar")
    assert page.response.headers["Cache-Control"] == "no-store"
    assert "default-src 'self'" in page.response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_the_welcome_page_shows_services_and_current_announcements(app: Flask, lang: str) -> None:
    now = utc_now()
    with app.app_context():
        versions.publish_missing(now)
        for title, start, end in (
            ("now", now - timedelta(days=1), None),
            ("over", now - timedelta(days=9), now - timedelta(days=1)),
            ("later", now + timedelta(days=1), None),
        ):
            db.session.add(
                Announcement(
                    title_ar=f"إعلان {title}",
                    title_en=f"News {title}",
                    body_ar="<b>نص</b>",
                    body_en="<b>Text</b>",
                    published_at=start,
                    ends_at=end,
                )
            )
        db.session.commit()
        titles = [version.definition.title_in(lang) for version in versions.all_current()]
    page = steps.browser(app, lang).get("/")
    assert ("إعلان now" if lang == "ar" else "News now") in page.text
    assert [title for title in ("over", "later") if f"News {title}" in page.text] == []
    assert [title for title in ("over", "later") if f"إعلان {title}" in page.text] == []
    assert "<b>" in page.text  # shown as typed, not as markup
    assert titles
    for title in titles:
        assert title in page.text
        assert title in steps.browser(app, lang).get("/guide").text


def test_the_support_page_shows_the_offices_settings(app: Flask) -> None:
    with app.app_context():
        db.session.add(Setting(key="support_phone", value="+965 1802 222"))
        db.session.commit()
    page = steps.browser(app, "en").get("/support")
    assert "+965 1802 222" in page.soup.main.get_text()
    assert "+965 1802 222" in page.soup.footer.get_text()
    assert page.soup.select_one('main a[href="tel:+9651802222"]')


def test_a_picture_of_the_guide_is_shown_when_there_is_one(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clearance.public import pages as public_pages

    seen = []

    def picture(name: str) -> str | None:
        seen.append(name)
        return "img/logo.svg" if name == "exam" else None

    monkeypatch.setattr(public_pages, "_picture", picture)
    page = steps.browser(app, "en").get("/guide")
    shown = page.soup.select("main figure img")
    assert [image["alt"] for image in shown] == ["Confirming exam attendance"]
    assert {"register", "verify", "reset", "services", "request", "details"} <= set(seen)


def test_the_image_text_is_a_picture_and_a_sound_and_says_nothing_else(app: Flask) -> None:
    client = steps.browser(app)
    page = client.get("/register")
    text = steps.image_text(app, page)
    box = page.soup.select_one("[data-captcha]")
    image = client.http.get(box.img["src"])
    assert image.mimetype == "image/png"
    assert image.data.startswith(b"\x89PNG")
    for lang in ("ar", "en"):
        sound = client.http.get(f"{box.select_one('[data-captcha-audio]')['href']}&lang={lang}")
        assert sound.mimetype == "audio/wav"
        assert sound.data.startswith(b"RIFF")
    assert text not in str(page.soup)
    assert text not in str(image.headers)
    assert image.headers["Cache-Control"] == "no-store"
    with client.http.session_transaction() as cookie:
        assert text not in str(dict(cookie))


def test_another_image_text_comes_as_json(app: Flask) -> None:
    client = steps.browser(app)
    data = {"csrf_token": client.csrf_token()}
    answer = client.http.post("/captcha?form=reset", data=data).get_json()
    assert set(answer) == {"ref", "image_url", "audio_url"}
    assert client.http.get(answer["image_url"]).status_code == 200
    assert client.http.post("/captcha?form=No%20Form", data=data).status_code == 404
    assert client.http.post("/captcha?form=reset").status_code == 400


def test_a_spent_or_unknown_image_text_is_gone(app: Flask) -> None:
    client = steps.browser(app)
    page = client.get("/reset")
    source = page.soup.select_one("[data-captcha] img")["src"]
    client.submit(page, {"captcha": "wrong"}, form="#reset-form")
    assert client.http.get(source).status_code == 404
    assert client.http.get("/captcha/unknown.wav").status_code == 404


def test_too_many_image_texts_get_429(app: Flask) -> None:
    client = steps.browser(app)
    for _ in range(60):
        client.http.get("/reset")
    page = client.get("/reset", status=429)
    assert int(page.response.headers["Retry-After"]) > 0


@pytest.mark.databases
def test_the_probes_say_only_ok(app: Flask) -> None:
    client = steps.browser(app)
    for path in ("/healthz", "/readyz"):
        response = client.http.get(path)
        assert (response.status_code, response.data) == (200, b"ok\n")


@pytest.mark.databases
def test_readiness_names_services_out_of_order_and_stays_ready(app: Flask) -> None:
    with app.app_context():
        request_factories.store()
        request_factories.store(code="gone", prefix="GO", flow="gone")
        request_factories.store(code="odd", prefix="OD", guards={"send": ["gone"]})
    response = steps.browser(app).http.get("/readyz")
    assert response.status_code == 200
    assert response.get_data(as_text=True) == "ok\nservices out of order: gone, odd\n"


@pytest.mark.databases
def test_an_old_schema_is_not_ready(app: Flask) -> None:
    with app.test_request_context(method="POST"):
        db.session.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
        db.session.commit()
    response = steps.browser(app).http.get("/readyz")
    assert (response.status_code, response.data) == (503, b"not ready\n")
    assert steps.browser(app).http.get("/healthz").status_code == 200


def test_a_later_releases_schema_leaves_the_old_process_ready(app: Flask) -> None:
    with app.app_context():
        db.session.execute(sa.text("UPDATE alembic_version SET version_num = 'later'"))
        db.session.commit()
    assert steps.browser(app).http.get("/readyz").status_code == 200


def test_without_a_database_the_process_is_alive_but_not_ready(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(connection: object) -> bool:
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(schema, "is_new_enough", gone)
    response = steps.browser(app).http.get("/readyz")
    assert (response.status_code, response.data) == (503, b"not ready\n")


def test_a_storage_that_cannot_be_written_is_not_ready(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "is_ready", lambda: False)
    assert steps.browser(app).http.get("/readyz").status_code == 503


@pytest.mark.databases
def test_a_full_disk_is_not_ready_and_tells_when_to_ask_again(app: Flask) -> None:
    """A process that may write no byte to a file is answered as on a full disk."""
    client = steps.browser(app)
    assert client.http.get("/readyz").status_code == 200
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        full = client.http.get("/readyz")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (full.status_code, full.headers["Retry-After"]) == (503, "30")
    assert client.http.get("/readyz").status_code == 200


def test_readiness_leaves_no_file_behind(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app(storage_url=f"file://{tmp_path / 'depot'}")
    assert steps.browser(app).http.get("/readyz").status_code == 200
    assert list((tmp_path / "depot").iterdir()) == []


def test_the_sign_in_page_lists_the_accounts_of_the_demonstration(app: Flask) -> None:
    client = steps.browser(app)
    assert client.get("/login").soup.select("#demo-accounts") == []
    app.extensions["demo_accounts"] = [
        {"email": "general@example.com", "password": "Nakhla-7-Bahr!", "about": "مستخدم عام"}
    ]
    try:
        shown = client.get("/login").soup.select_one("#demo-accounts").get_text(" ")
    finally:
        del app.extensions["demo_accounts"]
    assert "general@example.com" in shown
    assert "Nakhla-7-Bahr!" in shown


def test_an_address_that_does_not_exist_is_not_found_for_everybody(app: Flask) -> None:
    steps.browser(app).get("/nothing/here", status=404)
    with app.app_context():
        user = factories.make_agent()
    client = factories.browser_of(app, user, "ar")
    client.get("/nothing/here", status=404)


def test_with_the_database_away_somebody_signed_in_is_told_so(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app()
    with app.app_context():
        user = factories.make_agent()
    client = factories.browser_of(app, user, "ar")

    @sa.event.listens_for(_engine(app), "begin")
    def _away(connection: sa.Connection) -> None:
        raise sa.exc.OperationalError("BEGIN", {}, Exception("the database is away"))

    page = client.get("/guide", status=503)
    assert page.soup.html["lang"] == "ar"
    assert "database is away" not in page.text
    assert page.response.headers["Retry-After"]


def _engine(app: Flask) -> sa.Engine:
    with app.app_context():
        return db.engine
