"""Access control for all views of both areas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, cast

from flask import abort, jsonify, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user

from clearance.auth import permissions
from clearance.core.actor import Actor
from clearance.core.request_kind import is_posted, wants_json
from clearance.web.security_headers import LARGEST_ID


def current_actor() -> Actor:
    """Return the signed-in actor; call it only in views that passed access control."""
    return cast(Actor, current_user._get_current_object())


def chosen_organisation() -> int:
    """Return the id of the organisation chosen in the header; 0 without one."""
    standing = current_actor().standing
    return standing.organisation_id if standing is not None else 0


def id_or_404(value: Any) -> int:
    """Parse a row's id from a URL; abort with 404 if it cannot be one."""
    try:
        number = int(str(value))
    except ValueError:
        not_found()
    return number if 0 < number <= LARGEST_ID else not_found()


def not_found() -> NoReturn:
    """Abort with 404, for missing and forbidden objects alike (specification section 1)."""
    abort(404)


def require(is_allowed: bool) -> None:
    """Abort with 404 unless `is_allowed`: what a reader may not do does not exist for them."""
    if not is_allowed:
        not_found()


def reads_requests(actor: Actor) -> bool:
    """Return whether the actor's role may read all requests and the register."""
    return actor.role in permissions.READING_ROLES


class AccessControlled:
    """Mixin of all views: closed unless `accessible_to` is overridden."""

    def accessible_to(self, actor: Actor) -> bool:
        """Return whether the fully signed-in actor may open the view's pages."""
        return False

    def is_accessible(self) -> bool:
        return bool(
            current_user.is_authenticated
            and current_user.is_full
            and self.accessible_to(current_actor())
        )

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        """Redirect to sign-in (401 for JSON); 404 if the user is fully signed in already."""
        if current_user.is_authenticated and current_user.is_full:
            return not_found()
        if wants_json():
            response = jsonify(error=_("You are signed out. Sign in again."))
            response.status_code = 401
            return response
        back = self.home_url() if is_posted() else request.full_path.rstrip("?")
        return redirect(url_for("public.sign_in", next=back))

    def home_url(self) -> str:
        """Return the URL of the area's home page."""
        return cast(str, self.admin.url) + "/"  # type: ignore[attr-defined]  # the view it is mixed into

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # Flask-Admin's own method calls the view again after a TypeError, hiding the first error.
        return fn(self, *args, **kwargs)


class ForAgents:
    """Mixin of a view that every agent may open."""

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_agent


class ForReaders:
    """Mixin of a view for those who may read requests and the register."""

    def accessible_to(self, actor: Actor) -> bool:
        return reads_requests(actor)


class ForKeepers:
    """Mixin of a view for administrators, who may change what it shows, and managers."""

    def accessible_to(self, actor: Actor) -> bool:
        return permissions.keeps_or_reads(actor)


class EveryRow:
    """Mixin of a list whose readers may see every row."""

    def scope(self, query: Any) -> Any:
        return query


class LinkedRows:
    """Mixin of a list in which a cell links to the details of its row."""

    can_view_details = True

    def get_list_row_actions(self) -> list[Any]:
        return []


class DetailsById:
    """Mixin of a view whose rows have a page at their id, and at Flask-Admin's `?id=`."""

    details: Callable[[Any], Any]

    @expose("/details/")
    def details_view(self) -> Any:
        """Show the row as at the address with its id."""
        return self.details(request.args.get("id"))
