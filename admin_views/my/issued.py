"""Documents issued for the organisation's brokers: list and download."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_admin import expose

from admin_views.base.access import current_actor, id_or_404
from admin_views.base.model_view import GuardedView
from admin_views.shared.issued_files import download
from clearance import issuing
from clearance.core.actor import Actor

PAGE = 20


class MyIssued(GuardedView):
    """Documents of brokers who currently belong to the reader's organisations."""

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_agent

    @expose("/")
    def index(self) -> Any:
        """List documents, newest first; `?before=` continues with older ones."""
        typed = request.args.get("before")
        before = id_or_404(typed) if typed else None
        found = issuing.visible(current_actor(), limit=PAGE + 1, before_id=before)
        older = self.get_url(".index", before=found[PAGE - 1].id) if len(found) > PAGE else None
        return self.render(
            "my/issued.html",
            documents=found[:PAGE],
            newest_url=self.get_url(".index") if before else None,
            older_url=older,
        )

    @expose("/<int:issued_id>/")
    def file(self, issued_id: int) -> Any:
        """Download a document."""
        return download(issued_id)
