"""Error pages in the reader's language, with a reference to the log."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from werkzeug.exceptions import HTTPException, SecurityError

from clearance.core import audit
from clearance.core.errors import DomainError, NotFound, ServiceUnavailable, TooManyTries
from clearance.core.extensions import db
from clearance.core.request_kind import wants_json
from clearance.web.security_headers import RETRY_SECONDS

log = structlog.get_logger("clearance.web")

AUDITED = {403: "forbidden", 404: "not_found", 429: "throttled"}
OF_VISITORS = frozenset({"csrf", "throttled"})  # others are recorded for signed-in users only
LONGEST_NAME = 20  # of a path segment; a longer one may be a token


def init_app(app: Flask, count_refusal: Callable[[], object]) -> None:
    """Register the handlers.

    count_refusal: counts a visitor's refused request, raises TooManyTries once they have too many.
    """
    app.extensions["count_refusal"] = count_refusal
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(SecurityError, _foreign_host)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _database_down)
    app.register_error_handler(StaleDataError, _row_gone)
    app.register_error_handler(ObjectDeletedError, _row_gone)
    app.register_error_handler(NoConnectionFree, _database_down)
    app.register_error_handler(Exception, _fault)


def error_page(status: int, message: Any, retry_after: int | None = None) -> Response:
    """Return the error page (JSON for a fetch) of `status` in the page's language.

    message: preferably lazy, since the reader's language is determined here. retry_after: in
    seconds. The reference number shown is in the log with the path.
    """
    db.session.rollback()
    log.info("refused", status=status, path=_place())
    if status == 503 and retry_after is None:
        retry_after = RETRY_SECONDS
    _know_reader()
    message = str(message)
    if wants_json():
        response = jsonify(error=message, reference=g.get("request_id", ""))
    else:
        page = render_template(
            "errors/error.html", status=status, text=message, retry_after=retry_after
        )
        response = make_response(page)
    response.status_code = status
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _domain_error(error: DomainError) -> Response:
    retry_after = getattr(error, "retry_after", None)
    response = error_page(error.status_code, error.message, retry_after)
    note_refusal(error.status_code, AUDITED.get(error.status_code))
    return response


def _csrf_error(error: CSRFError) -> Response:
    response = error_page(
        400, _l("The page was open too long or has changed. Go back, reload it and send again.")
    )
    note_refusal(400, "csrf")
    return response


def _foreign_host(error: SecurityError) -> Response:
    """Answer an untrusted host in plain text: no URL can be built for it."""
    log.info("foreign_host", path=_place())
    return Response("Bad request\n", status=400, mimetype="text/plain")


def _http_error(error: HTTPException) -> Any:
    status = error.code or 500
    if status < 400:
        return error
    texts = {
        404: NotFound.message,
        405: _l("This address does not accept this type of request."),
        413: _l("The upload is too large. Choose smaller files."),
        415: _l("The portal accepts only its own forms. Fill in the form on its page and send it."),
        429: _l("Too many attempts. Wait a little and try again."),
    }
    response = error_page(status, texts.get(status, _l("We could not understand this request.")))
    if isinstance(error.get_headers(), list):
        allow = dict(error.get_headers()).get("Allow")
        if allow:
            response.headers["Allow"] = allow
    note_refusal(status, AUDITED.get(status))
    return response


def _database_down(error: OperationalError | NoConnectionFree) -> Response:
    log.error("database_unavailable", request_id=g.get("request_id"), exc_info=error)
    return error_page(
        503,
        _l("The portal cannot reach its database right now. Nothing was lost. Try again shortly."),
    )


def _row_gone(error: StaleDataError | ObjectDeletedError) -> Response:
    """Last resort: use cases re-read their rows under the lock and give better messages."""
    log.warning("row_gone", request_id=g.get("request_id"), path=_place(), exc_info=error)
    return error_page(
        409,
        _l(
            "Someone else, or you in another tab, removed this in the meantime, so nothing "
            "was changed. Go back and reload."
        ),
    )


def _fault(error: Exception) -> Response:
    log.error("fault", request_id=g.get("request_id"), path=_place(), exc_info=error)
    return error_page(500, _l("Something went wrong on our side. We have recorded it."))


def note_refusal(status: int, kind: str | None) -> None:
    """Write a refusal's access event; events caused by visitors are limited per address."""
    if kind is None:
        return
    try:
        if getattr(current_user, "user_id", None) is None:
            if kind not in OF_VISITORS:
                return
            current_app.extensions["count_refusal"]()
        audit.access(
            f"access:refused:{kind}",
            object_type="url",
            object_id=_place(),
            result=str(status),
        )
    except TooManyTries:
        log.info("refusal_not_noted", path=_place(), kind=kind)
    except (SQLAlchemyError, ServiceUnavailable) as fault:  # the refusal holds even if unrecorded
        log.error("refusal_not_noted", path=_place(), kind=kind, exc_info=fault)


def _know_reader() -> None:
    """Load the current user; if the database is down, the page is rendered as for a visitor."""
    with suppress(SQLAlchemyError):
        bool(current_user.is_authenticated)


def _place() -> str:
    """Return the path for log and trail, or the route's if it may hold a secret (rule 45)."""
    rule = request.url_rule
    if rule is not None and {"token", "code", "ref"} & set(rule.arguments):
        return rule.rule
    parts = request.path.replace("\0", "").split("/")  # PostgreSQL rejects NUL
    if rule is None:
        parts = [part if len(part) <= LONGEST_NAME else "…" for part in parts]
    return "/".join(parts)
