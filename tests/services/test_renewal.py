"""Renewal: a licence runs until the day that the office grants, with new papers for it."""

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
from clearance.core.clock import utc_now, years_after
from clearance.core.extensions import db
from clearance.licences import granted_expiry, validity
from clearance.licences.granted_expiry import GrantedExpiry
from clearance.models import Event
from clearance.models.enums import IssuedKind, LicenceStatus, LicenceStep, Status, ValidityLink
from clearance.requests import available_actions, drafts
from clearance.services.flows import Action
from tests.support import factories
from tests.support.service_life import (
    FAR,
    GRANTED,
    HOLDER_SUSPENDED_IT,
    IS_CANCELLED,
    NOT_OURS,
    OFFICE_SUSPENDED_IT,
    SOON,
    STATES,
    TODAY,
    WHO_MAY_ASK,
    ServiceLife,
    change_register,
    history_of,
    move_away,
    register_of,
    suspend_by_office,
)


@pytest.fixture
def renewal(context: Flask) -> ServiceLife:
    return ServiceLife("renewal")


def expire(licence: Any) -> None:
    """The licence's time runs out while a request is under way."""
    change_register(licence, LicenceStep.EXPIRED, status=LicenceStatus.EXPIRED)


# Asked


def test_users_of_a_clearing_agents_office_ask_who_have_the_grant(renewal: ServiceLife) -> None:
    assert renewal.who_may_ask(renewal.licence(expires=SOON)) == WHO_MAY_ASK


def test_form_wants_identity_contact_and_the_day_it_shall_run_until(renewal: ServiceLife) -> None:
    assert renewal.wants(renewal.licence(expires=SOON)) == [
        *("civil_id_expiry", "passport_no", "passport_expiry", "licence_expiry"),
        *("mobile", "email"),
        *("civil_id_copy", "passport_copy"),
    ]


def test_what_ends_soon_or_has_ended_can_be_renewed(renewal: ServiceLife) -> None:
    told = renewal.refusals_by_state()
    assert told.pop("running").startswith("The licence is valid until")
    assert told == {
        "ending": "",
        "guarantee ending": "",
        "over": "",
        "expired": "",
        "suspended by its holder": HOLDER_SUSPENDED_IT,
        "suspended by its holder and over": "",
        "suspended by the office": OFFICE_SUSPENDED_IT,
        "cancelled": IS_CANCELLED,
    }
    assert set(told) | {"running"} == set(STATES)


def test_day_from_which_it_opens_stands_in_the_refusal(renewal: ServiceLife) -> None:
    administrator = actor_of(factories.make_staff("administrator"))
    office_settings.set("renewal_window_days", 10, administrator, utc_now())
    db.session.commit()
    licence = renewal.licence(expires=FAR, passport_expiry=SOON)
    opens = SOON - timedelta(days=10)
    before = utc_now() + (opens - TODAY) - timedelta(days=1)
    assert renewal.refusal_to_begin(licence, before) == (
        f"The licence is valid until {SOON:%d/%m/%Y} (expires first: Passport). "
        f"Renewal opens on {opens:%d/%m/%Y}."
    )
    with force_locale("ar"):
        arabic = available_actions.startable_for(
            [licence.id], ["renewal"], actor_of(renewal.agent), before
        )["renewal", licence.id]
        assert arabic is not None
        assert str(arabic.text).endswith("(الأقرب انتهاءً: جواز السفر).")
        assert f"{opens:%d/%m/%Y}" in str(arabic.change)
    assert renewal.refusal_to_begin(licence, before + timedelta(days=1)) == ""


def test_broker_who_moved_away_since_the_draft_is_not_theirs_to_renew(
    renewal: ServiceLife,
) -> None:
    licence = renewal.licence(expires=SOON)
    draft = renewal.draft(licence)
    move_away(licence)
    assert renewal.refusal_to_send(draft) == NOT_OURS


def test_expiry_is_proposed_as_asked_or_by_the_offices_years(renewal: ServiceLife) -> None:
    draft = renewal.begin(renewal.licence(expires=SOON))
    assert draft.licence_expiry == years_after(SOON, 3)
    drafts.save(draft, {"licence_expiry": GRANTED}, actor_of(renewal.agent), utc_now())
    assert granted_expiry.proposed_expiry(draft, utc_now()) == GRANTED


def test_beyond_passport_or_guarantee_it_cautions_and_is_sent_all_the_same(
    renewal: ServiceLife,
) -> None:
    licence = renewal.licence(expires=SOON)
    early = GRANTED - timedelta(days=1)
    dates = {"licence_expiry": GRANTED, "guarantee_expiry": early, "passport_expiry": early}
    req = renewal.ask(licence, **dates)
    with force_locale("en"):
        told = [str(warning.text) for warning in granted_expiry.warnings(req, utc_now())]
    assert [text.split(" expires on ")[0] for text in told] == ["Bank guarantee", "Passport"]
    assert all(f"{early:%d/%m/%Y}" in text and f"{GRANTED:%d/%m/%Y}" in text for text in told)
    with force_locale("ar"):
        arabic = [str(warning.text) for warning in granted_expiry.warnings(req, utc_now())]
    assert len(arabic) == 2 and not set(arabic) & set(told)
    renewal.approve(req, GRANTED)
    assert validity.of(licence) == (early, ValidityLink.GUARANTEE)


# Decided


def test_returned_it_is_corrected_where_the_remark_is_and_that_is_what_is_registered(
    renewal: ServiceLife,
) -> None:
    licence = renewal.licence(expires=SOON)
    req = renewal.ask(licence, passport_no="N1", guarantee_no="LG 1")
    renewal.return_for(req, "passport_no", "passport_copy")
    assert renewal.open_places(req) == {"passport_no", "passport_copy"}
    renewal.correct(req, passport_no="N2", guarantee_no="LG 2")
    renewal.approve(req)
    assert (licence.broker.passport_no, licence.guarantee_no) == ("N2", "LG 1")


def test_rejected_with_its_reason_the_licence_still_ends_on_its_day(renewal: ServiceLife) -> None:
    licence = renewal.licence(expires=SOON)
    before = register_of(licence)
    req = renewal.reject(renewal.ask(licence), "The guarantee is not enough.")
    assert req.status == Status.REJECTED
    assert "The guarantee is not enough." in renewal.last_notice()
    assert register_of(licence) == before
    assert renewal.refusal_to_begin(licence) == ""


def test_licence_suspended_by_the_office_meanwhile_is_not_renewed(renewal: ServiceLife) -> None:
    licence = renewal.licence(expires=SOON)
    req = renewal.ask(licence)
    suspend_by_office(licence)
    assert renewal.refusal_to_approve(req) == OFFICE_SUSPENDED_IT
    assert (req.status, licence.expires) == (Status.SUBMITTED, SOON)


def test_register_that_changed_meanwhile_is_named_and_sending_again_is_the_way(
    renewal: ServiceLife,
) -> None:
    licence = renewal.licence(expires=SOON, guarantee_no="LG 1")
    req = renewal.ask(licence)
    before = licence.broker.passport_no
    new = {"guarantee_no": "LG 9", "passport_no": "P999", "address": "حولي"}
    change_register(licence, LicenceStep.CORRECTED, **new)
    told = renewal.refusal_to_approve(req)
    assert "changed from “LG 1” to “LG 9”" in told
    assert f"Passport number changed from “{before}” to “P999”" in told
    assert "حولي" not in told
    with force_locale("ar"):
        reviewer = actor_of(renewal.reviewer)
        arabic = available_actions.action(req, Action.APPROVE, reviewer, utc_now()).refusal
        assert arabic is not None and "من «LG 1» إلى «LG 9»" in str(arabic.text)
        assert f"رقم جواز السفر: من «{before}» إلى «P999»" in str(arabic.text)
    assert (req.status, licence.expires) == (Status.SUBMITTED, SOON)
    renewal.return_for(req)
    renewal.send(req)
    renewal.approve(req, GRANTED)
    assert licence.expires == GRANTED


@pytest.mark.parametrize(
    ("granted", "told"),
    [
        (TODAY, "The approved expiry date must be in the future."),
        (
            years_after(TODAY, 20) + timedelta(days=1),
            f"The latest expiry date you can approve is {years_after(TODAY, 20):%d/%m/%Y}.",
        ),
    ],
)
def test_expiry_that_cannot_be_granted_is_refused(
    renewal: ServiceLife, granted: date, told: str
) -> None:
    req = renewal.ask(renewal.licence(expires=SOON))
    assert renewal.refusal_to_grant(req, granted) == told
    assert req.status == Status.SUBMITTED
    renewal.approve(req, years_after(TODAY, 20))


def test_expiry_has_to_be_given_with_the_approval(renewal: ServiceLife) -> None:
    req = renewal.ask(renewal.licence(expires=SOON))
    assert renewal.approval_asks(req) == (GrantedExpiry,)
    assert renewal.refusal_to_grant(req, None) == ("Enter the expiry date you approve.")


@pytest.mark.databases
def test_approved_it_grants_what_the_office_confirms_and_takes_the_particulars(
    renewal: ServiceLife,
) -> None:
    licence = renewal.licence(expires=SOON, guarantee_no="LG 1")
    asked = {"guarantee_no": "LG 2", "passport_no": "N7", "licence_expiry": FAR}
    req = renewal.approve(renewal.ask(licence, **asked), GRANTED)
    assert (licence.expires, licence.guarantee_no, licence.status) == (GRANTED, "LG 2", "active")
    assert req.granted_expiry == GRANTED and req.licence_expiry == FAR
    assert (licence.broker.passport_no, licence.broker.mobile) == ("N7", req.mobile)
    particulars, renewed = history_of(licence)
    assert (particulars.kind, renewed.kind) == (LicenceStep.UPDATED, LicenceStep.RENEWED)
    assert renewed.changes["expires"] == [SOON.isoformat(), GRANTED.isoformat()]
    assert renewal.issued_kinds(req) == [IssuedKind.CERTIFICATE, IssuedKind.CARD]
    assert {paper.valid_until for paper in renewal.issued(req)} == {GRANTED}
    approval = db.session.scalars(
        sa.select(Event).where(Event.request_id == req.id, Event.kind == "request:step:approve")
    ).one()
    assert approval.changes == {"granted_expiry": [None, GRANTED.isoformat()]}


@pytest.mark.parametrize("state", ["expired", "suspended by its holder and over"])
def test_approved_an_expired_licence_is_active_again(renewal: ServiceLife, state: str) -> None:
    columns: Mapping[str, Any] = STATES[state]
    licence = renewal.licence(**columns)
    renewal.approve(renewal.ask(licence), GRANTED)
    assert (licence.status, licence.suspended_by, licence.expires) == ("active", None, GRANTED)


def test_licence_that_expires_during_review_can_still_be_renewed(renewal: ServiceLife) -> None:
    licence = renewal.licence(expires=SOON)
    req = renewal.ask(licence)
    expire(licence)
    renewal.approve(req)
    assert licence.status == LicenceStatus.ACTIVE


def test_approved_again_the_new_papers_replace_the_old_ones(renewal: ServiceLife) -> None:
    licence = renewal.licence(expires=SOON)
    first = renewal.approve(renewal.ask(licence), SOON + timedelta(days=1))
    second = renewal.approve(renewal.ask(licence), GRANTED)
    assert {paper.void_reason for paper in renewal.issued(first)} == {"replaced"}
    assert {paper.voided_at for paper in renewal.issued(second)} == {None}
