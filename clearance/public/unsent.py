"""The page that keeps what was posted too late, to be sent again."""

from __future__ import annotations

import re

from flask import Response, make_response, render_template, request
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

from clearance.auth import form_tokens
from clearance.core.request_kind import REDRAWING

# Fields that are not sent back.
SECRETS = re.compile(r".*password.*|(email_|mobile_)?code|captcha(_ref)?")


def show(behind: str) -> Response:
    """Return the page with what was posted, to be sent again after signing in if need be.

    behind: the path of the page with the form, "" if unknown. Its status is 401 or, for a person
    who is signed in, 409. Passwords, codes and files are not sent back.
    """
    is_known = current_user.is_authenticated
    left_out = {form_tokens.COOKIE_KEY, *REDRAWING}
    fields = [pair for pair in request.form.items(multi=True) if pair[0] not in left_out]
    kept = [(name, value) for name, value in fields if not SECRETS.fullmatch(name)]
    page = render_template(
        "public/unsent.html",
        target=request.full_path.rstrip("?"),
        behind=behind,
        fields=kept,
        # The old token tells after signing in for whom the form was made.
        token=generate_csrf() if is_known else form_tokens.posted(),
        reader=form_tokens.posted_mark(),
        has_secrets=len(kept) < len(fields),
        has_files=any(file.filename for file in request.files.values()),
    )
    return make_response(page, 409 if is_known else 401)
