"""Transfers: who may ask whom, the three consents, the move, and everything that stops one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from clearance.auth import permissions
from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.errors import (
    DomainError,
    NotFound,
    PermissionDenied,
    Refused,
    TooManyTries,
    TransitionNotAllowed,
)
from clearance.core.extensions import db
from clearance.licences import register as licence_register
from clearance.models import (
    Broker,
    Delivery,
    IssuedDocument,
    LicenceChange,
    Membership,
    Notice,
    Organisation,
    Request,
    TransferConsent,
    User,
)
from clearance.models.enums import IssuedKind, LicenceStatus, LicenceStep, Status, SuspendedBy
from clearance.notifications import inbox
from clearance.requests import available_actions, drafts, prefill, timeline, transitions
from clearance.services.effects import Decision, RemarkInput
from clearance.services.flows import FLOWS, Action, Side
from clearance.transfers import consents, parties
from clearance.transfers import operations as transfer_operations
from tests.support import factories
from tests.support import request_factories as requests
from tests.support import transfer_factories as made
from tests.support.races import race
from tests.support.transfer_factories import Offices

SIDES = [False, True]
SIDE_NAMES = ["releasing", "receiving"]


def perform(req: Request, action: Action, user: User | None, **options: Any) -> Request:
    actor = actor_of(user) if user is not None else None
    transitions.perform(
        req, action, actor=actor, now=utc_now(), version=options.pop("version", req.version)
    )
    db.session.commit()
    return req


def approve(req: Request) -> Request:
    return requests.step(req, Action.APPROVE, factories.make_staff())


def words_of(error: Refused, lang: str) -> str:
    with force_locale(lang):
        return f"{error.refusal.text} {error.refusal.change}"


# The whole way


@pytest.mark.parametrize("receiving", SIDES, ids=SIDE_NAMES)
def test_three_consents_and_an_approval_move_the_broker(
    context: Flask, offices: Offices, receiving: bool
) -> None:
    number, old_version = offices.licence.number, offices.licence.version
    req = made.make_sent(offices, receiving=receiving)
    assert req.status == Status.AWAITING_OTHER_PARTY
    assert req.other_organisation_id == (offices.present if receiving else offices.new).id
    made.accept(req, offices)
    assert req.status == Status.AWAITING_BROKER
    assert offices.organisation_id == offices.present.id
    assert made.answer(context, made.token_of(req))
    assert req.status == Status.SUBMITTED
    assert req.due_on is not None
    given = {each.party: each.answer for each in transfer_operations.consents(req)}
    assert given == {"releasing": "given", "receiving": "given", "broker": "given"}

    approve(req)
    assert req.status == Status.APPROVED
    assert offices.organisation_id == offices.new.id
    db.session.refresh(offices.licence)
    assert (offices.licence.number, offices.licence.status) == (number, LicenceStatus.ACTIVE)
    assert offices.licence.version > old_version
    entry = db.session.scalars(sa.select(LicenceChange)).one()
    assert (entry.kind, entry.request_id) == (LicenceStep.TRANSFERRED, req.id)
    assert entry.changes == {"organisation_id": [offices.present.id, offices.new.id]}
    card = db.session.scalars(sa.select(IssuedDocument)).one()
    assert (card.kind, card.organisation_id) == (IssuedKind.CARD, offices.new.id)
    to_broker = sa.select(Delivery.body).where(
        Delivery.event == "transfer:done", Delivery.address == offices.licence.broker.mobile
    )
    assert offices.new.name_ar in db.session.scalars(to_broker).one()


def test_the_old_office_loses_sight_of_the_broker_and_keeps_its_requests(
    context: Flask, offices: Offices
) -> None:
    letter = requests.make_request(
        offices.releaser, Status.APPROVED, code="letter", licence_id=offices.licence.id
    )
    req = approve(made.make_submitted(context, offices, receiving=True))
    old, new = actor_of(offices.releaser), actor_of(offices.receiver)
    with pytest.raises(NotFound):
        prefill.licence_of(offices.licence.id, offices.present.id)
    assert prefill.licence_of(offices.licence.id, offices.new.id).id == offices.licence.id
    with pytest.raises(NotFound):
        drafts.start("letter", old, utc_now(), licence_id=offices.licence.id)
    assert drafts.start("letter", new, utc_now(), licence_id=offices.licence.id).broker_id
    assert permissions.can_see_request(old, letter)
    assert not permissions.can_see_request(new, letter)
    assert transfer_operations.find(req.id, old).status == Status.APPROVED
    visible = sa.select(IssuedDocument.kind).where(permissions.issued_visible_to(old))
    assert db.session.scalars(visible).all() == []


def test_the_receiving_office_reads_a_name_after_acceptance_and_papers_after_the_brokers_consent(
    context: Flask, offices: Offices
) -> None:
    broker = offices.licence.broker
    req = made.make_sent(offices, receiving=True)
    assert (req.name_ar, req.name_en, req.name_folded) == ("", "", "")
    assert req.civil_id == broker.civil_id
    hidden = ("broker_type", "civil_id_expiry", "passport_no", "passport_expiry", "licence_expiry")
    assert not any(getattr(req, name) for name in hidden)
    assert broker.mobile not in (req.mobile, req.answers.get("mobile"))
    made.accept(req, offices)
    assert (req.name_ar, req.name_en) == (broker.name_ar, broker.name_en)
    assert req.name_folded == broker.name_folded
    assert not any(getattr(req, name) for name in hidden)
    made.answer(context, made.token_of(req))
    assert all(getattr(req, name) for name in hidden)


def test_a_returned_transfer_goes_straight_to_the_office_and_to_nobody_else(
    context: Flask, offices: Offices
) -> None:
    req, reviewer = made.make_submitted(context, offices), factories.make_staff()
    third = factories.make_organisation(licence_no="KW-9999")
    factories.make_agent(third)
    remark = RemarkInput("رقم آخر؟", field="licence_no")
    requests.step(
        req, Action.RETURN, reviewer, reason="راجع الرقم.", data=Decision(remarks=(remark,))
    )
    agent = actor_of(offices.releaser)
    drafts.save(req, {"licence_no": third.licence_no}, agent, utc_now())
    with pytest.raises(Refused) as error:
        perform(req, Action.SEND, offices.releaser)
    assert "another one cannot be named now" in words_of(error.value, "en")
    db.session.rollback()
    drafts.save(req, {"licence_no": "kw-" + offices.new.licence_no[3:]}, agent, utc_now())
    perform(req, Action.SEND, offices.releaser)
    assert (req.status, req.other_organisation_id) == (Status.SUBMITTED, offices.new.id)
    requests.step(req, Action.APPROVE, reviewer)
    assert offices.organisation_id == offices.new.id


# Who may take which step


def test_only_the_one_concerned_takes_a_step(context: Flask, offices: Offices) -> None:
    req = made.make_sent(offices)
    helper = factories.make_agent(offices.new, is_general=False, services=("transfer",))
    reviewer, stranger = factories.make_staff(), factories.make_agent()
    for action in (Action.ACCEPT, Action.DECLINE):
        for user, error in (
            (offices.releaser, PermissionDenied),
            (reviewer, PermissionDenied),
            (helper, NotFound),
            (stranger, NotFound),
        ):
            with pytest.raises(error):
                perform(req, action, user)
    for action in (Action.WITHDRAW, Action.APPROVE, Action.TAKE):
        with pytest.raises((PermissionDenied, TransitionNotAllowed)):
            perform(req, action, offices.receiver)
    made.accept(req, offices)
    for user in (offices.releaser, offices.receiver, reviewer):
        with pytest.raises(PermissionDenied):
            perform(req, Action.CONSENT, user)


def test_the_other_side_finds_the_transfer_and_sees_the_request_nowhere(offices: Offices) -> None:
    req = made.make_draft(offices)
    receiver, releaser = actor_of(offices.receiver), actor_of(offices.releaser)
    with pytest.raises(NotFound):
        transfer_operations.find(req.id, receiver)
    made.send(req, offices)
    assert transfer_operations.find(req.id, receiver).id == req.id
    assert [each.id for each in transfer_operations.waiting_for(receiver, utc_now())] == [req.id]
    assert transfer_operations.waiting_for(releaser, utc_now()) == []
    assert [each.id for each in transfer_operations.sent(releaser)] == [req.id]
    for user in (offices.releaser, factories.make_agent(), factories.make_staff()):
        with pytest.raises(NotFound):
            transfer_operations.find(req.id, actor_of(user))
    visible = sa.select(Request.id).where(permissions.requests_visible_to(receiver))
    assert db.session.scalars(visible).all() == []
    assert available_actions.for_request(req, receiver, utc_now()) == [
        each for each in available_actions.for_request(req, receiver, utc_now()) if each.refusal
    ]


def test_history_tells_of_organisations_and_of_the_broker(context: Flask, offices: Offices) -> None:
    req = made.make_submitted(context, offices)
    with force_locale("en"):
        lines = [
            (str(e.label), e.actor) for e in timeline.timeline(req, actor_of(offices.releaser))
        ]
        others = [e.actor for e in timeline.timeline(req, actor_of(offices.receiver))]
    assert lines == [
        ("The request was sent", offices.releaser.full_name),
        ("The other organisation accepted the transfer", offices.new.name_en),
        ("The broker consented to the transfer", "The broker"),
    ]
    assert others == [offices.present.name_en, offices.receiver.full_name, "The broker"]


def test_a_flow_of_three_parties_offers_each_side_its_own_steps() -> None:
    flow = FLOWS["transfer"]
    sides = {step.action: step.side for step in flow.steps}
    assert {sides[Action.ACCEPT], sides[Action.DECLINE]} == {Side.OTHER_PARTY}
    assert {sides[Action.CONSENT], sides[Action.REFUSE]} == {Side.BROKER}
    assert flow.on_the_clock == {Status.SUBMITTED, Status.UNDER_REVIEW}


# What keeps one from being sent


def _no_general_user(offices: Offices) -> None:
    db.session.execute(
        sa.update(Membership)
        .where(Membership.organisation_id == offices.new.id)
        .values(is_active=False)
    )


def _company(offices: Offices) -> None:
    offices.new.legal_entity = "company"


def _no_mobile(offices: Offices) -> None:
    offices.licence.broker.mobile = ""


def _landline(offices: Offices) -> None:
    offices.licence.broker.mobile = "+96522001234"


def _suspended(offices: Offices) -> None:
    offices.licence.status = LicenceStatus.SUSPENDED
    offices.licence.suspended_by = SuspendedBy.OFFICE


def _general_broker(offices: Offices) -> None:
    offices.present.general_broker_id = offices.licence.broker_id


SENDING = {
    "to itself": (None, "own", "رقم ترخيص جهتك", "your own organisation's"),
    "unknown number": (None, "KW-0", "لا توجد جهة", "No organisation has this"),
    "no licences there": (_company, None, "لا يجوز", "may not hold broker licences"),
    "nobody to answer": (_no_general_user, None, "مستخدم عام نشط", "no active general user"),
    "no mobile": (_no_mobile, None, "هاتف المخلص", "registered mobile number is missing"),
    "no mobile but a landline": (_landline, None, "هاتف المخلص", "cannot get messages"),
    "suspended": (_suspended, None, "موقوفة", "The licence is suspended by"),
    "general broker": (_general_broker, None, "المخلص العام", "cannot be transferred"),
}


@pytest.mark.parametrize("case", SENDING.values(), ids=SENDING.keys())
def test_what_the_form_warns_of_is_what_sending_refuses(
    offices: Offices, case: tuple[Callable[[Offices], None] | None, str | None, str, str]
) -> None:
    spoil, number, arabic, english = case
    if number == "own":
        offices.present.licence_no = number = "KW-7"
        db.session.commit()
    req = made.make_draft(offices, **({"licence_no": number} if number else {}))
    if spoil is not None:
        spoil(offices)
        db.session.commit()
    agent, now = actor_of(offices.releaser), utc_now()
    for lang, fragment in (("ar", arabic), ("en", english)):
        with force_locale(lang):
            warned = [str(each.text) for each in available_actions.send_warnings(req, agent, now)]
            offered = available_actions.action(req, Action.SEND, agent, now).refusal
            with pytest.raises(Refused) as error:
                transitions.perform(req, Action.SEND, actor=agent, now=now, version=req.version)
            assert offered is not None
            assert str(error.value) == str(offered.text) == warned[0]
            assert fragment in warned[0]
    assert req.status == Status.DRAFT
    assert req.other_organisation_id is None


def test_only_a_general_user_begins_or_sends(offices: Offices) -> None:
    helper = factories.make_agent(offices.present, is_general=False, services=("transfer",))
    now = utc_now()
    offered = available_actions.startable_licences(
        ["transfer"], [offices.licence], actor_of(helper), now
    )
    refusal = offered["transfer", offices.licence.id]
    with pytest.raises(Refused) as error:
        drafts.start("transfer", actor_of(helper), now, licence_id=offices.licence.id)
    assert refusal is not None
    assert "Only a general user" in words_of(error.value, "en")
    assert str(refusal.text) == str(error.value)
    req = made.make_draft(offices)
    with pytest.raises(Refused):
        perform(req, Action.SEND, helper)


def test_a_broker_with_an_open_request_is_not_transferred(offices: Offices) -> None:
    req = made.make_draft(offices)
    other = requests.make_sent(offices.releaser, "suspension", licence_id=offices.licence.id)
    with pytest.raises(Refused) as error:
        perform(req, Action.SEND, offices.releaser)
    assert other.number in words_of(error.value, "en")
    db.session.rollback()
    with pytest.raises(Refused) as error:
        drafts.start(
            "transfer", actor_of(offices.releaser), utc_now(), licence_id=offices.licence.id
        )
    assert other.number in words_of(error.value, "ar")


# Asking for another office's broker


@pytest.mark.parametrize(
    "numbers",
    [
        {"licence_no": "KW-1"},
        {"civil_id": "288010100115"},
        {"organisation_no": "KW-1"},
        {"licence_no": "", "civil_id": "", "organisation_no": ""},
    ],
)
def test_whatever_does_not_fit_is_refused_alike(offices: Offices, numbers: dict[str, str]) -> None:
    with pytest.raises(Refused) as error:
        made.begin_receiving(offices, **numbers)
    assert "with these three numbers" in words_of(error.value, "en")
    assert "بهذه الأرقام الثلاثة" in words_of(error.value, "ar")


@pytest.mark.parametrize("spoil", [_suspended, _general_broker, None])
def test_a_broker_who_cannot_move_now_is_refused_no_differently(
    offices: Offices, spoil: Callable[[Offices], None] | None
) -> None:
    if spoil is None:
        requests.make_sent(offices.releaser, "suspension", licence_id=offices.licence.id)
    else:
        spoil(offices)
        db.session.commit()
    with pytest.raises(Refused) as error:
        made.begin_receiving(offices)
    assert "with these three numbers" in words_of(error.value, "en")


def test_numbers_may_be_typed_in_any_digits_and_case(offices: Offices) -> None:
    arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    req = made.begin_receiving(
        offices,
        licence_no=offices.licence.number.lower().translate(arabic),
        organisation_no=f" {offices.present.licence_no.lower()} ",
    )
    assert req.answers == {"licence_no": offices.present.licence_no}
    assert req.organisation_id == offices.new.id


def test_ones_own_broker_needs_no_asking(offices: Offices) -> None:
    offices.receiver = offices.releaser
    with pytest.raises(Refused) as error:
        made.begin_receiving(offices)
    assert "your own organisation" in words_of(error.value, "en")


@pytest.mark.parametrize("receiving", SIDES, ids=SIDE_NAMES)
def test_an_office_without_a_licence_number_is_named_by_its_code(
    offices: Offices, receiving: bool
) -> None:
    named = offices.present if receiving else offices.new
    answering = offices.releaser if receiving else offices.receiver
    assert transfer_operations.transfer_identifier(actor_of(answering)) == named.licence_no
    named.licence_no = None
    db.session.commit()
    code = transfer_operations.transfer_identifier(actor_of(answering))
    if receiving:
        req = made.begin_receiving(offices, organisation_no=code.lower())
        assert req.answers == {"licence_no": code}
    else:
        req = made.make_sent(offices, licence_no=f" {code.lower()} ")
        assert req.other_organisation_id == named.id


def test_a_code_that_is_made_up_names_nobody(offices: Offices) -> None:
    right = parties.code_of(offices.new.id)
    others = right.replace(f"-{offices.new.id}-", f"-{offices.present.id}-")
    for code in (others, right[:-1] + ("0" if right[-1] != "0" else "1"), right[:-1], right + "0"):
        with pytest.raises(Refused) as error:
            made.make_sent(offices, licence_no=code)
        assert "licence number or transfer code" in words_of(error.value, "en")
        db.session.rollback()
        with pytest.raises(Refused) as error:
            made.begin_receiving(offices, organisation_no=code)
        assert "with these three numbers" in words_of(error.value, "en")


def test_a_code_holds_while_the_secret_that_made_it_is_known(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, settings = parties.code_of(7), context.extensions["settings"]
    changed = replace(settings, secret_key="k" * 40, secret_key_fallbacks=(settings.secret_key,))
    monkeypatch.setitem(context.extensions, "settings", changed)
    assert parties.code_of(7) != code
    assert parties.read(code) == 7
    forgotten = replace(changed, secret_key_fallbacks=())
    monkeypatch.setitem(context.extensions, "settings", forgotten)
    assert parties.read(code) is None


def test_looking_people_up_is_stopped(offices: Offices) -> None:
    for _try in range(10):
        with pytest.raises(Refused):
            made.begin_receiving(offices, licence_no="KW-1")
    with pytest.raises(TooManyTries):
        made.begin_receiving(offices)


# What stops one under way


@pytest.mark.parametrize("receiving", SIDES, ids=SIDE_NAMES)
def test_the_other_side_declines_with_or_without_a_reason(
    offices: Offices, receiving: bool
) -> None:
    req = made.make_sent(offices, receiving=receiving)
    reason = "" if receiving else "نحتاج إليه."
    requests.step(req, Action.DECLINE, made.other(req, offices), reason=reason)
    assert (req.status, req.exclusive_key) == (Status.DECLINED, None)
    assert offices.organisation_id == offices.present.id
    notice = db.session.scalars(sa.select(Notice).where(Notice.event == "transfer:declined")).one()
    assert notice.user_id == made.asking(req, offices).id
    assert (reason in inbox.text_of(notice, "ar")[1]) and (
        ("السبب" in inbox.text_of(notice, "ar")[1]) is bool(reason)
    )


def test_the_broker_refuses(context: Flask, offices: Offices) -> None:
    req = made.make_accepted(offices)
    token = made.token_of(req)
    assert made.answer(context, token, Action.REFUSE)
    assert (req.status, req.decided_at is not None) == (Status.DECLINED, True)
    assert offices.organisation_id == offices.present.id
    told = db.session.scalars(sa.select(Notice).where(Notice.event == "transfer:declined")).all()
    assert {each.user_id for each in told} == {offices.releaser.id, offices.receiver.id}
    assert find(context, token) is None


def find(app: Flask, token: str) -> consents.Asked | None:
    db.session.rollback()
    with factories.visit(app):
        return consents.find(token)


@pytest.mark.parametrize("action", [Action.WITHDRAW, Action.LAPSE])
def test_a_link_is_useless_once_the_transfer_has_ended(
    context: Flask, offices: Offices, action: Action
) -> None:
    req = made.make_accepted(offices)
    token = made.token_of(req)
    asked = find(context, token)
    assert asked is not None
    assert asked.releasing["en"] == offices.present.name_en
    assert asked.receiving["ar"] == offices.new.name_ar
    perform(req, action, offices.releaser if action is Action.WITHDRAW else None)
    assert find(context, token) is None
    assert (
        db.session.scalars(
            sa.select(TransferConsent.token_hash).where(TransferConsent.token_hash.is_not(None))
        ).all()
        == []
    )
    now = utc_now()
    with factories.visit(context):
        db.session.rollback()
        consents.send_code(asked, "ar", now)
        db.session.commit()
        code = made.code_of(asked.mobile or "")
        db.session.rollback()
        with pytest.raises(TransitionNotAllowed):
            consents.answer(asked, Action.CONSENT, code, now)


def test_silence_lapses_after_the_days_of_the_setting(context: Flask, offices: Offices) -> None:
    sent = utc_now()
    req = made.make_sent(offices, now=sent)
    assert transfer_operations.lapse_unanswered(sent + timedelta(days=14)) == 0
    accepted = sent + timedelta(days=13)
    made.accept(req, offices, accepted)
    assert transfer_operations.lapse_unanswered(accepted + timedelta(days=14)) == 0
    assert transfer_operations.lapse_unanswered(accepted + timedelta(days=14, seconds=1)) == 1
    db.session.commit()
    assert req.status == Status.LAPSED
    told = db.session.scalars(sa.select(Notice).where(Notice.event == "transfer:lapsed")).all()
    assert {each.user_id for each in told} == {offices.releaser.id, offices.receiver.id}
    assert "the broker" in inbox.text_of(told[0], "en")[1]
    assert transfer_operations.lapse_unanswered(accepted + timedelta(days=15)) == 0
    assert drafts.start(
        "transfer", actor_of(offices.releaser), utc_now(), licence_id=offices.licence.id
    ).id


def test_an_answer_after_the_time_is_refused_even_before_the_job_ran(offices: Offices) -> None:
    late = utc_now() + timedelta(days=14, seconds=5)
    req = made.make_sent(offices)
    assert transfer_operations.waiting_for(actor_of(offices.receiver), late) == []
    with pytest.raises(Refused) as error:
        made.accept(req, offices, late)
    assert "time to answer" in words_of(error.value, "en")
    db.session.rollback()
    assert transfer_operations.lapse_unanswered(late) == 1
    db.session.commit()
    told = db.session.scalars(sa.select(Notice).where(Notice.event == "transfer:lapsed")).all()
    assert offices.new.name_en in inbox.text_of(told[0], "en")[1]


def test_nobody_answers_when_the_general_user_is_gone(offices: Offices) -> None:
    req = made.make_sent(offices)
    _no_general_user(offices)
    db.session.commit()
    with pytest.raises(NotFound):
        perform(req, Action.ACCEPT, offices.receiver)
    assert transfer_operations.lapse_unanswered(utc_now() + timedelta(days=15)) == 1


def test_the_other_side_is_told_how_it_ended_otherwise(context: Flask, offices: Offices) -> None:
    req = made.make_submitted(context, offices)
    requests.step(req, Action.REJECT, factories.make_staff(), reason="غير مستوفٍ.")
    notice = db.session.scalars(sa.select(Notice).where(Notice.event == "transfer:closed")).one()
    assert notice.user_id == offices.receiver.id
    assert "Rejected" in inbox.text_of(notice, "en")[1]
    assert "غير مستوفٍ" not in inbox.text_of(notice, "ar")[1]


# What the register says at the approval


def test_a_licence_suspended_meanwhile_is_not_moved(context: Flask, offices: Offices) -> None:
    req = made.make_submitted(context, offices)
    licence_register.change(
        offices.licence,
        LicenceStep.SUSPENDED,
        {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.OFFICE},
        now=utc_now(),
        actor_id=None,
    )
    db.session.commit()
    with pytest.raises(Refused) as error:
        approve(req)
    assert "suspended" in words_of(error.value, "en")
    db.session.rollback()
    assert offices.organisation_id == offices.present.id
    assert db.session.scalars(sa.select(IssuedDocument)).all() == []


def test_a_broker_who_is_elsewhere_meanwhile_is_not_moved(context: Flask, offices: Offices) -> None:
    req = made.make_submitted(context, offices)
    third = factories.make_organisation()
    licence_register.change(
        offices.licence,
        LicenceStep.CORRECTED,
        {"organisation_id": third.id},
        now=utc_now(),
        actor_id=None,
    )
    db.session.commit()
    with pytest.raises(Refused) as error:
        approve(req)
    assert "not registered with the organisation" in words_of(error.value, "en")
    db.session.rollback()
    assert offices.organisation_id == third.id


# The broker's link and code


def test_the_link_stands_in_no_table_as_it_is(offices: Offices) -> None:
    req = made.make_accepted(offices)
    token = made.token_of(req)
    assert len(token) >= 43  # 256 bits
    row = db.session.scalars(
        sa.select(TransferConsent).where(TransferConsent.party == "broker")
    ).one()
    assert row.token_hash and token not in row.token_hash
    sent = db.session.scalars(sa.select(Delivery).where(Delivery.event == "transfer:consent")).all()
    assert {each.address for each in sent} == {
        offices.licence.broker.mobile,
        offices.licence.broker.email,
    }
    assert all(each.is_secret and token not in each.body for each in sent)


def test_codes_are_the_links_own_and_end(context: Flask, offices: Offices) -> None:
    req = made.make_accepted(offices)
    second = made.make_offices()
    made.make_accepted(second)
    asked = find(context, made.token_of(req))
    mine = db.session.scalar(
        sa.select(TransferConsent.id).where(
            TransferConsent.request_id == req.id, TransferConsent.party == "broker"
        )
    )
    assert asked is not None and asked.consent_id != mine  # the newest link is the second's
    foreign = asked.mobile or ""
    now = utc_now()
    with factories.visit(context):
        db.session.rollback()
        consents.send_code(asked, "ar", now)
        db.session.commit()
        code = made.code_of(foreign)
        own = _asked_by(mine, offices)
        db.session.rollback()
        assert not consents.answer(own, Action.CONSENT, code, now)
        db.session.rollback()
        assert not consents.answer(asked, Action.CONSENT, code, now + timedelta(minutes=11))
        db.session.rollback()
        wrong = "000000" if code != "000000" else "000001"
        for _try in range(5):
            assert not consents.answer(asked, Action.CONSENT, wrong, now)
            db.session.rollback()
        assert not consents.answer(asked, Action.CONSENT, code, now)
        db.session.rollback()
        with pytest.raises(TooManyTries):
            consents.send_code(asked, "ar", now + timedelta(seconds=30))
    assert req.status == Status.AWAITING_BROKER


def test_the_code_goes_to_the_mobile_that_is_registered_now(
    context: Flask, offices: Offices
) -> None:
    req = made.make_accepted(offices)
    token, now = made.token_of(req), utc_now()
    before = find(context, token)
    assert before is not None
    with factories.visit(context):
        db.session.rollback()
        consents.send_code(before, "ar", now)
        db.session.commit()
        code = made.code_of(before.mobile or "")
    licence_register.change(
        offices.licence,
        LicenceStep.CORRECTED,
        {"mobile": factories.mobile()},
        now=now,
        actor_id=None,
    )
    db.session.commit()
    after = find(context, token)
    assert after is not None
    assert after.mobile != before.mobile
    with factories.visit(context):
        db.session.rollback()
        assert not consents.answer(after, Action.CONSENT, code, now)
    assert made.answer(context, token)


def _asked_by(consent_id: int | None, offices: Offices) -> consents.Asked:
    """What the broker of `offices` is asked, as his link would say."""
    return consents.Asked(
        consent_id=consent_id or 0,
        request_id=0,
        number="",
        licence_no="",
        broker={},
        releasing={},
        receiving={},
        mobile=offices.licence.broker.mobile,
        asked_at=utc_now(),
    )


# At the same instant


@pytest.mark.databases
def test_of_two_accepts_at_once_one_counts(context: Flask, offices: Offices) -> None:
    req = made.make_sent(offices)
    actor, version, request_id = actor_of(offices.receiver), req.version, req.id
    db.session.rollback()

    def accept(_number: int) -> str:
        row = db.session.get_one(Request, request_id)
        transitions.perform(row, Action.ACCEPT, actor=actor, now=utc_now(), version=version)
        db.session.commit()
        return "accepted"

    outcomes = race(context, 6, accept)
    assert outcomes.count("accepted") == 1
    assert sum(isinstance(each, TransitionNotAllowed) for each in outcomes) == 5
    brokers = db.session.scalars(
        sa.select(TransferConsent.id).where(TransferConsent.party == "broker")
    ).all()
    assert len(brokers) == 1


@pytest.mark.databases
def test_no_reader_ever_sees_a_broker_under_two_organisations_or_none(
    context: Flask, offices: Offices
) -> None:
    """Another connection reads the broker's organisation all the while, through every step."""
    broker_id, seen = offices.licence.broker_id, []
    allowed = {offices.present.id, offices.new.id}
    started, done = threading.Event(), threading.Event()

    def read() -> None:
        with context.app_context():
            while not done.is_set():
                with own_transaction(write=False) as connection:
                    rows = connection.execute(
                        sa.select(Broker.organisation_id, Organisation.id)
                        .outerjoin(Organisation, Organisation.id == Broker.organisation_id)
                        .where(Broker.id == broker_id)
                    ).all()
                seen.append([tuple(row) for row in rows])
                started.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert started.wait(10)
    try:
        approve(made.make_submitted(context, offices, receiving=True))
        count = len(seen)
        while len(seen) < count + 3:
            started.wait(0.01)
    finally:
        done.set()
        reader.join()
    assert all(len(rows) == 1 for rows in seen)
    holders = [rows[0][0] for rows in seen]
    assert {*holders} == allowed
    assert holders == sorted(holders, key=lambda each: each == offices.new.id)
    assert all(holder == organisation for rows in seen for holder, organisation in rows)


@pytest.mark.databases
def test_an_approval_and_a_withdrawal_at_once_leave_one_outcome(
    context: Flask, offices: Offices
) -> None:
    req, reviewer = made.make_submitted(context, offices), factories.make_staff()
    steps = [(Action.APPROVE, actor_of(reviewer)), (Action.WITHDRAW, actor_of(offices.releaser))]
    version, request_id = req.version, req.id
    db.session.rollback()

    def take(number: int) -> str:
        action, actor = steps[number]
        row = db.session.get_one(Request, request_id)
        transitions.perform(row, action, actor=actor, now=utc_now(), version=version)
        db.session.commit()
        return str(row.status)

    outcomes = race(context, 2, take)
    won = [each for each in outcomes if isinstance(each, str)]
    assert len(won) == 1
    assert sum(isinstance(each, DomainError) for each in outcomes) == 1
    moved = offices.organisation_id == offices.new.id
    assert moved is (won == [Status.APPROVED])
