"""Values posted besides form fields: row version, organisation and one-time key."""

from __future__ import annotations

from flask import abort, request

from admin_views.base.access import current_actor, id_or_404, not_found
from clearance.auth import permissions
from clearance.core import idempotency
from clearance.core.actor import Actor


def posted_version() -> int:
    """Return the posted version of the row; abort with 400 if it is not a number."""
    typed = request.form.get("version", "")
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
        abort(400)
    return int(typed)


def posted_organisation() -> int:
    """Return the organisation that the page was about, even if another was chosen meanwhile.

    Aborts with 404 unless the actor may manage it.
    """
    organisation_id = id_or_404(request.form.get("organisation"))
    if not permissions.can_manage(current_actor(), organisation_id):
        not_found()
    return organisation_id


def posted_key() -> str:
    """Return the one-time key of the posted form, or ""."""
    return request.form.get("form_key", "")[: idempotency.KEY_MAX_LENGTH]


def idempotency_owner(actor: Actor) -> str:
    """Return the owner of the actor's one-time keys."""
    return f"user:{actor.id}"
