"""Request form: editing, autosave, sending and discarding."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor
from admin_views.base.form_post import (
    claim_key,
    post_once,
    release_key,
    saved_label,
)
from admin_views.my.requests import posting, uploads
from admin_views.my.requests.base import RequestRoutes, details_url, form_url
from admin_views.my.requests.open_form import OpenForm
from admin_views.shared.request_parts import shown_remarks
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, Refusal
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted
from clearance.models import Remark, Request
from clearance.models.enums import Status
from clearance.requests import available_actions, batch, completeness, drafts, remarks, transitions
from clearance.services import versions
from clearance.services.flows import Action
from forms.request_form import sections
from forms.rows import ADD


class FormRoutes(RequestRoutes):
    """Form routes of drafts and of requests returned for correction."""

    @expose("/<int:request_id>/form", methods=("GET", "POST"))
    def form_page(self, request_id: int) -> Any:
        """Show the form; on POST save it, and send it if the send button was pressed."""
        files = uploads.posted(lambda: self.get_one(request_id))
        req = self.get_one(request_id)
        if not is_open(req):
            return _closed(req)
        page = OpenForm.of(req)
        if not is_posted():
            page.form.press(ADD + request.args.get("add", ""))
            return self.show_form(page)
        pressed = request.form.get("submit", "")
        if pressed == "send":
            return self._send(page, files)
        posting.save(page, files, pressed)
        db.session.commit()
        if page.has_faults or "_language" in request.form:
            return self.show_form(page)
        if page.pressed_in:
            added = page.pressed_in if pressed.startswith(ADD) else None
            return redirect(form_url(req, page.pressed_in, added), code=303)
        flash(saved_label(req.saved_at), "success")
        return redirect(page.url(), code=303)

    @expose("/<int:request_id>/form/autosave", methods=("POST",))
    def autosave(self, request_id: int) -> Any:
        """Save the valid fields of the posted form; return JSON with the time and the version."""
        return posting.autosave(OpenForm.of(self.get_one(request_id)))

    @expose("/<int:request_id>/discard", methods=("GET", "POST"))
    def discard(self, request_id: int) -> Any:
        """Discard a draft after confirmation."""
        req = self.get_one(request_id)
        if not is_posted():
            if req.status != Status.DRAFT:
                return _closed(req)
            title = versions.for_request(req).title_in(i18n.language())
            return self.render("my/requests/discard.html", req=req, title=title)
        code, grid = req.service_code, req.grid_key

        def after(_done: Any) -> str:
            if grid is not None and batch.has_drafts(grid, code, current_actor()):
                return url_for("my_services.several_grid", code=code, grid=grid)
            return url_for("my_drafts.index_view")

        return post_once(
            lambda: drafts.discard(req, current_actor(), utc_now()),
            result=after,
            told=_("The draft was deleted."),
            acts_first=True,
        )

    def show_form(self, page: OpenForm) -> Any:
        """Render the form's page; a request sent meanwhile has none."""
        req, form, spec, lang = page.req, page.form, page.definition, i18n.language()
        if not is_open(req):
            return _closed(req)
        now = utc_now()
        page.refresh()
        html = self.render(
            "my/requests/form.html",
            page=page,
            req=req,
            form=form,
            title=spec.title_in(lang),
            sections=sections(spec, form, page.shown, field_remarks(req), lang),
            documents=page.documents(),
            document_remarks=[
                each
                for each in shown_remarks(req, remarks.open_ones(req))
                if each.remark.document_kind
            ],
            steps=_steps(page, completeness.missing(req, now)),
            warnings=available_actions.send_warnings(req, current_actor(), now),
            saved_label=saved_label(req.saved_at),
        )
        return html, page.http_status

    def _send(self, page: OpenForm, files: uploads.Files | None) -> Any:
        """Save, and send if complete; the form key makes a second click wait for the first."""
        result = details_url(page.req)
        earlier = claim_key(result)
        if earlier is not None:
            return _sent(earlier)
        posting.save(page, files, "send")
        if page.http_status == 200 and _send_complete(page):
            db.session.commit()
            return _sent(result)
        release_key()
        db.session.commit()
        return self.show_form(page)


def is_open(req: Request) -> bool:
    """Return whether any field or document of `req` can be changed now, or it can be discarded."""
    if req.status == Status.DRAFT:
        return True
    return bool(completeness.open_fields(req) or completeness.open_document_kinds(req))


def field_remarks(req: Request) -> dict[str, Remark]:
    """Map fields to the reviewer's open remarks."""
    return {remark.field: remark for remark in remarks.unsettled(req) if remark.field}


def _send_complete(page: OpenForm) -> bool:
    """Send the request if complete; otherwise note on the page why not."""
    req, now = page.req, utc_now()
    page.note_missing(completeness.missing(req, now))
    if page.form.errors or page.missing_documents:
        return False
    try:
        # Its savepoint keeps the draft just saved if it is refused.
        transitions.perform(req, Action.SEND, actor=current_actor(), now=now, version=req.version)
    except DomainError as fault:
        page.refuse(Refusal(fault.message))
        return False
    return True


def _sent(url: str) -> Response:
    flash(_("Your request was sent to the office. We will notify you of every step."), "success")
    return redirect(url, code=303)  # type: ignore[return-value]  # a werkzeug response is accepted


def _closed(req: Request) -> Any:
    flash(_("This request cannot be changed now."), "info")
    return redirect(details_url(req), code=303)


def _steps(page: OpenForm, missing: list[completeness.Missing]) -> list[dict[str, Any]]:
    """Return the progress steps: data, documents, sending."""
    fields = [obstacle for obstacle in missing if not obstacle.document_kind]
    files = [obstacle for obstacle in missing if obstacle.document_kind]
    has_errors = any(field.errors for field in page.form.asked.values())

    def state(left: list[Any], is_wrong: bool, is_current: bool) -> str:
        if is_wrong:
            return "error"
        return ("current" if is_current else "todo") if left else "done"

    return [
        {
            "label": _("Data"),
            "state": state(fields, has_errors, True),
            "url": f"#{page.form_id}",
            "text": _left(len(fields)),
        },
        {
            "label": _("Documents"),
            "state": state(files, False, not fields),
            "url": "#documents-section",
            "text": _left(len(files)),
        },
        {
            "label": _("Send"),
            "state": "todo" if fields or files or has_errors else "current",
            "url": "#send",
            "text": None,
        },
    ]


def _left(count: int) -> str | None:
    return _("%(count)s missing", count=count) if count else None
