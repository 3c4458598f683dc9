"""What forms post besides their fields: the version shown, the organisation, the one-time key."""

from __future__ import annotations

from flask import abort, request

from admin_views.base.access import current_actor, id_or_404, not_found
from clearance.auth import permissions
from clearance.core import idempotency
from clearance.core.actor import Actor


def posted_version() -> int:
    """The version of the row that the page showed; 400 when it is missing or no number."""
    typed = request.form.get("version", "")
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
        abort(400)
    return int(typed)


def posted_organisation() -> int:
    """The organisation that the page was about; in another tab another may be chosen since.

    Answers 404 unless the reader manages it.
    """
    organisation_id = id_or_404(request.form.get("organisation"))
    if not permissions.can_manage(current_actor(), organisation_id):
        not_found()
    return organisation_id


def posted_key() -> str:
    """The one-time key of the posted form, or ""."""
    return request.form.get("form_key", "")[: idempotency.KEY_MAX_LENGTH]


def idempotency_owner(actor: Actor) -> str:
    """Whose one-time keys these are."""
    return f"user:{actor.id}"
