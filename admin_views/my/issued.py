"""Documents issued for the organisation's brokers: list and download."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask_admin import expose

from admin_views.base import formatters
from admin_views.base.access import ForAgents, current_actor
from admin_views.base.model_view import GuardedView
from admin_views.base.search import SHOWN, Group, Hit
from admin_views.shared import issued_files, issued_search
from admin_views.shared.issued_files import IssuedRow, download
from clearance import issuing


def _hit(row: IssuedRow) -> Hit:
    return Hit(
        row.label,
        row.url,
        (row.number, row.holder),
        formatters.state_badge(row.state),
        (row.number,),
    )


class MyIssued(ForAgents, GuardedView):
    """Documents of brokers who currently belong to the reader's organisations."""

    @expose("/")
    def index(self) -> Any:
        """List documents, newest first; `?before=` continues with older ones."""
        page = self.newest_first(partial(issuing.visible, current_actor()))
        return self.render("my/issued.html", documents=page.pop("rows"), **page)

    def search_hits(self, typed: str) -> Group | None:
        """Return the documents for the area's search."""
        condition = issued_search.by_number(typed)
        if condition is None:
            return None
        documents = issuing.visible(current_actor(), limit=SHOWN, condition=condition)
        found = issued_files.rows(documents)
        return Group(self.name, list(map(_hit, found)), len(found)) if found else None

    @expose("/<int:issued_id>/")
    def file(self, issued_id: int) -> Any:
        """Download a document."""
        return download(issued_id)
