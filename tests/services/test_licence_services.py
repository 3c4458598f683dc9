"""The services about licences: what each approval does to the register, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core import office_settings
from clearance.core.clock import kuwait_date, kuwait_midnight, kuwait_today, utc_now, years_after
from clearance.core.errors import NotFound, Refusal, Refused
from clearance.core.extensions import db
from clearance.issuing import operations
from clearance.licences import granted_expiry, validity
from clearance.licences import guards as licence_guards
from clearance.licences import register as licence_register
from clearance.models import Event, Licence, LicenceChange, Organisation, Request, User
from clearance.models.enums import (
    IssuedKind,
    LicenceStatus,
    LicenceStep,
    Status,
    SuspendedBy,
    ValidityLink,
)
from clearance.requests import available_actions, drafts, transitions
from clearance.services import versions
from clearance.services.effects import Decision
from clearance.services.flows import Action
from tests.clearance.requests.test_available_actions import counting_queries
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.issued_factories import make_licence
from tests.support.races import race

TODAY = kuwait_today()
SOON, FAR = TODAY + timedelta(days=30), TODAY + timedelta(days=900)
GRANTED = TODAY + timedelta(days=1000)
BY_HOLDER = {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.HOLDER}
BY_OFFICE = {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.OFFICE}
PAST = {"expires": TODAY - timedelta(days=5)}
STATES: dict[str, Mapping[str, Any]] = {
    "running": {"expires": FAR},
    "ending": {"expires": SOON},
    "guarantee_ending": {"expires": FAR, "guarantee_expiry": SOON},
    "over": PAST,
    "expired": {"status": LicenceStatus.EXPIRED, **PAST},
    "by_holder": BY_HOLDER,
    "by_holder_over": BY_HOLDER | PAST,
    "by_office": BY_OFFICE,
    "cancelled": {"status": LicenceStatus.CANCELLED},
}
MAY_BEGIN = {
    "renewal": {"ending", "guarantee_ending", "over", "expired", "by_holder_over"},
    "suspension": {"running", "ending", "guarantee_ending"},
    "cancellation": set(STATES) - {"cancelled"},
    "transfer": {"running", "ending", "guarantee_ending"},
    "letter": set(STATES),
    "lost_card": {"running", "ending", "guarantee_ending"},
    "reactivation": {"by_holder"},
}


@pytest.fixture
def agent(context: Flask) -> User:
    requests.load_services()
    return factories.make_agent()


@pytest.fixture
def reviewer(context: Flask) -> User:
    return factories.make_staff()


def office_of(user: User) -> Organisation:
    return db.session.get_one(Organisation, actor_of(user).standings[0].organisation_id)


def licence_of(agent: User, **columns: Any) -> Licence:
    return make_licence(office_of(agent), **columns)


def sent(agent: User, code: str, licence: Licence, **values: Any) -> Request:
    return requests.make_sent(agent, code, licence_id=licence.id, **values)


def approve(req: Request, reviewer: User, granted: date | None = GRANTED) -> Request:
    return requests.step(req, Action.APPROVE, reviewer, data=Decision(granted_expiry=granted))


def both(refusal: Refusal) -> list[tuple[str, str, str]]:
    found = []
    for lang in ("ar", "en"):
        with force_locale(lang):
            found.append((str(refusal.text), str(refusal.change), refusal.url))
    return found


def refused(work: Any) -> Refusal:
    with pytest.raises(Refused) as raised:
        work()
    return raised.value.refusal


def history(licence: Licence) -> list[LicenceChange]:
    return list(
        db.session.scalars(
            sa.select(LicenceChange)
            .where(LicenceChange.licence_id == licence.id)
            .order_by(LicenceChange.id)
        )
    )


def kinds_of(req: Request) -> list[str]:
    return [document.kind for document in operations.of_request(req)]


# What a button says and what the server does


def test_what_each_button_says_is_what_beginning_refuses_with(agent: User) -> None:
    licences = {name: licence_of(agent, **columns) for name, columns in STATES.items()}
    actor, now = actor_of(agent), utc_now()
    for lang in ("ar", "en"):
        with force_locale(lang):
            offers = available_actions.startable_licences(
                list(MAY_BEGIN), list(licences.values()), actor, now
            )
            begun: dict[str, set[str]] = {code: set() for code in MAY_BEGIN}
            for (code, licence_id), refusal in offers.items():
                if refusal is None:
                    name = next(key for key, each in licences.items() if each.id == licence_id)
                    begun[code].add(name)
                    assert drafts.start(code, actor, now, licence_id=licence_id).id
                    continue
                told = refused(
                    lambda code=code, licence_id=licence_id: drafts.start(
                        code, actor, now, licence_id=licence_id
                    )
                )
                assert (str(told.text), str(told.change), told.url) == (
                    str(refusal.text),
                    str(refusal.change),
                    refusal.url,
                )
            assert begun == MAY_BEGIN


def test_day_from_which_renewal_opens_stands_in_its_refusal(agent: User) -> None:
    office_settings.set(
        "renewal_window_days", 10, actor_of(factories.make_staff("administrator")), utc_now()
    )
    licence = licence_of(agent, expires=FAR, passport_expiry=SOON)
    opens = SOON - timedelta(days=10)
    key = ("renewal", licence.id)
    actor, now = actor_of(agent), utc_now()
    before = now + (opens - TODAY) - timedelta(days=1)
    arabic = available_actions.startable_licences(["renewal"], [licence], actor, before)[key]
    assert arabic is not None
    assert str(arabic.text).endswith("وأول ما ينتهي: جواز السفر.")
    assert f"{opens:%d/%m/%Y}" in str(arabic.change)
    with force_locale("en"):
        english = available_actions.startable_licences(["renewal"], [licence], actor, before)[key]
        assert english is not None
        assert str(english.text).endswith("what ends first is: Passport.")
        assert str(english.change) == f"Renewal opens on {opens:%d/%m/%Y}."
    assert available_actions.startable_licences(
        ["renewal"], [licence], actor, before + timedelta(days=1)
    ) == {key: None}


def test_number_of_queries_grows_with_neither_licences_nor_services(agent: User) -> None:
    actor, now = actor_of(agent), utc_now()
    one = [licence_of(agent)]
    with counting_queries() as few:
        available_actions.startable_licences(["renewal"], one, actor, now)
    many = one + [licence_of(agent) for _n in range(12)]
    db.session.commit()
    ids = [db.session.get_one(Licence, each.id) for each in many]
    with counting_queries() as more:
        found = available_actions.startable_licences(list(MAY_BEGIN), ids, actor, now)
    assert len(found) == 13 * len(MAY_BEGIN)
    assert len(more) == len(few)


def test_foreign_licence_is_not_found_and_its_button_says_whose_it_is_not(agent: User) -> None:
    foreign = make_licence()
    actor, now = actor_of(agent), utc_now()
    with pytest.raises(NotFound):
        drafts.start("letter", actor, now, licence_id=foreign.id)
    refusal = available_actions.startable_licences(["letter"], [foreign], actor, now)[
        ("letter", foreign.id)
    ]
    assert refusal is not None


def test_draft_begun_before_the_licence_was_suspended_is_not_sent(agent: User) -> None:
    licence = licence_of(agent)
    draft = requests.make_draft(agent, "lost_card", licence_id=licence.id)
    licence_register.change(licence, LicenceStep.SUSPENDED, BY_OFFICE, now=utc_now(), actor_id=None)
    db.session.commit()
    for lang in ("ar", "en"):
        with force_locale(lang):
            warned = available_actions.send_warnings(draft, actor_of(agent), utc_now())
            offer = available_actions.action(draft, Action.SEND, actor_of(agent), utc_now())
            told = refused(lambda: requests.step(draft, Action.SEND, agent))
            assert [str(each.text) for each in warned] == [str(told.text)]
            assert offer.refusal is not None and str(offer.refusal.text) == str(told.text)
    assert draft.status == Status.DRAFT


# Effects


@pytest.mark.databases
def test_issuance_makes_broker_licence_certificate_and_card(agent: User, reviewer: User) -> None:
    candidate = requests.make_request(agent, Status.PASSED)
    offered = available_actions.startable_candidates("issuance", actor_of(agent), utc_now())
    assert [(each.request.id, each.refusal) for each in offered] == [(candidate.id, None)]
    req = requests.make_sent(agent, "issuance", candidate_id=candidate.id)
    assert (req.name_ar, req.civil_id) == (candidate.name_ar, candidate.civil_id)
    approve(req, reviewer)
    licence = db.session.get_one(Licence, req.licence_id)
    broker = licence.broker
    assert (licence.status, licence.expires, licence.issued) == ("active", GRANTED, TODAY)
    assert (licence.guarantee_no, licence.guarantee_expiry) == (
        req.guarantee_no,
        req.guarantee_expiry,
    )
    assert broker.organisation_id == req.organisation_id
    assert (broker.civil_id, broker.broker_type, broker.passport_no, broker.mobile) == (
        req.civil_id,
        "private",
        req.passport_no,
        req.mobile,
    )
    assert kinds_of(req) == [IssuedKind.CERTIFICATE, IssuedKind.CARD]
    assert [each.kind for each in history(licence)] == [LicenceStep.ISSUED]
    again = available_actions.startable_candidates("issuance", actor_of(agent), utc_now())[
        0
    ].refusal
    assert again is not None
    told = refused(
        lambda: drafts.start("issuance", actor_of(agent), utc_now(), candidate_id=candidate.id)
    )
    assert both(told) == both(again)


@pytest.mark.databases
def test_database_allows_a_person_one_living_licence_and_says_so_kindly(
    agent: User, reviewer: User
) -> None:
    candidate = requests.make_request(agent, Status.PASSED)
    text = versions.as_yaml(versions.current("issuance").definition)
    requests.publish(text, guards={})
    req = requests.make_sent(agent, "issuance", candidate_id=candidate.id)
    make_licence(civil_id=candidate.civil_id)
    told = refused(lambda: approve(req, reviewer))
    assert both(told) == both(licence_guards.HAS_LICENCE)
    db.session.rollback()
    assert (req.status, req.licence_id) == (Status.SUBMITTED, None)


def test_exam_counts_for_the_years_of_the_setting_to_the_day(agent: User) -> None:
    candidate = requests.make_request(agent, Status.PASSED)
    assert candidate.decided_at is not None
    last_day = years_after(kuwait_date(candidate.decided_at), 3)
    last = kuwait_midnight(last_day) + timedelta(hours=12)
    actor = actor_of(agent)
    assert available_actions.startable_candidates("issuance", actor, last)[0].refusal is None
    late = available_actions.startable_candidates("issuance", actor, last + timedelta(days=1))[
        0
    ].refusal
    assert late is not None
    begun = refused(
        lambda: drafts.start("issuance", actor, last + timedelta(days=1), candidate_id=candidate.id)
    )
    assert both(begun) == both(late)


def test_candidate_of_another_office_or_not_passed_begins_nothing(agent: User) -> None:
    foreign = requests.make_request(factories.make_agent(), Status.PASSED)
    waiting = requests.make_sent(agent)
    for candidate_id in (foreign.id, waiting.id, None):
        with pytest.raises(NotFound):
            drafts.start("issuance", actor_of(agent), utc_now(), candidate_id=candidate_id)
    with pytest.raises(NotFound):
        available_actions.startable_candidates("renewal", actor_of(agent), utc_now())


@pytest.mark.databases
def test_renewal_grants_what_the_office_confirms_and_takes_particulars(
    agent: User, reviewer: User
) -> None:
    licence = licence_of(agent, expires=SOON, guarantee_no="LG 1")
    asked = {"guarantee_no": "LG 2", "passport_no": "N7", "licence_expiry": FAR}
    req = sent(agent, "renewal", licence, **asked)
    with pytest.raises(Refused):
        approve(req, reviewer, None)
    approve(req, reviewer)
    assert (licence.expires, licence.guarantee_no, licence.status) == (GRANTED, "LG 2", "active")
    assert req.granted_expiry == GRANTED and req.licence_expiry == FAR
    assert (licence.broker.passport_no, licence.broker.mobile) == ("N7", req.mobile)
    assert [each.kind for each in history(licence)] == [LicenceStep.UPDATED, LicenceStep.RENEWED]
    assert history(licence)[1].changes["expires"] == [SOON.isoformat(), GRANTED.isoformat()]
    assert kinds_of(req) == [IssuedKind.CERTIFICATE, IssuedKind.CARD]
    approval = db.session.scalars(
        sa.select(Event).where(Event.request_id == req.id, Event.kind == "request:step:approve")
    ).one()
    assert approval.changes == {"granted_expiry": [None, GRANTED.isoformat()]}


@pytest.mark.parametrize("state", ["expired", "by_holder_over"])
def test_renewal_makes_an_expired_licence_active(agent: User, reviewer: User, state: str) -> None:
    licence = licence_of(agent, **STATES[state])
    approve(sent(agent, "renewal", licence), reviewer)
    assert (licence.status, licence.suspended_by, licence.expires) == ("active", None, GRANTED)


def test_licence_that_expires_during_review_can_still_be_renewed(
    agent: User, reviewer: User
) -> None:
    licence = licence_of(agent, expires=SOON)
    req = sent(agent, "renewal", licence)
    licence_register.change(
        licence,
        LicenceStep.EXPIRED,
        {"status": LicenceStatus.EXPIRED},
        now=utc_now(),
        actor_id=None,
    )
    db.session.commit()
    approve(req, reviewer)
    assert licence.status == LicenceStatus.ACTIVE


@pytest.mark.parametrize(
    ("code", "state", "after", "step"),
    [
        ("suspension", {}, ("suspended", "holder"), LicenceStep.SUSPENDED),
        ("reactivation", BY_HOLDER, ("active", None), LicenceStep.REACTIVATED),
        ("cancellation", BY_OFFICE, ("cancelled", None), LicenceStep.CANCELLED),
    ],
)
def test_state_changes_as_it_was_asked(
    agent: User,
    reviewer: User,
    code: str,
    state: Mapping[str, Any],
    after: tuple[str, str | None],
    step: LicenceStep,
) -> None:
    licence = licence_of(agent, **state)
    req = approve(sent(agent, code, licence), reviewer)
    assert (licence.status, licence.suspended_by) == after
    assert [each.kind for each in history(licence)] == [LicenceStep.UPDATED, step]
    assert history(licence)[1].request_id == req.id
    assert operations.of_licence(licence) == []


def test_cancellation_makes_all_that_was_issued_void_for_good(agent: User, reviewer: User) -> None:
    licence = licence_of(agent, expires=SOON)
    renewal = approve(sent(agent, "renewal", licence), reviewer)
    letter = approve(sent(agent, "letter", licence), reviewer)
    approve(sent(agent, "cancellation", licence), reviewer)
    issued = [*operations.of_request(renewal), *operations.of_request(letter)]
    assert len(issued) == 3
    assert {(document.voided_at is None, document.void_reason) for document in issued} == {
        (False, "cancelled")
    }


def test_lost_card_is_void_and_a_new_one_is_there(agent: User, reviewer: User) -> None:
    licence = licence_of(agent, expires=SOON)
    first = approve(sent(agent, "renewal", licence), reviewer)
    again = approve(sent(agent, "lost_card", licence), reviewer)
    certificate, card = operations.of_request(first)
    (new,) = operations.of_request(again)
    assert (card.void_reason, certificate.voided_at, new.voided_at) == ("lost", None, None)
    assert new.kind == IssuedKind.CARD


@pytest.mark.databases
def test_several_letters_may_be_open_at_once_beside_another_request(
    agent: User, reviewer: User
) -> None:
    licence = licence_of(agent, expires=SOON)
    renewal = sent(agent, "renewal", licence)
    letters = [sent(agent, "letter", licence, language=lang) for lang in ("ar", "en")]
    for letter in letters:
        approve(letter, reviewer)
    approve(renewal, reviewer)  # letters bring contact up to date, and that decides nothing
    issued = [document for letter in letters for document in operations.of_request(letter)]
    assert [(each.kind, each.language) for each in issued] == [("letter", "ar"), ("letter", "en")]
    assert licence.broker.mobile == renewal.mobile


def test_letter_states_whichever_status(agent: User, reviewer: User) -> None:
    licence = licence_of(agent, status=LicenceStatus.CANCELLED)
    (letter,) = operations.of_request(approve(sent(agent, "letter", licence), reviewer))
    assert letter.content["status"] == "cancelled"


# The expiry date


def test_expiry_that_cannot_be_granted_is_refused(agent: User, reviewer: User) -> None:
    req = sent(agent, "renewal", licence_of(agent, expires=SOON))
    texts = set()
    for granted in (None, TODAY, years_after(TODAY, 20) + timedelta(days=1)):
        told = refused(lambda granted=granted: approve(req, reviewer, granted))
        texts.add(str(told.text))
        db.session.rollback()
    assert len(texts) == 3
    assert req.status == Status.SUBMITTED
    approve(req, reviewer, years_after(TODAY, 20))


def test_expiry_is_proposed_as_asked_or_by_the_offices_years(agent: User) -> None:
    licence = licence_of(agent, expires=SOON)
    draft = drafts.start("renewal", actor_of(agent), utc_now(), licence_id=licence.id)
    assert draft.licence_expiry == years_after(SOON, 3)
    drafts.save(draft, {"licence_expiry": GRANTED}, actor_of(agent), utc_now())
    assert granted_expiry.proposed_expiry(draft, utc_now()) == GRANTED
    candidate = requests.make_request(agent, Status.PASSED)
    issuance = requests.make_draft(agent, "issuance", candidate_id=candidate.id)
    assert granted_expiry.proposed_expiry(issuance, utc_now()) == years_after(TODAY, 3)
    letter = requests.make_draft(agent, "letter", licence_id=licence.id)
    assert granted_expiry.proposed_expiry(letter, utc_now()) is None


def test_renewal_beyond_a_link_cautions_and_is_sent_all_the_same(
    agent: User, reviewer: User
) -> None:
    licence = licence_of(agent, expires=SOON)
    early = GRANTED - timedelta(days=1)
    req = sent(
        agent,
        "renewal",
        licence,
        licence_expiry=GRANTED,
        guarantee_expiry=early,
        passport_expiry=early,
    )
    with force_locale("en"):
        told = [str(each.text) for each in granted_expiry.warnings(req, utc_now())]
    assert [text.split(" ends on ")[0] for text in told] == ["Bank guarantee", "Passport"]
    assert all(f"{early:%d/%m/%Y}" in text and f"{GRANTED:%d/%m/%Y}" in text for text in told)
    with force_locale("ar"):
        arabic = [str(each.text) for each in granted_expiry.warnings(req, utc_now())]
    assert len(arabic) == 2 and not set(arabic) & set(told)
    approve(req, reviewer)
    assert validity.of(licence) == (early, ValidityLink.GUARANTEE)


def test_approval_asks_for_the_expiry_where_it_grants_one(agent: User, reviewer: User) -> None:
    licence = licence_of(agent, expires=SOON)
    asks = {
        code: available_actions.action(
            sent(agent, code, licence), Action.APPROVE, actor_of(reviewer), utc_now()
        ).asks
        for code in ("letter", "renewal")
    }
    assert asks == {"letter": "", "renewal": "expiry"}


# The register moves on meanwhile


def test_approval_is_refused_when_the_licence_changed_and_names_what(
    agent: User, reviewer: User
) -> None:
    licence = licence_of(agent, expires=SOON, guarantee_no="LG 1")
    req = sent(agent, "renewal", licence)
    before = licence.broker.passport_no
    licence_register.change(
        licence,
        LicenceStep.CORRECTED,
        {"guarantee_no": "LG 9", "passport_no": "P999", "address": "حولي"},
        now=utc_now(),
        actor_id=reviewer.id,
    )
    db.session.commit()
    expected = {
        "en": ["“LG 1” became “LG 9”", f"Passport number: “{before}” became “P999”"],
        "ar": ["«LG 1» أصبح «LG 9»", f"رقم جواز السفر: «{before}» أصبح «P999»"],
    }
    for lang, parts in expected.items():
        with force_locale(lang):
            offer = available_actions.action(req, Action.APPROVE, actor_of(reviewer), utc_now())
            told = refused(lambda: approve(req, reviewer))
            assert offer.refusal is not None
            assert (str(offer.refusal.text), str(offer.refusal.change)) == (
                str(told.text),
                str(told.change),
            )
            assert all(part in str(told.text) for part in parts), str(told.text)
            assert "حولي" not in str(told.text)
        db.session.rollback()
    assert (req.status, licence.expires) == (Status.SUBMITTED, SOON)
    requests.step(req, Action.RETURN, reviewer, reason="تغيّر الضمان.")
    requests.step(req, Action.SEND, agent)
    approve(req, reviewer)
    assert licence.expires == GRANTED


def test_approval_runs_its_guards_again(agent: User, reviewer: User) -> None:
    licence = licence_of(agent)
    req = sent(agent, "lost_card", licence)
    licence_register.change(licence, LicenceStep.SUSPENDED, BY_OFFICE, now=utc_now(), actor_id=None)
    db.session.commit()
    with force_locale("en"):
        told = refused(lambda: approve(req, reviewer))
        assert "suspended by the Clearance Agents Affairs Office" in str(told.text)
    db.session.rollback()
    assert operations.of_licence(licence) == []


def test_what_is_only_shown_is_read_again_at_sending(agent: User) -> None:
    licence = licence_of(agent)
    draft = requests.make_draft(agent, "suspension", licence_id=licence.id, passport_no="N1")
    licence_register.change(
        licence,
        LicenceStep.CORRECTED,
        {"name_ar_1": "يوسف", "guarantee_no": "LG 5"},
        now=utc_now(),
        actor_id=None,
    )
    db.session.commit()
    requests.step(draft, Action.SEND, agent)
    assert (draft.name_ar_1, draft.guarantee_no, draft.passport_no) == ("يوسف", "LG 5", "N1")
    assert "يوسف" in draft.name_folded
    assert draft.subject_seen["guarantee_no"] == "LG 5"


@pytest.mark.databases
def test_of_two_requests_on_one_licence_sent_at_once_one_is_refused_kindly(
    app: Flask, agent: User
) -> None:
    licence = licence_of(agent, expires=SOON)
    drafts = [
        requests.make_draft(agent, code, licence_id=licence.id).id
        for code in ("renewal", "suspension", "cancellation", "lost_card")
    ]
    db.session.rollback()

    def send(number: int) -> str:
        req = db.session.get_one(Request, drafts[number])
        with force_locale("en"):
            transitions.perform(
                req,
                Action.SEND,
                actor=actor_of(db.session.get_one(User, agent.id)),
                now=utc_now(),
                version=req.version,
            )
        db.session.commit()
        return "sent"

    outcomes = race(app, 4, send)
    assert outcomes.count("sent") == 1
    others = [each for each in outcomes if each != "sent"]
    assert all(isinstance(each, Refused) for each in others), others
    assert all("still open" in str(each.refusal.text) for each in others)


def test_second_request_on_a_licence_is_refused_where_it_begins(agent: User) -> None:
    licence = licence_of(agent, expires=SOON)
    first = sent(agent, "renewal", licence)
    actor, now = actor_of(agent), utc_now()
    offers = available_actions.startable_licences(list(MAY_BEGIN), [licence], actor, now)
    shut = {code for (code, _id), refusal in offers.items() if refusal is not None}
    assert shut == set(MAY_BEGIN) - {"letter"}
    refusal = offers[("lost_card", licence.id)]
    assert refusal is not None and refusal.url.endswith(f"id={first.id}")
    told = refused(lambda: drafts.start("lost_card", actor, now, licence_id=licence.id))
    assert both(told) == both(refusal)


def test_shipped_services_show_and_ask_what_the_specification_says(context: Flask) -> None:
    requests.load_services()
    services = {each.definition.code: each.definition for each in versions.all_current()}
    assert list(services) == [
        *("exam", "issuance", "renewal", "suspension", "cancellation"),
        *("transfer", "letter", "lost_card", "reactivation"),
    ]
    buttons = {code: each.button.ar for code, each in services.items() if each.button}
    assert buttons["suspension"] == "طلب إلغاء التنشيط" and buttons["letter"] == "طلب رسالة"
    required = {
        code: [spec.name for spec in each.asked if spec.required] for code, each in services.items()
    }
    assert required["renewal"] == [
        *("civil_id_expiry", "passport_no", "passport_expiry", "licence_expiry"),
        *("mobile", "email"),
    ]
    assert required["issuance"] == [
        *("civil_id_expiry", "passport_no", "passport_expiry", "guarantee_no"),
        *("guarantee_expiry", "mobile", "address", "email"),
    ]
    for code in ("suspension", "cancellation", "reactivation"):
        assert required[code] == ["passport_no", "mobile", "email", "reason"]
    assert (required["letter"], required["lost_card"]) == ([], ["circumstances"])
    assert {code for code, each in services.items() if each.bulk} == {
        "renewal",
        "letter",
        "lost_card",
    }
    assert {code for code, each in services.items() if each.grants_expiry} == {
        "issuance",
        "renewal",
    }
    assert all(services[code].field("other") is None for code in services)
    assert all("other" in {spec.kind for spec in each.documents} for each in services.values())
