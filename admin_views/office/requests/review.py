"""Review page: data, register comparison, steps, notes and messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import DetailsById, current_actor, require
from admin_views.base.form_post import post_once
from admin_views.office.requests import document_panel, queues, register_comparison
from admin_views.office.requests.actions import details_url
from admin_views.shared import licence_details, request_lists, transfer_consents
from admin_views.shared.licence_details import ValidityDocument
from admin_views.shared.request_parts import shown_remarks, timeline
from clearance import issuing
from clearance.core import audit, i18n, legal_holds, teams, values
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.core.values import BadValue
from clearance.models import Request
from clearance.requests import (
    available_actions,
    corrections,
    internal_notes,
    remarks,
    review_warnings,
    stages,
)
from clearance.requests import messages as request_messages
from clearance.requests.field_values import visible
from clearance.requests.remarks import Answered
from clearance.services import schema, versions
from clearance.services.answers import contrasted
from clearance.services.document_kinds import kind_names


class ReviewRoutes(DetailsById):
    """Mixin of the request view."""

    get_one: Callable[[Any], Request]
    render: Callable[..., str]

    @expose("/<int:request_id>/")
    def details(self, request_id: Any) -> Any:
        """Review a request."""
        return self._read(self.get_one(request_id))

    @expose("/<int:request_id>/notes", methods=("POST",))
    def notes(self, request_id: int) -> Any:
        """Write an internal note."""
        return self._write(request_id, "note", internal_notes.write, _("Note saved."))

    @expose("/<int:request_id>/messages", methods=("POST",))
    def messages(self, request_id: int) -> Any:
        """Write to the applicant."""
        return self._write(request_id, "message", request_messages.post, _("The message was sent."))

    @expose("/next")
    def next_request(self) -> Any:
        """Open the reader's most urgent request, or else the most urgent unassigned one."""
        require(current_actor().is_reviewer)
        found = _next(current_actor(), request.args.get("after", ""))
        if found is None:
            flash(_("No other requests are waiting for you."), "info")
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
            stage=stages.of_request(req),
            team=teams.name(req.team_code, lang) if req.team_code else "",
            office_lines=stages.office_lines(req, lang),
            offers=available_actions.for_request(req, actor, now),
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
            remarks=shown_remarks(req, _remarks(req)),
            notes=internal_notes.of_request(req, actor),
            messages=request_messages.of_request(req),
            can_write=actor.is_reviewer,
            holds=(holds := legal_holds.over(req)),
            is_held=any(each.request_id is not None for each in holds),
            may_hold=actor.is_manager,
            faults=faults or {},
            timeline=timeline(req, actor),
            has_next=actor.is_reviewer,
        )
        return page, status

    def _read(self, req: Request) -> Any:
        """Show the page; the access is audited (security rule 43)."""
        audit.access("request:read", object_type="request", object_id=str(req.id), result="ok")
        return self.show_review(req)

    def _write(self, request_id: int, name: str, use_case: Callable[..., Any], told: str) -> Any:
        """Save a note or message, once per form."""
        require(current_actor().is_reviewer)
        req, typed = self.get_one(request_id), request.form.get(name, "")
        return post_once(
            lambda: use_case(req, typed, current_actor(), utc_now()),
            result=f"{details_url(req.id)}#{name}s",
            told=told,
            refused=lambda fault: self.show_review(
                self.get_one(request_id),
                faults={name: str(fault.message)},
                status=400 if isinstance(fault, BadValue) else 409,
            ),
        )


def _validity(req: Request, known: register_comparison.RegisterMatch) -> list[ValidityDocument]:
    """Return the validity links of the request's own licence, if any."""
    return (
        licence_details.validity_documents(known.licence)
        if req.licence_id and known.licence
        else []
    )


def _next(actor: Actor, after: str) -> int | None:
    other: sa.ColumnElement[bool] = sa.true()
    if (number := values.whole_number(after)) is not None:
        other = Request.id != number
    for condition in (queues.assigned_to(actor.id), queues.free_for(actor)):
        ids = queues.most_urgent(1, sa.and_(condition, other))
        urgent = sa.select(Request.id).where(Request.id.in_(ids)).order_by(*queues.URGENCY)
        found = db.session.scalar(urgent.limit(1))
        if found is not None:
            return found
    return None


def _missing_kinds(req: Request) -> list[str]:
    """Return the missing required documents' names (a definition may have changed)."""
    names, held = kind_names(), {document.kind for document in req.documents}
    required = versions.for_request(req).documents_for(visible(req))
    return [
        names.get(spec.kind, spec.kind)
        for spec in required
        if spec.required and spec.kind not in held
    ]


def _remarks(req: Request) -> list[Answered]:
    """Return the open remarks, or else how the last sending answered those before it."""
    return remarks.open_ones(req) or remarks.of_last_sending(req)


def _changes(req: Request, service: schema.Definition, lang: str) -> list[tuple[str, str, str]]:
    """Return (label, before, after) of the applicant's changes before sending again."""
    return [
        (
            change.spec.title(lang),
            *contrasted(change.spec, change.before, change.after, lang),
        )
        for change in corrections.of_last_sending(req, service)
    ]
