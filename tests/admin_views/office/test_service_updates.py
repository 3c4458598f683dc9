"""Bringing an overtaken draft up to date on its page: what is asked, taken over and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.services import drafting, versions
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.pages import Page, PageClient
from tests.support.permit import PERMIT, permit

CODE = "temporary_permit"
DRAFT = f"/office/services/{CODE}/draft"
UPDATE = f"{DRAFT}/update/"


@pytest.fixture
def overtaken(app: Flask) -> None:
    """A draft of 9 days with another title, overtaken by a version of 7 days with a new field."""
    with app.app_context():
        requests.load_services()
        requests.publish(PERMIT)
        actor = actor_of(factories.make_staff("administrator"))
        change(lambda document: document.update(processing_days=9))
        change(lambda document: document["title"].update(en="Port pass"))
        in_use = permit(processing_days=7)
        label = {"ar": "رقم السفينة", "en": "Number of the ship"}
        in_use["fields"].append({"name": "ship_no", "type": "text", "label": label})
        versions.publish(in_use, actor.id, utc_now())
        db.session.commit()


def change(apply: Callable[[dict[str, Any]], object]) -> None:
    actor = actor_of(factories.make_staff("administrator"))
    drafting.change(CODE, apply, None, actor, utc_now())
    db.session.commit()


def signed_in(app: Flask, role: str = "administrator", lang: str = "en") -> PageClient:
    with app.app_context():
        client = PageClient(app, language=lang)
        factories.sign_in(client, factories.make_staff(role))
    return client


def document(app: Flask) -> dict[str, Any]:
    with app.app_context():
        return drafting.source(CODE).document


def update(client: PageClient, page: Page, status: int = 200, **answers: str) -> Page:
    return client.submit(page, answers, form="#update-form", status=status)


@pytest.mark.usefixtures("overtaken")
@pytest.mark.parametrize(("answer", "days"), [("draft", 9), ("in_use", 7), ("nonsense", 9)])
def test_the_administrator_chooses_what_counts_and_publishes(
    app: Flask, answer: str, days: int
) -> None:
    client = signed_in(app)
    page = client.get(f"{DRAFT}/publish/")
    assert "Version 2 was published after this draft was begun." in page.text
    assert page.soup.select_one("#publish-form") is None
    page = client.get(UPDATE)
    question = page.soup.select_one("#counts_0")
    assert "Working days to respond" in question.text
    assert "In the draft: 9" in question.text and "Version 2: 7" in question.text
    assert "Number of the ship" in page.soup.select_one("table").text
    page = update(client, page, counts_0=answer, **{f"counts_{'9' * 5000}": "in_use"})
    assert "The draft is up to date." in page.text and "No faults" in page.text
    found = document(app)
    assert (found["processing_days"], found["title"]["en"]) == (days, "Port pass")
    assert found["fields"][-1]["name"] == "ship_no"
    client.submit(client.get(f"{DRAFT}/publish/"), {"why": "so"}, form="#publish-form")
    with app.app_context():
        assert versions.newest_of(CODE).number == 3
    assert client.get(UPDATE).soup.select_one("#update-form") is None


@pytest.mark.usefixtures("overtaken")
def test_a_draft_that_was_changed_meanwhile_is_shown_again(app: Flask) -> None:
    client = signed_in(app)
    page = client.get(UPDATE)
    with app.app_context():
        change(lambda document: document.update(bulk=True))
    page = update(client, page, counts_0="in_use", status=409)
    assert "changed this draft in the meantime" in page.text
    assert document(app)["processing_days"] == 9
    update(client, page)
    assert document(app)["bulk"] is True


@pytest.mark.usefixtures("overtaken")
def test_the_second_of_two_administrators_is_told_what_the_first_one_did(app: Flask) -> None:
    client, other = signed_in(app), signed_in(app)
    pages = client.get(UPDATE), other.get(UPDATE)
    update(client, pages[0], counts_0="in_use")
    page = update(other, pages[1], counts_0="draft")
    assert "changed this draft in the meantime" in page.text
    assert document(app)["processing_days"] == 7
    client.submit(client.get(f"{DRAFT}/basics/"), {}, form="form[action$='/undo']")
    assert "Version 2 was published" in client.get(f"{DRAFT}/basics/").text


@pytest.mark.usefixtures("overtaken")
def test_a_manager_reads_that_a_draft_is_overtaken_and_cannot_update_it(app: Flask) -> None:
    client = signed_in(app, "manager", "ar")
    page = client.get(f"{DRAFT}/form/")
    assert "نُشر الإصدار 2" in page.text
    assert page.soup.select_one("a[href$='/update/']") is None
    client.get(UPDATE, status=404)
