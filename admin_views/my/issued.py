"""Documents issued for the organisation's brokers: list and download."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask_admin import expose

from admin_views.base.access import ForAgents, current_actor
from admin_views.base.model_view import GuardedView
from admin_views.shared.issued_files import download
from clearance import issuing


class MyIssued(ForAgents, GuardedView):
    """Documents of brokers who currently belong to the reader's organisations."""

    @expose("/")
    def index(self) -> Any:
        """List documents, newest first; `?before=` continues with older ones."""
        page = self.newest_first(partial(issuing.visible, current_actor()))
        return self.render("my/issued.html", documents=page.pop("rows"), **page)

    @expose("/<int:issued_id>/")
    def file(self, issued_id: int) -> Any:
        """Download a document."""
        return download(issued_id)
