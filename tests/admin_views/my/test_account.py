"""My account: what it shows, the password, sessions seen and ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from clearance.auth.passwords import verify_password
from clearance.core.extensions import db
from clearance.models import User
from tests.admin_views.my.conftest import People
from tests.support import factories
from tests.support.pages import PageClient

NEW = "Safina-42-Rih?"


def change(client: PageClient, **values: str) -> object:
    typed = {
        "current_password": factories.PASSWORD,
        "new_password": NEW,
        "new_password_confirm": NEW,
    }
    return client.submit(client.get("/my/account/"), typed | values, form="#password-form")


def password_is(app: Flask, user: User, password: str) -> bool:
    with app.app_context():
        row = db.session.get_one(User, user.id, populate_existing=True)
        return verify_password(row.password_hash, password)


def test_the_account_shows_names_contact_and_organisations(
    mine: PageClient, people: People
) -> None:
    text = mine.get("/my/account/").text
    for shown in (people.owner.first_name, people.owner.email, people.owner.mobile):
        assert shown in text
    assert "Role Applicant" in text  # a person is no organisation type
    assert "General user" in text


def test_the_password_changes_and_other_sessions_end(
    app: Flask, browser: Callable[..., PageClient], mine: PageClient, people: People
) -> None:
    other = browser(people.owner)
    page = change(mine)
    assert "Your password was changed." in page.text
    assert password_is(app, people.owner, NEW)
    mine.get("/my/account/")
    assert other.http.get("/my/account/").status_code == 302


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"current_password": "Wrong-7-Password!"}, "current_password"),
        ({"current_password": ""}, "current_password"),
        ({"new_password_confirm": "Other-42-Rih?"}, "new_password_confirm"),
        ({"new_password": "short", "new_password_confirm": "short"}, "new_password"),
        ({"new_password": "Kuwait@2026", "new_password_confirm": "Kuwait@2026"}, "new_password"),
    ],
)
def test_a_refused_password_is_told_beside_its_field(
    app: Flask, mine: PageClient, people: People, values: dict[str, str], wrong: str
) -> None:
    page = change(mine, **values)
    assert page.error_of(wrong)
    assert password_is(app, people.owner, factories.PASSWORD)
    assert NEW not in page.response.get_data(as_text=True)


def test_another_session_of_mine_can_be_ended(
    browser: Callable[..., PageClient], mine: PageClient, people: People
) -> None:
    other = browser(people.owner)
    page = mine.get("/my/account/")
    assert page.text.count("This browser") == 1
    mine.submit(page, form="form[action*='/sessions/']")
    assert other.http.get("/my/").status_code == 302
    mine.get("/my/")


def test_nobody_ends_a_session_of_others(
    browser: Callable[..., PageClient], mine: PageClient, people: People
) -> None:
    other, page = browser(people.owner), mine.get("/my/account/")
    address = page.form("form[action*='/sessions/']")["action"]
    browser(people.foreign).post(address, {}, status=404)
    other.get("/my/")


def test_keys_in_lists_are_switched_off_for_the_person(
    browser: Callable[..., PageClient], mine: PageClient, people: People
) -> None:
    assert mine.get("/my/requests/").soup.body.has_attr("data-keys")
    page = mine.get("/my/account/")
    saved = mine.submit(page, {"uses_keys": None}, form="#keys-form")
    assert "Your choice was saved." in saved.text
    elsewhere = browser(people.owner).get("/my/requests/")
    assert not elsewhere.soup.body.has_attr("data-keys")
    assert elsewhere.soup.select_one("#keys-dialog") is None
    assert browser(people.granted).get("/my/requests/").soup.body.has_attr("data-keys")
    assert (
        "Nothing was changed."
        in mine.submit(mine.get("/my/account/"), {"uses_keys": None}, form="#keys-form").text
    )
