"""One-time codes: bound to what they prove, five tries, ten minutes, once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from clearance.auth import one_time_codes
from clearance.core import crypto
from clearance.core.errors import Refused, TooManyTries
from clearance.core.extensions import db
from clearance.models import AccessEvent, Delivery, VerificationCode
from clearance.models.enums import Channel, CodePurpose
from tests.support import factories
from tests.support.gateways import queued_code
from tests.support.parallel import ROUNDS, run_together
from tests.support.rows import count_of

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
OWNER = "registration:7"
EMAIL = "new@example.com"
MOBILE = "+96550001234"


def issue(
    owner: str = OWNER,
    channel: Channel = Channel.EMAIL,
    address: str = EMAIL,
    purpose: CodePurpose = CodePurpose.VERIFY,
    now: datetime = NOW,
) -> str:
    one_time_codes.create(owner, purpose, channel, address, "ar", now)
    db.session.commit()
    return read_code(address)


def read_code(address: str = EMAIL) -> str:
    """The newest code for `address`; the transaction of reading it is ended."""
    code = queued_code(address)
    db.session.commit()
    return code


def try_it(
    code: str,
    owner: str = OWNER,
    channel: Channel = Channel.EMAIL,
    address: str = EMAIL,
    purpose: CodePurpose = CodePurpose.VERIFY,
    now: datetime = NOW,
) -> bool:
    is_right = one_time_codes.check(owner, purpose, channel, address, code, now)
    db.session.commit()
    return is_right


def claim(channel: Channel, address: str, now: datetime = NOW) -> None:
    claim_all([(channel, address)], now)


def claim_all(targets: list[tuple[Channel, str]], now: datetime = NOW) -> None:
    with time_machine.travel(now, tick=False):
        one_time_codes.consume_send_quotas(targets)


def another(code: str) -> str:
    """A code that is not `code`."""
    return f"{(int(code) + 1) % 10**6:06d}"


@pytest.fixture
def wide(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """An application whose budgets leave the five tries of a code as the only limit."""
    app = make_app(limits={"code_try_account": "", "code_try_ip": ""})
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.mark.databases
def test_a_right_code_proves_once(context: Flask) -> None:
    code = issue()
    assert re.fullmatch("[0-9]{6}", code)
    assert try_it(code) is True
    assert try_it(code) is False


def test_spaces_and_arabic_digits_are_no_mistake(context: Flask) -> None:
    code = issue()
    typed = " ".join(code).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert try_it(typed) is True


def test_a_reset_code_has_eight_characters_without_look_alikes(context: Flask) -> None:
    code = issue(purpose=CodePurpose.RESET)
    assert re.fullmatch("[A-HJKMNP-Z2-9]{8}", code)
    assert try_it(code.lower(), purpose=CodePurpose.RESET) is True


def test_a_code_serves_nothing_but_what_it_was_made_for(context: Flask) -> None:
    mine = issue()
    issue(owner="registration:8", address="other@example.com")
    issue(channel=Channel.SMS, address=MOBILE)
    issue(purpose=CodePurpose.CONTACT)
    assert not try_it(mine, owner="registration:8", address="other@example.com")
    assert not try_it(mine, channel=Channel.SMS, address=MOBILE)
    assert not try_it(mine, purpose=CodePurpose.CONTACT)
    assert not try_it(mine, address="changed@example.com")
    assert try_it(mine)


def test_sending_again_voids_the_code_before(context: Flask) -> None:
    first = issue()
    second = issue(now=NOW + timedelta(minutes=1))
    if first != second:
        assert not try_it(first, now=NOW + timedelta(minutes=1))
    assert try_it(second, now=NOW + timedelta(minutes=1))
    row = db.session.scalars(sa.select(VerificationCode).order_by(VerificationCode.id)).first()
    assert row is not None
    assert row.voided_at == NOW + timedelta(minutes=1)


def test_after_ten_minutes_and_before_its_time_a_code_is_void(context: Flask) -> None:
    code = issue()
    assert not try_it(code, now=NOW - timedelta(minutes=3))
    assert not try_it(code, now=NOW + one_time_codes.LIFETIME)
    assert try_it(code, now=NOW + one_time_codes.LIFETIME - timedelta(seconds=1))


@pytest.mark.databases
def test_five_wrong_tries_void_the_code(context: Flask) -> None:
    code = issue()
    for _ in range(one_time_codes.TRIES):
        assert not try_it(another(code))
    assert not try_it(code)


def test_resending_does_not_refill_the_accounts_budget(context: Flask) -> None:
    now = NOW
    for _ in range(4):
        code = issue(now=now)
        for _ in range(one_time_codes.TRIES):
            assert not try_it(another(code), now=now)
        now += timedelta(minutes=1)
    code = issue(now=now)
    with pytest.raises(TooManyTries):
        try_it(code, now=now)


def test_the_try_stands_even_if_the_request_is_undone(context: Flask) -> None:
    code = issue()
    one_time_codes.verify(OWNER, CodePurpose.VERIFY, Channel.EMAIL, EMAIL, another(code), NOW)
    db.session.rollback()
    assert db.session.scalar(sa.select(VerificationCode.tries_left)) == one_time_codes.TRIES - 1


def test_a_right_code_not_spent_stays_usable(context: Flask) -> None:
    code = issue()
    code_id = one_time_codes.verify(OWNER, CodePurpose.VERIFY, Channel.EMAIL, EMAIL, code, NOW)
    assert code_id is not None
    db.session.rollback()
    assert try_it(code)


def test_the_database_keeps_only_a_keyed_hash(context: Flask) -> None:
    code = issue()
    row = db.session.scalars(sa.select(VerificationCode)).one()
    assert len(row.code_hash) == 64
    assert code not in row.code_hash
    assert row.code_hash != crypto.keyed_hash(code, "code")
    delivery = db.session.scalars(sa.select(Delivery)).one()
    assert code not in f"{delivery.subject} {delivery.body}"


def test_codes_made_under_the_secret_before_still_work(make_app: Callable[..., Flask]) -> None:
    old, new = "o" * 40, "n" * 40
    with make_app(secret_key=old).app_context():
        code = issue()
        db.engine.dispose()
    with make_app(secret_key=new, secret_key_fallbacks=(old,)).app_context():
        assert try_it(code)
        db.engine.dispose()
    with make_app(secret_key=new).app_context():
        with pytest.raises(ValueError, match="not sealed"):
            crypto.decrypt(db.session.scalars(sa.select(Delivery.body)).one())
        db.session.remove()
        db.engine.dispose()


def test_one_code_a_minute_and_five_an_hour_go_to_an_address(context: Flask) -> None:
    claim(Channel.SMS, MOBILE)
    with pytest.raises(TooManyTries) as refused:
        claim(Channel.SMS, MOBILE, NOW + timedelta(seconds=20))
    assert refused.value.retry_after == 40
    for minute in range(1, 5):
        claim(Channel.SMS, MOBILE, NOW + timedelta(minutes=minute))
    with pytest.raises(TooManyTries):
        claim(Channel.SMS, MOBILE, NOW + timedelta(minutes=6))


def test_when_one_address_is_over_its_budget_the_other_is_not_counted(context: Flask) -> None:
    claim(Channel.SMS, MOBILE)
    with pytest.raises(TooManyTries):
        claim_all([(Channel.EMAIL, EMAIL), (Channel.SMS, MOBILE)])
    claim(Channel.EMAIL, EMAIL)


def test_thirty_codes_an_hour_are_sent_for_one_address_of_the_network(app: Flask) -> None:
    with factories.visit(app):
        for number in range(15):
            targets = [
                (Channel.EMAIL, f"new{number}@example.com"),
                (Channel.SMS, f"+965500100{number:02d}"),
            ]
            claim_all(targets)
        with pytest.raises(TooManyTries):
            claim(Channel.EMAIL, "one-more@example.com")


def test_codes_that_strangers_have_sent_to_an_address_only_delay_its_owner(app: Flask) -> None:
    for minute in range(5):
        with factories.visit(app, ip="10.0.0.9"):
            claim(Channel.SMS, MOBILE, NOW + timedelta(minutes=minute))
    late = NOW + timedelta(minutes=6)
    with factories.visit(app, ip="10.0.0.9"), pytest.raises(TooManyTries) as refused:
        claim(Channel.SMS, MOBILE, late)
    assert refused.value.retry_after > 3000
    with factories.visit(app, ip="10.0.0.1"):
        with pytest.raises(TooManyTries) as refused:
            claim(Channel.SMS, MOBILE, late)
        assert refused.value.retry_after == 30
        claim(Channel.SMS, MOBILE, late + timedelta(seconds=30))


def test_no_sms_goes_to_a_country_off_the_list(context: Flask) -> None:
    assert one_time_codes.is_served(MOBILE)
    with pytest.raises(Refused):
        claim(Channel.SMS, "+447400123456")


def test_sending_and_trying_leave_masked_access_events(context: Flask) -> None:
    claim(Channel.EMAIL, EMAIL)
    code = issue()
    try_it(another(code))
    try_it(code)
    events = db.session.scalars(sa.select(AccessEvent).order_by(AccessEvent.id)).all()
    assert [(event.kind, event.result) for event in events] == [
        ("code:send", ""),
        ("code:try", "wrong"),
        ("code:try", "right"),
    ]
    assert {event.detail for event in events} == {"n•••@example.com"}
    assert not any(code in f"{event.object_id}{event.detail}" for event in events)


def test_a_code_nobody_is_to_know_is_queued_nowhere(context: Flask) -> None:
    one_time_codes.create(OWNER, CodePurpose.VERIFY, Channel.EMAIL, EMAIL, "ar", NOW, deliver=False)
    db.session.commit()
    assert count_of(Delivery) == 0
    assert db.session.scalars(sa.select(VerificationCode)).one().tries_left == one_time_codes.TRIES


def test_when_the_living_code_expires_is_told(context: Flask) -> None:
    issue()
    asked = (OWNER, CodePurpose.VERIFY, Channel.EMAIL)
    assert one_time_codes.expires_at(*asked, NOW) == NOW + one_time_codes.LIFETIME
    assert one_time_codes.expires_at(*asked, NOW + one_time_codes.LIFETIME) is None


@pytest.mark.databases
def test_of_twenty_codes_at_once_to_one_mobile_one_is_sent(app: Flask) -> None:
    assert codes_at_once(app, MOBILE, 20) == 1


@pytest.mark.heavy
@pytest.mark.databases
def test_of_twenty_codes_at_once_to_one_mobile_one_is_sent_every_time(app: Flask) -> None:
    assert [codes_at_once(app, factories.mobile(), 20) for _ in range(ROUNDS)] == [1] * ROUNDS


def codes_at_once(app: Flask, mobile: str, count: int) -> int:
    """How many of so many codes pass while the minute after an earlier one ends."""
    passed: list[int] = []

    def attempt(number: int) -> None:
        with factories.visit(app, ip=f"10.6.1.{number}"):
            try:
                one_time_codes.consume_send_quota(Channel.SMS, mobile)
            except TooManyTries:
                return
            passed.append(number)

    with app.app_context():
        claim(Channel.SMS, mobile)
    with time_machine.travel(NOW + timedelta(seconds=60, milliseconds=-20), tick=True):
        run_together(attempt, count)
    return len(passed)


@pytest.mark.heavy
@pytest.mark.databases
def test_200_wrong_codes_at_once_get_five_comparisons(
    wide: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = issue()
    assert guesses_compared(wide, another(code), 200, monkeypatch) == one_time_codes.TRIES


@pytest.mark.databases
def test_20_wrong_codes_at_once_get_five_comparisons(
    wide: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = issue()
    assert guesses_compared(wide, another(code), 20, monkeypatch) == one_time_codes.TRIES
    assert not try_it(code)


@pytest.mark.databases
def test_one_right_code_typed_ten_times_at_once_proves_once(wide: Flask) -> None:
    code = issue()
    proved: list[int] = []

    def attempt(number: int) -> None:
        with wide.app_context():
            if one_time_codes.check(OWNER, CodePurpose.VERIFY, Channel.EMAIL, EMAIL, code, NOW):
                proved.append(number)
            db.session.commit()
            db.session.remove()

    run_together(attempt, 10)
    assert len(proved) == 1


def guesses_compared(app: Flask, guess: str, count: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many of `count` guesses at once reached the comparison; none may be right."""
    compared: list[str] = []
    real = one_time_codes.compare

    def counting(typed: str, digest: str, binding: str) -> bool:
        compared.append(typed)
        return real(typed, digest, binding)

    monkeypatch.setattr(one_time_codes, "compare", counting)

    def attempt(number: int) -> None:
        with app.app_context():
            assert not one_time_codes.check(
                OWNER, CodePurpose.VERIFY, Channel.EMAIL, EMAIL, guess, NOW
            )
            db.session.remove()

    run_together(attempt, count)
    return len(compared)
