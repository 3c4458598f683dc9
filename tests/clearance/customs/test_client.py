"""The customs system behind registration: agreed, refused, silent, broken; HTTP and embedded."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
import time_machine
import yaml
from flask import Flask

from clearance.auth.passwords import hash_password
from clearance.core.errors import ServiceUnavailable, TooManyTries
from clearance.core.extensions import db
from clearance.core.settings import ROOT
from clearance.customs import client as customs_client
from clearance.customs import register_import
from clearance.models import AccessEvent
from tests.support import factories
from tests.support.customs_system import (
    HOLDER_CIVIL_ID,
    LICENCE_NO,
    PASSWORD,
    TOKEN,
    USER,
    CustomsSystem,
    answer,
    broker,
)
from tests.support.gateways import free_port
from tests.support.parallel import run_together

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def system() -> Iterator[CustomsSystem]:
    with CustomsSystem() as running:
        yield running


@pytest.fixture
def asking(make_app: Callable[..., Flask], system: CustomsSystem) -> Iterator[Flask]:
    """An application that asks `system`."""
    app = make_app(customs_url=system.url, customs_token=TOKEN)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def register(context: Flask) -> Flask:
    """An application whose embedded register knows one account."""
    register_import.store(LICENCE_NO, USER, hash_password(PASSWORD), answer())
    db.session.commit()
    return context


def test_the_system_is_asked_and_its_answer_is_read(asking: Flask, system: CustomsSystem) -> None:
    told = customs_client.verify(LICENCE_NO, USER, PASSWORD)
    assert system.asked == [{"licence_no": LICENCE_NO, "user_id": USER, "password": PASSWORD}]
    assert told.licence_no == LICENCE_NO
    assert told.holder.civil_id == HOLDER_CIVIL_ID
    assert told.organisation.name_en == "Alkandari Clearing"
    assert told.brokers[0].name_ar == ("أحمد", "عبد الله", "", "الكندري")
    assert told.brokers[0].licence.expires == date(2028, 6, 30)


@pytest.mark.parametrize(
    ("licence_no", "user", "password"),
    [("KW-9", USER, PASSWORD), (LICENCE_NO, "x", PASSWORD), (LICENCE_NO, USER, "wrong")],
)
def test_the_system_refuses_all_reasons_alike(
    asking: Flask, licence_no: str, user: str, password: str
) -> None:
    with pytest.raises(customs_client.Rejected) as refused:
        customs_client.verify(licence_no, user, password)
    assert str(refused.value.message) == str(customs_client.Rejected().message)


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_any_other_answer_means_try_again_later(
    asking: Flask, system: CustomsSystem, status: int
) -> None:
    system.status = status
    with pytest.raises(ServiceUnavailable):
        customs_client.verify(LICENCE_NO, USER, PASSWORD)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Hello</html>",
        b"",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        json.dumps(answer(broker("123456789012", "CL/1"))).encode(),
        json.dumps(answer(broker(HOLDER_CIVIL_ID, "CL/1", broker_type="captain"))).encode(),
        json.dumps(answer(broker(HOLDER_CIVIL_ID, "CL/1", name_ar=["only one"]))).encode(),
        json.dumps(answer(broker(HOLDER_CIVIL_ID, "C" * 200))).encode(),
        b" " * (customs_client.ANSWER_MAX_BYTES + 1),
    ],
)
def test_an_answer_that_cannot_be_read_means_try_again_later(
    asking: Flask, system: CustomsSystem, body: bytes
) -> None:
    system.body = body
    with pytest.raises(ServiceUnavailable):
        customs_client.verify(LICENCE_NO, USER, PASSWORD)


def test_a_redirect_is_not_followed_with_the_password(asking: Flask, system: CustomsSystem) -> None:
    system.status, system.location = 307, f"{system.url}/accounts/verify"
    with pytest.raises(ServiceUnavailable):
        customs_client.verify(LICENCE_NO, USER, PASSWORD)
    assert len(system.asked) == 1


@pytest.mark.parametrize("fault", ["silent", "dripping"])
def test_silence_ends_after_the_timeout_in_all(
    asking: Flask, system: CustomsSystem, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customs_client, "TIMEOUT_SECONDS", 0.5)
    setattr(system, fault, True)
    began = time.monotonic()
    with pytest.raises(ServiceUnavailable):
        customs_client.verify(LICENCE_NO, USER, PASSWORD)
    assert 0.4 < time.monotonic() - began < 2


def test_the_timeout_is_five_seconds() -> None:
    assert customs_client.TIMEOUT_SECONDS == 5


def test_a_system_that_is_down_means_try_again_later(make_app: Callable[..., Flask]) -> None:
    with make_app(customs_url=f"http://127.0.0.1:{free_port()}").app_context():
        with pytest.raises(ServiceUnavailable):
            customs_client.verify(LICENCE_NO, USER, PASSWORD)
        db.engine.dispose()


def test_a_wrong_token_means_try_again_later(
    make_app: Callable[..., Flask], system: CustomsSystem
) -> None:
    with make_app(customs_url=system.url, customs_token="other").app_context():
        with pytest.raises(ServiceUnavailable):
            customs_client.verify(LICENCE_NO, USER, PASSWORD)
        db.engine.dispose()


@pytest.mark.parametrize("fault", ["silent", "failing"])
def test_a_question_without_an_answer_is_a_try_too(
    asking: Flask, system: CustomsSystem, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customs_client, "TIMEOUT_SECONDS", 0.2)
    system.silent, system.status = fault == "silent", 500
    for _ in range(5):
        with pytest.raises(ServiceUnavailable):
            customs_client.verify(LICENCE_NO, USER, PASSWORD)
    with pytest.raises(TooManyTries):
        customs_client.verify(LICENCE_NO, USER, PASSWORD)
    assert len(system.asked) == 5


def test_few_wait_for_a_silent_system_and_the_others_are_told_at_once(
    asking: Flask, system: CustomsSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customs_client, "TIMEOUT_SECONDS", 3)
    system.silent = True
    waits = [0.0] * 6

    def ask(number: int) -> None:
        began = time.monotonic()
        with asking.app_context():
            with pytest.raises(ServiceUnavailable):
                customs_client.verify(f"KW-{number}", f"user{number}", PASSWORD)
            db.session.remove()
        waits[number] = time.monotonic() - began

    run_together(ask, len(waits))
    waiting = [wait for wait in waits if wait >= 3]
    assert len(waiting) == customs_client.WAITING_AT_ONCE == len(system.asked)
    assert sum(wait < 2 for wait in waits) == len(waits) - customs_client.WAITING_AT_ONCE
    system.silent = False
    assert customs_client.verify(LICENCE_NO, USER, PASSWORD)


def test_who_is_not_asked_about_has_not_tried(
    asking: Flask, system: CustomsSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customs_client, "_places", threading.BoundedSemaphore(1))
    with customs_client._place():
        for _ in range(8):
            with pytest.raises(ServiceUnavailable):
                customs_client.verify(LICENCE_NO, USER, PASSWORD)
    assert customs_client.verify(LICENCE_NO, USER, PASSWORD)


@pytest.mark.databases
def test_the_embedded_register_agrees_and_refuses(register: Flask) -> None:
    assert customs_client.verify(LICENCE_NO, USER, PASSWORD).holder.first_name == "أحمد"
    for wrong in (("KW-9", USER, PASSWORD), (LICENCE_NO, USER, "wrong")):
        with pytest.raises(customs_client.Rejected):
            customs_client.verify(*wrong)


def test_five_tries_an_hour_per_licence_whoever_the_user(register: Flask) -> None:
    for number in range(5):
        with pytest.raises(customs_client.Rejected):
            customs_client.verify(LICENCE_NO, f"user{number}", "wrong")
    with pytest.raises(TooManyTries):
        customs_client.verify(LICENCE_NO.lower(), USER, PASSWORD)


def test_five_tries_an_hour_per_user_whatever_the_licence(register: Flask) -> None:
    for number in range(5):
        with pytest.raises(customs_client.Rejected):
            customs_client.verify(f"KW-{number}", USER, "wrong")
    with pytest.raises(TooManyTries):
        customs_client.verify(LICENCE_NO, USER, PASSWORD)


def test_tries_of_strangers_only_delay_the_holder_of_a_licence(register: Flask) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        with factories.visit(register, ip="10.9.9.9"):
            for _ in range(5):
                with pytest.raises(customs_client.Rejected):
                    customs_client.verify(LICENCE_NO, USER, "wrong")
            with pytest.raises(TooManyTries) as refused:
                customs_client.verify(LICENCE_NO, USER, "wrong")
            assert refused.value.retry_after == 3600
        with factories.visit(register):
            with pytest.raises(TooManyTries) as refused:
                customs_client.verify(LICENCE_NO, USER, PASSWORD)
            assert refused.value.retry_after == 30
            clock.shift(30)
            assert customs_client.verify(LICENCE_NO, USER, PASSWORD)


def test_the_password_is_in_no_table_and_no_log(
    asking: Flask, system: CustomsSystem, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "Canary-Customs-77"
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(customs_client.Rejected):
            customs_client.verify(LICENCE_NO, USER, secret)
        system.status = 500
        with pytest.raises(ServiceUnavailable):
            customs_client.verify(LICENCE_NO, USER, secret)
    assert secret not in caplog.text
    events = db.session.scalars(sa.select(AccessEvent).order_by(AccessEvent.id)).all()
    assert [event.result for event in events] == ["rejected", "unavailable"]
    assert not any(secret in f"{event.detail}{event.object_id}" for event in events)


def test_the_written_contract_names_what_is_read() -> None:
    contract = yaml.safe_load((ROOT / "docs" / "customs-api.yaml").read_text())
    shapes = contract["components"]["schemas"]
    models = {
        "Answer": customs_client.Answer,
        "Holder": customs_client.Holder,
        "Organisation": customs_client.OrganisationNames,
        "Broker": customs_client.Broker,
        "Licence": customs_client.Licence,
    }
    for name, model in models.items():
        fields = set(model.model_fields) - {"licence_no"}
        assert set(shapes[name]["properties"]) == fields == set(shapes[name]["required"])
    assert set(contract["paths"]["/accounts/verify"]["post"]["responses"]) == {
        "200",
        "401",
        "default",
    }
