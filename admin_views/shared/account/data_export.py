"""My data: requesting, tracking and downloading a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from werkzeug.wsgi import wrap_file

from admin_views.base.access import current_actor
from admin_views.base.form_post import refuse
from clearance.accounts import data_exports
from clearance.auth.reauthentication import WrongPassword
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.core.request_kind import is_sent
from clearance.web import downloads
from forms.my_account import PasswordForm


class DataRoutes:
    """Mixin of the account view; copies have no ids in URLs, so only the owner can get one."""

    render: Callable[..., str]
    endpoint: Any

    @expose("/data", methods=("GET", "POST"))
    def data(self) -> Any:
        """Request a copy and show its progress."""
        form = PasswordForm()
        if not (is_sent() and form.validate()):
            return self._show_data(form)
        try:
            is_new = data_exports.ask(current_actor(), form.current_password.data, utc_now())
        except WrongPassword as wrong:
            return self._show_data(refuse(form, form.current_password, wrong))
        db.session.commit()
        if is_new:
            flash(_("Your copy is being made. We will notify you when it is ready."), "success")
        return redirect(url_for(f"{self.endpoint}.data"), code=303)

    @expose("/data/file")
    def data_file(self) -> Any:
        """Download the reader's own copy; 404 if there is none."""
        stream, size = data_exports.open_file(current_actor(), utc_now())
        response = Response(
            wrap_file(request.environ, stream),
            mimetype=data_exports.ZIP,
            direct_passthrough=True,
        )
        response.content_length = size
        response.call_on_close(stream.close)
        return downloads.as_attachment(response, f"my-data-{kuwait_today():%Y-%m-%d}.zip")

    def _show_data(self, form: PasswordForm) -> str:
        copy = data_exports.copy_of(current_actor(), utc_now())
        return self.render("my/account/data.html", form=form, copy=copy)
