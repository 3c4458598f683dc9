"""Posting a form once, and what forms post besides their fields: version, organisation, key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import abort, flash, redirect, request
from flask_babel import gettext as _

from admin_views.base.access import current_actor, id_or_404, require
from clearance.auth import permissions
from clearance.core import i18n, idempotency, values
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.values import BadValue


def post_once(
    act: Callable[[], Any],
    *,
    result: str | Callable[[Any], str],
    told: Any = "",
    refused: Callable[[Any], Any] | None = None,
    of: Any = (DomainError, BadValue),
    key: str | None = None,
    acts_first: bool = False,
) -> Any:
    """Do what a form asks once, however often it is sent; commit, flash and redirect (303).

    The form's one-time key is claimed in the transaction of `act`, so a second click waits for the
    first one and leads to its result. Without a key `act` runs each time.

    act: the use case; flushes. result: the URL to redirect to; with `acts_first` also a function
    that makes it of what `act` returned. told: the success message, or a
    function that makes it of what `act` returned; a repeated click, which has no return value, then
    tells nothing. refused: makes the page of a DomainError or BadValue, after the rollback; by
    default the error is raised, as are all that are not `of` the given classes. It is not asked
    if another click of the form succeeded meanwhile.
    key: a key other than the posted one. acts_first: claim the key after `act`, for use cases that
    must come before the first query because they hash, count tries or ask another system.
    """
    key, owner = posted_key() if key is None else key, idempotency.owner_of(current_actor())
    done = None
    try:
        if acts_first:
            done = act()
        place = result(done) if callable(result) else result
        earlier = idempotency.claim(key, owner, place, utc_now())
        if earlier is not None:
            db.session.rollback()
        elif not acts_first:
            done = act()
        db.session.commit()
    except (DomainError, BadValue) as fault:
        db.session.rollback()
        if again := repeated(key):
            return again
        if refused is None or not isinstance(fault, of):
            raise
        return refused(fault)
    if callable(told):
        told = told(done) if earlier is None else ""
    if told:
        flash(str(told), "success")
    return redirect(earlier or place, code=303)


def repeated(key: str | None = None) -> Any:
    """Redirect to the result of an earlier submission of the form; None if there was none.

    For forms that are no longer valid because they were taken.
    """
    key = posted_key() if key is None else key
    earlier = idempotency.result_of(key, idempotency.owner_of(current_actor()))
    return redirect(earlier, code=303) if earlier is not None else None


def claim_key(result: str) -> str | None:
    """Claim the posted key in the caller's transaction; return an earlier submission's result.

    For what `post_once` cannot run: forms that keep what was typed although they are refused.
    """
    return idempotency.claim(posted_key(), idempotency.owner_of(current_actor()), result, utc_now())


def release_key() -> None:
    """Release the posted key, claimed by this transaction, so that the form can be sent again."""
    idempotency.release(posted_key(), idempotency.owner_of(current_actor()))


def refuse(form: Any, field: Any, refusal: Any) -> Any:
    """Roll back, show the refusal at the form's field and return the form."""
    db.session.rollback()
    field.errors = [str(refusal)]
    return form


def saved_label(at: datetime) -> str:
    """Return the text on when a draft was last saved."""
    return str(_("Last saved on %(time)s", time=i18n.format_instant(at)))


def fingerprint(shown: Any) -> str:
    """Return a digest of the values that a form shows; posted back, it tells of changes since."""
    text = json.dumps(shown, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def posted_version(field: str = "version") -> int:
    """Return the posted version of the row; abort with 400 if it is not a number."""
    number = values.whole_number(request.form.get(field))
    return number if number is not None else abort(400)


def posted_organisation() -> int:
    """Return the organisation that the page was about, even if another was chosen meanwhile.

    Aborts with 404 unless the actor may manage it.
    """
    organisation_id = id_or_404(request.form.get("organisation"))
    require(permissions.can_manage(current_actor(), organisation_id))
    return organisation_id


def posted_key() -> str:
    """Return the one-time key of the posted form, or ""."""
    return request.form.get("form_key", "")[: idempotency.KEY_MAX_LENGTH]
