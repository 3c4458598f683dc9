"""Forms of requests about licences: what is known, what is only shown, what is warned of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from clearance.core.clock import kuwait_today
from clearance.core.extensions import db
from clearance.models import Licence, Request
from tests.admin_views.my.conftest import People
from tests.support import request_factories
from tests.support.issued_factories import make_licence
from tests.support.pages import PageClient

TODAY = kuwait_today()
SOON, END, ASKED = (TODAY + timedelta(days=days) for days in (20, 500, 700))


@pytest.fixture
def licence(app: Flask, people: People) -> Licence:
    with app.app_context():
        made = make_licence(people.organisation, expires=SOON, passport_expiry=END)
        db.session.refresh(made)
        return made


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ar", f"جواز السفر: تاريخ الانتهاء {END:%d/%m/%Y}"),
        ("en", f"Passport expires on {END:%d/%m/%Y}"),
    ],
)
def test_renewal_beyond_the_passport_is_warned_of(
    app: Flask,
    people: People,
    licence: Licence,
    browser: Callable[..., PageClient],
    language: str,
    words: str,
) -> None:
    with app.app_context():
        draft = request_factories.make_draft(
            people.owner,
            "renewal",
            licence_id=licence.id,
            licence_expiry=ASKED,
            passport_expiry=END,
        )
    page = browser(people.owner, language).get(f"/my/requests/{draft.id}/form")
    assert words in page.text
    assert f"{ASKED:%d/%m/%Y}" in page.text


def test_reason_of_a_suspension_is_asked_and_the_register_only_shown(
    app: Flask, people: People, licence: Licence, mine: PageClient
) -> None:
    with app.app_context():
        draft = request_factories.make_draft(people.owner, "suspension", licence_id=licence.id)
    page = mine.get(f"/my/requests/{draft.id}/form")
    for shown in ("civil_id", "licence_expiry", "guarantee_no", "name_ar_1"):
        assert page.soup.find(attrs={"name": shown}) is None
    assert f"{SOON:%d/%m/%Y}" in page.text
    mine.submit(page, {"reason": "سفر طويل"}, form="#request-form")
    with app.app_context():
        assert db.session.get_one(Request, draft.id).answers["reason"] == "سفر طويل"
