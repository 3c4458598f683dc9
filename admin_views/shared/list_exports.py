"""Your exports: long lists that a job writes into workbooks, for both areas."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from werkzeug.wsgi import wrap_file

from admin_views.base.access import current_actor, id_or_404
from admin_views.base.form_post import post_once
from admin_views.base.model_view import OwnView
from admin_views.base.open_lists import opened
from clearance import exports
from clearance.auth import permissions
from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_today, utc_now
from clearance.models.enums import ExportStatus
from clearance.web import xlsx_export
from clearance.web.downloads import as_attachment


class ExportsView(OwnView):
    """The reader's own exports; the office's are for managers."""

    def accessible_to(self, actor: Actor) -> bool:
        return super().accessible_to(actor) and (actor.is_agent or actor.is_manager)

    @expose("/")
    def index(self) -> Any:
        """Show what was ordered, and how far it is."""
        found = exports.of_user(current_actor())
        return self.render(
            "exports/list.html",
            exports=found,
            scope=permissions.scope_of(current_actor()),
            is_waiting=any(export.status == ExportStatus.WAITING for export in found),
            state_of=ExportStatus,
        )

    @expose("/order", methods=("POST",))
    def order(self) -> Any:
        """Order a workbook of a list as its page was shown."""
        actor, lang = current_actor(), i18n.language()
        typed = {name: request.form.get(name, "") for name in ("list", "query")}
        with opened(typed["list"], typed["query"], actor, lang) as (view, args):
            wanted = exports.Order(
                list=typed["list"],
                title=i18n.in_both(view.name),
                query=view.export_query(args),
                filters=view.export_filters(args),
                total=view.export_count(args, xlsx_export.MOST_ROWS),
            )
        return post_once(
            lambda: exports.order(actor, wanted, lang, utc_now()),
            result=url_for(f"{self.endpoint}.index"),
            told=_("Your file is being made. We will notify you when it is ready."),
            acts_first=True,
        )

    @expose("/<int:export_id>/file")
    def file(self, export_id: int) -> Any:
        """Download a workbook of one's own; 404 if there is none."""
        stream, export = exports.open_file(current_actor(), id_or_404(export_id), utc_now())
        response = Response(
            wrap_file(request.environ, stream),
            mimetype=xlsx_export.MEDIA_TYPE,
            direct_passthrough=True,
        )
        response.content_length = export.size
        response.call_on_close(stream.close)
        return as_attachment(response, f"{export.list}-{kuwait_today():%Y-%m-%d}.xlsx")

    @expose("/<int:export_id>/remove", methods=("POST",))
    def remove(self, export_id: int) -> Any:
        """Cancel what is being made, or delete what is ready."""
        number = id_or_404(export_id)
        return post_once(
            lambda: exports.remove(current_actor(), number),
            result=url_for(f"{self.endpoint}.index"),
            told=_("The export was removed."),
        )
