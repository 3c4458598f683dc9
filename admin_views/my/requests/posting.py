"""What is posted from a page that fills in requests: one form, or the table of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from flask import flash, jsonify, redirect, render_template, request

from admin_views.base.form_post import saved_label
from admin_views.my.requests import uploads
from admin_views.my.requests.batch_table import Grid
from admin_views.my.requests.open_form import OpenForm
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.request_kind import wants_json
from clearance.core.values import BadValue
from clearance.web.logging import field_names

log = structlog.get_logger("clearance.requests")

SECTION = "documents-section"
Page = OpenForm | Grid


def save(page: Page, files: uploads.Files | None = None, pressed: str = "") -> None:
    """Read the posted page, save what is valid and add the files. Flushes at least.

    Names that no form of the page has are ignored and logged (security rule 23).

    files: those posted with the page, not uploaded by script before. pressed: the submit button.
    """
    page.read(pressed)
    unknown = set.intersection(*(set(form.unknown_fields()) for form in page.forms))
    names = sorted(name for name in unknown if not name.startswith("document-"))
    if names:
        log.info("unknown_fields", page=page.url(), names=field_names(names))
    page.keep()
    if files is not None:
        uploads.tell(page.attach(files), files)


def autosave(page: Page) -> Any:
    """Save the valid values posted by script; return JSON with the time and the versions."""
    save(page)
    db.session.commit()
    if page.http_status != 200:
        return jsonify(error=page.conflict), page.http_status
    parts = {}
    if page.definition.has_conditional_documents:
        page.refresh()
        parts = _parts(page, page.documents())
    return jsonify(saved_at_label=saved_label(utc_now()), parts=parts, **page.versions())


def add_documents(page: Page, files: uploads.Files, show: Callable[[Any], Any]) -> Any:
    """Answer a post of files. Scripts post one and get its row; pages are saved with them.

    show: makes the page again with its errors.
    """
    if page.marker in request.form:
        save(page, files)
        db.session.commit()
    else:
        added = page.attach(files)
        db.session.commit()
        if wants_json():
            return _answer(page, {document.id for document in added}, files.faults)
        uploads.tell(added, files)
    return show(page) if page.has_faults else redirect(page.url(SECTION), code=303)


def change_documents(
    page: Page,
    act: Callable[[], None],
    told: str,
    find: Callable[[], Any],
    show: Callable[[Any], Any],
) -> Any:
    """Change documents of the page and save what was posted with it.

    act: the change. told: the message of success. find: raises if the page's subject is gone. show:
    makes the page again with its errors.
    """
    url = page.url(SECTION)
    if page.marker in request.form:
        save(page)
        db.session.commit()
    try:
        act()
        db.session.commit()
        flash(told, "success")
    except (BadValue, DomainError) as fault:
        db.session.rollback()
        find()
        flash(uploads.text_of(fault), "error")
    return show(page) if page.has_faults else redirect(url, code=303)


def _answer(page: Page, added: set[int], faults: list[str]) -> Any:
    """Return the new rows and the changed parts of the page for its script.

    No versions: the form on the page still has what was saved with the one it knows. With a later
    one it would undo what a colleague saved meanwhile, with an earlier one refuse its own.
    """
    if not added:
        return jsonify(error=" ".join(faults)), 400
    page.refresh()
    section = page.documents()
    rows = [row for row in section["rows"] if row["id"] in added]
    return jsonify(
        row_html="".join(
            render_template("my/requests/document_row.html", row=row, owner=page.form_id)
            for row in rows
        ),
        parts=_parts(page, section),
    )


def _parts(page: Page, section: dict[str, Any]) -> dict[str, str]:
    """Map ids of the parts of the page that documents and answers change to their HTML."""
    made = {
        "documents-wanted": render_template("my/requests/documents_wanted.html", documents=section),
        "upload-kind": render_template("my/requests/document_kinds.html", documents=section),
    }
    return made | page.cells()
