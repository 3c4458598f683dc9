"""Builders of requests for tests: drafts filled by the use cases, walked on by steps; committed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa
import yaml

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.exams.effects import SeatChoice
from clearance.exams.flow import ExamAction
from clearance.exams.statuses import ExamStatus
from clearance.licences import granted_expiry
from clearance.licences.granted_expiry import GrantedExpiry
from clearance.models import (
    Base,
    ChainHead,
    Document,
    Event,
    Exam,
    Request,
    Service,
    ServiceVersion,
    User,
)
from clearance.models.enums import Status
from clearance.requests import drafts, remarks, transitions
from clearance.requests.field_values import visible
from clearance.services import versions
from clearance.services.decisions import Decision
from clearance.services.flows import Action
from tests.support import factories

_serial = count(1)

TRIVIAL = """
code: greeting
prefix: GR
title: {ar: طلب تحية, en: Greeting Request}
description: {ar: خدمة للتجربة., en: A service for trying.}
subject: person
start: broker_type
subscription: automatic
exclusive: none
fields:
  - {name: number, mode: shown}
  - {name: name_ar_1, required: true}
  - name: words
    type: text
    required: true
    label: {ar: العبارة, en: Words}
flow: standard
processing_days: 3
"""
"""The text of a service that nobody wrote Python for."""


_PUBLISHED = ("service", "service_version", "event", "event_seal")
_published: dict[str, list[dict[str, Any]]] = {}


def load_services(now: datetime | None = None) -> None:
    """Publish the shipped services that the database has not.

    Most tests begin so: what the first publishing wrote into an empty SQLite is written again as it
    is, which takes a tenth of the time.
    """
    is_first = db.engine.dialect.name == "sqlite" and not db.session.scalar(
        sa.select(sa.func.count()).select_from(Event)
    )
    if is_first and now is None and _published:
        for name, rows in _published.items():
            db.session.execute(Base.metadata.tables[name].insert(), rows)
        last = _published["event_seal"][-1]
        db.session.execute(
            sa.update(ChainHead).values(position=last["position"], hash=last["hash"])
        )
        db.session.commit()
        return
    versions.publish_missing(now or utc_now())
    db.session.commit()
    if is_first and now is None:
        for name in _PUBLISHED:
            table = Base.metadata.tables[name]
            rows = db.session.execute(sa.select(table).order_by(*table.primary_key)).mappings()
            _published[name] = [dict(row) for row in rows]
        db.session.rollback()


def publish(text: str, **changes: Any) -> ServiceVersion:
    """Publish a definition given as YAML, with `changes` at its top."""
    document: Mapping[str, Any] = yaml.safe_load(text) | changes
    version = versions.publish(document, None, utc_now())
    db.session.commit()
    return version


def store(text: str = TRIVIAL, **changes: Any) -> ServiceVersion:
    """Store a definition as the newest version without reading it, as another portal did."""
    document: dict[str, Any] = yaml.safe_load(text) | changes
    code, now = document["code"], utc_now()
    if db.session.get(Service, code) is None:
        db.session.add(Service(code=code, prefix=document["prefix"]))
        db.session.flush()
    numbers = sa.select(sa.func.count()).where(ServiceVersion.service_code == code)
    number = (db.session.scalar(numbers) or 0) + 1
    version = ServiceVersion(
        service_code=code, number=number, definition=document, published_at=now
    )
    db.session.add(version)
    db.session.commit()
    return version


def rewrite(version: ServiceVersion, **changes: Any) -> None:
    """Change what a stored version says, as if it named what this portal no longer has."""
    db.session.execute(
        sa.update(ServiceVersion)
        .where(ServiceVersion.id == version.id)
        .values(definition=version.definition | changes)
    )
    db.session.commit()
    db.session.expire_all()
    db.session.expunge(version)  # what was read of it is kept with the row


def values_for(code: str = "exam", **values: Any) -> dict[str, Any]:
    """A valid value for every field that a shipped service asks."""
    known: dict[str, Any] = {
        "name_ar_1": "أحمد",
        "name_ar_2": "عبد الله",
        "name_ar_4": "العنزي",
        "name_en_1": "Ahmad",
        "name_en_2": "Abdullah",
        "name_en_4": "Alenezi",
        "nationality": "KW",
        "civil_id": factories.civil_id(),
        "civil_id_expiry": date(2035, 1, 1),
        "mobile": factories.mobile(),
        "email": f"candidate{next(_serial)}@example.com",
        "address": "حولي، شارع تونس",
        "passport_no": f"N{next(_serial):07d}",
        "passport_expiry": date(2036, 1, 1),
        "licence_expiry": utc_now().date() + timedelta(days=1000),
        "guarantee_no": "02/209/000006/2002",
        "guarantee_expiry": date(2034, 1, 1),
        "reason": "بناءً على طلب المكتب.",
        "circumstances": "فُقدت أثناء العمل في الميناء.",
    }
    asked = {spec.name for spec in versions.current(code).definition.asked}
    return {name: value for name, value in known.items() if name in asked} | values


def make_draft(
    user: User,
    code: str = "exam",
    *,
    broker_type: str = "private",
    licence_id: int | None = None,
    candidate_id: int | None = None,
    with_documents: bool = True,
    now: datetime | None = None,
    **values: Any,
) -> Request:
    """A complete draft of `user`; values replace what is made up.

    licence_id, candidate_id: what a service begins with that is about a licence or a candidate.
    """
    load_services(now)
    now = now or utc_now()
    actor = actor_of(user)
    req = drafts.start(code, actor, now, licence_id or candidate_id or broker_type)
    drafts.save(req, values_for(code, **values), actor, now)
    if with_documents:
        for spec in versions.for_request(req).documents:
            if spec.requires(visible(req)):
                make_document(req, spec.kind, user)
    db.session.commit()
    return req


def make_document(req: Request, kind: str, user: User, **columns: Any) -> Document:
    """The row of an uploaded document, without a file behind it."""
    number = next(_serial)
    values: dict[str, Any] = {
        "label": f"{kind}.pdf",
        "media_type": "application/pdf",
        "size": 1000,
        "sha256": f"{number:064d}",
        "storage_key": str(uuid.uuid4()),
        "uploaded_by_id": user.id,
        "uploaded_at": utc_now(),
    }
    document = Document(request_id=req.id, kind=kind, **(values | columns))
    db.session.add(document)
    db.session.commit()
    return document


def step(
    req: Request,
    action: Action,
    user: User | None,
    *,
    now: datetime | None = None,
    reason: str = "",
    data: Decision | Iterable[Decision] = (),
) -> Request:
    """Take one step as `user` (None: the portal) and commit."""
    transitions.perform(
        req,
        action,
        actor=actor_of(user) if user is not None else None,
        now=now or utc_now(),
        version=req.version,
        reason=reason,
        data=data,
    )
    db.session.commit()
    return req


def answer_remarks(req: Request, user: User) -> None:
    """Say of every open remark on `req` that nothing has to change."""
    answers = {each.id: "It is right as it is." for each in remarks.unsettled(req)}
    drafts.save(req, {}, actor_of(user), utc_now(), answers=answers)
    db.session.commit()


def make_sent(user: User, code: str = "exam", **options: Any) -> Request:
    """A request that `user` sent."""
    now = options.get("now")
    return step(make_draft(user, code, **options), Action.SEND, user, now=now)


def make_exam(**columns: Any) -> Exam:
    """A sitting ten days from now with 30 seats; columns replace what is made up."""
    now = utc_now()
    values: dict[str, Any] = {
        "held_at": now + timedelta(days=10),
        "place_ar": "قاعة الامتحانات، الشويخ",
        "place_en": "Examination Hall, Shuwaikh",
        "seats": 30,
        "confirm_by": (now + timedelta(days=7)).date(),
        "created_at": now,
    }
    exam = Exam(**(values | columns))
    db.session.add(exam)
    db.session.commit()
    return exam


_REASON = "الوثائق غير واضحة."
_WAYS: dict[str, tuple[tuple[Action, str], ...]] = {
    Status.SUBMITTED: (),
    Status.UNDER_REVIEW: ((Action.TAKE, "office"),),
    Status.RETURNED: ((Action.RETURN, "office"),),
    Status.REJECTED: ((Action.REJECT, "office"),),
    Status.APPROVED: ((Action.APPROVE, "office"),),
    Status.WITHDRAWN: ((Action.WITHDRAW, "agent"),),
    Status.LAPSED: ((Action.RETURN, "office"), (Action.LAPSE, "portal")),
    Status.PREAPPROVED: ((Action.PREAPPROVE, "office"),),
    ExamStatus.SEATED: ((Action.PREAPPROVE, "office"), (ExamAction.SEAT, "office")),
}
_TO_CONFIRMED = (*_WAYS[ExamStatus.SEATED], (ExamAction.CONFIRM, "agent"))
_WAYS |= {
    ExamStatus.CONFIRMED: _TO_CONFIRMED,
    ExamStatus.PASSED: (*_TO_CONFIRMED, (ExamAction.PASS, "after")),
    ExamStatus.FAILED: (*_TO_CONFIRMED, (ExamAction.FAIL, "after")),
    ExamStatus.ABSENT: (*_TO_CONFIRMED, (ExamAction.ABSENT, "after")),
}


def make_request(
    user: User,
    status: str = Status.SUBMITTED,
    *,
    code: str = "exam",
    reviewer: User | None = None,
    exam: Exam | None = None,
    **options: Any,
) -> Request:
    """A request of `user` that was walked to `status` by its flow's steps.

    reviewer: who decides (made up when needed). exam: the sitting for a seat (made up when needed).
    """
    if status == Status.DRAFT:
        return make_draft(user, code, **options)
    req = make_sent(user, code, **options)
    now = options.get("now")
    way = _WAYS[status]
    if any(by in {"office", "after"} for _action, by in way):
        reviewer = reviewer or factories.make_staff()
    if any(action == ExamAction.SEAT for action, _by in way):
        exam = exam or make_exam()
    for action, by in way:
        after = exam.held_at + timedelta(hours=3) if by == "after" and exam is not None else now
        step(
            req,
            action,
            {"agent": user, "portal": None}.get(by, reviewer),
            now=after,
            reason=_REASON if action in {Action.RETURN, Action.REJECT} else "",
            data=_decision(req, action, exam),
        )
    return req


def _decision(req: Request, action: Action, exam: Exam | None) -> list[Decision]:
    """What the step is given: the sitting, or the expiry date that is proposed."""
    if action == Action.APPROVE:
        granted = granted_expiry.proposed_expiry(req, utc_now())
        return [GrantedExpiry(granted_expiry=granted)] if granted is not None else []
    return [SeatChoice(exam_id=exam.id)] if exam is not None else []
