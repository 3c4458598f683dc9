"""Starting a request for a person who passed the exam."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core.actor import Actor
from clearance.core.errors import NotFound, Refusal
from clearance.core.extensions import db
from clearance.exams import passes
from clearance.exams.facts import passed
from clearance.exams.statuses import ExamStatus
from clearance.models import Request
from clearance.requests import eligibility
from clearance.services import versions
from clearance.services.extension import About, Start
from clearance.services.facts import Case, Facts, Known, load
from clearance.services.schema import Definition
from clearance.services.standard_fields import COLUMNS
from clearance.services.target import Target

MOST_CANDIDATES = 1000
_OF_PERSON = tuple(sorted(COLUMNS - {"licence_expiry", "guarantee_no", "guarantee_expiry"}))


@dataclass(frozen=True)
class StartableCandidate:
    """A passed exam request. refusal: why no draft can be started for the candidate.

    counts_until: last Kuwait day on which the candidate's latest pass is valid.
    """

    request: Request
    refusal: Refusal | None
    counts_until: date | None


def services_after_a_pass(organisation_id: int) -> list[Definition]:
    """Return the services that an organisation sees and that start from a passed candidate."""
    services = (version.definition for version in versions.offered_to(organisation_id))
    return [service for service in services if service.start == PASSED_CANDIDATES.name]


def startable_candidates(
    code: str,
    actor: Actor,
    now: datetime,
    only: sa.ColumnElement[bool] | None = None,
    most: int = MOST_CANDIDATES,
    known: Known = MappingProxyType({}),
) -> list[StartableCandidate]:
    """Return the chosen organisation's passed candidates, newest request first.

    only: a condition on their passed requests. most: how many of these are read. known: facts of
    all of them, as `facts.load` takes them. The number of queries is constant.
    Raises: NotFound for a service that does not start from a passed candidate.
    """
    standing = actor.standing
    organisation_id = standing.organisation_id if standing else None
    service = versions.current_for(code, organisation_id).definition
    if service.start != PASSED_CANDIDATES.name:
        raise NotFound
    if standing is None:
        return []
    newest = _newest_passes(standing.organisation_id, only, most)
    if not newest:
        return []
    asked = [(service, Target(civil_id)) for civil_id in newest]
    loaded = load(actor, standing.organisation_id, now, asked, known=known)
    return [_candidate_offer(req, service, loaded) for req in newest.values()]


def _newest_passes(
    organisation_id: int, only: sa.ColumnElement[bool] | None, most: int
) -> dict[str, Request]:
    """Return civil number → the organisation's newest passed request for it, newest first."""
    rows = db.session.scalars(
        sa.select(Request)
        .where(
            Request.organisation_id == organisation_id,
            Request.status == ExamStatus.PASSED,
            sa.true() if only is None else only,
        )
        .order_by(Request.sent_at.desc(), Request.id.desc())
        .limit(most)
    )
    found: dict[str, Request] = {}
    for req in rows:
        if req.civil_id:
            found.setdefault(req.civil_id, req)
    return found


def _candidate_offer(req: Request, service: Definition, loaded: Facts) -> StartableCandidate:
    case = Case(service, loaded, Target(req.civil_id))
    passed_on = loaded.read(passed).get(req.civil_id or "")
    counts_until = passes.counts_until(passed_on, loaded) if passed_on is not None else None
    return StartableCandidate(req, eligibility.start_refusal(service, case), counts_until)


def passed_by(req: Request) -> int | None:
    """Return the id of the passed exam request of `req`'s person in its organisation."""
    return db.session.scalar(
        sa.select(Request.id)
        .where(
            Request.civil_id == req.civil_id,
            Request.organisation_id == req.organisation_id,
            Request.status == ExamStatus.PASSED,
        )
        .order_by(Request.decided_at.desc(), Request.id.desc())
        .limit(1)
    )


def _chosen(service: Definition, request_id: Any, actor: Actor, now: datetime) -> About:
    req = db.session.get(Request, request_id) if request_id is not None else None
    standing = actor.standing
    if (
        req is None
        or standing is None
        or req.organisation_id != standing.organisation_id
        or req.status != ExamStatus.PASSED
    ):
        raise NotFound
    return About({name: getattr(req, name) for name in _OF_PERSON}, Target(req.civil_id))


PASSED_CANDIDATES = Start(
    name="passed_candidates",
    words=_l("A candidate who passed the exam"),
    subject="person",
    find=_chosen,
    again=passed_by,
    button=_l("Choose a candidate"),
    knows=frozenset(_OF_PERSON),
)
