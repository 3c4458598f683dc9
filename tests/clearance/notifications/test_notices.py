"""Telling people: who is told, by which channel, in which language, and what the row keeps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.errors import PermissionDenied, TransitionNotAllowed
from clearance.core.extensions import db
from clearance.models import Delivery, MessageText, Notice, Service
from clearance.models.enums import Channel, CodePurpose, DeliveryStatus, Role
from clearance.notifications import events, inbox, notices, outbox, preferences
from tests.support.factories import (
    make_agent,
    make_membership,
    make_organisation,
    make_staff,
    make_user,
)
from tests.support.statements import statements_of

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
SERVICE = {"ar": "طلب امتحان وكلاء التخليص", "en": "Take the clearing agents' exam"}
ABOUT = {"number": "CE/8/26", "service": SERVICE}
RETURNED = ABOUT | {"reason": "Photo is too dark"}


def deliveries(**columns: Any) -> list[Delivery]:
    return list(db.session.scalars(sa.select(Delivery).filter_by(**columns).order_by(Delivery.id)))


def make_service(code: str) -> None:
    db.session.add(Service(code=code, prefix=code[:2].upper()))
    db.session.commit()


@pytest.mark.databases
def test_a_notice_and_its_messages_stand_or_fall_with_the_transaction(context: Flask) -> None:
    user = make_user()
    notices.notify_user("request:sent", user_id=user.id, params=ABOUT, now=NOW)
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count(Notice.id))) == 0
    assert deliveries() == []
    notices.notify_user("request:sent", user_id=user.id, params=ABOUT, now=NOW)
    db.session.commit()
    assert db.session.scalar(sa.select(sa.func.count(Notice.id))) == 1
    assert [delivery.channel for delivery in deliveries()] == [Channel.EMAIL, Channel.SMS]


def test_messages_are_written_in_the_recipients_language(context: Flask) -> None:
    arab = make_user(language="ar")
    other = make_user(language="en", first_name="Sam", last_name="Lee")
    params = RETURNED | {"name": {"ar": "فهد العجمي", "en": "Fahad Alajmi"}}
    for user in (arab, other):
        notices.notify_user(
            "request:returned", user_id=user.id, params=params, now=NOW, url="/my/x"
        )
    mail_ar, sms_ar = deliveries(language="ar")
    mail_en, sms_en = deliveries(language="en")
    assert mail_ar.subject == "الطلب \u2068CE/8/26\u2069 معاد للاستكمال (فهد العجمي)"
    assert "السبب: \u2068Photo is too dark\u2069" in mail_ar.body
    assert mail_ar.body.startswith("السيد سالم العتيبي المحترم،")
    assert mail_en.subject == "Request CE/8/26 needs corrections (Fahad Alajmi)"
    assert mail_en.body.startswith("Dear Sam Lee,")
    assert "Reason: Photo is too dark" in mail_en.body
    assert "http://127.0.0.1:5000/my/x" in mail_en.body
    assert sms_ar.address == arab.mobile
    assert "الطلب CE/8/26 للاستكمال" in sms_ar.body
    assert "correct request CE/8/26" in sms_en.body


def test_a_notice_is_shown_in_the_language_of_the_reader_of_the_moment(context: Flask) -> None:
    user = make_user(language="ar")
    notice = notices.notify_user("request:returned", user_id=user.id, params=RETURNED, now=NOW)
    assert inbox.text_of(notice, "en")[0] == "Request CE/8/26 needs corrections"
    title, body = inbox.text_of(notice, "ar")
    assert title.endswith("معاد للاستكمال")
    assert "الخدمة: طلب امتحان وكلاء التخليص" in body


def test_days_and_instants_are_written_as_kuwait_writes_them(context: Flask) -> None:
    user = make_user(language="en")
    params = {"at": datetime(2026, 9, 1, 21, 30, tzinfo=UTC)}
    told = notices.notify_user("account:password:changed", user_id=user.id, params=params, now=NOW)
    assert "02/09/2026 00:30" in inbox.text_of(told, "en")[1]
    params = ABOUT | {"date": date(2026, 10, 5)}
    told = notices.notify_user("exam:absent", user_id=user.id, params=params, now=NOW)
    assert "05/10/2026" in inbox.text_of(told, "en")[0]


def test_an_event_not_registered_or_a_missing_param_is_refused(context: Flask) -> None:
    user = make_user()
    with pytest.raises(ValueError, match="not a registered event"):
        notices.notify_user("request:unheard", user_id=user.id, now=NOW)
    with pytest.raises(ValueError, match="reason"):
        notices.notify_user("request:rejected", user_id=user.id, params=ABOUT, now=NOW)
    assert deliveries() == []


def test_a_user_without_mobile_or_disabled_gets_what_can_reach_them(context: Flask) -> None:
    plain = make_user(mobile=None)
    disabled = make_user(is_active=False)
    notices.notify_user("request:sent", user_id=plain.id, params=ABOUT, now=NOW)
    notices.notify_user("request:sent", user_id=disabled.id, params=ABOUT, now=NOW)
    assert [(delivery.channel, delivery.address) for delivery in deliveries()] == [
        ("email", plain.email)
    ]
    assert inbox.unread_count(disabled.id) == 1


@pytest.mark.databases
def test_members_who_may_use_the_service_are_told_and_nobody_else(context: Flask) -> None:
    make_service("exam")
    make_service("renewal")
    office = make_organisation()
    general = make_agent(office)
    granted = make_agent(office, is_general=False, services=("exam",))
    make_agent(office, is_general=False, services=("renewal",))
    make_membership(make_user(), office, is_active=False)
    make_agent(office, is_active=False)
    make_agent()
    told = notices.notify_members(
        "request:approved",
        organisation_id=office.id,
        service_code="exam",
        params=ABOUT,
        now=NOW,
    )
    assert {each.user_id for each in told} == {general.id, granted.id}
    told = notices.notify_members(
        "request:approved", organisation_id=office.id, params=ABOUT, now=NOW
    )
    assert {each.user_id for each in told} == {general.id}
    told = notices.notify_members(
        "request:approved",
        organisation_id=office.id,
        service_code="exam",
        params=ABOUT,
        now=NOW,
        except_user_id=general.id,
    )
    assert {each.user_id for each in told} == {granted.id}


def test_reviewers_are_told_and_other_staff_are_not(context: Flask) -> None:
    reviewer = make_staff()
    make_staff(Role.MANAGER)
    make_staff(is_active=False)
    told = notices.notify_reviewers("office:message", params=ABOUT, now=NOW)
    assert [each.user_id for each in told] == [reviewer.id]
    assert [delivery.channel for delivery in deliveries()] == [Channel.EMAIL]


@pytest.mark.databases
def test_what_was_switched_off_stays_in_the_portal_only(context: Flask) -> None:
    user = make_user()
    preferences.set_preference(user.id, "request:preapproved", Channel.SMS, wanted=False)
    notices.notify_user("request:preapproved", user_id=user.id, params=ABOUT, now=NOW)
    assert [delivery.channel for delivery in deliveries()] == [Channel.EMAIL]
    assert inbox.unread_count(user.id) == 1
    preferences.set_preference(user.id, "request:preapproved", Channel.SMS, wanted=True)
    notices.notify_user("request:preapproved", user_id=user.id, params=ABOUT, now=NOW)
    assert [delivery.channel for delivery in deliveries()] == [
        Channel.EMAIL,
        Channel.EMAIL,
        Channel.SMS,
    ]


@pytest.mark.parametrize(
    ("event", "channel"),
    [
        ("request:rejected", Channel.EMAIL),
        ("account:password:changed", Channel.SMS),
        ("office:late", Channel.SMS),
        ("no:such:event", Channel.EMAIL),
    ],
)
def test_security_and_decisions_cannot_be_switched_off(
    context: Flask, event: str, channel: Channel
) -> None:
    user = make_user()
    with pytest.raises(PermissionDenied):
        preferences.set_preference(user.id, event, channel, wanted=False)


def test_the_preferences_list_has_only_what_can_be_switched_off(context: Flask) -> None:
    agent = {event.event for event in preferences.optional_events(Role.AGENT)}
    staff = {event.event for event in preferences.optional_events(Role.REVIEWER)}
    assert "request:preapproved" in agent
    assert "office:assigned" in staff
    shared = {event for event in agent & staff if events.registered()[event].audience == "user"}
    assert shared == agent & staff == {"account:export:ready", "account:export:not_made"}
    assert not any(events.registered()[event].is_mandatory for event in agent | staff)


def test_the_offices_own_wording_replaces_the_shipped_one(context: Flask) -> None:
    user = make_user(language="en")
    for channel, subject, body in (
        ("portal", "P {number}", "In the portal"),
        ("email", "M {number}", "By mail: {service}"),
        ("sms", "", "By SMS {number} {{7*7}}"),
    ):
        db.session.add(
            MessageText(
                event="request:sent", channel=channel, language="en", subject=subject, body=body
            )
        )
    notice = notices.notify_user("request:sent", user_id=user.id, params=ABOUT, now=NOW)
    mail, sms = deliveries()
    assert inbox.text_of(notice, "en") == ("P CE/8/26", "In the portal")
    assert mail.subject == "M CE/8/26"
    assert "By mail: Take the clearing agents' exam" in mail.body
    assert sms.body == "By SMS CE/8/26 {{7*7}}"


def test_one_query_reads_the_wording_of_many_notices(context: Flask) -> None:
    user = make_user()
    for _ in range(5):
        notices.notify_user("request:sent", user_id=user.id, params=ABOUT, now=NOW)
    db.session.commit()
    listed = inbox.of_user(user.id)
    with statements_of(context) as sent:
        inbox.texts_of(listed, "ar")
    assert len(sent) == 1


@pytest.mark.databases
def test_reading_marks_ones_own_notices_only(context: Flask) -> None:
    mine, other = make_user(), make_user()
    first = notices.notify_user("request:sent", user_id=mine.id, params=ABOUT, now=NOW)
    foreign = notices.notify_user("request:sent", user_id=other.id, params=ABOUT, now=NOW)
    notices.notify_user("request:sent", user_id=mine.id, params=ABOUT, now=NOW)
    assert inbox.mark_read(mine.id, [first.id, foreign.id], NOW) == 1
    assert inbox.unread_count(mine.id) == 1
    assert inbox.unread_count(other.id) == 1
    assert inbox.mark_all_read(mine.id, NOW) == 1
    assert inbox.unread_count(mine.id) == 0


def test_notices_are_listed_newest_first_and_in_portions(context: Flask) -> None:
    user = make_user()
    ids = [
        notices.notify_user("request:sent", user_id=user.id, params=ABOUT, now=NOW).id
        for _ in range(3)
    ]
    listed = inbox.of_user(user.id, limit=2)
    assert [each.id for each in listed] == [ids[2], ids[1]]
    assert [each.id for each in inbox.of_user(user.id, before_id=ids[1])] == [ids[0]]


@pytest.mark.databases
def test_a_code_is_sealed_in_the_row_and_goes_first(context: Flask) -> None:
    delivery = send_code(code="483920")
    db.session.commit()
    stored = db.session.execute(sa.text("SELECT * FROM delivery")).mappings().one()
    assert "483920" not in " ".join(str(value) for value in stored.values())
    assert delivery.priority == 0
    assert delivery.is_secret
    assert "رمز التحقق: 483920" in outbox.body_of(delivery)
    assert "10 دقائق" in outbox.body_of(delivery)
    assert db.session.scalar(sa.select(sa.func.count(Notice.id))) == 0


def test_the_reset_mail_carries_code_and_link_to_this_portal(context: Flask) -> None:
    delivery = send_code(
        code="AB23CD45", purpose=CodePurpose.RESET, language="en", link="/reset/confirm?ref=r1"
    )
    body = outbox.body_of(delivery)
    assert "Reset code: AB23CD45" in body
    assert "\nhttp://127.0.0.1:5000/reset/confirm?ref=r1\n" in body
    assert "within 10 minutes" in body
    assert "AB23CD45" not in delivery.subject


def test_an_invitation_hides_its_link_in_the_row(context: Flask) -> None:
    delivery = notices.send_to_address(
        "staff:invited",
        channel=Channel.EMAIL,
        address="new@example.com",
        language="ar",
        params={"role": {"ar": "مراجع", "en": "Reviewer"}},
        now=NOW,
        link="/invitation/secret-token",
        expires_at=NOW + timedelta(days=3),
    )
    assert "secret-token" not in delivery.body
    assert "/invitation/secret-token" in outbox.body_of(delivery)


def test_a_body_that_can_no_longer_be_opened_reads_as_empty(context: Flask) -> None:
    delivery = send_code(code="483920")
    delivery.body = "not sealed by us"
    assert outbox.body_of(delivery) == ""
    delivery.body = ""
    assert outbox.body_of(delivery) == ""


def test_one_given_up_can_be_sent_again_and_others_cannot(context: Flask) -> None:
    user = make_user()
    notices.notify_user("request:sent", user_id=user.id, params=ABOUT, now=NOW)
    mail, sms = deliveries()
    mail.status, mail.attempts = DeliveryStatus.GIVEN_UP, 90
    sms.status = DeliveryStatus.SENT
    later = NOW + timedelta(days=4)
    outbox.send_again(mail, later)
    assert (mail.status, mail.attempts, mail.next_at) == (DeliveryStatus.QUEUED, 0, later)
    with pytest.raises(TransitionNotAllowed):
        outbox.send_again(sms, later)


def test_the_outbox_tells_how_it_stands(context: Flask) -> None:
    assert outbox.waiting(NOW) == outbox.Waiting(0, 0, 0)
    user = make_user()
    notices.notify_user("request:sent", user_id=user.id, params=ABOUT, now=NOW)
    deliveries()[0].status = DeliveryStatus.GIVEN_UP
    db.session.flush()
    state = outbox.waiting(NOW + timedelta(minutes=14))
    assert (state.queued, state.given_up, state.is_late) == (1, 1, False)
    assert outbox.waiting(NOW + timedelta(minutes=15)).is_late


def send_code(**values: Any) -> Delivery:
    given: dict[str, Any] = {
        "purpose": CodePurpose.VERIFY,
        "channel": Channel.EMAIL,
        "address": "someone@example.com",
        "language": "ar",
        "expires_at": NOW + timedelta(minutes=10),
        "now": NOW,
    }
    return notices.send_code(**(given | values))
