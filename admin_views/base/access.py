"""Who may open a view: the guard that stands before every page of both areas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, cast

from flask import abort, jsonify, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from clearance.core.actor import Actor
from clearance.core.request_kind import is_posted, wants_json
from clearance.web.security_headers import LARGEST_ID


def current_actor() -> Actor:
    """The person behind this request, as use cases want them. Only behind the guard."""
    return cast(Actor, current_user._get_current_object())


def id_or_404(value: Any) -> int:
    """Read a row's id from an address; whatever cannot be one is answered 404, never 500."""
    try:
        number = int(str(value))
    except ValueError:
        not_found()
    return number if 0 < number <= LARGEST_ID else not_found()


def not_found() -> NoReturn:
    """Answer 404: missing, foreign and forbidden alike (specification section 1)."""
    abort(404)


class AccessControlled:
    """Mixed into every view: closed until `accessible_to` opens it."""

    def accessible_to(self, actor: Actor) -> bool:
        """Whether this fully signed-in person may open the view's pages."""
        return False

    def is_accessible(self) -> bool:
        return bool(
            current_user.is_authenticated
            and current_user.is_full
            and self.accessible_to(current_actor())
        )

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        """Sign in (or finish signing in) and come back; a full reader gets the 404 of all."""
        if current_user.is_authenticated and current_user.is_full:
            return not_found()
        if wants_json():
            response = jsonify(error=_("You are signed out. Sign in again."))
            response.status_code = 401
            return response
        back = self.home_url() if is_posted() else request.full_path.rstrip("?")
        return redirect(url_for("public.sign_in", next=back))

    def home_url(self) -> str:
        """The area's first page."""
        return cast(str, self.admin.url) + "/"  # type: ignore[attr-defined]  # the view it is mixed into

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # Flask-Admin's own calls the view a second time after a TypeError and so hides the first.
        return fn(self, *args, **kwargs)
