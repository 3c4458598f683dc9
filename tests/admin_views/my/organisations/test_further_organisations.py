"""Adding another organisation to one's account: by its licence at customs, or by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db
from clearance.models import (
    Broker,
    CustomsAccount,
    Event,
    Membership,
    Notice,
    Organisation,
    User,
)
from tests.admin_views.my.conftest import People
from tests.support import customs_system, factories
from tests.support.pages import Page, PageClient, form_data
from tests.support.parallel import run_together

PAGE = "/my/organisations/"
ACCOUNT = {
    "licence_no": customs_system.LICENCE_NO,
    "customs_user": customs_system.USER,
    "customs_password": customs_system.PASSWORD,
}


@pytest.fixture
def holder(app: Flask, people: People) -> User:
    """An agent of one office, who holds the licence of another that customs knows."""
    with app.app_context():
        db.session.add(
            CustomsAccount(
                licence_no=customs_system.LICENCE_NO,
                customs_user=customs_system.USER,
                password_hash=factories.password_hash(customs_system.PASSWORD),
                answer=customs_system.answer(),
            )
        )
        return factories.make_agent(civil_id=customs_system.HOLDER_CIVIL_ID)


def of_licence() -> Organisation:
    number = customs_system.LICENCE_NO
    return db.session.scalars(sa.select(Organisation).filter_by(licence_no=number)).one()


def claim(client: PageClient, status: int = 200, **values: Any) -> Page:
    page = client.get(PAGE)
    return client.submit(page, ACCOUNT | values, form="#licensed-form", status=status)


def test_a_company_is_opened_under_the_same_account(
    app: Flask, mine: PageClient, people: People
) -> None:
    page = mine.get(mine.get("/my/organisation/").link("Add another organisation"))
    page = mine.submit(page, {"organisation_name": "شركة المرجان"}, form="#named-form")
    assert page.url == "/my/organisation/"
    assert "you are now working for it" in page.text
    chosen = page.soup.select_one("select[name=organisation] option[selected]")
    assert chosen is not None and chosen.text == "شركة المرجان"
    assert "شركة المرجان" in mine.get("/my/users/").text
    with app.app_context():
        company = db.session.scalars(
            sa.select(Organisation).filter_by(name_ar="شركة المرجان")
        ).one()
        assert company.legal_entity == "company"
        heads = db.session.scalars(sa.select(Membership).filter_by(organisation_id=company.id))
        assert [(general.user_id, general.is_general) for general in heads] == [
            (people.owner.id, True)
        ]
        kinds = db.session.scalars(sa.select(Event.kind).filter_by(organisation_id=company.id))
        assert {"account:organisation:opened", "member:user:joined"} <= set(kinds)
        told = db.session.scalars(sa.select(Notice).filter_by(user_id=people.owner.id)).all()
        assert [notice.event for notice in told] == ["account:access:changed"]


@pytest.mark.databases
def test_the_office_of_ones_licence_comes_with_its_brokers(
    app: Flask, holder: User, browser: Callable[..., PageClient]
) -> None:
    page = claim(browser(holder, "ar"))
    assert page.url == "/my/organisation/"
    assert "مكتب الكندري للتخليص" in page.text
    with app.app_context():
        office = of_licence()
        brokers = db.session.scalars(sa.select(Broker).filter_by(organisation_id=office.id)).all()
        assert [broker.civil_id for broker in brokers] == [customs_system.HOLDER_CIVIL_ID]
        assert office.general_broker_id == brokers[0].id


def test_who_left_the_office_of_their_licence_takes_it_up_again(
    app: Flask, holder: User, browser: Callable[..., PageClient]
) -> None:
    client = browser(holder)
    claim(client)
    with app.app_context():
        left = db.session.scalars(
            sa.select(Membership).filter_by(organisation_id=of_licence().id)
        ).one()
        left.is_active = left.is_general = False
        db.session.commit()
    assert claim(client).url == "/my/organisation/"
    with app.app_context():
        back = db.session.get_one(Membership, left.id)
        assert back.is_active and back.is_general


def test_ones_own_office_is_not_opened_a_second_time(
    holder: User, browser: Callable[..., PageClient]
) -> None:
    client = browser(holder)
    claim(client)
    page = claim(client, status=409)
    assert "already the general user of this organisation" in page.text


def test_a_licence_of_somebody_else_is_refused(
    app: Flask, holder: User, mine: PageClient, people: People
) -> None:
    page = claim(mine, status=409)
    assert "another person's civil number" in page.text
    with app.app_context():
        assert db.session.scalar(sa.select(Organisation).filter_by(licence_no="KW-1001")) is None


def test_an_office_with_a_general_user_is_not_given_away(
    app: Flask, holder: User, browser: Callable[..., PageClient]
) -> None:
    with app.app_context():
        office = factories.make_organisation(licence_no=customs_system.LICENCE_NO)
        factories.make_agent(office)
    page = claim(browser(holder), status=409)
    assert "already has a general user" in page.text
    with app.app_context():
        standings = sa.select(Membership).filter_by(user_id=holder.id)
        assert len(db.session.scalars(standings).all()) == 1


def test_what_customs_does_not_confirm_opens_nothing_and_is_not_shown_again(
    holder: User, browser: Callable[..., PageClient]
) -> None:
    page = claim(browser(holder), customs_password="Wrong-7-Demo!")
    assert "does not recognise" in page.soup.select_one(".error-summary").text
    assert "Wrong-7-Demo!" not in page.response.get_data(as_text=True)
    assert page.soup.select_one("[name=licence_no]")["value"] == customs_system.LICENCE_NO


def test_the_same_form_sent_twice_opens_one_company(
    app: Flask, mine: PageClient, people: People
) -> None:
    page = mine.get(PAGE)
    for _each in range(2):
        sent = mine.submit(page, {"organisation_name": "Pearl Company"}, form="#named-form")
        assert sent.url == "/my/organisation/"
    with app.app_context():
        found = db.session.scalars(sa.select(Organisation).filter_by(name_en="Pearl Company"))
        assert len(found.all()) == 1


def test_a_company_has_a_name_and_a_clearing_office_a_licence(
    app: Flask, mine: PageClient, people: People
) -> None:
    page = mine.submit(mine.get(PAGE), {"organisation_name": " "}, form="#named-form")
    assert page.error_of("organisation_name")
    forged = {"way": "named", "legal_entity": "clearing_agent", "organisation_name": "Pearl"}
    assert mine.post(PAGE, forged).error_of("legal_entity")
    with app.app_context():
        standings = sa.select(Membership).filter_by(user_id=people.owner.id)
        assert len(db.session.scalars(standings).all()) == 1


def test_only_so_many_organisations_are_opened_in_a_day(mine: PageClient, people: People) -> None:
    for number in range(3):
        mine.submit(mine.get(PAGE), {"organisation_name": f"Pearl {number}"}, form="#named-form")
    values = {"organisation_name": "Pearl 4"}
    mine.submit(mine.get(PAGE), values, form="#named-form", status=429)


def test_who_belongs_nowhere_can_open_an_organisation(
    app: Flask, people: People, browser: Callable[..., PageClient]
) -> None:
    with app.app_context():
        alone = factories.make_user()
    client = browser(alone)
    page = client.get(client.get("/my/").link("Open your own organisation"))
    page = client.submit(page, {"organisation_name": "Coral Company"}, form="#named-form")
    assert page.url == "/my/organisation/" and "Coral Company" in page.text


def test_the_other_language_keeps_what_was_typed_in_either_form(
    mine: PageClient, people: People
) -> None:
    page = mine.get(PAGE)
    for form, name in (("#named-form", "organisation_name"), ("#licensed-form", "licence_no")):
        page = mine.submit(page, {name: "KW-77", "_language": "ar"}, form=form)
        assert page.soup.html["lang"] == "ar"
        assert page.soup.select_one(f"[name={name}]")["value"] == "KW-77"
        assert page.soup.select_one("button[name=_language]")["form"] == form[1:]


@pytest.mark.databases
def test_two_browsers_at_once_open_the_office_of_a_licence_once(
    app: Flask, holder: User, browser: Callable[..., PageClient]
) -> None:
    clients = [browser(holder) for _each in range(3)]
    pages = [client.get(PAGE) for client in clients]

    answers: list[int] = []

    def send(place: int) -> None:
        form = form_data(pages[place].form("#licensed-form")) | ACCOUNT
        answers.append(clients[place].http.post(PAGE, data=form).status_code)

    run_together(send, len(clients))
    assert sorted(answers) == [303, 409, 409]
    with app.app_context():
        standings = sa.select(Membership).filter_by(organisation_id=of_licence().id)
        assert len(db.session.scalars(standings).all()) == 1
