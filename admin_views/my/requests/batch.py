"""Batch requests: selecting brokers, filling in the grid and sending it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor, not_found
from admin_views.base.form_post import claim_key, posted_key, release_key
from admin_views.my.requests import batch_selection, batch_table, form, uploads
from admin_views.my.requests.batch_table import Grid
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.errors import ClosedNow, NotFound, PermissionDenied, Refusal, Refused
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted, wants_json
from clearance.models import Document
from clearance.public import form_helpers
from clearance.requests import attachments, available_actions, batch, drafts
from clearance.requests.batch import Outcome
from forms.batch import copy_to_column

FORM_ID = "grid-form"
SECTION = "documents-section"


class SeveralRoutes:
    """Mixin of the services view: routes under /<service>/several."""

    render: Callable[..., str]

    @expose("/<code>/several", methods=("GET", "POST"))
    def several(self, code: str) -> Any:
        """Select brokers; Next creates their drafts and opens the grid."""
        offer = _offer(code)
        choice = batch_selection.read(code) if offer.refusal is None else None
        is_pressed = form_helpers.is_sent()
        status = Refused.status_code if is_pressed and choice is None else 200
        if choice is not None and request.form.get("do") == "begin":
            try:
                return _begin(code, choice.chosen)
            except Refused as fault:
                db.session.rollback()
                choice.refusal, status = fault.refusal, fault.status_code
        page = self.render(
            "my/requests/batch.html",
            offer=offer,
            title=offer.definition.title_in(i18n.language()),
            choice=choice,
            most=batch.MAX_ROWS,
            unfinished=batch.unfinished(code, current_actor()) if choice is not None else [],
        )
        return page, status

    @expose("/<code>/several/<grid>", methods=("GET", "POST"))
    def several_grid(self, code: str, grid: str) -> Any:
        """Show the grid; on POST save it, fill columns and send complete rows."""
        files = None
        if uploads.has_files():
            files = uploads.checked(lambda: batch_table.load(grid, code))
        found = batch_table.load(grid, code)
        if not is_posted():
            if request.args.get("check"):
                batch_table.note_outcomes(found, {})
            return self._show(found)
        pressed = request.form.get("submit", "")
        _read(found, is_filling=pressed == "fill", is_sending=pressed == "send")
        status = _keep(found)
        if files is not None:
            _tell(_share(found, files), files)
        if pressed == "send":
            return self._send(found, status)
        if "_language" in request.form:
            if request.form.get("checked"):
                batch_table.note_outcomes(found, {})
            return self._show(found, status)
        if found.has_faults:
            return self._show(found, status)
        flash(_saved_label(), "success")
        return redirect(_grid_url(code, grid), code=303)

    @expose("/<code>/several/<grid>/autosave", methods=("POST",))
    def several_autosave(self, code: str, grid: str) -> Any:
        """Save the valid fields of the posted grid; return JSON with the time and the versions."""
        found = batch_table.load(grid, code)
        _read(found)
        status = _keep(found)
        if status != 200:
            names = _(", ").join(row.name for row in found.rows if row.stored)
            fault = _("Somebody else has changed: %(names)s. Save, and compare.", names=names)
            return jsonify(error=fault), status
        versions = {f"{row.id}-version": row.req.version for row in found.rows}
        return jsonify(saved_at_label=_saved_label(), versions=versions)

    @expose("/<code>/several/<grid>/documents", methods=("POST",))
    def several_documents(self, code: str, grid: str) -> Any:
        """Add the posted files to every draft. Scripts post one and get its row."""
        files = uploads.checked(lambda: batch_table.load(grid, code))
        found = batch_table.load(grid, code)
        status = 200
        if "grid" in request.form:  # scripts post one file without the form
            _read(found)
            status = _keep(found)
        added = _share(found, files)
        if wants_json():
            return _answer(found, added, files)
        _tell(added, files)
        if found.has_faults:
            return self._show(found, status)
        return redirect(_grid_url(code, grid, SECTION), code=303)

    @expose("/<code>/several/<grid>/documents/<int:document_id>/remove", methods=("POST",))
    def several_remove(self, code: str, grid: str, document_id: int) -> Any:
        """Remove a shared document from every draft."""
        found = batch_table.load(grid, code)
        status = 200
        if "grid" in request.form:
            _read(found)
            status = _keep(found)
        try:
            batch.remove_document(found.requests, document_id, current_actor(), utc_now())
            db.session.commit()
            flash(_("The document was removed."), "success")
        except PermissionDenied as fault:
            db.session.rollback()
            flash(str(fault), "error")
        if found.has_faults:
            return self._show(found, status)
        return redirect(_grid_url(code, grid, SECTION), code=303)

    def _show(self, grid: Grid, status: int = 200) -> Any:
        batch_table.refresh(grid)
        page = self.render(
            "my/requests/batch_table.html",
            grid=grid,
            title=grid.definition.title_in(i18n.language()),
            sent=batch_table.sent_rows(grid),
            documents=batch_table.documents_of(grid),
            own_form_url=batch_table.own_form_url,
            form_id=FORM_ID,
        )
        return page, status

    def _send(self, grid: Grid, status: int) -> Any:
        """Send the valid rows separately; the form key makes a second click wait for the first."""
        code = grid.definition.code
        earlier = claim_key(_grid_url(code, grid.key, check=1))
        if earlier is not None:
            db.session.rollback()
            return redirect(earlier, code=303)
        outcomes = _carry_out(grid)
        sent = sum(outcome.is_sent for outcome in outcomes.values())
        if not sent:
            release_key()
        db.session.commit()
        if sent == len(grid.rows):
            return redirect(_grid_url(code, grid.key), code=303)
        batch_table.note_outcomes(grid, outcomes)
        return self._show(grid, status)


def _offer(code: str) -> available_actions.StartableService:
    for offer in available_actions.startable_services(current_actor(), utc_now()):
        if offer.code == code and offer.definition.bulk:
            return offer
    return not_found()


def _begin(code: str, chosen: list[int]) -> Any:
    begun = batch.create_drafts(code, chosen, current_actor(), utc_now(), posted_key())
    db.session.commit()
    return redirect(_grid_url(code, str(begun[0].grid_key)), code=303)


def _grid_url(code: str, key: str, anchor: str = "", check: int | None = None) -> str:
    return url_for(
        "my_services.several_grid", code=code, grid=key, check=check, _anchor=anchor or None
    )


def _read(grid: Grid, *, is_filling: bool = False, is_sending: bool = False) -> None:
    """Validate the posted grid, after filling columns if requested."""
    posted = [row for row in grid.rows if row.was_posted]
    if is_filling:
        grid.column.validate()
        copy_to_column([row.form for row in posted], grid.column)
    for row in posted:
        row.form.is_sending = is_sending
        row.form.validate()
    batch_table.log_unknown(grid)


def _keep(grid: Grid) -> int:
    """Save the valid values of changed rows, row by row, and commit.

    Return the HTTP status: 409 if another user changed a row meanwhile.
    """
    now, status = utc_now(), 200
    for row in grid.rows:
        values = batch_table.changed(row) if row.was_posted else {}
        if not values:
            continue
        version = batch_table.posted_version(row)
        try:
            with db.session.begin_nested():
                drafts.save(row.req, values, current_actor(), now, version=version)
        except drafts.StaleSave as fault:
            batch_table.note_stored(row, fault.stored)
            status = 409
        except (ClosedNow, NotFound):
            continue  # sent or discarded meanwhile: no longer a row of the page
        except PermissionDenied as fault:
            row.refusal = Refusal(fault.message)
    db.session.commit()
    grid.requests = batch.requests(grid.key, grid.definition.code, current_actor())
    return status


def _carry_out(grid: Grid) -> dict[int, Outcome]:
    """Send the valid rows, committing every 50 (security rule 56)."""
    ids = {req.id for req in batch.drafts(grid.requests)}
    good = [row.req for row in grid.rows if row.id in ids and row.was_posted and row.is_good]
    outcomes = {}
    for place, outcome in enumerate(batch.send(good, current_actor(), utc_now()), 1):
        outcomes[outcome.request_id] = outcome
        if place % batch.AT_ONCE == 0:
            db.session.commit()
    return outcomes


def _share(grid: Grid, files: uploads.Files) -> list[Document]:
    """Add the accepted files to the drafts and commit; return the first document of each file."""

    def share(each: attachments.Checked, kind: str, label: str) -> Document:
        rows = batch.attach_to_all(grid.requests, each, kind, label, current_actor(), utc_now())
        return rows[0]

    added = uploads.attach_by(share, files)
    db.session.commit()
    return added


def _tell(added: list[Document], files: uploads.Files) -> None:
    form.tell_uploads(added, files.faults)


def _answer(grid: Grid, added: list[Document], files: uploads.Files) -> Any:
    """Return the new rows and the changed parts of the page for its script."""
    if not added:
        return jsonify(error=" ".join(files.faults)), 400
    keys = {document.storage_key for document in added}
    batch_table.refresh(grid)
    shown = batch_table.documents_of(grid)
    parts = {"documents-wanted": render_template("my/requests/batch_wanted.html", documents=shown)}
    for row in grid.rows:
        parts[f"documents-of-{row.id}"] = render_template(
            "my/requests/batch_cell.html", row=row, own_form_url=batch_table.own_form_url
        )
    rows = [document_row for document_row in shown["rows"] if document_row["storage_key"] in keys]
    return jsonify(
        row_html="".join(
            render_template("my/requests/batch_document.html", row=document_row, owner=FORM_ID)
            for document_row in rows
        ),
        parts=parts,
    )


def _saved_label() -> str:
    return str(_("Last saved on %(time)s", time=i18n.format_instant(utc_now())))
