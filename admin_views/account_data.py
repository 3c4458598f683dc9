"""My data: asking for a copy of it, seeing how far it is, fetching it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from werkzeug.wsgi import wrap_file

from admin_views.access import acting
from clearance import downloads, own_data
from clearance.calendar import kuwait_today, utc_now
from clearance.extensions import db
from clearance.present_password import WrongPassword
from clearance.public import journey
from forms.factor import PasswordForm


class DataRoutes:
    """Mixed into the view of the account; a copy is its owner's alone and has no id to guess."""

    render: Callable[..., str]
    endpoint: Any

    @expose("/data", methods=("GET", "POST"))
    def data(self) -> Any:
        """Ask for a copy and see how far it is."""
        form = PasswordForm()
        if not (journey.is_sent() and form.validate()):
            return self._show_data(form)
        try:
            is_new = own_data.ask(acting(), form.current_password.data, utc_now())
        except WrongPassword as wrong:
            db.session.rollback()
            form.current_password.errors = [str(wrong)]
            return self._show_data(form)
        db.session.commit()
        if is_new:
            flash(_("Your copy is being made. You get a notice when it is ready."), "success")
        return redirect(url_for(f"{self.endpoint}.data"), code=303)

    @expose("/data/file")
    def data_file(self) -> Any:
        """Download the reader's own copy; 404 where there is none."""
        stream, size = own_data.open_file(acting(), utc_now())
        response = Response(
            wrap_file(request.environ, stream),
            mimetype=own_data.ZIP,
            direct_passthrough=True,
        )
        response.content_length = size
        response.call_on_close(stream.close)
        return downloads.as_attachment(response, f"my-data-{kuwait_today():%Y-%m-%d}.zip")

    def _show_data(self, form: PasswordForm) -> str:
        copy = own_data.copy_of(acting(), utc_now())
        return self.render("my/account/data.html", form=form, copy=copy)
