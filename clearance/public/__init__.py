"""Routes of the public pages: registration, codes, sign-in, password reset, information."""

from __future__ import annotations

from flask import Blueprint

from clearance.public import (
    captcha,
    check,
    consent,
    health,
    language,
    metrics,
    pages,
    receipts,
    register,
    reset,
    session_gate,
    sign_in,
    stale_posts,
    verify,
)

GET_POST = ["GET", "POST"]

blueprint = Blueprint("public", __name__)
blueprint.app_url_value_preprocessor(session_gate.keep_short)
blueprint.before_app_request(stale_posts.check)
blueprint.before_app_request(language.adopt_posted)
blueprint.before_app_request(session_gate.check)
blueprint.after_app_request(language.keep_users)
blueprint.app_context_processor(pages.common_context)

_add = blueprint.add_url_rule
_add("/", "index", pages.index)
_add("/terms", "terms", pages.terms)
_add("/support", "support", pages.support)
_add("/guide", "guide", pages.guide)
_add("/guide/services", "guide_services", pages.guide_services)
_add("/language", "language", language.choose, methods=["POST"])

_add("/register", "register", register.register, methods=GET_POST)
_add("/register/sent", "registered", register.registered)
_add("/invitation/<token>", "invitation", register.invitation, methods=GET_POST)

_add("/login", "sign_in", sign_in.sign_in, methods=GET_POST)
_add("/login/factor", "factor", sign_in.factor, methods=GET_POST)
_add("/logout", "sign_out", sign_in.sign_out, methods=["POST"])
_add("/session/stay", "stay", sign_in.stay, methods=["POST"])

_add("/verify", "verify", verify.verify, methods=GET_POST)
_add("/verify/resend", "verify_resend", verify.resend, methods=["POST"])
_add("/verify/done", "verified", verify.verified)

_add("/password", "choose_password", reset.choose_password, methods=GET_POST)
_add("/reset", "reset", reset.reset, methods=GET_POST)
_add("/reset/sent", "reset_sent", reset.reset_sent)
_add("/reset/confirm", "reset_confirm", reset.reset_confirm, methods=GET_POST)

_add("/.well-known/clearance-receipts.json", "receipt_keys", receipts.keys)
_add("/receipt", "receipt", receipts.page)
_add("/receipt/offline", "receipt_offline", receipts.offline)
_add("/receipt/<digest>", "receipt_issued", receipts.issued)

_add("/captcha", "captcha_new", captcha.new, methods=["POST"])
_add("/captcha/<ref>.png", "captcha_image", captcha.image)
_add("/captcha/<ref>.wav", "captcha_audio", captcha.audio)

_add("/consent/answered", "consent_answered", consent.answered)
_add("/consent/<token>", "consent", consent.consent, methods=GET_POST)
_add("/consent/<token>/code", "consent_code", consent.send_code, methods=["POST"])

_add("/check", "check_form", check.check_form)
_add("/check/<code>", "check", check.check)

_add("/healthz", "healthz", health.healthz)
_add("/readyz", "readyz", health.readyz)
_add("/metrics", "metrics", metrics.metrics)
