"""Every fault ends in a calm page in the reader's language with a reference found in the log."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import structlog
from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from werkzeug.exceptions import HTTPException, SecurityError

from clearance import audit
from clearance.errors import DomainError, NotFound
from clearance.extensions import db

log = structlog.get_logger("clearance.errors")

AUDITED = {400: "csrf", 403: "forbidden", 404: "not_found", 429: "throttled"}


def init_app(app: Flask) -> None:
    """Register the handlers."""
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

    message: best a lazy text, since the reader's language is first asked for here.
    """
    db.session.rollback()
    _know_reader()
    message = str(message)
    if _wants_json():
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
    _note_refusal(error.status_code)
    return response


def _csrf_error(error: CSRFError) -> Response:
    response = error_page(
        400, _l("The page was open for too long or was changed. Go back, reload it and send again.")
    )
    _note_refusal(400)
    return response


def _foreign_host(error: SecurityError) -> Response:
    """Answer a host that is not ours without a page: no address can be built for it."""
    return Response("Bad request\n", status=400, mimetype="text/plain")


def _http_error(error: HTTPException) -> Any:
    status = error.code or 500
    if status < 400:
        return error
    texts = {
        404: NotFound().message,
        405: _l("This address does not take that kind of request."),
        413: _l("What was sent is too large. Choose smaller files."),
        429: _l("Too many attempts. Please wait a little and try again."),
    }
    response = error_page(status, texts.get(status, _l("This request could not be understood.")))
    if isinstance(error.get_headers(), list):
        allow = dict(error.get_headers()).get("Allow")
        if allow:
            response.headers["Allow"] = allow
    _note_refusal(status)
    return response


def _database_down(error: OperationalError | NoConnectionFree) -> Response:
    log.error("database_unavailable", request_id=g.get("request_id"), exc_info=error)
    return error_page(
        503, _l("The portal cannot reach its records now. Nothing was lost; try again shortly."), 30
    )


def _row_gone(error: StaleDataError | ObjectDeletedError) -> Response:
    """The last resort: use cases read their rows again under the lock, and say more."""
    log.warning("row_gone", request_id=g.get("request_id"), path=_place(), exc_info=error)
    return error_page(
        409,
        _l("Somebody else removed this meanwhile, so nothing was changed. Go back and reload."),
    )


def _fault(error: Exception) -> Response:
    log.error("fault", request_id=g.get("request_id"), path=_place(), exc_info=error)
    return error_page(500, _l("Something went wrong on our side. It was recorded."))


def _note_refusal(status: int) -> None:
    if status not in AUDITED or getattr(current_user, "user_id", None) is None:
        return
    try:
        audit.access(
            f"access:refused:{AUDITED[status]}",
            object_type="url",
            object_id=_place(),
            result=str(status),
        )
    except SQLAlchemyError as fault:  # the refusal stands, noted or not
        log.error("refusal_not_noted", path=_place(), status=status, exc_info=fault)


def _know_reader() -> None:
    """Read who asks; when the database is away the page is shown as to a visitor."""
    with suppress(SQLAlchemyError):
        bool(current_user.is_authenticated)


def _place() -> str:
    """Return the path for log and trail; where it holds a secret, the rule's instead (rule 45)."""
    rule = request.url_rule
    if rule is not None and "token" in rule.arguments:
        return rule.rule
    return request.path.replace("\0", "")  # PostgreSQL takes none


def _wants_json() -> bool:
    accepted = request.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"]) == "application/json"
