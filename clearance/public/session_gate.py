"""Access before sign-in is complete, and redirects to the next step."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, g, jsonify, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from clearance.auth import form_tokens, rate_limits
from clearance.core import urls
from clearance.core.actor import Actor
from clearance.core.request_kind import is_posted, wants_json
from clearance.models.enums import SessionStage
from clearance.public import unsent

# Everything not listed here needs a complete sign-in (security rules 10, 21, 22).
OPEN_TO_ALL = frozenset(
    {
        "static",
        "public.index",
        "public.terms",
        "public.support",
        "public.guide",
        "public.language",
        "public.register",
        "public.registered",
        "public.invitation",
        "public.sign_in",
        "public.sign_out",
        "public.reset",
        "public.reset_sent",
        "public.reset_confirm",
        "public.captcha_new",
        "public.captcha_image",
        "public.captcha_audio",
        "public.consent",
        "public.consent_code",
        "public.consent_answered",
        "public.check",
        "public.check_form",
        "public.receipt",
        "public.receipt_issued",
        "public.receipt_keys",
        "public.receipt_offline",
        "public.healthz",
        "public.readyz",
        "public.metrics",
    }
)
# Rate limits by IP address itself and refunds successes: an office shares one address.
COUNTS_ITSELF = frozenset({"public.sign_in"})
VISITORS_MOST_BYTES = 64 * 1024  # public forms are short and take no files
# Served without loading the session: static files and probes must work without the database.
BLIND = frozenset({"static", "public.healthz", "public.readyz", "public.metrics"})
DOORS: dict[str, str] = {
    SessionStage.PASSWORD: "public.choose_password",
    SessionStage.VERIFY: "public.verify",
    SessionStage.FACTOR: "public.factor",
}
AT_STAGE: dict[str, frozenset[str]] = {
    SessionStage.PASSWORD: frozenset({"public.choose_password", "public.stay"}),
    SessionStage.VERIFY: frozenset({"public.verify", "public.verify_resend", "public.stay"}),
    SessionStage.FACTOR: frozenset({"public.factor", "public.stay"}),
}
_STEPS = frozenset().union(*AT_STAGE.values()) - {"public.stay"}


def open_to_all(view: Any) -> Any:
    """Mark a view of another package as open to visitors (decorator)."""
    view.is_open_to_all = True
    return view


def check() -> Any:
    """Return a redirect if access is not allowed yet, else None. Runs before each request."""
    endpoint = request.endpoint
    if endpoint is None or endpoint in BLIND:
        return None
    is_known = bool(current_user.is_authenticated)
    g.actor_is_read = True
    if not (is_known and current_user.is_full) and endpoint not in COUNTS_ITSELF:
        _count_post()
    if endpoint in OPEN_TO_ALL or _is_marked_open(endpoint):
        return None
    if not is_known:
        return to_sign_in()
    if current_user.is_full:
        return redirect(home_url(current_user)) if endpoint in _STEPS else None
    if endpoint in AT_STAGE[current_user.stage]:
        return None
    if wants_json():
        return _unauthorised()
    return redirect(url_for(DOORS[current_user.stage]))


def keep_short(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Limit the body size at public endpoints, before anything reads the body."""
    if endpoint in OPEN_TO_ALL:
        request.max_content_length = VISITORS_MOST_BYTES


def to_sign_in() -> BaseResponse:
    """Redirect an anonymous request to sign-in and back; 401 as JSON for a fetch.

    A form of a session that has ended is answered by a page that keeps what was typed.
    """
    if wants_json():
        return _unauthorised()
    if is_posted() and form_tokens.posted_mark():
        return unsent.show(page_behind())
    return redirect(url_for("public.sign_in", next=page_behind()))


def home_url(actor: Actor) -> str:
    """Return the URL of the actor's own area."""
    return "/office/" if actor.is_staff else "/my/"


def redirect_to_next_step(target: str = "") -> BaseResponse:
    """Redirect to the next sign-in step, or else to `target` or the actor's area."""
    if not current_user.is_full:
        return redirect(url_for(DOORS[current_user.stage]))
    foreign_area = "/my/" if current_user.is_staff else "/office/"
    if not target or target.startswith(foreign_area):
        target = home_url(current_user)
    return redirect(target, code=303)


def remember(target: str) -> None:
    """Store the target page until sign-in is complete."""
    if target:
        session["next"] = target


def remembered() -> str:
    """Return the page stored by `remember`, or ""."""
    return urls.safe_local_path(session.get("next"))


def _count_post() -> None:
    """Count an anonymous post before doing any work (security rule 41)."""
    if is_posted():
        rate_limits.consume("post_ip", rate_limits.client_ip())


def _is_marked_open(endpoint: str) -> bool:
    view = current_app.view_functions.get(endpoint)
    return bool(getattr(view, "is_open_to_all", False))


def page_behind() -> str:
    """Return the path of this page, or of the one whose form was posted; "" if unknown."""
    if not is_posted():
        return urls.safe_local_path(request.full_path.rstrip("?"))
    try:
        referrer = urlsplit(request.referrer or "")
    except ValueError:
        return ""
    if referrer.netloc != request.host:
        return ""
    return urls.safe_local_path(referrer.path + (f"?{referrer.query}" if referrer.query else ""))


def _unauthorised() -> Response:
    response = jsonify(error=_("Your session has ended. Please sign in again."))
    response.status_code = 401
    return response
