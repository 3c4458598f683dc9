"""Posted files: checked before the transaction, attached within it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, BinaryIO, cast

from flask import current_app, flash, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import FileStorage

from admin_views.base.access import current_actor
from clearance.auth import rate_limits
from clearance.core.clock import utc_now
from clearance.core.database import reading
from clearance.core.errors import DomainError, NotFound
from clearance.core.extensions import db
from clearance.core.request_kind import wants_json
from clearance.core.values import BadValue, file_label
from clearance.files.file_inspection import Busy
from clearance.models import Document
from clearance.requests import attachments

SECONDS_AT_ONCE = 20  # per post: the checks block a worker thread


@dataclass
class Files:
    """Posted files: the accepted ones and the error messages of the others."""

    good: list[attachments.Checked] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def posted(find_target: Callable[[], Any]) -> Files | None:
    """Check the files posted with a page, like `checked`; None without any."""
    return checked(find_target) if _files() else None


def checked(find_target: Callable[[], Any]) -> Files:
    """Check the posted files; `find_target` raises if they have no target.

    Call before the first query: checks are slow. Each file counts towards the hourly limit.
    Raises TooManyTries; for scripts, which retry, also file_inspection.Busy. Pages get Busy as a
    fault of the file, so that the typed values are not lost.
    """
    with reading():
        find_target()
    account, deadline = f"user:{current_actor().id}", monotonic() + SECONDS_AT_ONCE
    files = Files()
    given = _files()
    limit = current_app.extensions["settings"].upload_max_files
    if len(given) > limit:
        files.faults.append(_("You can add up to %(limit)s files at once.", limit=limit))
    for file in given[:limit]:
        rate_limits.consume("upload_account", account)
        try:
            if monotonic() > deadline:
                raise Busy
            stream = cast(BinaryIO, file.stream)
            files.good.append(attachments.check_upload(file.filename or "", stream, account))
        except (BadValue, Busy) as fault:
            if isinstance(fault, Busy) and wants_json():
                raise
            files.faults.append(_named(file_label(file.filename or ""), fault))
    if not files.good and not files.faults:
        files.faults.append(_("Choose a file first."))
    return files


def attach(add: Callable[..., list[Document]], files: Files) -> list[Document]:
    """Call `add` with each accepted file, its kind, label, actor and time; flushes.

    Return the first document of each file. Refusals are added to the faults. Raises: NotFound if
    the target is gone.
    """
    kind, label = request.form.get("kind", ""), request.form.get("label", "")
    added = []
    for file in files.good:
        try:
            with db.session.begin_nested():
                name = label if len(files.good) == 1 else ""
                added.append(add(file, kind, name, current_actor(), utc_now())[0])
        except NotFound:
            raise
        except (BadValue, DomainError) as fault:
            files.faults.append(_named(file.label, fault))
    return added


def tell(added: list[Document], files: Files) -> None:
    """Flash the result of the posted files."""
    for fault in files.faults:
        flash(fault, "error")
    if added:
        flash(
            ngettext("%(num)s file was added.", "%(num)s files were added.", len(added)), "success"
        )


def text_of(fault: Exception) -> str:
    """Return the message of a refusal in the page's language."""
    return str(getattr(fault, "message", fault))


def _named(name: str, fault: Exception) -> str:
    return str(_("%(file)s: %(fault)s", file=name, fault=text_of(fault)))


def _files() -> list[FileStorage]:
    return [file for file in request.files.getlist("files") if file.filename]
