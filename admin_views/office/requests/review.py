"""The review page: what a request says, what is known of it, what can be done, what was said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor, not_found
from admin_views.base.form_post import idempotency_owner, posted_key
from admin_views.office.requests import document_panel, queues, register_comparison
from admin_views.office.requests.actions import NOT_HERE, details_url
from admin_views.shared import licence_details, request_lists, transfer_consents
from admin_views.shared.licence_details import ValidityDocument
from admin_views.shared.request_parts import kind_names, timeline
from clearance import issuing
from clearance.core import audit, i18n, idempotency
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.values import BadValue
from clearance.models import Request
from clearance.requests import (
    available_actions,
    completeness,
    corrections,
    internal_notes,
    review_warnings,
)
from clearance.requests import messages as request_messages
from clearance.requests.field_values import written
from clearance.services import schema, versions


class ReviewRoutes:
    """Mixed into the view of requests."""

    get_one: Callable[[Any], Request]
    render: Callable[..., str]

    @expose("/<int:request_id>/")
    def details(self, request_id: int) -> Any:
        """Review a request."""
        return self._read(self.get_one(request_id))

    @expose("/details/")
    def details_view(self) -> Any:
        """The same by `?id=`, the address that Flask-Admin gives details."""
        return self._read(self.get_one(request.args.get("id")))

    @expose("/<int:request_id>/notes", methods=("POST",))
    def notes(self, request_id: int) -> Any:
        """Write an internal note."""
        return self._write(request_id, "note", internal_notes.write, _("The note was kept."))

    @expose("/<int:request_id>/messages", methods=("POST",))
    def messages(self, request_id: int) -> Any:
        """Write to the applicant."""
        return self._write(request_id, "message", request_messages.post, _("The message was sent."))

    @expose("/next")
    def next_request(self) -> Any:
        """Open the most urgent request of the reader's own queue, else of the unassigned."""
        if not current_actor().is_reviewer:
            not_found()
        found = _next(current_actor(), request.args.get("after", ""))
        if found is None:
            flash(_("No other request waits for you."), "info")
            return redirect(url_for("office_requests.index_view", flt0_queue="mine"), code=303)
        return redirect(details_url(found), code=303)

    def show_review(
        self,
        req: Request,
        *,
        alert: str = "",
        faults: dict[str, str] | None = None,
        status: int = 200,
    ) -> Any:
        """Render the review page."""
        actor, now, lang = current_actor(), utc_now(), i18n.language()
        service, known = versions.for_request(req), register_comparison.look_up(req, actor)
        page = self.render(
            "office/requests/details.html",
            req=req,
            title=service.title_in(lang),
            alert=alert,
            is_late=req.due_on is not None and req.due_on < kuwait_today(),
            offers=[
                each
                for each in available_actions.for_request(req, actor, now)
                if each.action not in NOT_HERE
            ],
            groups=register_comparison.lines(req, known, lang),
            known=known,
            validity=_validity(req, known),
            warnings=review_warnings.warnings(req, now),
            **transfer_consents.for_page(req),
            issued=issuing.of_request(req, actor),
            title_of=request_lists.title_of,
            documents=document_panel.shown(req),
            missing=_missing_kinds(req),
            changes=_changes(req, service, lang),
            remarks=_remarks(req, service, lang),
            notes=internal_notes.of_request(req, actor),
            messages=request_messages.of_request(req),
            can_write=actor.is_reviewer,
            faults=faults or {},
            timeline=timeline(req, actor),
            has_next=actor.is_reviewer,
            form_key=idempotency.new(),
        )
        return page, status

    def _read(self, req: Request) -> Any:
        """Show the page; that it was read is noted in the trail (security rule 43)."""
        audit.access("request:read", object_type="request", object_id=str(req.id), result="ok")
        return self.show_review(req)

    def _write(self, request_id: int, name: str, use_case: Callable[..., Any], told: str) -> Any:
        """Write a note or a message, once per form."""
        if not current_actor().is_reviewer:
            not_found()
        req, actor, now = self.get_one(request_id), current_actor(), utc_now()
        result = f"{details_url(req.id)}#{name}s"
        try:
            if idempotency.claim(posted_key(), idempotency_owner(actor), result, now) is None:
                use_case(req, request.form.get(name, ""), actor, now)
            db.session.commit()
        except (BadValue, DomainError) as fault:
            db.session.rollback()
            text = str(getattr(fault, "message", fault))
            status = 400 if isinstance(fault, BadValue) else 409
            return self.show_review(self.get_one(request_id), faults={name: text}, status=status)
        flash(told, "success")
        return redirect(result, code=303)


def _validity(req: Request, known: register_comparison.RegisterMatch) -> list[ValidityDocument]:
    """What the validity of the request's own licence hangs on."""
    return (
        licence_details.validity_documents(known.licence)
        if req.licence_id and known.licence
        else []
    )


def _next(actor: Actor, after: str) -> int | None:
    other: sa.ColumnElement[bool] = sa.true()
    if after.isascii() and after.isdigit() and len(after) < 10:
        other = Request.id != int(after)
    for condition in (queues.my_open(actor.id), queues.UNASSIGNED):
        statement = (
            sa.select(Request.id)
            .where(condition, other)
            .order_by(Request.due_on, Request.sent_at, Request.id)
            .limit(1)
        )
        found = db.session.scalar(statement)
        if found is not None:
            return found
    return None


def _missing_kinds(req: Request) -> list[str]:
    """Names of the required documents that are not there (a definition may have changed)."""
    names, held = kind_names(), {each.kind for each in req.documents}
    service = versions.for_request(req)
    return [
        names.get(spec.kind, spec.kind)
        for spec in service.documents
        if spec.requires(req.broker_type) and spec.kind not in held
    ]


def _changes(req: Request, service: schema.Definition, lang: str) -> list[tuple[str, str, str]]:
    """(label, before, after) of what the applicant changed before sending again."""
    return [
        (
            each.spec.title(lang),
            written(each.spec, each.before, lang),
            written(each.spec, each.after, lang),
        )
        for each in corrections.of_last_sending(req, service)
    ]


def _remarks(req: Request, service: schema.Definition, lang: str) -> list[tuple[str, str]]:
    """(place, text) of what stands pinned and not answered."""
    names = kind_names()
    told = []
    for each in completeness.remarks(req):
        field = service.field(each.field) if each.field else None
        kind = each.document_kind or each.field or ""
        told.append((field.title(lang) if field else names.get(kind, kind), each.text))
    return told
