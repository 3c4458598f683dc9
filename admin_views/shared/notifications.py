"""The user's notifications, for both areas: list, mark as read and open."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor, id_or_404, not_found
from admin_views.base.model_view import OwnView
from clearance.core import i18n, urls
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Notice
from clearance.notifications import inbox


def target_of(notice: Notice) -> str:
    """Return the address that a notice leads to; "" for none, or if its subject is absent."""
    path = urls.safe_local_path(notice.url)
    routes = current_app.url_map.bind_to_environ(request.environ)
    return path if routes.test(urlsplit(path).path, method="GET") else ""


class NoticesView(OwnView):
    """The reader's own notifications; the area controls access."""

    @expose("/")
    def index(self) -> Any:
        """List notifications, newest first; `?before=` continues with older ones."""
        page = self.newest_first(partial(inbox.of_user, current_actor().id))
        notices = page.pop("rows")
        return self.render(
            "my/notifications.html",
            notices=list(zip(notices, inbox.texts_of(notices, i18n.language()), strict=True)),
            **page,
            unread=inbox.unread_count(current_actor().id),
        )

    @expose("/<int:notice_id>/open", methods=("POST",))
    def open(self, notice_id: int) -> Any:
        """Mark a notification as read and redirect to its subject."""
        notice = db.session.get(Notice, id_or_404(notice_id))
        if notice is None or notice.user_id != current_actor().id:
            not_found()
        inbox.mark_read(current_actor().id, [notice.id], utc_now())
        target = target_of(notice) or url_for(f"{self.endpoint}.index")
        db.session.commit()
        return redirect(target, code=303)

    @expose("/read", methods=("POST",))
    def read_all(self) -> Any:
        """Mark all notifications as read."""
        inbox.mark_all_read(current_actor().id, utc_now())
        db.session.commit()
        flash(_("All notifications are marked as read."), "success")
        return redirect(url_for(f"{self.endpoint}.index"), code=303)
