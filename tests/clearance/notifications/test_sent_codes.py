"""Codes in the outbox: sent first, erased when sent or expired, never in the clear."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db
from clearance.models.enums import Channel, DeliveryStatus
from clearance.notifications import delivery
from tests.support.gateways import (
    SmsGateway,
    SmtpGateway,
    queued_code,
)
from tests.support.outbox_rows import CODE, MOBILE, NOW, queue, queue_code, row

# Codes


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


# Encryption


def everything_stored() -> str:
    db.session.rollback()
    rows = db.session.execute(sa.text("SELECT * FROM delivery")).mappings().all()
    db.session.rollback()
    return " ".join(str(value) for each in rows for value in each.values())
