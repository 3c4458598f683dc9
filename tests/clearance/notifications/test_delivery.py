"""The sender against real gateways: nothing lost, nothing twice, codes first, no secret kept."""

from __future__ import annotations

import email.header
import logging
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask

from clearance.core.extensions import db
from clearance.core.settings import BadSettings, Mode
from clearance.core.values import BadValue
from clearance.models import Delivery
from clearance.models.enums import Channel, DeliveryStatus
from clearance.notifications import delivery, mail_transport, outbox, sms_transport
from clearance.notifications.mail_transport import mail
from tests.support import gateways
from tests.support.gateways import (
    SmsGateway,
    SmtpGateway,
    free_port,
    queued_code,
    text_of,
)

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
CODE = "483920"
MOBILE = "+96550001234"
MakeApp = Callable[..., Flask]
queue_code = partial(gateways.queue_code, now=NOW)


@pytest.fixture
def portal(make_app: MakeApp, mail: SmtpGateway, sms: SmsGateway) -> Iterator[Flask]:
    """The portal with both gateways set."""
    with running(
        make_app, mail_server="127.0.0.1", mail_port=mail.port, sms_url=sms.url
    ) as application:
        yield application


@contextmanager
def running(make_app: MakeApp, **settings: Any) -> Iterator[Flask]:
    application = make_app(**settings)
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


def queue(address: str = "someone@example.com", **columns: Any) -> int:
    """Put a plain message into the outbox; returns its id."""
    values: dict[str, Any] = {
        "event": "request:sent",
        "channel": Channel.EMAIL if "@" in address else Channel.SMS,
        "address": address,
        "language": "ar",
        "subject": "تم إرسال الطلب",
        "body": "نص الرسالة\n",
        "created_at": NOW,
        "next_at": NOW,
        "message_id": f"{queue.__name__}{id(object())}-{address}"[:60] + str(columns.get("n", "")),
    }
    columns.pop("n", None)
    delivery = Delivery(**(values | columns))
    db.session.add(delivery)
    db.session.commit()
    return delivery.id


def row(delivery_id: int) -> Delivery:
    """The row as it stands, read and let go: an open transaction would keep the sender waiting."""
    db.session.rollback()
    found = db.session.get_one(Delivery, delivery_id, populate_existing=True)
    db.session.expunge(found)
    db.session.rollback()
    return found


@pytest.mark.databases
def test_a_mail_and_an_sms_reach_their_gateways(
    portal: Flask, mail: SmtpGateway, sms: SmsGateway
) -> None:
    by_mail, by_sms = queue("someone@example.com", n=1), queue(MOBILE, n=2)
    outcome = delivery.deliver_due(NOW)
    assert (outcome.sent, outcome.retried, outcome.next_at) == (2, 0, None)
    assert [each["To"] for each in mail.messages] == ["someone@example.com"]
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
    assert [each["to"] for each in sms.messages] == [MOBILE]
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
    assert f'<html lang="{language}" dir="{direction}">' in html
    assert "&lt;b&gt;x&lt;/b&gt; &amp; y" in html
    assert 'href="https://example.com/a?b=1&amp;c=2"' in html


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


@pytest.mark.databases
def test_gateways_down_for_ten_minutes_lose_nothing(
    portal: Flask, mail: SmtpGateway, sms: SmsGateway
) -> None:
    mail.down()
    sms.down()
    ids = [queue(f"p{n}@example.com", n=n) for n in range(12)] + [queue(MOBILE, n=99)]
    codes = queue_code("late@example.com")
    for minute in range(11):
        assert delivery.deliver_due(NOW + timedelta(minutes=minute)).sent == 0
    mail.up()
    sms.up()
    later = NOW + timedelta(minutes=11)
    sent = sum(delivery.deliver_due(later + timedelta(minutes=15 * step)).sent for step in range(5))
    assert sent == len(ids)
    assert {each["To"] for each in mail.messages} == {f"p{n}@example.com" for n in range(12)}
    assert len({each["Message-ID"] for each in mail.messages}) == 12
    assert len(sms.messages) == 1
    assert row(codes).status == DeliveryStatus.EXPIRED


def test_a_gateway_that_is_down_is_asked_once_a_run(portal: Flask, mail: SmtpGateway) -> None:
    mail.down()
    ids = [queue(f"p{n}@example.com", n=n) for n in range(7)]
    outcome = delivery.deliver_due(NOW)
    assert (outcome.retried, outcome.sent) == (1, 0)
    assert [row(each).attempts for each in ids] == [1, 0, 0, 0, 0, 0, 0]
    assert all(row(each).lease is None for each in ids)
    assert "ConnectionRefusedError" in row(ids[0]).last_error


def test_one_address_that_is_refused_does_not_hold_up_the_others(
    portal: Flask, mail: SmtpGateway
) -> None:
    mail.refuse("poison@example.com")
    poison = queue("poison@example.com", n=0)
    ids = [queue(f"p{n}@example.com", n=n) for n in range(1, 8)]
    outcome = delivery.deliver_due(NOW)
    assert (outcome.sent, outcome.retried) == (7, 1)
    assert all(row(each).status == DeliveryStatus.SENT for each in ids)
    assert row(poison).last_error == "SMTPRecipientsRefused 550"
    assert outcome.next_at == row(poison).next_at


def test_one_message_that_breaks_the_connection_does_not_hold_up_the_others(
    portal: Flask, mail: SmtpGateway
) -> None:
    mail.break_off("poison@example.com")
    queue("poison@example.com", n=0)
    ids = [queue(f"p{n}@example.com", n=n) for n in range(1, 4)]
    outcome = delivery.deliver_due(NOW)
    assert (outcome.sent, outcome.retried) == (3, 1)
    assert all(row(each).status == DeliveryStatus.SENT for each in ids)


def test_a_number_that_is_refused_does_not_hold_up_the_others(
    portal: Flask, sms: SmsGateway
) -> None:
    sms.refuse("+96550000000")
    queue("+96550000000", n=0)
    queue(MOBILE, n=1)
    outcome = delivery.deliver_due(NOW)
    assert (outcome.sent, outcome.retried) == (1, 1)
    assert len(sms.to(MOBILE)) == 1


def test_a_slow_server_is_cut_off_and_asked_again_later(
    portal: Flask, mail: SmtpGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_transport, "TOTAL_SECONDS", 0.3)
    mail.slow(5)
    delivery_id = queue()
    started = datetime.now(UTC)
    assert delivery.deliver_due(NOW).retried == 1
    assert datetime.now(UTC) - started < timedelta(seconds=3)
    mail.slow(0)
    monkeypatch.undo()
    assert delivery.deliver_due(NOW + timedelta(minutes=1)).sent == 1
    assert row(delivery_id).attempts == 2


def test_a_dripping_server_cannot_hold_the_sender(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_transport, "TOTAL_SECONDS", 0.4)
    with (
        dripping_server() as port,
        running(make_app, mail_server="127.0.0.1", mail_port=port),
    ):
        queue()
        started = datetime.now(UTC)
        assert delivery.deliver_due(NOW).retried == 1
        assert datetime.now(UTC) - started < timedelta(seconds=3)


def test_a_slow_sms_gateway_is_cut_off(
    portal: Flask, sms: SmsGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sms_transport, "TOTAL_SECONDS", 0.2)
    sms.slow(1)
    delivery_id = queue(MOBILE)
    started = datetime.now(UTC)
    assert delivery.deliver_due(NOW).retried == 1
    assert datetime.now(UTC) - started < timedelta(seconds=0.9)
    assert row(delivery_id).last_error == "SmsRefused"


def test_the_deadlines_are_those_of_the_requirements() -> None:
    for transport in (mail_transport, sms_transport):
        assert (transport.CONNECT_SECONDS, transport.TOTAL_SECONDS) == (5, 20)
    assert timedelta(seconds=20 * delivery.BATCH) < delivery.LEASE


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
    assert sorted(str(each["To"]) for each in mail.messages) == sorted(
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


def test_a_clock_set_back_neither_blocks_nor_keeps_a_lease(
    portal: Flask, mail: SmtpGateway
) -> None:
    queue(n=1, next_at=NOW + timedelta(days=2))
    queue(n=2, lease="ahead", leased_until=NOW + timedelta(days=2))
    assert delivery.deliver_due(NOW).sent == 2


@pytest.mark.databases
def test_codes_go_before_everything_that_waited_longer(portal: Flask, mail: SmtpGateway) -> None:
    for n in range(8):
        queue(f"p{n}@example.com", n=n, next_at=NOW - timedelta(hours=1))
    queue_code("code@example.com")
    delivery.deliver_due(NOW, 6)
    assert mail.messages[0]["To"] == "code@example.com"
    assert len(mail.messages) == 6


@pytest.mark.databases
def test_a_code_is_erased_when_it_was_sent(
    portal: Flask, mail: SmtpGateway, sms: SmsGateway
) -> None:
    ids = [queue_code(), queue_code(MOBILE)]
    assert queued_code(MOBILE) == CODE
    delivery.deliver_due(NOW)
    assert mail.code_for("someone@example.com") == sms.code_for(MOBILE) == CODE
    for each in ids:
        assert (row(each).status, row(each).body) == (DeliveryStatus.SENT, "")


@pytest.mark.databases
def test_an_expired_code_is_dropped_and_erased_and_never_sent(
    portal: Flask, mail: SmtpGateway
) -> None:
    delivery_id = queue_code()
    outcome = delivery.deliver_due(NOW + timedelta(minutes=10))
    assert (outcome.sent, outcome.expired) == (0, 1)
    assert (row(delivery_id).status, row(delivery_id).body) == (DeliveryStatus.EXPIRED, "")
    assert mail.messages == []


def test_a_code_that_expires_while_its_batch_is_sent_is_not_sent(portal: Flask) -> None:
    delivery_id = queue_code()
    times = iter([NOW, NOW + timedelta(minutes=11)])
    run = delivery._Run(Channel.EMAIL, lambda: next(times), delivery.Outcome())
    run.work(1)
    assert run.outcome.expired == 1
    assert row(delivery_id).body == ""


@pytest.mark.databases
def test_no_secret_stands_in_the_clear_at_any_time(
    portal: Flask, mail: SmtpGateway, sms: SmsGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mail.refuse("someone@example.com")
    sms.refuse(MOBILE)
    queue_code()
    queue_code(MOBILE)
    for minute in (0, 1, 11):
        delivery.deliver_due(NOW + timedelta(minutes=minute))
        assert CODE not in everything_stored()
    logged = " ".join(
        record.getMessage() for record in caplog.records if record.name != "mail.log"
    )  # the test's own SMTP server logs what it hears
    assert "message put off" in logged
    for canary in (CODE, MOBILE, "someone@example.com"):
        assert canary not in logged


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


@pytest.mark.parametrize("is_trusted", [True, False])
def test_tls_is_verified(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_trusted: bool
) -> None:
    certificate = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with (
        SmtpGateway(tls=context) as gateway,
        running(make_app, mail_server="127.0.0.1", mail_port=gateway.port, mail_use_tls=True),
    ):
        delivery_id = queue()
        delivery.deliver_due(NOW)
        assert len(gateway.messages) == (1 if is_trusted else 0)
        expected = "" if is_trusted else "SSLCertVerificationError"
        assert expected in row(delivery_id).last_error


def test_port_465_speaks_tls_from_the_first_byte(make_app: MakeApp) -> None:
    app = make_app(mail_server="mail.example.com", mail_port=465, mail_use_tls=True)
    assert (app.config["MAIL_USE_SSL"], app.config["MAIL_USE_TLS"]) == (True, False)
    app = make_app(mail_server="mail.example.com", mail_port=587, mail_use_tls=True)
    assert (app.config["MAIL_USE_SSL"], app.config["MAIL_USE_TLS"]) == (False, True)


def test_a_server_that_nobody_answers_for_is_reported_as_down(make_app: MakeApp) -> None:
    with running(make_app, mail_server="127.0.0.1", mail_port=free_port()):
        letter = mail_transport.Letter(
            subject="s",
            address="a@example.com",
            text="t",
            html="h",
            language="en",
            message_id="1@example.com",
            written_at=NOW,
        )
        with pytest.raises(mail_transport.TransportDown), mail.connect() as connection:
            connection.send(letter)


def everything_stored() -> str:
    db.session.rollback()
    rows = db.session.execute(sa.text("SELECT * FROM delivery")).mappings().all()
    db.session.rollback()
    return " ".join(str(value) for each in rows for value in each.values())


def make_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that no authority signed, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@contextmanager
def dripping_server() -> Iterator[int]:
    """A server that greets with a byte now and then, for ever."""
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            while not done.wait(0.05):
                try:
                    connection.sendall(b"2")
                except OSError:
                    return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        done.set()
        thread.join(5)
        listener.close()


def _raw_header(raw: bytes, name: bytes) -> str:
    head = raw.split(b"\r\n\r\n", 1)[0].replace(b"\r\n ", b" ")
    line = next(each for each in head.split(b"\r\n") if each.startswith(name + b":"))
    return line.partition(b": ")[2].decode("ascii")
