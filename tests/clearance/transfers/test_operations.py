"""Transfers: who may ask whom, the three consents, the move, and everything that stops one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from clearance.auth import permissions
from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.errors import NotFound, PermissionDenied, Refused, TransitionNotAllowed
from clearance.core.extensions import db
from clearance.licences import register as licence_register
from clearance.licences import starts
from clearance.models import (
    Delivery,
    IssuedDocument,
    LicenceChange,
    Membership,
    Notice,
    Request,
    TransferConsent,
    User,
)
from clearance.models.enums import IssuedKind, LicenceStatus, LicenceStep, Status, SuspendedBy
from clearance.notifications import inbox
from clearance.requests import available_actions, drafts, timeline, transitions
from clearance.services.decisions import RemarkInput, Remarks
from clearance.services.flows import Action
from clearance.transfers import consents
from clearance.transfers import operations as transfer_operations
from clearance.transfers.flow import TRANSFER, TransferAction, TransferSide
from clearance.transfers.statuses import TransferStatus
from tests.support import factories
from tests.support import request_factories as requests
from tests.support import transfer_factories as made
from tests.support.transfer_factories import Offices
from tests.support.transfer_steps import (
    SIDE_NAMES,
    SIDES,
    approve,
    find,
    make_general_broker,
    suspend_licence,
    words_of,
)


def perform(req: Request, action: Action, user: User | None, **options: Any) -> Request:
    actor = actor_of(user) if user is not None else None
    transitions.perform(
        req, action, actor=actor, now=utc_now(), version=options.pop("version", req.version)
    )
    db.session.commit()
    return req


# The whole way


@pytest.mark.parametrize("receiving", SIDES, ids=SIDE_NAMES)
def test_three_consents_and_an_approval_move_the_broker(
    context: Flask, offices: Offices, receiving: bool
) -> None:
    number, old_version = offices.licence.number, offices.licence.version
    req = made.make_sent(offices, receiving=receiving)
    assert req.status == TransferStatus.AWAITING_OTHER_PARTY
    assert req.other_organisation_id == (offices.present if receiving else offices.new).id
    made.accept(req, offices)
    assert req.status == TransferStatus.AWAITING_BROKER
    assert offices.organisation_id == offices.present.id
    assert made.answer(context, made.token_of(req))
    assert req.status == Status.SUBMITTED
    assert req.due_on is not None
    given = {consent.party: consent.answer for consent in transfer_operations.consents(req)}
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
        starts.licence_of(offices.licence.id, offices.present.id)
    assert starts.licence_of(offices.licence.id, offices.new.id).id == offices.licence.id
    with pytest.raises(NotFound):
        drafts.start("letter", old, utc_now(), choice=offices.licence.id)
    assert drafts.start("letter", new, utc_now(), choice=offices.licence.id).broker_id
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
        req, Action.RETURN, reviewer, reason="راجع الرقم.", data=Remarks(remarks=(remark,))
    )
    agent = actor_of(offices.releaser)
    drafts.save(req, {"licence_no": third.licence_no}, agent, utc_now())
    with pytest.raises(Refused) as error:
        perform(req, Action.SEND, offices.releaser)
    assert "cannot name a different one now" in words_of(error.value, "en")
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
    for action in (TransferAction.ACCEPT, TransferAction.DECLINE):
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
            perform(req, TransferAction.CONSENT, user)


def test_the_other_side_finds_the_transfer_and_sees_the_request_nowhere(offices: Offices) -> None:
    req = made.make_draft(offices)
    receiver, releaser = actor_of(offices.receiver), actor_of(offices.releaser)
    with pytest.raises(NotFound):
        transfer_operations.find(req.id, receiver)
    made.send(req, offices)
    assert transfer_operations.find(req.id, receiver).id == req.id
    assert [transfer.id for transfer in transfer_operations.waiting_for(receiver, utc_now())] == [
        req.id
    ]
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
        ("The request was sent", offices.releaser.name_in("ar")),
        ("The other organisation accepted the transfer", offices.new.name_en),
        ("The broker consented to the transfer", "The broker"),
    ]
    assert others == [offices.present.name_en, offices.receiver.name_in("ar"), "The broker"]


def test_a_flow_of_three_parties_offers_each_side_its_own_steps() -> None:
    flow = TRANSFER
    sides = {step.action: step.side for step in flow.steps}
    assert {sides[TransferAction.ACCEPT], sides[TransferAction.DECLINE]} == {
        TransferSide.OTHER_PARTY
    }
    assert {sides[TransferAction.CONSENT], sides[TransferAction.REFUSE]} == {TransferSide.BROKER}
    assert flow.on_clock == {Status.SUBMITTED, Status.UNDER_REVIEW}


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


SENDING = {
    "to itself": (None, "own", "رقم ترخيص جهتك", "your own organisation"),
    "unknown number": (None, "KW-0", "لا توجد جهة", "No organisation has this"),
    "no licences there": (_company, None, "لا يجوز", "cannot hold broker licences"),
    "nobody to answer": (_no_general_user, None, "مستخدم عام نشط", "no active general user"),
    "no mobile": (_no_mobile, None, "هاتف المخلص", "registered mobile number is missing"),
    "no mobile but a landline": (_landline, None, "هاتف المخلص", "cannot receive messages"),
    "suspended": (suspend_licence, None, "موقوفة", "The licence is suspended by"),
    "general broker": (make_general_broker, None, "المخلص العام", "cannot be transferred"),
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
            warned = [
                str(warning.text) for warning in available_actions.send_warnings(req, agent, now)
            ]
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
    offered = available_actions.startable_for(
        [offices.licence.id], ["transfer"], actor_of(helper), now
    )
    refusal = offered["transfer", offices.licence.id]
    with pytest.raises(Refused) as error:
        drafts.start("transfer", actor_of(helper), now, choice=offices.licence.id)
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
        drafts.start("transfer", actor_of(offices.releaser), utc_now(), choice=offices.licence.id)
    assert other.number in words_of(error.value, "ar")


# What stops one under way


@pytest.mark.parametrize("receiving", SIDES, ids=SIDE_NAMES)
def test_the_other_side_declines_with_or_without_a_reason(
    offices: Offices, receiving: bool
) -> None:
    req = made.make_sent(offices, receiving=receiving)
    reason = "" if receiving else "نحتاج إليه."
    requests.step(req, TransferAction.DECLINE, made.other(req, offices), reason=reason)
    assert (req.status, req.exclusive_key) == (TransferStatus.DECLINED, None)
    assert offices.organisation_id == offices.present.id
    notice = db.session.scalars(sa.select(Notice).where(Notice.event == "transfer:declined")).one()
    assert notice.user_id == made.asking(req, offices).id
    assert (reason in inbox.text_of(notice, "ar")[1]) and (
        ("السبب" in inbox.text_of(notice, "ar")[1]) is bool(reason)
    )


def test_the_broker_refuses(context: Flask, offices: Offices) -> None:
    req = made.make_accepted(offices)
    token = made.token_of(req)
    assert made.answer(context, token, TransferAction.REFUSE)
    assert (req.status, req.decided_at is not None) == (TransferStatus.DECLINED, True)
    assert offices.organisation_id == offices.present.id
    told = db.session.scalars(sa.select(Notice).where(Notice.event == "transfer:declined")).all()
    assert {each.user_id for each in told} == {offices.releaser.id, offices.receiver.id}
    assert find(context, token) is None


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
            consents.answer(asked, TransferAction.CONSENT, code, now)


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
        "transfer", actor_of(offices.releaser), utc_now(), choice=offices.licence.id
    ).id


def test_an_answer_after_the_time_is_refused_even_before_the_job_ran(offices: Offices) -> None:
    late = utc_now() + timedelta(days=14, seconds=5)
    req = made.make_sent(offices)
    assert transfer_operations.waiting_for(actor_of(offices.receiver), late) == []
    with pytest.raises(Refused) as error:
        made.accept(req, offices, late)
    assert "time to respond" in words_of(error.value, "en")
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
        perform(req, TransferAction.ACCEPT, offices.receiver)
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
