"""Nationalities are kept by the office: offered, in its order, and named as it says."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.models import Event, Nationality, Request, User
from clearance.models.enums import Role
from tests.support import request_factories
from tests.support.issued_factories import make_licence
from tests.support.office_people import Office
from tests.support.pages import Page

LIST = "/office/nationalities/"


def change(office: Office, code: str, values: dict[str, Any]) -> Page:
    browser = office.staff(Role.ADMINISTRATOR)
    return browser.submit(browser.get(f"{LIST}edit/?id={code}"), values, form="#record")


def options(page: Page, name: str = "nationality") -> list[str]:
    return [option["value"] for option in page.soup.select(f'select[name="{name}"] option')]


def draft_of(office: Office, **values: Any) -> tuple[str, int]:
    """The address of a new exam draft's form, and its id."""
    user = office.agent()
    with office.app.app_context():
        req = request_factories.make_draft(
            db.session.get_one(User, user), with_documents=False, **values
        )
        return f"/my/requests/{req.id}/form", req.id


@pytest.mark.databases
def test_a_new_one_is_offered_where_the_office_puts_it(office: Office) -> None:
    browser = office.staff(Role.ADMINISTRATOR)
    values = {"code": "xk", "name_ar": "كوسوفو", "name_en": "Kosovo", "position": "2"}
    browser.submit(browser.get(f"{LIST}new/"), values, form="#record")
    url, _id = draft_of(office)
    assert options(office.browser(office.agent()).get(url))[:4] == ["", "KW", "XK", "SA"]
    with office.app.app_context():
        event = db.session.scalars(
            sa.select(Event).where(Event.kind == "reference:nationality:created")
        ).one()
        assert (event.object_id, event.changes["name_en"]) == ("XK", [None, "Kosovo"])


@pytest.mark.parametrize("code", ["K", "KWT", "K1", "كو"])
def test_a_code_that_is_not_two_letters_is_refused(office: Office, code: str) -> None:
    browser = office.staff(Role.ADMINISTRATOR)
    values = {"code": code, "name_ar": "كوسوفو", "name_en": "Kosovo"}
    page = browser.submit(browser.get(f"{LIST}new/"), values, form="#record")
    assert page.error_of("code")
    with office.app.app_context():
        assert db.session.scalar(sa.select(sa.func.count(Nationality.code))) == 243


def test_one_no_longer_offered_stays_on_the_form_of_whoever_has_it(office: Office) -> None:
    has_it, first = draft_of(office, nationality="JO")
    has_not, second = draft_of(office)
    browser = office.browser(office.agent())
    before = browser.get(has_not)
    change(office, "JO", {"is_active": None})
    assert "JO" in options(browser.get(has_it))
    assert "JO" not in options(browser.get(has_not))
    browser.submit(browser.get(has_it), {"address": "السالمية"}, form="#request-form")
    page = browser.submit(before, {"nationality": "JO"}, form="#request-form", press="submit=save")
    assert "options listed" in page.error_of("nationality")
    with office.app.app_context():
        stored = {id: db.session.get_one(Request, id) for id in (first, second)}
        assert (stored[first].nationality, stored[first].address) == ("JO", "السالمية")
        assert stored[second].nationality == "KW"


def test_it_is_shown_by_its_name_though_no_longer_offered_and_can_be_kept(office: Office) -> None:
    change(office, "EG", {"is_active": None, "name_en": "Arab Republic of Egypt"})
    with office.app.app_context():
        licence = make_licence(nationality="EG")
        broker_id, licence_id = licence.broker_id, licence.id
    reviewer = office.staff()
    assert "Arab Republic of Egypt" in reviewer.get(f"/office/brokers/{broker_id}/").text
    page = reviewer.get(f"/office/licences/{licence_id}/do/correct")
    assert "EG" in options(page)


@pytest.mark.parametrize("typed", ["الأرد", "jordan", "JOR"])
def test_the_list_is_searched_by_name_and_code(office: Office, typed: str) -> None:
    page = office.staff(Role.MANAGER).get(f"{LIST}?search={typed}")
    assert [row.get_text() for row in page.soup.select("tbody td:nth-of-type(2)")] == ["Jordan"]
