"""The page that brings a draft up to date with a version that was published meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor, require
from admin_views.base.form_post import post_once, posted_version, repeated
from clearance.core.clock import utc_now
from clearance.core.request_kind import is_posted, is_sent
from clearance.services import drafting, updating
from clearance.services.drafting import StaleDraft
from forms.service_update import counts_in_use, update_form


class UpdateRoutes:
    """The route of updating, beside those of the draft."""

    _show: Callable[..., str]
    _url: Callable[..., str]

    @expose("/<code>/draft/update/", methods=("GET", "POST"))
    def draft_update(self, code: str) -> Any:
        """Show what the draft takes over and what both changed; on POST merge them."""
        require(current_actor().is_administrator)
        found = drafting.source(code)
        if not found.is_overtaken:
            if again := repeated():
                return again
            if is_sent():  # another administrator was faster
                flash(str(StaleDraft().message), "error")
            return redirect(self._url("draft_part", code, part="basics"), code=303)

        def show(status: int = 200, refusal: Any = "") -> Any:
            now = drafting.source(code)
            if not now.is_overtaken or now.base is None:  # another was faster still
                flash(str(refusal), "error")
                return redirect(url_for(".index_view"), code=303)
            outlook = updating.outlook(now)
            is_bound = is_posted() and not refusal
            form = update_form(outlook.questions, now.base.number, is_bound=is_bound)
            shown = {"outlook": outlook, "form": form, "refusal": refusal}
            return self._show(now, "office/services/draft/update.html", **shown), status

        if not is_sent():
            return show()
        in_use = counts_in_use(request.form)
        seen, onto = posted_version(), posted_version("onto")
        return post_once(
            lambda: updating.bring_up_to_date(code, seen, onto, in_use, current_actor(), utc_now()),
            result=self._url("draft_checkup", code),
            told=_("The draft is up to date. Undo takes it back."),
            refused=lambda fault: show(409, fault.message),
        )
