"""Pages left open while their session ended: what was typed is kept, and one click goes on."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth import sessions
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import AccessEvent, Request, User
from tests.journeys import steps
from tests.support import factories
from tests.support.pages import Page, PageClient, form_data
from tests.support.request_factories import load_services, make_draft, make_sent

NAME_FORM = "#name-form"
UNSENT = "form[data-unsent]"


@pytest.fixture
def user(app: Flask) -> User:
    with app.app_context():
        return factories.make_agent(language="en")


@pytest.fixture
def client(app: Flask, user: User) -> PageClient:
    return factories.browser_of(app, user, language=None)


def end_sessions(app: Flask, user: User) -> None:
    with app.app_context():
        sessions.end_sessions(utc_now(), user_id=user.id)
        db.session.commit()


def latin_name(app: Flask, user: User) -> str | None:
    with app.app_context():
        return db.session.scalar(sa.select(User.latin_name).where(User.id == user.id))


def sign_in_again(client: PageClient, user: User) -> None:
    client.post("/logout", {})
    steps.sign_in(client, user.email)


@pytest.mark.parametrize("how", ["ended elsewhere", "signed out in this browser"])
def test_what_was_typed_when_signed_out_is_sent_after_signing_in(
    app: Flask, client: PageClient, user: User, how: str
) -> None:
    page = client.get("/my/account/")
    if how == "ended elsewhere":
        end_sessions(app, user)
    else:
        client.post("/logout", {})
    late = client.submit(page, {"latin_name": "Salem"}, form=NAME_FORM, status=401)
    assert late.h1 == "What you typed was not sent yet"
    assert late.soup.select_one('a.button[href="/login?next=/my/account/"]')
    steps.sign_in(client, user.email)
    known = client.submit(late, form=UNSENT, status=409)
    assert latin_name(app, user) != "Salem"  # nothing is done without a click in this session
    done = client.submit(known, form=UNSENT)
    assert "Your name was saved." in done.text
    assert latin_name(app, user) == "Salem"


def test_who_signed_in_again_needs_one_click(app: Flask, client: PageClient, user: User) -> None:
    page = client.get("/my/account/")
    sign_in_again(client, user)
    late = client.submit(page, {"latin_name": "Salem"}, form=NAME_FORM, status=409)
    assert latin_name(app, user) != "Salem"
    client.submit(late, form=UNSENT)
    assert latin_name(app, user) == "Salem"


def test_another_persons_form_is_never_sent(app: Flask, client: PageClient, user: User) -> None:
    with app.app_context():
        other = factories.make_agent(language="en")
    page = client.get("/my/account/")
    sign_in_again(client, other)
    refused = client.submit(page, {"latin_name": "Salem"}, form=NAME_FORM, status=400)
    assert "belongs to an earlier session" in refused.text
    assert "Salem" not in refused.text
    assert latin_name(app, other) != "Salem"


def test_a_visitors_token_sends_nothing_of_who_is_signed_in(
    app: Flask, client: PageClient, user: User
) -> None:
    token = PageClient(app).csrf_token()
    posted = {"csrf_token": token, "latin_name": "Salem"}
    refused = client.post("/my/account/name", posted, status=400)
    assert refused.soup.select_one(UNSENT) is None
    assert latin_name(app, user) != "Salem"


def test_passwords_are_not_sent_back(client: PageClient, user: User) -> None:
    page = client.get("/my/account/")
    sign_in_again(client, user)
    typed = {"current_password": "Canary-1", "new_password": "Canary-2"}
    late = client.submit(page, typed, form="#password-form", status=409)
    assert "Canary" not in late.response.get_data(as_text=True)
    assert "We do not keep passwords or codes" in late.text


def test_the_refusal_is_on_the_trail(app: Flask, client: PageClient, user: User) -> None:
    page = client.get("/my/account/")
    sign_in_again(client, user)
    client.submit(page, {"latin_name": "Salem"}, form=NAME_FORM, status=409)
    with app.app_context():
        kinds = db.session.scalars(sa.select(AccessEvent.kind)).all()
    assert "access:refused:csrf" in kinds


def draft_form(app: Flask, client: PageClient, user: User) -> tuple[int, Page]:
    with app.app_context():
        req = make_draft(db.session.get_one(User, user.id))
        db.session.commit()
        request_id = req.id
    return request_id, client.get(f"/my/requests/{request_id}/form")


def typed(page: Page, **values: Any) -> dict[str, Any]:
    return form_data(page.form("#request-form")) | values


def test_autosave_knows_who_is_signed_out_from_who_is_offline(
    app: Flask, client: PageClient, user: User
) -> None:
    request_id, page = draft_form(app, client, user)
    client.post("/logout", {})
    answer = client.http.post(
        f"/my/requests/{request_id}/form/autosave",
        data=typed(page),
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 401


def test_autosave_goes_on_with_the_new_sessions_token(
    app: Flask, client: PageClient, user: User
) -> None:
    request_id, page = draft_form(app, client, user)
    before = int(typed(page)["version"])
    sign_in_again(client, user)
    address, json = f"/my/requests/{request_id}/form/autosave", {"Accept": "application/json"}
    refused = client.http.post(address, data=typed(page), headers=json)
    assert refused.status_code == 400
    fresh = refused.get_json()["token"]
    saved = client.http.post(
        address, data=typed(page, csrf_token=fresh, residence_area="Salwa"), headers=json
    )
    assert saved.status_code == 200
    with app.app_context():
        assert db.session.get_one(Request, request_id).version == before + 1


def test_a_script_of_another_person_gets_no_token(
    app: Flask, client: PageClient, user: User
) -> None:
    request_id, page = draft_form(app, client, user)
    with app.app_context():
        other = factories.make_agent()
    sign_in_again(client, other)
    refused = client.http.post(
        f"/my/requests/{request_id}/form/autosave",
        data=typed(page),
        headers={"Accept": "application/json"},
    )
    assert refused.status_code == 400
    assert "token" not in refused.get_json()


def test_a_draft_begun_before_is_not_begun_again(
    app: Flask, client: PageClient, user: User
) -> None:
    with app.app_context():
        load_services()
    page = client.get("/my/services/exam/")
    first = client.submit(page, {"broker_type": "private"}, form="#start")
    sign_in_again(client, user)
    late = client.submit(page, {"broker_type": "private"}, form="#start", status=409)
    assert client.submit(late, form=UNSENT).url == first.url


def test_a_message_sent_before_leads_to_where_it_led(
    app: Flask, client: PageClient, user: User
) -> None:
    with app.app_context():
        request_id = make_sent(db.session.get_one(User, user.id)).id
    page = client.get(f"/my/requests/details/?id={request_id}")
    first = client.submit(page, {"body": "When?"}, form="#message-form")
    sign_in_again(client, user)
    again = client.submit(page, {"body": "When?"}, form="#message-form")
    assert again.url == first.url
    assert again.text.count("When?") == 1


@pytest.mark.parametrize(
    ("address", "form", "values"),
    [
        ("/login", "#sign-in-form", {"email": "a@example.com", "password": "x"}),
        ("/register", "#register-form", {"first_name": "فهد"}),
        ("/reset", "#reset-form", {"email": "a@example.com"}),
    ],
)
def test_a_public_page_left_open_is_shown_afresh_with_what_was_typed(
    app: Flask, address: str, form: str, values: dict[str, str]
) -> None:
    client = PageClient(app, language="en")
    page = client.get(address)
    client.http.delete_cookie("clearance")
    again = client.submit(page, values, form=form)
    assert "This page was open too long." in again.text
    name, value = next(iter(values.items()))
    assert again.soup.find(attrs={"name": name})["value"] == value
    assert not again.soup.select(".field-error")
    fresh = client.submit(again, values, form=form)
    assert "This page was open too long." not in fresh.text


def test_signing_in_twice_from_one_page_leads_home(app: Flask, user: User) -> None:
    client = PageClient(app, language="en")
    page = client.get("/login")
    values = {"email": user.email, "password": factories.PASSWORD}
    first = client.submit(page, values, form="#sign-in-form")
    again = client.submit(page, values, form="#sign-in-form")
    assert (first.url, again.url) == ("/my/", "/my/")


def test_signing_out_in_a_second_tab_leads_to_sign_in(client: PageClient) -> None:
    page = client.get("/my/")
    out = "form[action='/logout']"
    assert client.submit(page, form=out).url == "/login"
    assert client.submit(page, form=out).url.startswith("/login")


@pytest.mark.parametrize("address", ["/my/account/name", "/my/account/password"])
def test_the_language_of_a_refused_post_changes_in_place(client: PageClient, address: str) -> None:
    form, name = {"/my/account/name": (NAME_FORM, "latin_name")}.get(
        address, ("#password-form", "current_password")
    )
    page = client.submit(client.get("/my/account/"), {name: "سالم" * 3}, form=form)
    assert page.soup.select(".field-error")
    switched = client.submit(page, {name: "Salem 7"}, form=form, press="_language=ar")
    assert switched.soup.html["lang"] == "ar"
    if name == "latin_name":
        assert switched.soup.find(attrs={"name": name})["value"] == "Salem 7"


def test_the_language_of_an_error_page_leads_back_to_the_form(client: PageClient) -> None:
    page = client.get("/my/account/")
    http = client.http.post(
        "/my/account/sessions/999/end",
        data={"csrf_token": client.csrf_token()},
        headers={"Referer": f"http://localhost{page.url}"},
    )
    assert http.status_code == 404
    assert 'name="next" value="/my/account/"' in http.get_data(as_text=True)
