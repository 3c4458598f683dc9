"""A service's own words for its notices: what they may say, who reads them, in both languages."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Delivery, MessageText, Notice, Request, User
from clearance.models.enums import Channel
from clearance.notifications import inbox, preferences
from clearance.requests import drafts
from clearance.services import versions
from clearance.services.flows import Action
from tests.support import factories
from tests.support import request_factories as requests

FIELDS = """
  - {name: name_ar_1, required: true}
  - {name: name_en_1}
  - {name: port, type: choice, label: {ar: الميناء, en: Port}, choices: [
      {value: shuwaikh, label: {ar: الشويخ, en: Shuwaikh}},
      {value: other, label: {ar: آخر, en: Other}}]}
  - {name: other_port, type: text, label: {ar: ميناء آخر, en: Other port},
     when: {field: port, is: [other]}}
  - {name: starts_on, type: date, label: {ar: من, en: From}}
  - {name: escorted, type: bool, label: {ar: مرافقة, en: Escorted}}
"""
APPROVED = {
    "ar": {
        "title": "تصريحك {number} جاهز",
        "body": "الميناء: {port}\nميناء آخر: {other_port}\nالمرافقة: {escorted}\n"
        "ملاحظة: {reason}\nنراك.",
        "sms": "التصريح {number} جاهز ({port}) من {starts_on}.\nرحلة موفقة.",
    },
    "en": {
        "title": "Your permit {number} is ready",
        "body": "Port: {port}\nOther port: {other_port}\nEscorted: {escorted}\n"
        "Note: {reason}\nBye.",
        "sms": "Permit {number} is ready ({port}), from {starts_on}.\nSafe trip.",
    },
}
REJECTED = {
    lang: {"title": "{number}: no", "body": "No: {reason}", "sms": "{number}"}
    for lang in ("ar", "en")
}


def document(**messages: Any) -> dict[str, Any]:
    plain = yaml.safe_load(requests.TRIVIAL)
    return {**plain, "fields": yaml.safe_load(FIELDS), "messages": messages}


def changed(lang: str = "ar", **texts: str) -> dict[str, Any]:
    """The message of an approval with other texts in one language."""
    message = deepcopy(APPROVED)
    message[lang] |= texts
    return message


def approved(agent: User, reason: str = "", **values: Any) -> Request:
    now = utc_now()
    req = drafts.start("greeting", actor_of(agent), now, "private")
    drafts.save(req, {"name_ar_1": "أحمد", **values}, actor_of(agent), now)
    requests.step(req, Action.SEND, agent)
    return requests.step(req, Action.APPROVE, factories.make_staff(), reason=reason)


def publish(**messages: Any) -> None:
    versions.publish(document(**messages), None, utc_now())
    db.session.commit()


def told(req: Request) -> Notice:
    of_it = sa.select(Notice).where(Notice.request_id == req.id, Notice.event == "request:approved")
    return db.session.scalars(of_it).one()


def sent(channel: Channel) -> Delivery:
    which = sa.select(Delivery).filter_by(event="request:approved", channel=channel)
    return db.session.scalars(which).one()


def test_an_approval_is_told_in_the_services_own_words_in_both_languages(context: Flask) -> None:
    publish(approved=APPROVED)
    agent = factories.make_agent(language="en")
    req = approved(agent, port="other", other_port="Doha", escorted=True)
    notice = told(req)
    title, body = inbox.text_of(notice, "en")
    assert title == f"Your permit {req.number} is ready"
    assert body == "Port: Other\nOther port: Doha\nEscorted: Yes\nBye."
    title, body = inbox.text_of(notice, "ar")
    assert title == f"تصريحك \u2068{req.number}\u2069 جاهز"  # isolated without the author's marks
    assert body == "الميناء: آخر\nميناء آخر: \u2068Doha\u2069\nالمرافقة: نعم\nنراك."
    mail, sms = sent(Channel.EMAIL), sent(Channel.SMS)
    assert mail.subject == f"Your permit {req.number} is ready"
    assert "Port: Other\nOther port: Doha" in mail.body
    assert sms.body == "Safe trip."  # the line of an empty day is left out


def test_what_a_condition_hides_is_empty_and_a_reason_is_told(context: Flask) -> None:
    publish(approved=APPROVED)
    agent = factories.make_agent(language="ar")
    req = approved(agent, "أحضر الأصل.", port="shuwaikh", other_port="Doha")
    _title, body = inbox.text_of(told(req), "ar")
    assert body == "الميناء: الشويخ\nملاحظة: أحضر الأصل.\nنراك."
    assert "Doha" not in str(told(req).params)


def test_only_the_fields_that_are_named_are_kept_with_the_notice(context: Flask) -> None:
    publish(approved=changed(sms="{number}"), rejected=REJECTED)
    req = approved(factories.make_agent(), port="shuwaikh")
    assert {"port", "other_port", "escorted"} <= set(told(req).params)
    assert "name_ar_1" not in told(req).params


def test_later_versions_do_not_change_what_was_told(context: Flask) -> None:
    publish(approved=APPROVED)
    req = approved(factories.make_agent())
    publish()
    assert inbox.text_of(told(req), "en")[0] == f"Your permit {req.number} is ready"


@pytest.mark.parametrize("is_own", [True, False])
def test_the_offices_texts_hold_where_the_service_has_none_of_its_own(
    context: Flask, is_own: bool
) -> None:
    for channel in ("portal", Channel.EMAIL, Channel.SMS):
        text = {"channel": channel, "language": "en", "subject": "Office", "body": "{number}"}
        db.session.add(MessageText(event="request:approved", **text))
    publish(**({"approved": APPROVED} if is_own else {"rejected": REJECTED}))
    req = approved(factories.make_agent(language="en"))
    own = f"Your permit {req.number} is ready"
    assert inbox.text_of(told(req), "en")[0] == (own if is_own else "Office")
    assert sent(Channel.EMAIL).subject == (own if is_own else "Office")
    assert sent(Channel.SMS).body == ("Safe trip." if is_own else req.number)


def test_own_words_can_be_switched_off_no_more_and_no_less(context: Flask) -> None:
    words = {"title": "{number}", "body": "{number} {reason}\nBye."}
    publish(withdrawn={"ar": words, "en": words}, approved=APPROVED)
    agent = factories.make_agent(language="en")
    preferences.set_preference(agent.id, "request:withdrawn", Channel.EMAIL, wanted=False)
    req = requests.step(_sent(agent), Action.WITHDRAW, agent)
    notice = db.session.scalars(sa.select(Notice).filter_by(event="request:withdrawn")).one()
    assert inbox.text_of(notice, "en") == (req.number, "Bye.")
    assert not db.session.scalars(sa.select(Delivery).filter_by(event="request:withdrawn")).all()


def _sent(agent: User) -> Request:
    now = utc_now()
    req = drafts.start("greeting", actor_of(agent), now, "private")
    drafts.save(req, {"name_ar_1": "أحمد"}, actor_of(agent), now)
    return requests.step(req, Action.SEND, agent)


@pytest.mark.parametrize(
    ("messages", "fault"),
    [
        ({"approved": changed(body="{colour} {reason}\nنراك.")},
         "messages.approved.ar.body: There is no placeholder {colour}."),
        ({"approved": changed("en", sms="{Number}")},
         "messages.approved.en.sms: There is no placeholder {Number}."),
        ({"approved": changed(body="تمت الموافقة.")},
         "messages.approved.ar.body: Neither title nor text has the placeholder {reason}."),
        ({"approved": changed(sms="")},
         "messages.approved.ar.sms: This message is sent by SMS and has no text for it."),
        ({"withdrawn": changed(body="{reason}\nنراك.")},
         "messages.withdrawn.ar.sms: This message is not sent by SMS."),
        ({"approved": changed("en", body="{reason} {port}")},
         "messages.approved.en.body: Nothing is left of this text where optional values are "
         "empty."),
        ({"approved": changed("en", sms="{port}")},
         "messages.approved.en.sms: Nothing is left of this text where optional values are "
         "empty."),
        ({"seated": APPROVED},
         "messages.seated: No step of this service sends the message “seated”."),
    ],
)  # fmt: skip
def test_a_bad_message_prevents_publishing_with_its_path(
    context: Flask, messages: dict[str, Any], fault: str
) -> None:
    assert fault in versions.faults(document(**messages))


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ({"ar": APPROVED["ar"]}, "messages.approved.en: "),
        (changed(sms="س" * 481), "messages.approved.ar.sms: "),
        (changed(title=" "), "messages.approved.ar.title: "),
    ],
)
def test_a_message_lacks_no_language_and_is_not_too_long(
    context: Flask, message: dict[str, Any], path: str
) -> None:
    assert [fault for fault in versions.faults(document(approved=message)) if path in fault]


def test_marks_that_an_author_typed_are_dropped(context: Flask) -> None:
    publish(approved=changed(title="\u200fتصريح \u202b{number}"))
    req = approved(factories.make_agent())
    assert inbox.text_of(told(req), "ar")[0] == f"تصريح \u2068{req.number}\u2069"


def test_sound_messages_have_no_faults(context: Flask) -> None:
    assert versions.faults(document(approved=APPROVED, rejected=REJECTED)) == []
