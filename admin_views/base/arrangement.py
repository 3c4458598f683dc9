"""Lists as their readers arrange them: columns of their own, and views saved under a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import g, request
from flask_admin.model.base import ViewArgs

from admin_views.base.access import current_actor
from admin_views.base.columns import Column
from clearance import lists
from clearance.core import i18n, values
from clearance.lists import Arrangement, Kept, ListState
from clearance.lists.state import ViewEntry

NO_VIEW = "none"
"""In `?view=`: the list as delivered, for those whose list opens with a view."""
_PLACE = ("after", "before", "page", "page_size", "open")
"""Arguments that an address may have beside `?view=`."""


@dataclass(frozen=True)
class Opened:
    """What a list's address opens.

    view: the view that is open, if any. args: the list's arguments. columns: names of the view's
    columns, if it has any. left_out: what of the view no longer exists. is_gone: the address names
    a view that does not exist, or is no longer shared.
    """

    args: Mapping[str, str]
    view: ViewEntry | None = None
    columns: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    is_gone: bool = False


class ArrangedList:
    """Mixin of model views. keeps_views: readers choose columns and save views.

    `?view=<id>` shows a view as it was saved. Links of such a page have `?from=<id>` and all that
    they show, so that the view can be changed on the way; `?columns=` then has its columns.
    """

    keeps_views = False

    columns: Sequence[Column]
    column_named: Mapping[str, Column]
    endpoint: str
    admin: Any
    read_args: Callable[[Mapping[str, str]], ViewArgs]
    _filters: Any
    _filter_args: Any

    def arrangement(self) -> Arrangement:
        """Return what the reader keeps of this list; read once a page."""
        if not self.keeps_views:
            return Arrangement()
        known: dict[str, Arrangement] = g.setdefault("arrangements", {})
        if self.endpoint not in known:
            known[self.endpoint] = lists.arrangement_of(current_actor().id, self.endpoint)
        return known[self.endpoint]

    def opened(self) -> Opened:
        """Return what the page's address opens; read once a page."""
        known: dict[str, Opened] = g.setdefault("opened_lists", {})
        if self.endpoint not in known:
            known[self.endpoint] = self._read_address()
        return known[self.endpoint]

    def list_args(self) -> Mapping[str, str]:
        """Return the arguments that say what the list shows."""
        return self.opened().args

    def _read_address(self) -> Opened:
        args = request.args
        if not self._is_shown():
            return Opened(args)
        asked = args.get("from") or args.get("view") or ""
        number = values.whole_number(asked)
        view = self.arrangement().view(number) if number is not None else None
        if not asked and not args.keys() - {"open"}:
            view = self.arrangement().default
        if view is None:
            return Opened(args, is_gone=asked not in ("", NO_VIEW))
        if "from" in args:
            return Opened(args, view)
        query, columns, left_out = self._read_view(view.state)
        place = {name: args[name] for name in _PLACE if name in args}
        return Opened(query | place, view, columns, left_out)

    def _is_shown(self) -> bool:
        """Whether this is the page of a list that keeps views, and not an export, say."""
        return self.keeps_views and request.endpoint == f"{self.endpoint}.index_view"

    def _read_view(
        self, state: ListState
    ) -> tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]:
        """Return a view as arguments of the list and columns, and what no longer exists of it."""
        lang, gone = i18n.language(), []
        query = {"search": state.search, "desc": "1" if state.is_descending else ""}
        for place, kept in enumerate(state.filters):
            if self._takes(kept):
                query[f"flt{place}_{kept.name}"] = kept.value
            else:
                gone.append(kept.label_in(lang))
        if state.sort is not None and self.is_sortable(state.sort.name):  # type: ignore[attr-defined]  # Flask-Admin's
            query["sort"] = state.sort.name
        elif state.sort is not None:
            gone.append(state.sort.label_in(lang))
        offered = {column.name for column in self.offered_columns()}
        columns = tuple(kept.name for kept in state.columns if kept.name in offered)
        gone += [kept.label_in(lang) for kept in state.columns if kept.name not in offered]
        return query, columns, tuple(dict.fromkeys(gone))

    def _takes(self, kept: Kept) -> bool:
        _index, flt = (self._filter_args or {}).get(kept.name, (0, None))
        return flt is not None and bool(flt.validate(kept.value))

    def kept_args(self) -> dict[str, str]:
        """Return what every link of the page keeps: the view it came from, and its columns."""
        if not self._is_shown():
            return {}
        opened, columns = self.opened(), self._chosen_columns()
        if opened.view is not None:
            kept = {"from": str(opened.view.id)}
        elif self.arrangement().default is not None:
            kept = {"view": NO_VIEW}
        else:
            kept = {}
        return kept | ({"columns": ",".join(columns)} if columns else {})

    def _chosen_columns(self) -> tuple[str, ...]:
        """Return the columns that the address or its view asks for."""
        typed = _listed(request.args) if self.keeps_views else ()
        return typed or self.opened().columns

    def offered_columns(self) -> list[Column]:
        """Return the columns that a reader may choose from."""
        return [column for column in self.columns if column.is_listed or column.is_choosable]

    def shown_columns(self) -> Sequence[Column]:
        """Return the columns of the page, in order."""
        return self.columns_named(self._chosen_columns())

    def columns_named(self, names: Sequence[str]) -> Sequence[Column]:
        """Return these columns, those the reader chose, or those delivered.

        The first column leads to the row and is always there.
        """
        offered = {column.name: column for column in self.offered_columns()}
        names = names or self.arrangement().columns or ()
        chosen = [offered[name] for name in dict.fromkeys(names) if name in offered]
        if not chosen:
            return self._delivered()
        first = self.columns[0]
        return chosen if first in chosen else [first, *chosen]

    def _delivered(self) -> list[Column]:
        return [column for column in self.columns if column.is_listed]

    def shown_in(self, query: Mapping[str, str]) -> Sequence[Column]:
        """Return the columns that a page with these arguments shows, in order."""
        return self.columns_named(_listed(query))

    def state_in(self, query: Mapping[str, str]) -> ListState:
        """Return what arguments of the list say, for a view to keep. Aborts on invalid ones."""
        return self._state(self.read_args(query), self.shown_in(query))

    def _state(self, args: ViewArgs, columns: Sequence[Column]) -> ListState:
        filters = [(self._filters[index], value) for index, _name, value in args.filters or ()]
        is_as_delivered = list(columns) == self._delivered()
        return ListState(
            search=args.search or "",
            filters=tuple(Kept(flt.key, i18n.in_both(flt.name), value) for flt, value in filters),
            sort=_kept(self.column_named[str(args.sort)]) if args.sort else None,
            is_descending=bool(args.sort_desc),
            columns=() if is_as_delivered else tuple(_kept(column) for column in columns),
        )

    def arranging(self, args: ViewArgs) -> dict[str, Any]:
        """Return what the list's page tells of views and columns, and offers to change."""
        arrangement, opened = self.arrangement(), self.opened()
        view, own = opened.view, self.admin.endpoint
        return {
            "keeps_views": self.keeps_views,
            "views": arrangement.views,
            "opened_view": view,
            "is_changed": view is not None
            and view.state.terms != self._state(args, self.shown_columns()).terms,
            "may_change": view is not None
            and (view.is_own or (view.is_shared and lists.may_share(current_actor()))),
            "left_out": opened.left_out,
            "is_view_gone": opened.is_gone,
            "is_roomy": arrangement.has_roomy_lists,
            "arranging": f"{own}_lists",
            "list_name": self.endpoint.removeprefix(f"{own}_"),
        }


def _kept(column: Column) -> Kept:
    return Kept(column.name, i18n.in_both(column.label))


def _listed(query: Mapping[str, str]) -> tuple[str, ...]:
    """Return the columns that a list's arguments name."""
    typed = query.get("columns", "")[:1000]
    return tuple(typed.split(",")) if typed else ()
