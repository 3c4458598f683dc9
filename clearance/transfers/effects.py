"""Effects of transfer steps: the three consents, their notices, and the move."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance import notifications
from clearance.core import crypto, i18n, office_settings, reasons, urls
from clearance.core.clock import kuwait_date
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.licences import register as licence_register
from clearance.models import Organisation, Request, TransferConsent
from clearance.models.enums import Channel, LicenceStep
from clearance.models.names import NAME_COLUMNS
from clearance.services import registry
from clearance.services.columns import keep_column
from clearance.services.effects import StepContext, approval_effect
from clearance.transfers import guards as transfer_guards
from clearance.transfers import parties

_LANGUAGES = ("ar", "en")
# Values of the placeholders `party` and `next`.
_BROKER = {"ar": "المخلص", "en": "the broker"}
_BROKER_IS_NEXT = {
    "ar": (
        "أُرسل رابط الموافقة إلى رقم الجوال المسجل للمخلص، "
        "ولا ينظر مكتب شؤون المخلصين في الطلب قبل موافقته."
    ),
    "en": (
        "We sent a link to the broker's registered mobile number. The Clearance Agents Affairs "
        "Office starts once the broker has consented."
    ),
}
_OFFICE_IS_NEXT = {
    "ar": "الطلب الآن لدى مكتب شؤون المخلصين للمراجعة.",
    "en": "The request is now with the Clearance Agents Affairs Office.",
}
_PAPERS = ("broker_type", "civil_id_expiry", "passport_no", "passport_expiry")


def ask_other_party(step: StepContext) -> None:
    """Fix the other side, record the asking side's consent and request the other's."""
    req, known = step.req, parties.load(step.req.id)
    if known is None or known.other is None:
        raise Refused(Refusal(_l("We do not recognise the other organisation.")))
    req.other_organisation_id = known.other.id
    asking, other = ("releasing", "receiving")
    if not known.is_releasing:
        asking, other = other, asking
    own = _consent(step, asking, known.asking_id)
    own.answer, own.answered_by_id, own.answered_at = "given", step.actor_id, step.now
    db.session.add_all([own, _consent(step, other, known.other.id)])
    db.session.flush()
    answer_by = kuwait_date(step.now + parties.silence())
    params = _move(req) | {"organisation": _name(known.asking_id), "answer_by": answer_by}
    _tell_organisation("transfer:asked", step, known.other.id, params)


def note_acceptance(step: StepContext) -> None:
    """Record the other side's consent and send the broker his link.

    The asking organisation sees the broker's name from now on.
    """
    _answer_of_other(step, "given")
    if not parties.is_named(step.req):
        _fill_from_register(step.req, NAME_COLUMNS)
    db.session.add(_consent(step, "broker", None))
    ask_broker(step)
    params = {"party": _name(step.req.other_organisation_id), "next": _BROKER_IS_NEXT}
    _tell_asking("transfer:accepted", step, params)


def ask_broker(step: StepContext) -> None:
    """Send the broker a new link, voiding the earlier one; his time to answer stays the same."""
    token = secrets.token_urlsafe(32)
    asked = db.session.scalars(
        sa.select(TransferConsent).where(
            TransferConsent.request_id == step.req.id,
            TransferConsent.party == "broker",
            TransferConsent.answer == "waiting",
        )
    ).one()
    asked.token_hash = crypto.token_hash(token)
    db.session.flush()
    until = asked.asked_at + parties.silence()
    params = _move(step.req) | {"answer_by": kuwait_date(until)}
    link = urls.consent_url(token)
    _tell_broker("transfer:consent", step, params, link=link, expires_at=until)


def record_decline(step: StepContext) -> None:
    """Record the other side's refusal and notify the asking side."""
    _answer_of_other(step, "declined")
    _tell_asking("transfer:declined", step, {"party": _name(step.req.other_organisation_id)})


def record_broker_consent(step: StepContext) -> None:
    """Record the broker's consent, fill in his registered data, notify both sides."""
    _answer_of_broker(step, "given")
    _fill_from_register(step.req, _PAPERS)
    if step.req.licence is not None:
        step.req.licence_expiry = step.req.licence.expires
    _tell_both("transfer:accepted", step, {"party": _BROKER, "next": _OFFICE_IS_NEXT})


def note_brokers_refusal(step: StepContext) -> None:
    """Record the broker's refusal and notify both sides."""
    _answer_of_broker(step, "declined")
    _tell_both("transfer:declined", step, {"party": _BROKER})


def record_no_response(step: StepContext) -> None:
    """Notify both sides who did not answer, and void the broker's link."""
    silent = db.session.scalar(
        sa.select(TransferConsent).where(
            TransferConsent.request_id == step.req.id, TransferConsent.answer == "waiting"
        )
    )
    is_broker = silent is None or silent.organisation_id is None
    party = _BROKER if is_broker else _name(step.req.other_organisation_id)
    _void_link(step.req)
    _tell_both("transfer:lapsed", step, {"party": party})


def close(step: StepContext) -> None:
    """Notify the other side that the request ended otherwise, and void the broker's link."""
    _void_link(step.req)
    outcome = i18n.in_both(registry.current().status_label(step.req.status))
    _tell_other("transfer:closed", step, {"outcome": outcome})


@approval_effect(
    words=_l("The broker moves to the other organisation and keeps their licence number."),
    needs=transfer_guards.TRANSFER,
)
def move_broker(step: StepContext) -> None:
    """Move the broker from the releasing to the receiving organisation, if all three consented."""
    req = step.req
    given = {
        row.party: row.organisation_id
        for row in db.session.scalars(
            sa.select(TransferConsent).where(
                TransferConsent.request_id == req.id, TransferConsent.answer == "given"
            )
        )
    }
    if set(given) != {"releasing", "receiving", "broker"} or req.licence_id is None:
        raise Refused(Refusal(_l("A consent to this transfer is missing.")))
    licence = licence_register.lock(req.licence_id)
    if licence.broker.organisation_id != given["releasing"]:
        raise Refused(transfer_guards.NOT_THEIRS)
    licence_register.change(
        licence,
        LicenceStep.TRANSFERRED,
        {"organisation_id": given["receiving"]},
        now=step.now,
        actor_id=step.actor_id,
        request_id=req.id,
    )
    _tell_other("transfer:done", step, _move(req))
    _tell_broker("transfer:done", step, _about(req) | _move(req))


def _consent(step: StepContext, party: str, organisation_id: int | None) -> TransferConsent:
    return TransferConsent(
        request_id=step.req.id,
        party=party,
        organisation_id=organisation_id,
        answer="waiting",
        asked_at=step.now,
    )


def _answer_of_other(step: StepContext, answer: str) -> None:
    _set_answer(
        step,
        TransferConsent.organisation_id == step.req.other_organisation_id,
        answer=answer,
        answered_by_id=step.actor_id,
    )


def _answer_of_broker(step: StepContext, answer: str) -> None:
    _set_answer(step, TransferConsent.party == "broker", answer=answer, token_hash=None)


def _set_answer(step: StepContext, which: sa.ColumnElement[bool], **values: Any) -> None:
    """Answer the waiting consent; the step's lock prevents a second answer."""
    db.session.execute(
        sa.update(TransferConsent)
        .where(
            TransferConsent.request_id == step.req.id, TransferConsent.answer == "waiting", which
        )
        .values(answered_at=step.now, **values)
    )


def _void_link(req: Request) -> None:
    db.session.execute(
        sa.update(TransferConsent)
        .where(TransferConsent.request_id == req.id)
        .values(token_hash=None)
    )


def _fill_from_register(req: Request, names: Sequence[str]) -> None:
    """Copy the broker's fields that a receiving organisation could not see until now."""
    if req.broker is not None:
        for name in names:
            keep_column(req, name, getattr(req.broker, name))


def _tell_broker(event: str, step: StepContext, params: Mapping[str, Any], **more: Any) -> None:
    """Notify the broker at his registered contacts, in the portal's default language."""
    broker = step.req.broker
    if broker is None:
        return
    mobile = transfer_guards.registered_mobile(broker.mobile)
    for channel, address in ((Channel.SMS, mobile), (Channel.EMAIL, broker.email)):
        if address:
            notifications.send_to_address(
                event,
                channel=channel,
                address=address,
                language=str(office_settings.get("default_language")),
                params=params,
                now=step.now,
                request_id=step.req.id,
                **more,
            )


def _about(req: Request) -> dict[str, Any]:
    """Return request number and broker for the asking side: by licence until he is named."""
    known = {"ar": req.name_ar, "en": req.name_en}
    if not parties.is_named(req) and req.licence is not None:
        known = dict.fromkeys(_LANGUAGES, req.licence.number)
    return {"number": req.number, "broker": known}


def _about_own(req: Request) -> dict[str, Any]:
    named = parties.named(req)
    return {"number": req.number, "broker": {"ar": named.name_ar, "en": named.name_en}}


def _move(req: Request) -> dict[str, Any]:
    """Return the licence number and both organisations' names by party."""
    rows = db.session.execute(
        sa.select(TransferConsent.party, TransferConsent.organisation_id).where(
            TransferConsent.request_id == req.id, TransferConsent.party != "broker"
        )
    )
    return {
        "licence": req.licence.number if req.licence is not None else "",
        **{party: _name(organisation_id) for party, organisation_id in rows},
    }


def _name(organisation_id: int | None) -> dict[str, str]:
    organisation = db.session.get_one(Organisation, organisation_id)
    return {lang: organisation.name_in(lang) for lang in _LANGUAGES}


def _tell_asking(event: str, step: StepContext, params: Mapping[str, Any]) -> None:
    req = step.req
    notifications.notify_members(
        event,
        organisation_id=req.organisation_id,
        service_code=req.service_code,
        params=_about(req) | dict(params) | _reason(step),
        now=step.now,
        request_id=req.id,
        url=urls.request_url(req.id),
    )


def _tell_other(event: str, step: StepContext, params: Mapping[str, Any]) -> None:
    if step.req.other_organisation_id is not None:
        _tell_organisation(event, step, step.req.other_organisation_id, params)


def _tell_organisation(
    event: str, step: StepContext, organisation_id: int, params: Mapping[str, Any]
) -> None:
    """Notify the other side's general users, who alone may answer."""
    notifications.notify_members(
        event,
        organisation_id=organisation_id,
        params=_about_own(step.req) | dict(params),
        now=step.now,
        request_id=step.req.id,
        url=urls.transfer_url(step.req.id),
    )


def _tell_both(event: str, step: StepContext, params: Mapping[str, Any]) -> None:
    _tell_asking(event, step, params)
    _tell_other(event, step, params)


def _reason(step: StepContext) -> dict[str, dict[str, str]]:
    return {"reason": reasons.in_both(step.reason)} if step.reason else {}
