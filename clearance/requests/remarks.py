"""The reviewer's remarks on a returned request, and how the applicant answers each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core import i18n
from clearance.core.extensions import db
from clearance.core.values import clean_lines
from clearance.models import Remark, Request
from clearance.models.enums import Labelled
from clearance.requests import corrections
from clearance.services.document_kinds import kind_names
from clearance.services.schema import Definition

ANSWER_MAX_LENGTH = 1000
PREFIX = "remark_"


class AnswerState(Labelled):
    """How a remark was answered."""

    CHANGED = "changed", _l("Corrected"), "success"
    EXPLAINED = "explained", _l("Nothing to change"), "info"
    OPEN = "open", _l("Not answered yet"), "warning"


@dataclass(frozen=True)
class Answered:
    """A remark with the state of its answer."""

    remark: Remark
    state: AnswerState


def unsettled(req: Request) -> list[Remark]:
    """Return the remarks that no sending has settled yet."""
    return _of(req, Remark.settled_at.is_(None))


def open_ones(req: Request) -> list[Answered]:
    """Return the unsettled remarks, with what was done about them since the request was sent."""
    pinned = unsettled(req)
    changed = corrections.places_changed_now(req) if pinned else frozenset()
    return [Answered(remark, _state(remark, changed)) for remark in pinned]


def of_last_sending(req: Request) -> list[Answered]:
    """Return the remarks that the last sending settled, with how it answered them."""
    settled = _of(req, Remark.settled_at == corrections.last_sent_at(req))
    changed = corrections.places_of_last_sending(req) if settled else frozenset()
    return [Answered(remark, _state(remark, changed)) for remark in settled]


def field_of(remark: Remark) -> str:
    """Return the name of the form's field for the answer."""
    return f"{PREFIX}{remark.id}"


def places(found: Sequence[Remark], service: Definition) -> list[str]:
    """Return the label of each remark's field or document, in the page's language."""
    if not found:
        return []
    lang, kinds = i18n.language(), kind_names()
    fields = {spec.name: spec.title(lang) for spec in service.fields}
    return [
        fields.get(remark.field, remark.field)
        if remark.field
        else kinds.get(remark.document_kind or "", remark.document_kind or "")
        for remark in found
    ]


def keep_answers(req: Request, answers: Mapping[int, str]) -> None:
    """Keep why nothing has to change, by remark id; other remarks' ids are ignored. Flushes."""
    for remark in unsettled(req):
        if remark.id in answers:
            remark.answer = clean_lines(answers[remark.id], ANSWER_MAX_LENGTH) or None
    db.session.flush()


def _of(req: Request, which: sa.ColumnElement[bool]) -> list[Remark]:
    query = sa.select(Remark).where(Remark.request_id == req.id, which).order_by(Remark.id)
    return list(db.session.scalars(query))


def _state(remark: Remark, changed: frozenset[str]) -> AnswerState:
    if (remark.field or remark.document_kind) in changed:
        return AnswerState.CHANGED
    return AnswerState.EXPLAINED if remark.answer else AnswerState.OPEN
