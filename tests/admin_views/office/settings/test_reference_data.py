"""Reference data, texts and settings: kept by administrators, every change in the trail."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from clearance.core import office_settings
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Announcement, BrokerType, Event, Holiday, MessageText, Reason
from clearance.models.enums import Role
from clearance.notifications import announcements
from clearance.notifications import events as messages
from tests.support.crossings import Instant, crossed
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient

TYPE = {
    "code": "helper",
    "name_ar": "مساعد مخلص",
    "name_en": "Broker's assistant",
    "position": "٤",
    "is_active": "y",
}


def events(office: Office, prefix: str) -> list[tuple[str, str, dict[str, Any]]]:
    with office.app.app_context():
        rows = db.session.scalars(
            sa.select(Event).where(Event.kind.startswith(prefix)).order_by(Event.id)
        )
        return [(row.kind, row.object_id, row.changes) for row in rows]


def add(office: Office, name: str, values: dict[str, str], **more: Any) -> Page:
    browser = office.staff(Role.ADMINISTRATOR)
    return browser.submit(browser.get(f"/office/{name}/new/"), values, form="#record", **more)


@pytest.mark.databases
def test_a_new_row_is_kept_cleaned_and_noted_with_its_values(office: Office) -> None:
    page = add(office, "broker-types", TYPE | {"name_en": "  Broker's\u202e   assistant "})
    assert "Broker's assistant" in page.text
    with office.app.app_context():
        row = db.session.get_one(BrokerType, "helper")
        assert (row.name_en, row.position, row.is_active) == ("Broker's assistant", 4, True)
    ((kind, key, changes),) = events(office, "reference:")
    assert (kind, key) == ("reference:broker_type:created", "helper")
    assert changes["name_ar"] == [None, "مساعد مخلص"]


@pytest.mark.databases
def test_a_code_that_is_there_is_refused_in_words(office: Office) -> None:
    page = add(office, "broker-types", TYPE | {"code": "general"})
    assert "There is already a row with this code." in page.text
    assert events(office, "reference:") == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", "Two words"),
        ("code", "x" * 41),
        ("name_ar", ""),
        ("name_en", "x" * 151),
        ("position", "-1"),
        ("position", "many"),
    ],
)
def test_a_wrong_value_is_told_beside_its_field_and_stays(
    office: Office, field: str, value: str
) -> None:
    page = add(office, "document-kinds", TYPE | {field: value})
    assert page.error_of(field)
    assert page.soup.find(attrs={"name": field})["value"] == value
    assert page.soup.find(attrs={"name": "name_ar" if field != "name_ar" else "code"})["value"]


def test_a_change_is_noted_from_and_to_and_leaves_the_code_alone(office: Office) -> None:
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get("/office/broker-types/edit/?id=private")
    assert page.soup.find(attrs={"name": "code"}) is None
    browser.submit(page, {"name_en": "Private", "code": "stolen"}, form="#record")
    ((kind, key, changes),) = events(office, "reference:")
    assert (kind, key) == ("reference:broker_type:changed", "private")
    assert changes == {"name_en": ["Private broker", "Private"]}


@pytest.mark.databases
def test_a_save_after_somebody_elses_is_refused_with_both_values(office: Office) -> None:
    mine = office.staff(Role.ADMINISTRATOR)
    theirs = office.browser(office.person("Other", Role.ADMINISTRATOR))
    address = "/office/broker-types/edit/?id=private"
    page = mine.get(address)
    theirs.submit(theirs.get(address), {"name_en": "Theirs"}, form="#record")
    page = mine.submit(page, {"name_en": "Mine"}, form="#record")
    assert "Now saved: Theirs" in page.error_of("name_en")
    assert page.soup.find(attrs={"name": "name_en"})["value"] == "Mine"
    with office.app.app_context():
        assert db.session.get_one(BrokerType, "private").name_en == "Theirs"
    mine.submit(page, form="#record")
    with office.app.app_context():
        assert db.session.get_one(BrokerType, "private").name_en == "Mine"


def test_a_ready_reason_is_offered_to_reviewers_at_once(office: Office) -> None:
    values = {"action": "return", "text_ar": "نص", "text_en": "Words", "position": "1"}
    add(office, "reasons", values | {"is_active": "y"})
    request_id = office.request()
    page = office.staff().get(f"/office/requests/{request_id}/do/return")
    assert "Words" in page.soup.select_one("#ready_reason").get_text()
    with office.app.app_context():
        db.session.scalars(
            sa.select(Reason).where(Reason.text_en == "Words")
        ).one().is_active = False
        db.session.commit()
    page = office.staff().get(f"/office/requests/{request_id}/do/return")
    assert "Words" not in page.soup.select_one("#ready_reason").get_text()


def test_a_holiday_is_added_once_and_deleted_again(office: Office) -> None:
    values = {"day": "2031-07-13", "name_ar": "يوم تجريبي", "name_en": "Trial Day"}
    add(office, "holidays", values)
    page = add(office, "holidays", values)
    assert "This day is already a holiday." in page.text
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get("/office/holidays/?page_size=100")
    row = page.soup.select_one("input[name=id][value='2031-07-13']").find_parent("form")
    token = row.select_one("[name=csrf_token]")["value"]
    browser.post("/office/holidays/delete/", {"id": "2031-07-13", "csrf_token": token})
    with office.app.app_context():
        assert db.session.get(Holiday, date(2031, 7, 13)) is None
    assert [kind for kind, _key, _changes in events(office, "reference:holiday")] == [
        "reference:holiday:created",
        "reference:holiday:deleted",
    ]
    office.staff(Role.MANAGER).post("/office/holidays/delete/", {"id": "2030-01-01"}, status=404)


def delete_holiday(browser: PageClient, day: str) -> int:
    data = {"id": day, "csrf_token": browser.csrf_token()}
    return browser.http.post("/office/holidays/delete/", data=data).status_code


@pytest.mark.databases
def test_a_row_deleted_by_two_at_once_is_deleted_once(office: Office, database: Any) -> None:
    add(office, "holidays", {"day": "2031-07-13", "name_ar": "يوم", "name_en": "Trial Day"})
    mine, theirs = (office.staff(Role.ADMINISTRATOR) for _each in range(2))
    second = partial(delete_holiday, theirs, "2031-07-13")
    with crossed(office.app, Instant.LOCK, second, table="holiday") as came:
        first = delete_holiday(mine, "2031-07-13")
    assert len(came) == (database.kind == "postgresql")
    assert sorted([first, *(came or [second()])]) == [302, 404]
    assert len(events(office, "reference:holiday:deleted")) == 1


ANNOUNCEMENT = {
    "title_ar": "نشر الإعلان وترشيح المتقدمين",
    "title_en": "Announcement",
    "body_ar": "نص الإعلان",
    "body_en": "Its text",
    "published_at": "2026-01-01T08:00",
}


def test_an_announcement_is_shown_in_its_time_by_kuwaits_clock(office: Office) -> None:
    add(office, "announcements", ANNOUNCEMENT)
    with office.app.app_context():
        row = db.session.scalars(sa.select(Announcement)).one()
        assert row.published_at.isoformat() == "2026-01-01T05:00:00+00:00"
        assert announcements.current(utc_now())
    assert "نشر الإعلان وترشيح المتقدمين" in office.browser(office.agent(), "ar").get("/my/").text


@pytest.mark.databases
def test_a_double_click_adds_one_row_and_leads_where_the_first_did(office: Office) -> None:
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get("/office/announcements/new/")
    first = browser.submit(page, ANNOUNCEMENT, form="#record")
    again = browser.submit(page, ANNOUNCEMENT, form="#record")
    assert first.url == again.url
    with office.app.app_context():
        assert len(db.session.scalars(sa.select(Announcement)).all()) == 1
    refused = browser.submit(
        browser.get("/office/announcements/new/"), {"title_ar": ""}, form="#record"
    )
    browser.submit(refused, ANNOUNCEMENT, form="#record")
    with office.app.app_context():
        assert len(db.session.scalars(sa.select(Announcement)).all()) == 2


@pytest.mark.parametrize(
    ("lang", "words"), [("ar", "31 ديسمبر 2030، 2:05 م"), ("en", "31 December 2030, 2:05 pm")]
)
def test_an_announcements_times_are_typed_in_any_way_and_told_in_words(
    office: Office, lang: str, words: str
) -> None:
    browser = office.staff(Role.ADMINISTRATOR, language=lang)
    values = ANNOUNCEMENT | {"published_at": "٣١/١٢/٢٠٣٠ ٢:٠٥ م", "title_en": ""}
    page = browser.submit(browser.get("/office/announcements/new/"), values, form="#record")
    box = page.soup.find(attrs={"name": "published_at"})
    assert (box["type"], box["value"]) == ("text", "31/12/2030 14:05")
    assert page.soup.find(id="published_at-words").get_text() == words
    browser.submit(page, {"title_en": "Later"}, form="#record")
    with office.app.app_context():
        row = db.session.scalars(sa.select(Announcement)).one()
        assert row.published_at.isoformat() == "2030-12-31T11:05:00+00:00"
        row_id = row.id
    again = browser.get(f"/office/announcements/edit/?id={row_id}")
    assert again.soup.find(attrs={"name": "published_at"})["value"] == "31/12/2030 14:05"
    assert again.soup.find(id="published_at-words").get_text() == words
    assert again.soup.find(id="ends_at-words").get_text() == ""


@pytest.mark.parametrize("typed", ["tomorrow", "2026-13-01T08:00", "1026-01-01T08:00"])
def test_a_time_that_is_none_is_refused_and_stays(office: Office, typed: str) -> None:
    page = add(office, "announcements", ANNOUNCEMENT | {"published_at": typed})
    assert page.error_of("published_at")
    assert page.soup.find(attrs={"name": "published_at"})["value"] == typed


def test_an_announcement_ends_after_it_begins(office: Office) -> None:
    page = add(office, "announcements", ANNOUNCEMENT | {"ends_at": "2025-12-31T08:00"})
    assert "after the start" in page.error_of("ends_at")


# Texts of messages

TEXT = "/office/texts/request:sent/"


def change(office: Office, values: dict[str, str], **more: Any) -> Page:
    browser = office.staff(Role.ADMINISTRATOR)
    return browser.submit(browser.get(TEXT), values, form="#texts", **more)


def test_an_own_text_is_used_noted_and_given_up_again(office: Office) -> None:
    change(office, {"email-en-subject": "Got {number}", "email-en-body": "We have {number}."})
    with office.app.app_context():
        row = db.session.scalars(sa.select(MessageText)).one()
        assert (row.channel, row.language, row.body) == ("email", "en", "We have {number}.")
    ((kind, _key, changes),) = events(office, "office:text")
    assert kind == "office:text:changed"
    assert changes["request:sent email en"][1] == ["Got {number}", "We have {number}."]
    request_id = office.request(agent=office.agent("english", language="en"))
    number = office.read(request_id, lambda req: req.number)
    with office.app.app_context():
        subjects = db.session.scalars(sa.text("SELECT subject FROM delivery").columns(sa.String()))
        assert f"Got {number}" in [subject for subject in subjects]
    change(office, {"email-en-body": ""})
    with office.app.app_context():
        assert db.session.scalars(sa.select(MessageText)).all() == []


def test_a_placeholder_that_the_message_does_not_know_is_refused(office: Office) -> None:
    page = change(office, {"sms-ar-body": "رقم {nummer}"}, status=400)
    assert "{nummer}" in page.error_of("sms-ar-body")
    assert page.soup.find(attrs={"name": "sms-ar-body"}).get_text().strip() == "رقم {nummer}"
    assert events(office, "office:text") == []


def test_the_preview_fills_in_and_keeps_nothing(office: Office) -> None:
    page = change(office, {"portal-en-body": "Hello {{ 7*7 }} {number} <b>"}, press="preview=1")
    shown = " ".join(message.get_text() for message in page.soup.select(".message"))
    assert "Hello {{ 7*7 }} CE/8/26 <b>" in shown.replace("\u2068", "").replace("\u2069", "")
    assert events(office, "office:text") == []


def test_texts_saved_meanwhile_are_not_overwritten_unseen(office: Office) -> None:
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get(TEXT)
    change(office, {"sms-en-body": "Theirs {number}"})
    page = browser.submit(page, {"sms-en-body": "Mine {number}"}, form="#texts", status=400)
    assert "Now saved: Theirs {number}" in page.error_of("sms-en-body")
    with office.app.app_context():
        assert db.session.scalars(sa.select(MessageText.body)).all() == ["Theirs {number}"]


def test_managers_read_texts_and_change_none(office: Office) -> None:
    manager = office.staff(Role.MANAGER)
    assert manager.get(TEXT).soup.select_one("#texts") is None
    manager.post(TEXT, {"sms-en-body": "x"}, status=404)
    manager.get("/office/texts/nothing:here/", status=404)


def test_an_event_without_own_texts_says_what_is_shipped(office: Office) -> None:
    with office.app.app_context():
        shipped = messages.registered()["request:sent"].shipped("sms", "en")[1]
    page = office.staff(Role.ADMINISTRATOR).get(TEXT)
    assert page.soup.find(attrs={"name": "sms-en-body"}).get_text().strip() == shipped.strip()


# Settings

SETTINGS = "/office/settings/"


def save(office: Office, values: dict[str, str], **more: Any) -> Page:
    browser = office.staff(Role.ADMINISTRATOR)
    return browser.submit(browser.get(SETTINGS), values, form="#settings", **more)


def test_a_setting_is_changed_and_noted(office: Office) -> None:
    save(office, {"renewal_window_days": "٤٥", "reminder_days": "90, 30, 7"})
    with office.app.app_context():
        assert office_settings.get("renewal_window_days") == 45
        assert office_settings.get("reminder_days") == (90, 30, 7)
    changes = [each for _kind, _key, each in events(office, "office:setting")]
    assert {"renewal_window_days": [60, 45]} in changes
    assert len(changes) == 2


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("renewal_window_days", "0"),
        ("renewal_window_days", "x"),
        ("reminder_days", "60;30"),
        ("default_language", "fr"),
        ("support_phone", ""),
        ("support_phone", "1" * 251),
    ],
)
def test_a_wrong_setting_is_told_beside_it_and_nothing_is_saved(
    office: Office, key: str, value: str
) -> None:
    page = save(office, {"exam_attempts": "3", key: value}, status=400)
    assert page.error_of(key)
    with office.app.app_context():
        assert office_settings.get("exam_attempts") == 0


def test_settings_saved_meanwhile_are_not_overwritten_unseen(office: Office) -> None:
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get(SETTINGS)
    save(office, {"exam_attempts": "3"})
    page = browser.submit(page, {"exam_attempts": "5"}, form="#settings", status=409)
    assert "Now saved: 3" in page.error_of("exam_attempts")
    browser.submit(page, {"exam_attempts": "5"}, form="#settings")
    with office.app.app_context():
        assert office_settings.get("exam_attempts") == 5


def test_managers_read_settings_and_change_none(office: Office) -> None:
    manager = office.staff(Role.MANAGER)
    assert manager.get(SETTINGS).soup.select_one("main input") is None
    manager.post(SETTINGS, {"exam_attempts": "3"}, status=404)
