"""Batch requests: selecting brokers, filling in the grid and sending it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor, not_found
from admin_views.base.form_post import claim_key, posted_key, release_key, saved_label
from admin_views.my.requests import batch_selection, posting, uploads
from admin_views.my.requests.batch_table import Grid
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.errors import Refused
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted, is_sent
from clearance.licences import validity
from clearance.requests import attachments, available_actions, batch


class SeveralRoutes:
    """Mixin of the services view: routes under /<service>/several."""

    render: Callable[..., str]

    @expose("/<code>/several", methods=("GET", "POST"))
    def several(self, code: str) -> Any:
        """Select brokers; Next creates their drafts and opens the grid."""
        offer = _offer(code)
        choice = batch_selection.read(code) if offer.refusal is None else None
        is_pressed = is_sent()
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
            ends_of=validity.of,
            most=batch.MAX_ROWS,
            unfinished=batch.unfinished(code, current_actor()) if choice is not None else [],
        )
        return page, status

    @expose("/<code>/several/<grid>", methods=("GET", "POST"))
    def several_grid(self, code: str, grid: str) -> Any:
        """Show the grid; on POST save it, fill columns and send complete rows."""
        files = uploads.posted(lambda: Grid.load(grid, code))
        page = Grid.load(grid, code)
        if not is_posted():
            page.is_checked = "check" in request.args
            return self._show(page)
        pressed = request.form.get("submit", "")
        posting.save(page, files, pressed)
        db.session.commit()
        if pressed == "send":
            return self._send(page)
        if page.has_faults or "_language" in request.form:
            page.is_checked = "_language" in request.form and "checked" in request.form
            return self._show(page)
        flash(saved_label(utc_now()), "success")
        return redirect(page.url(), code=303)

    @expose("/<code>/several/<grid>/autosave", methods=("POST",))
    def several_autosave(self, code: str, grid: str) -> Any:
        """Save the valid fields of the posted grid; return JSON with the time and the versions."""
        return posting.autosave(Grid.load(grid, code))

    @expose("/<code>/several/<grid>/documents", methods=("POST",))
    def several_documents(self, code: str, grid: str) -> Any:
        """Add the posted files to every draft. Scripts post one and get its row."""
        files = uploads.checked(lambda: Grid.load(grid, code))
        return posting.add_documents(Grid.load(grid, code), files, self._show)

    @expose("/<code>/several/<grid>/documents/<int:document_id>/remove", methods=("POST",))
    def several_remove(self, code: str, grid: str, document_id: int) -> Any:
        """Remove a shared document from every draft."""
        page = Grid.load(grid, code)
        shared = batch.shared_documents(page.requests)
        found = [rows for rows in shared if document_id in {row.id for row in rows}] or not_found()
        remove = partial(attachments.remove_all, found[0], current_actor(), utc_now())
        told, find = _("The document was removed."), partial(Grid.load, grid, code)
        return posting.change_documents(page, remove, told, find, self._show)

    def _show(self, page: Grid) -> Any:
        page.refresh()
        html = self.render(
            "my/requests/batch_table.html",
            grid=page,
            title=page.definition.title_in(i18n.language()),
            documents=page.documents(),
        )
        return html, page.http_status

    def _send(self, page: Grid) -> Any:
        """Send the valid rows separately; the form key makes a second click wait for the first."""
        earlier = claim_key(page.url(check=1))
        if earlier is not None:
            db.session.rollback()
            return redirect(earlier, code=303)
        sent = page.send()
        if not sent:
            release_key()
        db.session.commit()
        if sent == len(page.rows):
            return redirect(page.url(), code=303)
        return self._show(page)


def _offer(code: str) -> available_actions.StartableService:
    for offer in available_actions.startable_services(current_actor(), utc_now()):
        if offer.code == code and offer.definition.bulk:
            return offer
    return not_found()


def _begin(code: str, chosen: list[int]) -> Any:
    begun = batch.create_drafts(code, chosen, current_actor(), utc_now(), posted_key())
    db.session.commit()
    url = url_for("my_services.several_grid", code=code, grid=begun[0].grid_key)
    return redirect(url, code=303)
