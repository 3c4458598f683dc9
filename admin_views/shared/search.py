"""One search over all that the reader may see in their area."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin_views.base import navigation
from admin_views.base.access import current_actor
from admin_views.base.model_view import OwnView
from admin_views.base.search import SHOWN, Group, Hit, fits_title, group_of
from clearance.auth import rate_limits
from clearance.core import i18n, values

SEARCH_MAX_LENGTH = 200


class SearchView(OwnView):
    """The page of hits: the menu's pages, then those of each view that joins (`base.search`)."""

    def __init__(self, **kwargs: Any) -> None:
        self._default_view = "index"  # its only page is not at "/"
        self._titles: dict[tuple[str, str], tuple[str, ...]] = {}
        super().__init__(**kwargs)

    @expose("/search")
    def index(self) -> Any:
        """Show the best hits of each kind; a kind with an exact number comes first."""
        given = request.args.get("q", "")
        typed = values.searched(given, SEARCH_MAX_LENGTH)
        groups = self._groups(typed) if typed else []
        return self.render("admin/search.html", typed=typed, groups=groups)

    def _groups(self, typed: str) -> list[Group]:
        rate_limits.consume("search_account", f"user:{current_actor().id}")
        found = [group.exact_first(typed) for group in self._found(typed)]
        return sorted(found, key=lambda group: not group.hits[0].is_exact(typed))

    def _found(self, typed: str) -> Iterator[Group]:
        pages = [
            Hit(label, url)
            for label, url in navigation.pages(current_actor(), self.admin.endpoint)
            if fits_title(typed, *self._titles_of(label, url))
        ]
        yield from group_of(_l("Pages"), pages[:SHOWN])
        for view in self.admin._views:
            if hasattr(view, "search_hits") and view.is_accessible():
                yield from view.search_hits(typed)

    def _titles_of(self, label: Any, url: str) -> tuple[str, ...]:
        """Return a page's name in both languages, made once per process."""
        key = (str(label), url)
        if key not in self._titles:
            self._titles[key] = tuple(i18n.in_both(label).values())
        return self._titles[key]
