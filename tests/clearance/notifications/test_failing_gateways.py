"""Gateways that are down, slow, or refuse one address: nothing is lost, nothing is held up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from clearance.models.enums import DeliveryStatus
from clearance.notifications import delivery, mail_transport, sms_transport
from tests.support.gateways import (
    SmsGateway,
    SmtpGateway,
)
from tests.support.outbox_rows import MOBILE, NOW, MakeApp, queue, queue_code, row, running

# Gateways that fail


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
    assert {message["To"] for message in mail.messages} == {f"p{n}@example.com" for n in range(12)}
    assert len({message["Message-ID"] for message in mail.messages}) == 12
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


# Encryption


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
