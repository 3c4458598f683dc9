"""Lists of large tables: a Core select with keyset pagination and a capped count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from flask import request
from flask_admin.model.base import ViewArgs
from flask_babel import gettext as _
from flask_babel import ngettext
from jinja2 import pass_context
from markupsafe import escape
from sqlalchemy.orm import Session

from admin_views.base.access import id_or_404, not_found
from admin_views.base.model_view import GuardedModelView
from clearance.core.extensions import db

COUNT_CAP = 1_000
EXPORTED_AT_ONCE = 2_000


@dataclass(frozen=True)
class Page:
    """One page of a list. count: total rows, at most COUNT_CAP + 1 (meaning more)."""

    rows: Sequence[Any]
    count: int
    has_previous: bool
    has_next: bool

    @property
    def count_label(self) -> str:
        """The number of rows, in words."""
        if self.count > COUNT_CAP:
            return str(_("More than %(number)s rows", number=f"{COUNT_CAP:,}"))
        return str(ngettext("%(num)s row", "%(num)s rows", self.count))


def fetch_page(
    session: Session,
    statement: sa.Select[Any],
    *,
    id_column: Any,
    order: Any,
    descending: bool,
    size: int,
    after: int | None = None,
    before: int | None = None,
    sample: sa.Select[Any] | None = None,
) -> Page:
    """Read one page of `statement`, ordered by `order` (NOT NULL, one column or several) and id.

    after, before: id of the last or first row of the adjacent page; aborts with 404 if it is not
    in `statement`. The cost does not depend on the depth. sample: selects some thousands of the
    rows of a `statement` with many; it is counted first.
    """
    anchor = after if after is not None else before
    backwards = after is None and before is not None
    falling = descending != backwards
    paged = statement
    if anchor is not None:
        paged = statement.where(
            _beyond(session, statement, id_column, order, anchor, falling=falling)
        )
    keys = _keys(order, id_column, falling=falling)
    total = _total(statement if sample is None else sample, id_column)
    counted = paged.add_columns(total.scalar_subquery().label("total"))
    rows = session.execute(counted.order_by(*keys).limit(size + 1)).all()
    count = rows[0].total if rows else session.scalar(total) if anchor is not None else 0
    if sample is not None and rows and count <= COUNT_CAP:
        count = session.scalar(_total(statement, id_column))
    has_more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows = rows[::-1]
    return Page(
        rows=rows,
        count=count or 0,
        has_previous=has_more if backwards else anchor is not None,
        has_next=anchor is not None if backwards else has_more,
    )


def _beyond(
    session: Session,
    statement: sa.Select[Any],
    id_column: Any,
    order: Any,
    anchor: int,
    *,
    falling: bool,
) -> sa.ColumnElement[bool]:
    place = statement.with_only_columns(*_columns(order, id_column), maintain_column_froms=True)
    values = session.execute(place.where(id_column == anchor)).one_or_none()
    return not_found() if values is None else _past(order, values, id_column, falling=falling)


def in_parts(
    statement: sa.Select[Any], *, id_column: Any, order: Any, descending: bool
) -> Iterator[Sequence[Any]]:
    """Read all of `statement`, which must select `id`, in the order of `fetch_page`.

    Yields up to EXPORTED_AT_ONCE rows at a time. Every part is its own query, so that no
    transaction stays open for slow clients; concurrent changes become visible between parts.
    """
    keys = _keys(order, id_column, falling=descending)
    columns = _columns(order, id_column)
    ordered = statement.add_columns(*(column.label(None) for column in columns)).order_by(*keys)
    part = db.session.execute(ordered.limit(EXPORTED_AT_ONCE)).all()
    while part:
        yield part
        past = _past(order, part[-1][-len(columns) :], id_column, falling=descending)
        part = db.session.execute(ordered.where(past).limit(EXPORTED_AT_ONCE)).all()


def _keys(order: Any, id_column: Any, *, falling: bool) -> list[Any]:
    direction = sa.desc if falling else sa.asc
    return [direction(column) for column in _columns(order, id_column)]


def _columns(order: Any, id_column: Any) -> list[Any]:
    """Return the columns of the order, one or several, and the id that ends it."""
    columns = order if isinstance(order, tuple) else (order,)
    return [*(column for column in columns if column is not id_column), id_column]


def _past(
    order: Any, values: Sequence[Any], id_column: Any, *, falling: bool
) -> sa.ColumnElement[bool]:
    """Match rows after the one with `values` in the columns of `order` and the id."""
    columns = _columns(order, id_column)
    pairs = zip(columns, values, strict=True)
    here = sa.tuple_(*columns)
    there = sa.tuple_(*(sa.literal(value, column.type) for column, value in pairs))
    return here < there if falling else here > there


def _total(statement: sa.Select[Any], id_column: Any) -> sa.Select[Any]:
    """Select the number of the statement's rows, counted up to COUNT_CAP + 1."""
    capped = statement.with_only_columns(id_column, maintain_column_froms=True).limit(COUNT_CAP + 1)
    return sa.select(sa.func.count()).select_from(capped.subquery())


class KeysetModelView(GuardedModelView):
    """A model view that lists plain rows of one Core select of its `columns`.

    default_order: (a sortable column or "id", whether descending). exports_as_shown: exports
    contain the cells' texts, masked as in the list, instead of the rows' values.
    """

    exports_as_shown = False

    default_order: tuple[str, bool] = ("id", True)
    column_default_sort: Any = "id"

    def statement(self) -> sa.Select[Any]:
        """Select `id` and the columns from the rows visible to the actor."""
        values = (column.selected(self.model) for column in self.columns)
        selected = [value for value in values if value is not None]
        rows: sa.Select[Any] = sa.select(self.model.id, *selected, *self.also_selected())
        return cast(sa.Select[Any], self.scope(self.joined(rows.select_from(self.model))))

    def also_selected(self) -> Sequence[Any]:
        """Return what the cells need besides the values of the columns."""
        return ()

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        """Join the other tables of the columns to the statement."""
        return rows

    def search_condition(self, typed: str) -> Any | None:
        """Return the condition for the search text, or None to search nothing."""
        return None

    def search_sample(self, typed: str) -> Any | None:
        """Return a condition that selects some thousands of very many matches, to count first."""
        return None

    def init_search(self) -> bool:
        return type(self).search_condition is not KeysetModelView.search_condition

    def get_sortable_columns(self) -> dict[str, str]:
        return {name: name for name in self.column_sortable_list or ()}

    @pass_context
    def get_list_value(self, context: Any, model: Any, name: str) -> Any:
        shown = self.column_formatters.get(name)
        value = getattr(model, name) if shown is None else shown(self, context, model, name)
        return "" if value is None else value

    def get_pk_value(self, model: Any) -> Any:
        return model.id

    def narrowed(
        self, search: str | None, filters: Sequence[tuple[int, str, str]] | None
    ) -> sa.Select[Any]:
        """Return the statement with search and filters applied."""
        statement = self._filtered(filters)
        condition = self.search_condition(search) if search else None
        return statement if condition is None else statement.where(condition)

    def _sample(
        self, search: str | None, filters: Sequence[tuple[int, str, str]] | None
    ) -> sa.Select[Any] | None:
        condition = self.search_sample(search) if search else None
        return None if condition is None else self._filtered(filters).where(condition)

    def _filtered(self, filters: Sequence[tuple[int, str, str]] | None) -> sa.Select[Any]:
        statement = self.statement()
        for index, _label, value in filters or ():
            flt = self._filters[index]
            statement = flt.apply(statement, flt.clean(value))
        return statement

    def export_rows(self, args: ViewArgs) -> Iterator[list[Any]]:
        column = self._get_column_by_idx(args.sort)
        order, descending = self._order(column[0] if column else None, args.sort_desc)
        statement = self.narrowed(args.search, args.filters)
        keys = [key for key, _label in self.exported(args)]
        for part in in_parts(
            statement, id_column=self.model.id, order=order, descending=descending
        ):
            self.prepare_export(part)
            for row in part:
                yield [self.export_value(row, key) for key in keys]

    def prepare_export(self, part: Sequence[Any]) -> None:
        """Hook to load further data that `export_value` needs for the rows of `part`."""

    def export_value(self, row: Any, key: str) -> Any:
        column = self.column_named[key]
        if column.text is not None:
            return column.text(row)
        formatter = self.column_formatters.get(key) if self.exports_as_shown else None
        if formatter is None:
            return column.value_of(row)
        return escape(formatter(self, None, row, key)).striptags()

    def get_list(
        self,
        page: int | None,
        sort_column: str | None,
        sort_desc: bool,
        search: str | None,
        filters: Sequence[tuple[int, str, str]] | None,
        execute: bool = True,
        page_size: int | None = None,
    ) -> tuple[int, list[Any]]:
        order, descending = self._order(sort_column, sort_desc)
        part = fetch_page(
            db.session(),
            self.narrowed(search, filters),
            id_column=self.model.id,
            order=order,
            descending=descending,
            size=page_size or self.page_size,
            after=_anchor("after"),
            before=_anchor("before"),
            sample=self._sample(search, filters),
        )
        self._tell(part)
        return part.count, list(part.rows)

    def _order(self, sort_column: str | None, sort_desc: bool) -> tuple[Any, bool]:
        key, descending = self.default_order if sort_column is None else (sort_column, sort_desc)
        order = self.model.id if key == "id" else self.column_named[key].ordering(self.model)
        return order, descending

    def _tell(self, part: Page) -> None:
        """Pass the adjacent pages' URLs and the count to the template."""
        args = self._get_list_extra_args()

        def url(**anchor: int) -> str:
            return str(self._get_list_url(args.clone(page=0, extra_args=anchor)))

        first, last = (part.rows[0].id, part.rows[-1].id) if part.rows else (0, 0)
        self._template_args.update(
            page_prev_url=url(before=first) if part.has_previous and part.rows else None,
            page_next_url=url(after=last) if part.has_next and part.rows else None,
            count_label=part.count_label,
        )


def _anchor(name: str) -> int | None:
    return id_or_404(request.args[name]) if request.args.get(name) else None
