"""What the office does to licences: by whom, with a reason, on the version that was seen, told."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core import chain
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.errors import PermissionDenied, ReasonRequired, Refused
from clearance.core.extensions import db
from clearance.licences import office_actions
from clearance.licences.office_actions import BadCorrection, StaleLicence
from clearance.models import Event, Licence, LicenceChange, Notice, User
from clearance.models.enums import LicenceStatus, Role, SuspendedBy
from clearance.notifications import inbox
from tests.support import factories
from tests.support.issued_factories import make_licence

NOW = utc_now()
TODAY = kuwait_today()
REASON = "مخالفة تعليمات المكتب."
BY_HOLDER = {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.HOLDER}
BY_OFFICE = {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.OFFICE}


def licence_of(agent: User, **columns: Any) -> Licence:
    return make_licence(agent.memberships[0].organisation, **columns)


def suspend(licence: Licence, user: User, reason: str = REASON, version: int = 1) -> LicenceChange:
    return office_actions.suspend(licence, actor_of(user), reason, version, NOW)


def reinstate(licence: Licence, user: User, version: int = 1) -> LicenceChange:
    return office_actions.reinstate(licence, actor_of(user), REASON, version, NOW)


def correct(licence: Licence, user: User, version: int = 1, **values: Any) -> LicenceChange:
    return office_actions.correct(licence, values, actor_of(user), REASON, version, NOW)


def told(event: str) -> list[Notice]:
    return list(db.session.scalars(sa.select(Notice).filter_by(event=event)))


@pytest.mark.databases
def test_office_suspends_and_reinstates_with_history_trail_and_notice(
    agent: User, reviewer: User
) -> None:
    licence = licence_of(agent)
    entry = suspend(licence, reviewer)
    db.session.commit()
    assert (licence.status, licence.suspended_by) == ("suspended", "office")
    assert (entry.kind, entry.reason, entry.actor_id) == ("suspended", REASON, reviewer.id)
    (notice,) = told("licence:suspended")
    assert notice.user_id == agent.id
    assert REASON in inbox.text_of(notice, "ar")[1]
    reinstate(licence, reviewer, version=licence.version)
    db.session.commit()
    assert (licence.status, licence.suspended_by) == ("active", None)
    assert len(told("licence:reinstated")) == 1
    kinds = db.session.scalars(sa.select(Event.kind).where(Event.object_type == "licence"))
    assert set(kinds) >= {"register:suspended", "register:reinstated"}
    assert chain.verify(db.session()).faults == []


def test_holders_suspension_becomes_the_offices_and_the_holder_cannot_lift_it(
    agent: User, reviewer: User
) -> None:
    licence = licence_of(agent, **BY_HOLDER)
    suspend(licence, reviewer)
    assert licence.suspended_by == SuspendedBy.OFFICE


def test_licence_that_ended_while_suspended_is_expired_when_reinstated(
    agent: User, reviewer: User
) -> None:
    licence = licence_of(agent, expires=TODAY - timedelta(days=1), **BY_OFFICE)
    reinstate(licence, reviewer)
    assert (licence.status, licence.suspended_by) == ("expired", None)


@pytest.mark.parametrize(
    ("work", "refusal", "state", "words"),
    [
        (
            suspend,
            office_actions.suspend_refusal,
            {"status": LicenceStatus.CANCELLED},
            {"en": "The licence is cancelled permanently.", "ar": "الرخصة ملغاة نهائياً."},
        ),
        (
            suspend,
            office_actions.suspend_refusal,
            BY_OFFICE,
            {
                "en": "The office has already suspended this licence.",
                "ar": "أوقف المكتب هذه الرخصة من قبل.",
            },
        ),
        (
            reinstate,
            office_actions.reinstate_refusal,
            {},
            {"en": "The licence is not suspended.", "ar": "الرخصة غير موقوفة."},
        ),
        (
            reinstate,
            office_actions.reinstate_refusal,
            BY_HOLDER,
            {
                "en": "The licence is suspended at its holder's request.",
                "ar": "الرخصة موقوفة بناءً على طلب صاحبها.",
            },
        ),
    ],
)
def test_button_and_server_refuse_in_the_same_words(
    agent: User, reviewer: User, work: Any, refusal: Any, state: Any, words: dict[str, str]
) -> None:
    licence = licence_of(agent, **state)
    for lang, text in words.items():
        with force_locale(lang):
            button = refusal(licence, actor_of(reviewer))
            with pytest.raises(Refused) as raised:
                work(licence, reviewer)
            assert str(button.text) == str(raised.value.refusal.text) == text
    assert licence.version == 1


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMINISTRATOR])
def test_only_reviewers_change_the_register(agent: User, role: Role) -> None:
    licence, staff = licence_of(agent), factories.make_staff(role)
    for work in (suspend, reinstate, correct):
        with pytest.raises(PermissionDenied):
            work(licence, staff)
    assert office_actions.correct_refusal(licence, actor_of(staff)) is not None


def test_nobody_changes_the_own_file(agent: User) -> None:
    licence = licence_of(agent)
    holder = factories.make_staff(civil_id=licence.broker.civil_id)
    member = factories.make_staff()
    factories.make_membership(member, agent.memberships[0].organisation)
    for user in (holder, member):
        for work in (suspend, reinstate, correct):
            with pytest.raises(PermissionDenied):
                work(licence, user)
    assert db.session.scalars(sa.select(LicenceChange)).all() == []


def test_reason_is_needed(agent: User, reviewer: User) -> None:
    with pytest.raises(ReasonRequired):
        suspend(licence_of(agent), reviewer, reason=" \n ")


def test_stale_version_is_refused_with_both_values(agent: User, reviewer: User) -> None:
    licence = licence_of(agent, passport_no="P1")
    correct(licence, reviewer, passport_no="P2")
    db.session.commit()
    with force_locale("en"), pytest.raises(StaleLicence) as refused:
        correct(licence, reviewer, passport_no="P3")
    assert refused.value.changed == {"passport_no": ("P2", "P3")}
    assert "is now “P2”. You entered “P3”" in str(refused.value)
    with force_locale("ar"), pytest.raises(StaleLicence) as refused:
        suspend(licence, reviewer)
    assert "«سارية»" in str(refused.value)
    assert licence.broker.passport_no == "P2"


@pytest.mark.databases
def test_correction_is_told_and_another_brokers_civil_number_refused(
    agent: User, reviewer: User
) -> None:
    licence, other = licence_of(agent), licence_of(agent)
    with pytest.raises(BadCorrection) as refused:
        correct(licence, reviewer, civil_id=other.broker.civil_id)
    assert list(refused.value.faults) == ["civil_id"]
    new = factories.civil_id()
    correct(licence, reviewer, civil_id=new, name_ar_4="الصباح")
    db.session.commit()
    assert (licence.broker.civil_id, licence.version) == (new, 2)
    assert len(told("licence:corrected")) == 1


def test_values_that_the_register_cannot_have_are_named(agent: User, reviewer: User) -> None:
    licence = licence_of(agent)
    with pytest.raises(BadCorrection) as refused:
        correct(
            licence,
            reviewer,
            civil_id="288010112340",
            nationality="ZZ",
            name_ar_1="Ahmad",
            broker_type="pilot",
            mobile="12",
            passport_no="",
        )
    assert set(refused.value.faults) == {
        *("civil_id", "nationality", "name_ar_1", "broker_type", "mobile", "passport_no"),
    }
    with pytest.raises(BadCorrection) as refused:
        correct(licence, reviewer, expires=licence.issued - timedelta(days=1))
    assert list(refused.value.faults) == ["expires"]
    with pytest.raises(Refused):
        correct(licence, reviewer, passport_no=licence.broker.passport_no)
    with pytest.raises(ValueError, match="status"):
        correct(licence, reviewer, status=LicenceStatus.CANCELLED)


def test_state_follows_a_corrected_expiry_date(agent: User, reviewer: User) -> None:
    licence = licence_of(agent, issued=date(2020, 1, 1))
    correct(licence, reviewer, expires=TODAY - timedelta(days=1))
    assert licence.status == LicenceStatus.EXPIRED
    correct(licence, reviewer, version=licence.version, expires=TODAY)
    assert licence.status == LicenceStatus.ACTIVE
    suspended = licence_of(agent, issued=date(2020, 1, 1), **BY_OFFICE)
    correct(suspended, reviewer, expires=TODAY - timedelta(days=1))
    assert suspended.status == LicenceStatus.SUSPENDED
