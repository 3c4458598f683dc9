"""The sender against real gateways: nothing lost, nothing twice, codes first, no secret kept."""

from __future__ import annotations

import email.header
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from clearance.core.extensions import db
from clearance.core.settings import BadSettings, Mode
from clearance.core.values import BadValue
from clearance.models import Delivery
from clearance.models.enums import Channel, DeliveryStatus
from clearance.notifications import delivery, outbox, sms_transport
from tests.support.gateways import (
    SmsGateway,
    SmtpGateway,
    queued_code,
    text_of,
)
from tests.support.outbox_rows import CODE, MOBILE, NOW, MakeApp, queue, queue_code, row, running


@pytest.mark.databases
def test_a_mail_and_an_sms_reach_their_gateways(
    portal: Flask, mail: SmtpGateway, sms: SmsGateway
) -> None:
    by_mail, by_sms = queue("someone@example.com", n=1), queue(MOBILE, n=2)
    outcome = delivery.deliver_due(NOW)
    assert (outcome.sent, outcome.retried, outcome.next_at) == (2, 0, None)
    assert [message["To"] for message in mail.messages] == ["someone@example.com"]
    assert sms.to(MOBILE) == ["نص الرسالة"]
    for delivery_id in (by_mail, by_sms):
        assert row(delivery_id).status == DeliveryStatus.SENT
        assert row(delivery_id).sent_at is not None
        assert row(delivery_id).lease is None
    assert delivery.deliver_due(NOW).sent == 0


def test_the_sms_gateway_gets_the_number_in_e164_and_a_key_that_stays(
    portal: Flask, sms: SmsGateway
) -> None:
    delivery_id = queue(MOBILE)
    sms.refuse(MOBILE)
    delivery.deliver_due(NOW)
    sms._refused.clear()
    delivery.deliver_due(NOW + timedelta(minutes=1))
    assert [message["to"] for message in sms.messages] == [MOBILE]
    assert sms.keys == [row(delivery_id).message_id]


@pytest.mark.parametrize("mobile", ["+96550001234&:to=+96599999999", "50001234", "+965\r\n1", ""])
def test_an_sms_goes_to_a_number_in_e164_or_nowhere(mobile: str) -> None:
    with pytest.raises(ValueError, match=r"E\.164"):
        sms_transport.send("json://127.0.0.1:1/?:to={mobile}", mobile, "text", "key")


@pytest.mark.parametrize("kind", ["json", "form", "xml"])
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 400, 401, 404, 500, 503])
@pytest.mark.parametrize("more", ["", "&redirect=yes"])
def test_only_success_of_the_gateway_counts_and_no_redirect_is_followed(
    sms: SmsGateway, kind: str, status: int, more: str
) -> None:
    sms.answer(status, "/elsewhere?x=1")
    url = f"{kind}://127.0.0.1:{sms.port}/?:to={{mobile}}{more}"
    with pytest.raises(sms_transport.SmsRefused):
        sms_transport.send(url, MOBILE, "text", "key")
    assert sms.redirected == []


@pytest.mark.parametrize("url", ["twilio://{mobile}", "json://", "syslog:/{mobile}"])
def test_processes_that_send_sms_refuse_an_address_that_apprise_cannot_use(
    make_app: MakeApp, url: str
) -> None:
    jobs = make_app().extensions["jobs"]
    jobs._settings = replace(jobs._settings, sms_url=url)
    for begin in (jobs.start, jobs.run):
        with pytest.raises(BadSettings, match="SMS_URL"):
            begin()


def test_an_sms_url_that_is_none_is_an_answer_and_not_a_crash() -> None:
    with pytest.raises(sms_transport.SmsRefused):
        sms_transport.send("nosuchgateway://x/{mobile}", MOBILE, "text", "key")


def test_a_long_arabic_subject_and_body_arrive_as_written(portal: Flask, mail: SmtpGateway) -> None:
    subject = (
        "تمت إعادة الطلب \u2068CE/8/26\u2069 للاستكمال - " + "مكتب شؤون المخلصين الجمركيين " * 7
    )
    subject = " ".join(subject.split())[:250]
    body = "السبب: " + "صورة البطاقة المدنية غير واضحة، " * 60 + "\nسطر ثانٍ\n"
    queue(subject=subject, body=body)
    delivery.deliver_due(NOW)
    assert mail.messages[0]["Subject"] == subject
    words = email.header.make_header(
        email.header.decode_header(_raw_header(mail.raw[0], b"Subject"))
    )
    assert str(words) == subject
    assert text_of(mail.messages[0]) == body
    assert max(len(line) for line in mail.raw[0].splitlines()) <= 998


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("en", "ltr")])
def test_the_html_half_has_language_and_direction_and_escapes(
    portal: Flask, mail: SmtpGateway, language: str, direction: str
) -> None:
    queue(language=language, body="<b>x</b> & y\n\nhttps://example.com/a?b=1&c=2\n")
    delivery.deliver_due(NOW)
    part = mail.messages[0].get_body(("html",))
    assert part is not None
    html = part.get_content()
    page = BeautifulSoup(html, "html.parser")
    assert page.html is not None and page.body is not None
    # Some mail readers keep the inside of <body> alone.
    for element in (page.html, *page.body.find_all(recursive=False)):
        assert (element["lang"], element["dir"]) == (language, direction)
    assert page.select_one('meta[name="color-scheme"]')["content"] == "light dark"
    assert "&lt;b&gt;x&lt;/b&gt; &amp; y" in html
    assert 'dir="ltr" href="https://example.com/a?b=1&amp;c=2"' in html


def test_headers_cannot_be_added_by_subject_or_address(portal: Flask, mail: SmtpGateway) -> None:
    bad = queue("a@example.com\r\nBcc: all@example.com", n=1)
    two = queue("a@example.com, b@example.com", n=2)
    queue(subject="x\r\nBcc: all@example.com\r\n\r\nbody", n=3)
    outcome = delivery.deliver_due(NOW)
    assert (outcome.sent, outcome.retried) == (1, 2)
    assert mail.messages[0]["Bcc"] is None
    assert mail.messages[0]["Subject"] == "x Bcc: all@example.com body"
    assert row(bad).last_error == row(two).last_error == BadValue.__name__


def test_a_mail_names_what_readers_and_filters_need(portal: Flask, mail: SmtpGateway) -> None:
    delivery_id = queue()
    delivery.deliver_due(NOW)
    sent = mail.messages[0]
    assert sent["Message-ID"] == f"<{row(delivery_id).message_id}>"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["Content-Language"] == "ar"
    assert sent["From"] == "clearance@example.com"
    assert sent["Date"].datetime == NOW


# Trying again


def test_pauses_grow_to_an_hour_and_differ() -> None:
    longest = [max(delivery.pause_after(n) for _ in range(40)) for n in range(1, 15)]
    assert longest[0] <= timedelta(seconds=10)
    assert all(a < b for a, b in zip(longest[:8], longest[1:9], strict=True))
    assert timedelta(minutes=50) < longest[-1] <= timedelta(hours=1)
    assert len({delivery.pause_after(5) for _ in range(10)}) > 1
    assert delivery.pause_after(100_000) <= timedelta(hours=1)


@pytest.mark.databases
def test_a_message_is_tried_for_72_hours_and_then_given_up_and_can_be_sent_again(
    portal: Flask, mail: SmtpGateway
) -> None:
    mail.refuse("someone@example.com")
    delivery_id = queue()
    moment, tries = NOW, 0
    while row(delivery_id).status == DeliveryStatus.QUEUED:
        moment = row(delivery_id).next_at
        delivery.deliver_due(moment + timedelta(seconds=1))
        tries += 1
        assert tries < 200
    assert moment - NOW >= timedelta(hours=71, minutes=59)
    assert row(delivery_id).status == DeliveryStatus.GIVEN_UP
    assert 72 <= row(delivery_id).attempts == tries
    assert delivery.deliver_due(moment + timedelta(days=1)).sent == 0
    mail._refused.clear()
    outbox.send_again(db.session.get_one(Delivery, delivery_id), moment)
    db.session.commit()
    assert delivery.deliver_due(moment).sent == 1


@pytest.mark.databases
def test_two_senders_at_once_never_send_a_message_twice(portal: Flask, mail: SmtpGateway) -> None:
    total = 40
    for n in range(total):
        queue(f"p{n}@example.com", n=n)
    start = threading.Barrier(4)

    def send() -> int:
        with portal.app_context():
            start.wait(10)
            return delivery.deliver_due(NOW, total).sent

    with ThreadPoolExecutor(4) as pool:
        sent = [future.result(60) for future in [pool.submit(send) for _ in range(4)]]
    assert sum(sent) == total
    assert sorted(str(message["To"]) for message in mail.messages) == sorted(
        f"p{n}@example.com" for n in range(total)
    )


@pytest.mark.databases
def test_a_lease_of_a_sender_that_died_runs_out(portal: Flask, mail: SmtpGateway) -> None:
    delivery_id = queue()
    assert len(delivery._claim(Channel.EMAIL, "dead", NOW, 5)) == 1
    assert delivery.deliver_due(NOW + delivery.LEASE - timedelta(seconds=5)).sent == 0
    assert delivery.deliver_due(NOW + delivery.LEASE).sent == 1
    assert row(delivery_id).status == DeliveryStatus.SENT


def test_a_lease_holds_against_a_sender_whose_clock_is_behind(portal: Flask) -> None:
    queue()
    delivery._claim(Channel.EMAIL, "ahead", NOW + timedelta(seconds=30), 5)
    assert delivery._claim(Channel.EMAIL, "behind", NOW, 5) == []


@pytest.mark.databases
def test_a_result_written_after_the_lease_was_lost_changes_nothing(portal: Flask) -> None:
    delivery_id = queue()
    claimed = delivery._claim(Channel.EMAIL, "slow", NOW, 5)[0]
    delivery._claim(Channel.EMAIL, "next", NOW + delivery.LEASE, 5)
    assert delivery._finish(claimed, "slow", {"status": DeliveryStatus.SENT}) == 0
    assert row(delivery_id).status == DeliveryStatus.QUEUED
    assert row(delivery_id).lease == "next"


def test_a_sender_leaves_what_another_took_over_when_the_clock_jumped(
    portal: Flask, mail: SmtpGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_flight, waiting = "first@example.com", "second@example.com"
    queue(in_flight, n=1)
    queue(waiting, n=2)
    send = delivery._send_mail

    def meanwhile(*message: Any) -> None:
        monkeypatch.setattr(delivery, "_send_mail", send)
        assert delivery.deliver_due(NOW + timedelta(hours=1)).sent == 2
        send(*message)

    monkeypatch.setattr(delivery, "_send_mail", meanwhile)
    assert delivery.deliver_due(NOW).sent == 0
    assert [len(mail.to(address)) for address in (in_flight, waiting)] == [2, 1]


def test_a_clock_set_back_neither_blocks_nor_keeps_a_lease(
    portal: Flask, mail: SmtpGateway
) -> None:
    queue(n=1, next_at=NOW + timedelta(days=2))
    queue(n=2, lease="ahead", leased_until=NOW + timedelta(days=2))
    assert delivery.deliver_due(NOW).sent == 2


# With and without gateways


def test_without_a_gateway_messages_wait_in_production(make_app: MakeApp) -> None:
    with running(make_app):
        delivery_id = queue()
        code = queue_code()
        assert not delivery.has_transport(Channel.EMAIL)
        outcome = delivery.deliver_due(NOW + timedelta(days=4))
        assert (outcome.sent, outcome.given_up, outcome.expired) == (0, 0, 1)
        assert row(delivery_id).status == DeliveryStatus.QUEUED
        assert row(code).body == ""


def test_in_demo_mode_messages_are_kept_and_codes_stay_readable(make_app: MakeApp) -> None:
    with running(make_app, mode=Mode.DEMO):
        delivery_id = queue_code()
        assert delivery.deliver_due(NOW).sent == 1
        kept = row(delivery_id)
        assert kept.status == DeliveryStatus.SENT
        assert kept.last_error == delivery.KEPT_IN_PORTAL
        assert CODE not in kept.body
        assert queued_code("someone@example.com") == CODE


def test_demo_mode_with_gateways_sends_and_keeps(make_app: MakeApp, mail: SmtpGateway) -> None:
    with running(make_app, mode=Mode.DEMO, mail_server="127.0.0.1", mail_port=mail.port):
        queue_code()
        delivery.deliver_due(NOW)
        assert mail.code_for("someone@example.com") == CODE
        assert queued_code("someone@example.com") == CODE


# Encryption


def _raw_header(raw: bytes, name: bytes) -> str:
    head = raw.split(b"\r\n\r\n", 1)[0].replace(b"\r\n ", b" ")
    line = next(each for each in head.split(b"\r\n") if each.startswith(name + b":"))
    return line.partition(b": ")[2].decode("ascii")
