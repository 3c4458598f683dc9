"""Hostile and crossed hands in the office's administration: staff, texts, settings, reference."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from admin_views.office.subscriptions import actions
from clearance.accounts import staff_accounts, staff_invitations
from clearance.auth.sessions import actor_of
from clearance.core import office_settings
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.office_setting_types import BadSetting
from clearance.core.values import BadValue
from clearance.models import (
    Announcement,
    BrokerType,
    Delivery,
    DocumentKind,
    Event,
    Invitation,
    LegalEntity,
    MessageText,
    Request,
    Setting,
    Subscription,
    User,
)
from clearance.models.enums import Channel, CodePurpose, DeliveryStatus, Role
from clearance.notifications import notices
from clearance.organisations import subscription_changes
from clearance.services import versions
from clearance.services.versions import BadDefinition
from tests.support import factories, request_factories
from tests.support.office_people import Office
from tests.support.pages import PageClient, form_data
from tests.support.parallel import run_together
from tests.support.races import race

STAFF = "/office/staff/"


def count(office: Office, statement: Any) -> int:
    with office.app.app_context():
        return db.session.scalar(sa.select(sa.func.count()).select_from(statement.subquery())) or 0


def events(office: Office, prefix: str) -> int:
    return count(office, sa.select(Event.id).where(Event.kind.startswith(prefix)))


# Staff


def test_nobody_changes_their_own_role_or_takes_one_that_is_none(office: Office) -> None:
    me, other = office.person("me", Role.ADMINISTRATOR), office.person("other")
    browser = office.browser(me)
    assert "your own account" in browser.get(f"{STAFF}{me}/role").text
    own = browser.post(f"{STAFF}{me}/role", {"role": "manager", "version": "1"}, status=409)
    assert "your own account" in own.text
    for forged in ({"role": "agent", "version": "1"}, {"role": "administrator"}, {"version": "1"}):
        browser.post(f"{STAFF}{other}/role", forged, status=400)
    agent = office.agent()
    for stranger in (agent, 999_999):
        browser.post(f"{STAFF}{stranger}/role", {"role": "manager", "version": "1"}, status=404)
    browser.post(f"/office/users/{agent}/role", {"role": "manager"}, status=404)
    assert events(office, "staff:") == 0


def test_who_was_demoted_in_the_middle_of_a_form_saves_nothing(office: Office) -> None:
    demoted = office.person("demoted", Role.ADMINISTRATOR)
    theirs = office.browser(demoted)
    form = theirs.get(f"{STAFF}invite")
    with office.app.app_context():
        user, one = db.session.get_one(User, demoted), factories.make_staff(Role.ADMINISTRATOR)
        staff_accounts.change_role(
            user, Role.MANAGER, actor_of(one), utc_now(), version=user.version
        )
        db.session.commit()
    typed = {"email": "x@example.com", "role": "administrator"}
    page = theirs.submit(form, typed, status=401)
    assert page.soup.select_one('main a[href^="/login"]')
    assert count(office, sa.select(Invitation.id)) == 0


@pytest.mark.databases
def test_administrators_who_shut_each_other_out_at_once_leave_one(context: Flask) -> None:
    people = [factories.make_staff(Role.ADMINISTRATOR) for _number in range(4)]
    actors, keys = [actor_of(person) for person in people], [person.id for person in people]
    db.session.rollback()  # SQLite has one writer at a time

    def press(number: int) -> None:
        other = db.session.get_one(User, keys[(number + 1) % 4])
        if number % 2:
            staff_accounts.disable(other, actors[number], utc_now())
        else:
            staff_accounts.change_role(other, Role.REVIEWER, actors[number], utc_now(), version=1)
        db.session.commit()

    results = race(context, 4, press)
    assert all(
        result is None or isinstance(result, staff_accounts.NoAdministrator) for result in results
    ), results
    db.session.rollback()
    left = sa.select(User.id).where(User.role == Role.ADMINISTRATOR, User.is_active.is_(True))
    assert 1 <= len(db.session.scalars(left).all()) == 4 - results.count(None)


def test_whom_a_disabled_administrator_invited_comes_in_no_more(context: Flask) -> None:
    rogue, other = (factories.make_staff(Role.ADMINISTRATOR) for _number in range(2))
    now = utc_now()
    _row, link = staff_invitations.invite_staff(
        "accomplice@example.com", "administrator", now, rogue.id
    )
    _row, kept = staff_invitations.invite_staff("honest@example.com", "manager", now, other.id)
    staff_accounts.disable(rogue, actor_of(other), now)
    db.session.commit()
    found = [
        staff_invitations.find_invitation(each.rpartition("/")[2], now) for each in (link, kept)
    ]
    assert [each is not None for each in found] == [False, True]


def test_staff_are_not_invited_by_an_agents_address_in_other_letters(office: Office) -> None:
    office.agent(email="agent@example.com")
    browser = office.staff(Role.ADMINISTRATOR)
    values = {"email": " AGENT@Example.com ", "role": "reviewer"}
    page = browser.submit(browser.get(f"{STAFF}invite"), values, form="#invitation", status=409)
    assert "Another user already has" in page.error_of("email")
    assert count(office, sa.select(Invitation.id)) == 0


# Texts and settings


@pytest.mark.databases
def test_of_settings_and_texts_saved_at_once_one_save_counts(office: Office) -> None:
    user_ids = [office.person(f"administrator {n}", Role.ADMINISTRATOR) for n in range(3)]
    browsers = [office.browser(user_id) for user_id in user_ids]
    statuses: list[int] = []

    def save(url: str, form: str, values: list[dict[str, str]]) -> None:
        pages = [browser.get(url) for browser in browsers]

        def press(number: int) -> None:
            data = form_data(pages[number].form(form)) | values[number]
            statuses.append(browsers[number].http.post(url, data=data).status_code)

        run_together(press, len(browsers))

    save("/office/settings/", "#settings", [{"exam_attempts": str(n + 3)} for n in range(3)])
    assert sorted(statuses) == [303, 409, 409]
    statuses.clear()
    texts = [{"sms-en-body": f"Text {n} {{number}}"} for n in range(3)]
    save("/office/texts/request:sent/", "#texts", texts)
    assert sorted(statuses) == [303, 400, 400]
    assert count(office, sa.select(Setting.key)) == count(office, sa.select(MessageText.id)) == 1
    assert events(office, "office:") == 2


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("exam_attempts", "1_0"),
        ("exam_attempts", "9" * 5000),
        ("exam_attempts", "1e1"),
        ("reminder_days", "60,60"),
        ("reminder_days", ",".join(str(number) for number in range(1, 12))),
        ("reminder_days", "60,,7"),
        ("support_email", "a@example.com?bcc=b@example.com"),
        ("support_email", "somebody"),
        ("support_phone", "javascript:alert(1)"),
        ("support_hours_en", "x" * 251),
    ],
)
def test_a_setting_takes_only_what_its_kind_is(context: Flask, key: str, value: str) -> None:
    with pytest.raises((BadSetting, BadValue)):
        office_settings.parse(key, value)


def test_a_title_of_several_lines_reaches_the_letter_as_one(office: Office) -> None:
    values = {"email-ar-subject": "طلب {number}\r\nBcc: x@example.com", "email-ar-body": "{number}"}
    browser = office.staff(Role.ADMINISTRATOR)
    browser.submit(browser.get("/office/texts/request:sent/"), values, form="#texts")
    office.request()
    with office.app.app_context():
        sent = Delivery.event == "request:sent", Delivery.channel == Channel.EMAIL
        subject = db.session.scalars(sa.select(Delivery.subject).where(*sent)).one()
    assert not {"\r", "\n"} & set(subject) and "Bcc: x@example.com" in subject


# Announcements and reference data


def test_markup_in_an_announcement_is_read_as_it_was_typed(office: Office) -> None:
    with office.app.app_context():
        text = "<script>alert(1)</script>\n{{ 7*7 }}"
        columns = dict.fromkeys(("title_ar", "title_en", "body_ar", "body_en"), text)
        db.session.add(Announcement(**columns, published_at=utc_now()))
        db.session.commit()
    card = office.browser(office.agent()).get("/my/").soup.select_one("#announcements")
    assert card.select("script") == []
    assert text in [message.get_text() for message in card.select(".message-body")]
    assert "<script>alert(1)" in office.staff(Role.ADMINISTRATOR).get("/office/announcements/").text


def test_what_is_put_out_of_use_is_offered_no_more_and_breaks_nothing(office: Office) -> None:
    request_id = office.request(code="exam", broker_type="private")
    with office.app.app_context():
        for model, code in ((BrokerType, "private"), (LegalEntity, "clearing_agent")):
            db.session.get_one(model, code).is_active = False
        db.session.commit()
    other = office.browser(office.agent("other"))
    start = other.get("/my/services/exam/")
    offered = [field["value"] for field in start.soup.select("[name=broker_type]")]
    assert offered == ["general", "representative"]
    forged = other.submit(start, {"broker_type": "private"}, form="#start")
    assert "Choose one of the" in forged.text
    assert count(office, sa.select(Request.id)) == 1
    theirs, reviewer = office.browser(office.agent()), office.staff()
    for page in (
        theirs.get(f"/my/requests/details/?id={request_id}"),
        reviewer.get(f"/office/requests/details/?id={request_id}"),
    ):
        assert "Private broker" in page.text
    assert "Clearing agent" in reviewer.get("/office/organisations/").text
    register = PageClient(office.app, language="en").get("/register")
    offered = [option.get("value") for option in register.soup.select("#legal_entity option")]
    assert offered == ["company"]


def test_a_kind_of_document_that_services_ask_for_stays_in_use(office: Office) -> None:
    browser = office.staff(Role.ADMINISTRATOR)
    with office.app.app_context():
        request_factories.load_services()
    url = "/office/document-kinds/edit/?id=civil_id_copy"
    page = browser.submit(browser.get(url), {"is_active": None}, form="#record")
    assert "Services that ask for this type: Take the clearing agents' exam" in page.error_of(
        "is_active"
    )
    with office.app.app_context():
        assert db.session.get_one(DocumentKind, "civil_id_copy").is_active
        db.session.get_one(DocumentKind, "civil_id_copy").is_active = False
        with pytest.raises(BadDefinition, match="There is no document type “civil_id_copy”"):
            versions.publish(versions.read_files()["exam"], None, utc_now())


def test_ids_and_pages_that_no_page_gives_are_refused(office: Office) -> None:
    browser = office.staff(Role.ADMINISTRATOR)
    for url, status in {
        "holidays/edit/?id=2026-01-01,2026-01-02": 404,
        "holidays/edit/?id=2026-99-99": 404,
        "announcements/edit/?id=1,2": 404,
        "reasons/edit/?id=99999999999999999999": 404,
        "legal-entities/edit/?id=company,clearing_agent": 404,
        "staff/details/?id=1,2": 404,
        "users/details/?id=%00": 400,
        "audit/details/?id=-1": 404,
        "texts/request:sent,request:returned/": 404,
        "deliveries/?page=9223372036854775807": 400,
        "document-kinds/?page=9223372036854775807": 400,
    }.items():
        browser.get(f"/office/{url}", status=status)


# Messages sent again


def test_a_code_that_has_run_out_is_not_sent_again_and_never_shown(office: Office) -> None:
    now = utc_now()
    with office.app.app_context():
        row = notices.send_code(
            purpose=CodePurpose.VERIFY,
            channel=Channel.EMAIL,
            address="somebody@example.com",
            language="en",
            code="314159",
            expires_at=now + timedelta(minutes=10),
            now=now,
        )
        row.status, row.expires_at = DeliveryStatus.GIVEN_UP, now - timedelta(minutes=1)
        db.session.commit()
        row_id = row.id
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get("/office/deliveries/")
    page = browser.submit(page, {"rowid": [str(row_id)]}, form="#bulk", press="action=send_again")
    assert "has expired" in page.text and "314159" not in page.text
    with office.app.app_context():
        assert db.session.get_one(Delivery, row_id).status == DeliveryStatus.GIVEN_UP
    assert events(office, "office:delivery") == 0


@pytest.mark.databases
def test_two_who_send_a_message_again_at_once_send_it_once(office: Office) -> None:
    office.request()
    with office.app.app_context():
        row = db.session.scalars(sa.select(Delivery).order_by(Delivery.id)).first()
        row.status = DeliveryStatus.GIVEN_UP
        db.session.commit()
        row_id = row.id
    user_ids = [office.person(f"administrator {n}", Role.ADMINISTRATOR) for n in range(4)]
    browsers = [office.browser(user_id) for user_id in user_ids]
    for browser in browsers:
        browser.csrf_token()
    values = {"action": "send_again", "rowid": str(row_id)}
    run_together(lambda n: browsers[n].post("/office/deliveries/action/", values), 4)
    assert events(office, "office:delivery:sent_again") == 1


# Deciding on subscriptions


def test_rows_chosen_twice_and_in_any_order_are_decided_once_by_their_ids(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with office.app.app_context():
        request_factories.publish(request_factories.TRIVIAL, subscription="by_approval")
        rows = []
        for _number in range(3):
            actor = actor_of(factories.make_agent())
            organisation_id = actor.standings[0].organisation_id
            rows.append(
                subscription_changes.ask(
                    organisation_id, "greeting", actor, utc_now(), version=0
                ).id
            )
        db.session.commit()
    taken: list[int] = []
    decide = subscription_changes.decide

    def noted(subscription_id: int, **how: Any) -> Subscription:
        taken.append(subscription_id)
        return decide(subscription_id, **how)

    monkeypatch.setattr(actions.subscription_changes, "decide", noted)
    chosen = [f"{row}-1" for row in reversed(rows)] * 2
    page = office.staff().post(
        "/office/subscriptions/do/approve", {"row": chosen, "form_key": "crossed"}
    )
    assert taken == sorted(rows)
    assert "Done for 3 subscriptions." in page.text
    assert events(office, "subscription:approved") == 3
