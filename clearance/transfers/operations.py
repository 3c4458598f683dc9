"""Broker transfers: started by the receiving side, listed, lapsed without an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import contains_eager, joinedload

from clearance.auth import permissions, rate_limits
from clearance.core import urls
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_date
from clearance.core.errors import NotFound, Refusal, Refused, TransitionNotAllowed
from clearance.core.extensions import db
from clearance.licences import starts
from clearance.models import Broker, Licence, Organisation, Request, TransferConsent
from clearance.models.enums import LicenceStatus
from clearance.requests import available_actions, drafts, transitions
from clearance.services import registry, versions
from clearance.services.extension import ToAnswer
from clearance.services.flows import Action
from clearance.transfers import parties
from clearance.transfers.statuses import UNANSWERED, TransferStatus

MOST_LISTED = 200

_Selected = TypeVar("_Selected", bound=sa.Select[*tuple[Any, ...]])

_NO_FIT = Refusal(
    _l("You cannot start a transfer with these three numbers."),
    _l(
        "Check them against the broker's licence. It must be active, registered with that "
        "office and have no other open request."
    ),
)
_OURS = Refusal(
    _l("This broker is registered with your own organisation."),
    _l("Start the broker's transfer to another office from their card under My services."),
)


@dataclass(frozen=True)
class Consent:
    """One of the three consents. organisation: None for the broker's."""

    party: str
    organisation: Organisation | None
    answer: str
    asked_at: datetime
    answered_at: datetime | None


def receiving_refusal(actor: Actor, now: datetime) -> Refusal | None:
    """Return why the chosen organisation cannot request any broker now, or None."""
    code = _code()
    for offer in available_actions.startable_services(actor, now):
        if offer.code == code:
            return offer.refusal
    raise NotFound


def begin_receiving(
    actor: Actor,
    now: datetime,
    *,
    licence_no: str,
    civil_id: str,
    organisation_no: str,
    form_key: str | None = None,
) -> Request:
    """Start a draft that requests another organisation's broker; flushes.

    licence_no, civil_id: the broker's. organisation_no: licence number or transfer code of his
    organisation. Every mismatch gets the same refusal, and tries are counted, so that nobody can be
    looked up. Call it before the request's first query. Raises: TooManyTries, Refused.
    Source: specification section 5, Transfer.
    """
    rate_limits.consume_all(
        [("transfer_account", f"user:{actor.id}"), ("transfer_ip", rate_limits.client_ip())]
    )
    refusal = receiving_refusal(actor, now)
    if refusal is not None:
        raise Refused(refusal)
    licence = _licence(licence_no, civil_id, organisation_no)
    if licence is None:
        raise Refused(_NO_FIT)
    if licence.broker.organisation_id == _chosen(actor):
        raise Refused(_OURS)
    try:
        service = versions.current(_code()).definition
        about = starts.about(licence, service, _chosen(actor), now)
        req = drafts.start(service.code, actor, now, about=about, form_key=form_key)
    except Refused:
        raise Refused(_NO_FIT) from None
    field = service.roles[parties.NAMED_BY]
    if field not in req.answers:
        drafts.save(req, {field: parties.organisation_number(organisation_no)}, actor, now)
    return req


def transfer_identifier(actor: Actor) -> str:
    """Return the chosen organisation's licence number or transfer code, for others to enter."""
    organisation = db.session.get(Organisation, _chosen(actor))
    if organisation is None:
        return ""
    return organisation.licence_no or parties.code_of(organisation.id)


def find(request_id: int, actor: Actor) -> Request:
    """Return a transfer that the actor answers, or answered, for the other side.

    Raises: NotFound for any other. Source: specification section 1.
    """
    req = db.session.scalar(
        _shown().where(Request.id == request_id, permissions.transfers_answered_by(actor))
    )
    if req is None:
        raise NotFound
    return req


def waiting_for(actor: Actor, now: datetime) -> list[Request]:
    """Return the transfers that await the chosen organisation's answer, oldest first.

    Excludes those that are overdue but not lapsed by a job yet.
    """
    awaits = _awaits(_chosen(actor), now - parties.silence())
    return _listed(awaits, permissions.transfers_answered_by(actor))[::-1]


def to_answer(actor: Actor, lang: str, now: datetime) -> list[ToAnswer]:
    """Return what the home page says of the transfers in `waiting_for`; one query."""
    if not permissions.can_manage_selected(actor):
        return []
    given = {"organisation": _chosen(actor), "since": now - parties.silence()}
    rows = db.session.execute(_to_answer(), given)
    return [
        ToAnswer(
            label=_l("Transfer to respond to"),
            url=urls.transfer_url(req.id),
            number=req.number or "",
            name=parties.named(req).name_in(lang),
            asked_by=req.organisation.name_in(lang),
            answer_by=last_day(asked_at) if asked_at is not None else None,
        )
        for req, asked_at in rows.all()[::-1]
    ]


@cache
def _to_answer() -> sa.Select[Request, datetime]:
    """Return the statement of `to_answer`: building it takes longer than it runs."""
    organisation: Any = sa.bindparam("organisation")
    own_answer = sa.and_(
        TransferConsent.request_id == Request.id,
        TransferConsent.organisation_id == organisation,
        TransferConsent.answer == "waiting",
    )
    with_consent = (
        sa.select(Request, TransferConsent.asked_at)
        .options(joinedload(Request.organisation), joinedload(Request.broker))
        .outerjoin(TransferConsent, own_answer)
    )
    return _newest(with_consent, _awaits(organisation, sa.bindparam("since")))


def _awaits(organisation_id: Any, since: Any) -> sa.ColumnElement[bool]:
    """Match transfers that await an organisation's answer. since: older ones have lapsed."""
    return sa.and_(
        Request.other_organisation_id == organisation_id,
        Request.status == TransferStatus.AWAITING_OTHER_PARTY,
        Request.sent_at >= since,
    )


def received(actor: Actor) -> list[Request]:
    """Return the transfers the chosen organisation was asked about, newest first."""
    return list(db.session.scalars(newest_received(actor, _shown())))


def newest_received(actor: Actor, selected: _Selected) -> _Selected:
    """Narrow what is selected of requests to those that `received` returns, in its order."""
    chosen = Request.other_organisation_id == _chosen(actor)
    return _newest(selected, chosen, permissions.transfers_answered_by(actor))


def sent(actor: Actor) -> list[Request]:
    """Return the transfers the chosen organisation requested, newest first."""
    chosen = Request.organisation_id == _chosen(actor)
    is_sent = Request.other_organisation_id.is_not(None)
    return _listed(chosen, is_sent, permissions.requests_visible_to(actor))


def consents(req: Request) -> list[Consent]:
    """Return the consents requested so far, in that order."""
    rows = db.session.execute(
        sa.select(TransferConsent, Organisation)
        .outerjoin(Organisation, Organisation.id == TransferConsent.organisation_id)
        .where(TransferConsent.request_id == req.id)
        .order_by(TransferConsent.id)
    )
    return [
        Consent(row.party, organisation, row.answer, row.asked_at, row.answered_at)
        for row, organisation in rows
    ]


def receiving_offices(found: Sequence[Request]) -> dict[int, Organisation]:
    """Return the office that each sent transfer among the requests moves its broker to, by id."""
    ids = [req.id for req in found if req.other_organisation_id is not None]
    if not ids:
        return {}
    rows = db.session.execute(
        sa.select(TransferConsent.request_id, Organisation)
        .join(Organisation, Organisation.id == TransferConsent.organisation_id)
        .where(TransferConsent.request_id.in_(ids), TransferConsent.party == "receiving")
    )
    return {request_id: organisation for request_id, organisation in rows}


def answer_by(req: Request) -> date | None:
    """Return the last Kuwait day for the awaited answer; None when none is awaited."""
    return answer_days([req]).get(req.id)


def answer_days(found: Sequence[Request]) -> dict[int, date]:
    """Return request id → day of `answer_by` where an answer is awaited; one query.

    Without the transfers' extension nobody can answer any.
    """
    unanswered = [req.id for req in found if req.status in UNANSWERED]
    if not unanswered or not registry.current().has("transfers"):
        return {}
    silence = parties.silence()
    rows = db.session.execute(
        sa.select(TransferConsent.request_id, TransferConsent.asked_at).where(
            TransferConsent.request_id.in_(unanswered), TransferConsent.answer == "waiting"
        )
    )
    return {request_id: kuwait_date(asked_at + silence) for request_id, asked_at in rows}


def last_day(asked_at: datetime) -> date:
    """Return the last Kuwait day to answer if asked at `asked_at` (a setting)."""
    return kuwait_date(asked_at + parties.silence())


def is_over(asked_at: datetime, now: datetime) -> bool:
    """Return whether the time to answer has passed if asked at `asked_at` (a setting)."""
    return now > asked_at + parties.silence()


def lapse_unanswered(now: datetime) -> int:
    """Lapse every transfer that has waited too long for an answer (a setting).

    Flushes. Skips those being answered right now or out of order. Returns how many.
    Source: specification section 5: 14 days of silence.
    """
    waited = sa.exists().where(
        TransferConsent.request_id == Request.id,
        TransferConsent.answer == "waiting",
        TransferConsent.asked_at < now - parties.silence(),
    )
    silent = db.session.scalars(
        sa.select(Request)
        .where(Request.status.in_(sorted(UNANSWERED)), waited, versions.in_order())
        .order_by(Request.id)
    ).all()
    lapsed = 0
    for req in silent:
        try:
            transitions.perform(req, Action.LAPSE, actor=None, now=now, version=req.version)
        except (Refused, TransitionNotAllowed):
            continue
        lapsed += 1
    return lapsed


def _code() -> str:
    """Return the code of the transfer service. Raises: NotFound."""
    for version in versions.all_current():
        if version.definition.steps.has_parties:
            return version.definition.code
    raise NotFound


def _licence(licence_no: str, civil_id: str, organisation_no: str) -> Licence | None:
    """Return the licence if all three numbers belong together, else None."""
    number = parties.organisation_number
    held_by = parties.organisation_of(number(organisation_no))
    licence = db.session.scalar(
        sa.select(Licence)
        .join(Licence.broker)
        .options(contains_eager(Licence.broker))
        .where(Broker.civil_id == civil_id, Licence.status != LicenceStatus.CANCELLED)
    )
    if licence is None or licence.broker.organisation_id != held_by:
        return None
    return licence if number(licence.number) == number(licence_no) else None


def _shown() -> sa.Select[Request]:
    return sa.select(Request).options(
        joinedload(Request.organisation),
        joinedload(Request.other_organisation),
        joinedload(Request.licence),
        joinedload(Request.broker),
    )


def _listed(*which: sa.ColumnElement[bool]) -> list[Request]:
    return list(db.session.scalars(_newest(_shown(), *which)))


def _newest(selected: _Selected, *which: sa.ColumnElement[bool]) -> _Selected:
    newest_first = (Request.sent_at.desc(), Request.id.desc())
    return selected.where(*which).order_by(*newest_first).limit(MOST_LISTED)


def _chosen(actor: Actor) -> int:
    return actor.standing.organisation_id if actor.standing is not None else 0
