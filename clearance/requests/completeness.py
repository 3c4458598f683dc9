"""What a request lacks before it can be sent, and which parts can be changed now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import i18n
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.models import Document, Request
from clearance.models.enums import Status
from clearance.requests import remarks
from clearance.requests.field_values import visible
from clearance.requests.remarks import AnswerState
from clearance.services import answers, versions
from clearance.services.conditions import Values
from clearance.services.document_kinds import kind_names
from clearance.services.schema import Definition


@dataclass(frozen=True)
class Missing:
    """A reason why a request cannot be sent: at a field, a document kind, or a remark on either.

    field: of the form; that of a remark's answer is named by `remarks.field_of`.
    """

    field: str | None
    document_kind: str | None
    label: str
    message: str


class Incomplete(Refused):
    """The request cannot be sent yet, because of `missing`."""

    status_code = 400

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__(Refusal(_l("The request is not complete. See what is missing.")))
        self.missing = tuple(missing)


def missing(req: Request, now: datetime | None = None) -> list[Missing]:
    """Return everything that prevents sending `req`, in the form's order; [] if complete.

    A returned request is complete only if each remark is answered: by a change, or by a reason why
    nothing has to change.

    Values are validated again, since an expiry date may have passed in an old draft.
    Texts are in the page's language.
    """
    service, lang, shown = versions.for_request(req), i18n.language(), visible(req)
    today = kuwait_date(now or utc_now())
    faults = field_faults(service, shown, today, _held(req, shown))
    found = [
        Missing(spec.name, None, spec.title(lang), str(faults[spec.name]))
        for spec in service.asked
        if spec.name in faults
    ]
    return found + _missing_documents(req, service, shown) + _unanswered(req, service)


def field_faults(service: Definition, shown: Values, today: date, held: Values) -> dict[str, Any]:
    """Return why visible values cannot be sent, by field, in the page's language.

    shown: see `field_values.visible`. held: values that were sent; see `answers.fault`. A rule of
    the office is reported at its field only if the field's value is valid by itself.
    """
    faults = {
        spec.name: fault
        for spec in service.asked
        if spec.name in shown
        and (fault := answers.fault(spec, shown[spec.name], today, held.get(spec.name))) is not None
    }
    for rule in service.refuse:
        if rule.at in shown and rule.when.holds(shown):
            faults.setdefault(rule.at, rule.says.of(i18n.language()))
    return faults


def open_fields(req: Request, now: datetime | None = None) -> frozenset[str]:
    """Return the names of the fields that the agent may change now.

    Draft: all that the form asks for. Returned: those with a remark or an invalid value, or all if
    there are no remarks; with them the fields that these may show or hide. Else none. Source:
    specification section 4.
    """
    service = versions.for_request(req)
    asked = frozenset(spec.name for spec in service.asked)
    if req.status == Status.DRAFT:
        return asked
    if req.status != Status.RETURNED:
        return frozenset()
    pinned = remarks.unsettled(req)
    if not pinned:
        return asked
    shown, today = visible(req), kuwait_date(now or utc_now())
    faulty = field_faults(service, shown, today, _held(req, shown))
    return asked & service.with_dependents({*faulty, *(remark.field or "" for remark in pinned)})


def open_document_kinds(req: Request) -> frozenset[str]:
    """Return the document kinds that the agent may add and remove now, as in `open_fields`.

    In a draft also those there that a changed answer has made superfluous.
    """
    service = versions.for_request(req)
    kinds = frozenset(spec.kind for spec in service.documents_for(visible(req)))
    if req.status == Status.DRAFT:
        return kinds | {document.kind for document in req.documents}
    if req.status != Status.RETURNED:
        return frozenset()
    pinned = remarks.unsettled(req)
    return kinds & {remark.document_kind for remark in pinned} if pinned else kinds


def _held(req: Request, shown: Values) -> Values:
    """Return the values that were sent: all that a returned request has, as forms let none in."""
    return shown if req.status == Status.RETURNED else {}


def _unanswered(req: Request, service: Definition) -> list[Missing]:
    if req.status != Status.RETURNED:
        return []
    left = [each.remark for each in remarks.open_ones(req) if each.state == AnswerState.OPEN]
    text = _("Correct this, or say why nothing has to change.")
    return [
        Missing(remarks.field_of(remark), remark.document_kind, label, text)
        for remark, label in zip(left, remarks.places(left, service), strict=True)
    ]


def _missing_documents(req: Request, service: Definition, shown: Values) -> list[Missing]:
    required = [spec.kind for spec in service.documents if spec.requires(shown)]
    if not required:
        return []
    there = set(
        db.session.scalars(sa.select(Document.kind).where(Document.request_id == req.id).distinct())
    )
    names = kind_names()
    return [
        Missing(None, kind, names.get(kind, kind), _("Upload this document."))
        for kind in required
        if kind not in there
    ]
