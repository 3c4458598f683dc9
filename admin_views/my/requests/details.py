"""Request details, steps with confirmation, messages and printing."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from admin_views.base.access import DetailsById, current_actor, not_found
from admin_views.base.form_post import post_once, posted_version
from admin_views.my.requests import document_rows
from admin_views.my.requests.base import RequestRoutes, details_url, form_url
from admin_views.my.requests.form import is_open
from admin_views.my.services import cards as service_cards
from admin_views.my.transfers import consent_link
from admin_views.shared.request_parts import next_step, shown_remarks, timeline
from clearance import issuing
from clearance.auth import permissions, rate_limits
from clearance.core import i18n, urls
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import BadReason, DomainError, NotFound
from clearance.core.extensions import db
from clearance.core.request_kind import is_sent
from clearance.core.values import BadValue
from clearance.licences import organisation_brokers
from clearance.models import ExamSeat, Request
from clearance.models.enums import SeatStatus, Status
from clearance.requests import (
    available_actions,
    completeness,
    deadlines,
    drafts,
    field_values,
    printing,
    remarks,
    stages,
    transitions,
)
from clearance.requests import messages as request_messages
from clearance.requests import timeline as request_timeline
from clearance.services import schema, versions
from clearance.services.flows import Action, Side, StepName
from forms.request_form import Section, sections

REASON_MAX_LENGTH = 1000


class DetailRoutes(DetailsById, RequestRoutes):
    """Routes of a sent request and the steps open to its reader."""

    @expose("/<int:request_id>/")
    def details(self, request_id: Any) -> Any:
        """Show a request; redirect a draft to its form."""
        return self.show_details(self.get_one(request_id))

    @expose("/<int:request_id>/do/<action>", methods=("GET", "POST"))
    def do(self, request_id: int, action: str) -> Any:
        """Confirm and take a step of the applicant."""
        req = self.get_one(request_id)
        step = _own_step(req, action)
        if is_sent():
            return self._take_step(req, step)
        if step is Action.SEND:
            return redirect(form_url(req))
        return self.show_step(req, step)

    @expose("/<int:request_id>/link", methods=("POST",))
    def link(self, request_id: int) -> Any:
        """Send the broker a new link for his consent to the transfer."""

        def refused(refusal: DomainError) -> Any:
            req = self.get_one(request_id)
            return self.show_details(req, alert=str(refusal), status=refusal.status_code)

        shown = permissions.requests_visible_to(current_actor())
        return consent_link.send(request_id, shown, urls.request_url(request_id), refused)

    @expose("/<int:request_id>/messages", methods=("POST",))
    def messages(self, request_id: int) -> Any:
        """Send the office a message about a request."""
        req, body = self.get_one(request_id), request.form.get("body", "")
        if not is_sent():
            return self.show_details(req)
        return post_once(
            lambda: request_messages.post(req, body, current_actor(), utc_now()),
            result=details_url(req, "messages"),
            told=_("The message was sent."),
            refused=lambda fault: self.show_details(
                self.get_one(request_id),
                message_fault=str(fault.message),
                status=400 if isinstance(fault, BadValue) else 409,
            ),
        )

    @expose("/<int:request_id>/print")
    def print_page(self, request_id: int) -> Any:
        """Return the request as a PDF in the page's language."""
        with rate_limits.counted(("print_account", f"user:{current_actor().id}")):
            req = self.get_one(request_id)
            name = (req.number or f"draft-{req.id}").replace("/", "-")
            data = printing.request_pdf(req, i18n.language(), current_actor())
        return printing.pdf_response(data, f"{name}.pdf")

    def show_details(
        self, req: Request, *, alert: str = "", message_fault: str = "", status: int = 200
    ) -> Any:
        """Render the page of a request."""
        if req.status == Status.DRAFT and not alert:
            return redirect(form_url(req))
        actor, now = current_actor(), utc_now()
        spec, lang = versions.for_request(req), i18n.language()
        consents = consent_link.shown(req, actor, now)
        declined = consents["declined"]
        page = self.render(
            "my/requests/details.html",
            req=req,
            title=spec.title_in(lang),
            alert=alert,
            next_step=declined.sentence
            if declined
            else next_step(req.service_version_id, req.status),
            can_correct=is_open(req),
            offers=[
                offer
                for offer in available_actions.for_request(req, actor, now)
                if offer.action != Action.SEND
            ],
            follow_ups=service_cards.follow_ups(actor, lang, now, req.id),
            seat=_seat(req),
            reason=_last_reason(req, actor),
            remarks=shown_remarks(req, remarks.open_ones(req)),
            form_url=form_url(req),
            sections=_data(req, spec, lang),
            office_lines=stages.office_lines(req, lang),
            documents=document_rows.rows(req),
            issued=issuing.of_request(req, actor),
            messages=request_messages.of_request(req),
            can_write=req.status != Status.DRAFT,
            message_fault=message_fault,
            message_typed=request.form.get("body", ""),
            timeline=timeline(req, actor),
            correct_by=deadlines.correct_by(req.status, req.returned_at),
            **consents,
            copyable=_is_copyable(req, actor),
            broker_url=_broker_url(req, actor),
        )
        return page, status

    def show_step(
        self, req: Request, action: StepName, *, fault: str = "", status: int = 200
    ) -> Any:
        """Render the confirmation page of a step, or why the step is not possible now."""
        offer = available_actions.action(req, action, current_actor(), utc_now())
        page = self.render(
            "my/requests/do.html",
            req=req,
            title=versions.for_request(req).title_in(i18n.language()),
            offer=offer,
            fault=fault,
            reason=request.form.get("reason", ""),
            reason_max_length=REASON_MAX_LENGTH,
            version=request.form.get("version", req.version),
        )
        return page, status

    def _take_step(self, req: Request, action: StepName) -> Any:
        actor, now, request_id = current_actor(), utc_now(), req.id
        return post_once(
            lambda: transitions.perform(
                req,
                action,
                actor=actor,
                now=now,
                version=posted_version(),
                reason=request.form.get("reason", ""),
            ),
            result=details_url(req),
            told=available_actions.action(req, action, actor, now).event_label,
            refused=lambda refusal: self._refused(request_id, action, refusal),
        )

    def _refused(self, request_id: int, action: StepName, refusal: DomainError) -> Any:
        req = self.get_one(request_id)
        if isinstance(refusal, BadReason):
            return self.show_step(req, action, fault=str(refusal), status=400)
        if isinstance(refusal, completeness.Incomplete):
            flash(str(refusal), "error")
            return redirect(form_url(req), code=303)
        return self.show_details(req, alert=str(refusal), status=409)


def _is_copyable(req: Request, actor: Actor) -> bool:
    """Return whether a copy could be begun and, as it is, sent."""
    try:
        return drafts.copy_refusal(req, actor, utc_now()) is None
    except NotFound:
        return False


def _broker_url(req: Request, actor: Actor) -> str | None:
    """Return the URL of the request's broker; None if the reader may no longer see him."""
    if req.broker_id is None:
        return None
    try:
        return urls.broker_url(organisation_brokers.find(req.broker_id, actor).id)
    except NotFound:
        return None


def _own_step(req: Request, action: str) -> StepName:
    """Return the applicant's step of that name in the request's flow; otherwise 404."""
    for step in versions.for_request(req).steps.steps:
        if step.side is Side.AGENT and step.action == action:
            return step.action
    return not_found()


def _seat(req: Request) -> ExamSeat | None:
    """Return the candidate's current seat with its exam sitting."""
    statement = (
        sa.select(ExamSeat)
        .where(ExamSeat.request_id == req.id, ExamSeat.status != SeatStatus.RELEASED)
        .options(joinedload(ExamSeat.exam))
        .order_by(ExamSeat.id.desc())
        .limit(1)
    )
    return db.session.scalars(statement).first()


def _data(req: Request, spec: schema.Definition, lang: str) -> list[Section]:
    """Return the request's data in form order, without its number, which is in the title."""
    shown = field_values.visible(req)
    values = {
        field.name: field_values.shown_value(req, field.name, lang)
        for field in spec.fields
        if field.name in shown
    }
    return sections(spec, None, values, {}, lang)


def _last_reason(req: Request, actor: Actor) -> dict[str, Any] | None:
    """Return the newest reason for the current status if returned or rejected."""
    if req.status not in {Status.RETURNED, Status.REJECTED}:
        return None
    for entry in reversed(request_timeline.timeline(req, actor)):
        if entry.reason and entry.to_status == req.status:
            return {"text": entry.reason, "at": entry.at, "title": str(entry.label)}
    return None
