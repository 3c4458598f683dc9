"""Licences that end: they expire once, and people are told of ends to come once each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core import chain
from clearance.core.clock import KUWAIT, kuwait_date
from clearance.core.extensions import db
from clearance.licences import expiry_job, validity
from clearance.licences import notifications as licence_notices
from clearance.models import (
    Delivery,
    Licence,
    LicenceChange,
    LicenceReminder,
    Notice,
    Setting,
    User,
)
from clearance.models.enums import LicenceStatus, LicenceStep, SuspendedBy, ValidityLink
from clearance.notifications import inbox
from clearance.services import registry
from tests.support import factories, request_factories
from tests.support.issued_factories import make_licence
from tests.support.races import race

NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)  # 09:00 in Kuwait
TODAY = date(2026, 12, 1)
BY_HOLDER = {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.HOLDER}
BY_OFFICE = {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.OFFICE}

pytestmark = pytest.mark.databases


def make(agent: User, **columns: Any) -> Licence:
    return make_licence(agent.memberships[0].organisation, **columns)


def ending_in(days: int) -> date:
    return TODAY + timedelta(days=days)


def told(event: str = "licence:expiring") -> list[Notice]:
    return list(db.session.scalars(sa.select(Notice).filter_by(event=event).order_by(Notice.id)))


def status_of(licence: Licence) -> str:
    statement = sa.select(Licence.status).where(Licence.id == licence.id)
    return db.session.scalars(statement).one()


def set_reminders(*days: int) -> None:
    db.session.merge(Setting(key="reminder_days", value=list(days)))
    db.session.commit()


# Expiring


def test_a_licence_expires_after_its_last_day_with_history_trail_and_notice(agent: User) -> None:
    licence = make(agent, expires=ending_in(-1))
    assert expiry_job.expire(NOW) == 1
    assert status_of(licence) == LicenceStatus.EXPIRED
    change = db.session.scalars(sa.select(LicenceChange).filter_by(licence_id=licence.id)).one()
    assert (change.kind, change.actor_id) == (LicenceStep.EXPIRED, None)
    assert change.changes["status"] == ["active", "expired"]
    notice = told("licence:expired")[0]
    assert notice.user_id == agent.id
    assert notice.url == f"/my/brokers/{licence.broker_id}/"
    assert "30/11/2026" in inbox.text_of(notice, "ar")[1]
    assert chain.verify(db.session()).faults == []


@pytest.mark.parametrize(
    ("instant", "is_over"),
    [
        (datetime(2026, 11, 30, 20, 59, tzinfo=UTC), False),  # 23:59 of the last day there
        (datetime(2026, 11, 30, 21, 0, tzinfo=UTC), True),  # its midnight
        (datetime(2026, 11, 30, 23, 30, tzinfo=UTC), True),
        (datetime(2026, 11, 29, 23, 30, tzinfo=UTC), False),  # the last day has begun there
    ],
)
def test_the_last_day_is_a_whole_day_of_kuwait(
    agent: User, instant: datetime, is_over: bool
) -> None:
    licence = make(agent, expires=date(2026, 11, 30))
    assert expiry_job.expire(instant) == is_over
    assert (status_of(licence) == LicenceStatus.EXPIRED) == is_over
    assert (validity.status_on(licence, kuwait_date(instant)) == "expired") == is_over


def test_what_the_office_suspended_stays_and_the_holders_own_suspension_ends(agent: User) -> None:
    own = make(agent, expires=ending_in(-1), **BY_HOLDER)
    offices = make(agent, expires=ending_in(-1), **BY_OFFICE)
    cancelled = make(agent, expires=ending_in(-1), status=LicenceStatus.CANCELLED)
    assert expiry_job.expire(NOW) == 1
    assert status_of(own) == LicenceStatus.EXPIRED
    assert status_of(offices) == LicenceStatus.SUSPENDED
    assert status_of(cancelled) == LicenceStatus.CANCELLED


def test_a_licence_expires_once_however_often_the_clock_comes(agent: User) -> None:
    make(agent, expires=ending_in(-400))
    assert [
        expiry_job.expire(NOW),
        expiry_job.expire(NOW),
        expiry_job.expire(NOW + timedelta(days=9)),
    ] == [*(1, 0, 0)]
    assert len(told("licence:expired")) == 1


def test_a_bad_row_leaves_the_others_and_a_killed_run_whole_batches(
    agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry_job, "BATCH", 2)
    licences = [make(agent, expires=ending_in(-1)) for _ in range(5)]
    tell = licence_notices.tell

    def fail(event: str, licence: Licence, **options: Any) -> Any:
        if licence.id == licences[0].id:
            raise ValueError("bad row")
        if licence.id == licences[4].id:
            raise KeyboardInterrupt
        return tell(event, licence, **options)

    monkeypatch.setattr(licence_notices, "tell", fail)
    with pytest.raises(KeyboardInterrupt):
        expiry_job.expire(NOW)
    db.session.rollback()
    assert [status_of(each) for each in licences] == [
        *("active", "expired", "expired", "expired", "active")
    ]
    monkeypatch.setattr(licence_notices, "tell", tell)
    assert expiry_job.expire(NOW) == 2
    assert len(told("licence:expired")) == 5
    assert chain.verify(db.session()).faults == []


# Reminding


@pytest.mark.parametrize(
    ("link", "words"),
    [
        (ValidityLink.LICENCE, ("الرخصة", "licence")),
        (ValidityLink.GUARANTEE, ("الضمان البنكي", "bank guarantee")),
        (ValidityLink.CIVIL_ID, ("البطاقة المدنية", "civil ID card")),
        (ValidityLink.PASSPORT, ("جواز السفر", "passport")),
    ],
)
def test_the_link_that_breaks_first_is_named(
    agent: User, link: ValidityLink, words: tuple[str, str]
) -> None:
    column = validity.LINK_COLUMNS[link].key
    make(agent, **{column: ending_in(30)})
    assert expiry_job.remind(NOW) == 1
    (notice,) = told()
    for lang, word in zip(("ar", "en"), words, strict=True):
        title, body = inbox.text_of(notice, lang)
        assert word in title
        assert "31/12/2026" in body
        assert "30" in body
    mail, sms = db.session.scalars(sa.select(Delivery).order_by(Delivery.id))
    assert words[0] in mail.subject
    assert f"/my/brokers/{notice.url.split('/')[3]}/" in mail.body
    assert words[0] in sms.body


def test_reminders_come_on_their_days_and_once_each(agent: User) -> None:
    make(agent, expires=ending_in(61))
    days = []
    for day in range(64):
        for _ in range(2):
            if expiry_job.remind(NOW + timedelta(days=day)):
                days.append(61 - day)
    assert days == [60, 30, 7]


@pytest.mark.parametrize(
    ("instant", "count"),
    [
        (datetime(2026, 11, 30, 20, 59, tzinfo=UTC), 0),  # 61 days before, there
        (datetime(2026, 11, 30, 23, 30, tzinfo=UTC), 1),  # 02:30, 60 days before
        (datetime(2027, 1, 30, 20, 59, tzinfo=UTC), 1),  # the last day itself
        (datetime(2027, 1, 30, 21, 0, tzinfo=UTC), 0),  # over
    ],
)
def test_days_before_the_end_are_kuwaits(agent: User, instant: datetime, count: int) -> None:
    make(agent, guarantee_expiry=date(2027, 1, 30))
    assert expiry_job.remind(instant) == count


def test_after_a_standstill_only_the_nearest_reminder_is_told(agent: User) -> None:
    make(agent, expires=ending_in(61))
    assert expiry_job.remind(NOW) == 0
    assert expiry_job.remind(NOW + timedelta(days=40)) == 1  # 21 days before the end
    assert told()[0].params["days"] == 21
    assert [row.days for row in db.session.scalars(sa.select(LicenceReminder))] == [30]
    assert expiry_job.remind(NOW + timedelta(days=41)) == 0
    assert expiry_job.remind(NOW + timedelta(days=54)) == 1


def test_a_renewed_link_begins_anew_and_another_may_break_first(agent: User) -> None:
    licence = make(agent, expires=ending_in(5), guarantee_expiry=ending_in(50))
    assert expiry_job.remind(NOW) == 1
    licence.expires = ending_in(700)
    db.session.commit()
    assert expiry_job.remind(NOW) == 1
    licence.guarantee_expiry = ending_in(58)
    db.session.commit()
    assert expiry_job.remind(NOW) == 1
    rows = db.session.scalars(sa.select(LicenceReminder).order_by(LicenceReminder.id))
    assert [(row.link, row.days) for row in rows] == [
        *(("licence", 7), ("guarantee", 60), ("guarantee", 60))
    ]


def test_changed_settings_tell_nobody_twice_of_what_is_near(agent: User) -> None:
    make(agent, expires=ending_in(25))
    assert expiry_job.remind(NOW) == 1  # as the reminder 30 days before
    set_reminders(45, 14)
    assert expiry_job.remind(NOW) == 0  # 45 is farther off than what was told
    assert expiry_job.remind(NOW + timedelta(days=11)) == 1  # 14 days before
    set_reminders(90)
    assert expiry_job.remind(NOW + timedelta(days=12)) == 0


@pytest.mark.parametrize(
    ("columns", "count"),
    [
        ({"expires": TODAY, **BY_OFFICE}, 1),
        ({"expires": TODAY, **BY_HOLDER}, 1),
        ({"expires": TODAY, "status": LicenceStatus.CANCELLED}, 0),
        ({"expires": TODAY + timedelta(9), "guarantee_expiry": TODAY - timedelta(1)}, 0),
    ],
)
def test_who_is_reminded_at_all(agent: User, columns: dict[str, Any], count: int) -> None:
    make(agent, **columns)
    assert expiry_job.remind(NOW) == count


def test_those_who_work_with_licences_are_told_and_nobody_else(agent: User) -> None:
    request_factories.publish(
        request_factories.TRIVIAL, code="stamp", prefix="ST", subject="licence", start="broker_card"
    )
    office = agent.memberships[0].organisation
    helper = factories.make_agent(office, is_general=False, services=("stamp", "exam"))
    factories.make_agent(office, is_general=False, services=("exam",))
    factories.make_agent()
    make(agent, expires=ending_in(7))
    expiry_job.remind(NOW)
    assert {each.user_id for each in told()} == {agent.id, helper.id}


def test_many_clocks_at_once_do_everything_once(app: Flask, agent: User) -> None:
    for _ in range(12):
        make(agent, expires=ending_in(-1))
        make(agent, passport_expiry=ending_in(7))
    db.session.rollback()

    def work(number: int) -> None:
        expiry_job.expire(NOW)
        expiry_job.remind(NOW)

    assert race(app, 4, work) == [None] * 4
    assert len(told("licence:expired")) == len(told()) == 12
    assert chain.verify(db.session()).faults == []


def expired_meanwhile(app: Flask) -> int:
    with app.app_context():
        return expiry_job.expire(NOW)


def test_the_clock_waits_for_nobody_who_holds_an_earlier_licence_of_the_broker(
    app: Flask, agent: User
) -> None:
    """Who locks both in their order would wait for the clock, and the clock for them."""
    earlier = make(agent, status=LicenceStatus.CANCELLED)
    overdue = make(agent, expires=ending_in(-1))
    overdue.broker_id = earlier.broker_id
    db.session.commit()
    if db.engine.dialect.name == "postgresql":
        held = sa.select(Licence.id).where(Licence.id == earlier.id)
        db.session.execute(held.with_for_update(key_share=True))
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(expired_meanwhile, app).result(5) == 0
        db.session.rollback()
    assert expiry_job.expire(NOW) == 1
    assert status_of(overdue) == LicenceStatus.EXPIRED


def test_the_clock_does_both_by_day_and_neither_by_night(agent: User) -> None:
    make(agent, expires=ending_in(-1))
    make(agent, expires=ending_in(7))
    night = datetime(2026, 12, 1, 3, 0, tzinfo=KUWAIT)
    expiry_job.daily(night)
    assert told() == told("licence:expired") == []
    expiry_job.daily(NOW)
    assert len(told()) == len(told("licence:expired")) == 1
    assert "clearance.licences.expiry_job.daily" in registry.current().jobs
