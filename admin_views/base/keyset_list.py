"""Lists of large tables: a Core select with keyset pagination and a capped count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import request
from flask_admin import expose
from flask_admin.model.base import ViewArgs
from flask_babel import gettext as _
from flask_babel import ngettext
from jinja2 import pass_context
from markupsafe import escape

from admin_views.base.access import current_actor, id_or_404, not_found, require
from admin_views.base.export import Values, kind_of, made_values, selected_values
from admin_views.base.filters import OfferedFilter
from admin_views.base.model_view import GuardedModelView
from clearance.auth import rate_limits
from clearance.core import audit, i18n
from clearance.core.clock import kuwait_today
from clearance.core.extensions import db
from clearance.web import csv_export, xlsx_export
from clearance.web.sheets import Head, Kind, Part, Table

COUNT_CAP = 1_000
MOST_COUNTED = 60  # choices of a filter; of more, none says how many rows it has
WRITTEN_AT_ONCE = 50_000  # rows of a workbook that its reader waits for
EXPORTED_FIRST, EXPORTED_AT_ONCE = 200, 2_000  # the first soon, for the client to see it begin


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
    connection: sa.Connection,
    statement: sa.Select[Any],
    *,
    id_column: Any,
    order: Any,
    descending: bool,
    size: int,
    after: int | None = None,
    before: int | None = None,
    counted: sa.Select[Any] | None = None,
    sample: sa.Select[Any] | None = None,
    whole: sa.Select[Any] | None = None,
) -> Page:
    """Read one page of `statement`, ordered by `order` (NOT NULL, one column or several) and id.

    after, before: id of the last or first row of the adjacent page; aborts with 404 if it is not
    in `statement`. The cost does not depend on the depth. counted: selects the same rows, for
    counting them. sample: selects some thousands of very many; it is counted first. whole: the
    list without what narrows it; rows that have to be sorted are then sorted by their ids alone.
    connection: the session's, which would itself look for objects to load in each row.
    """
    counted = statement if counted is None else counted
    anchor = after if after is not None else before
    backwards = after is None and before is not None
    falling = descending != backwards
    paged = statement
    if anchor is not None:
        paged = statement.where(
            _beyond(connection, statement, id_column, order, anchor, falling=falling)
        )
    keys = _keys(order, id_column, falling=falling)
    total = _total(counted if sample is None else sample, id_column)
    if whole is not None:
        paged = whole.where(id_column.in_(_first_ids(paged, id_column, keys, size + 1)))
    listed = paged.add_columns(total.scalar_subquery().label("total"))
    rows = connection.execute(listed.order_by(*keys).limit(size + 1)).all()
    count = rows[0].total if rows else connection.scalar(total) if anchor is not None else 0
    if sample is not None and rows and count <= COUNT_CAP:
        count = connection.scalar(_total(counted, id_column))
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


def _first_ids(
    statement: sa.Select[Any], id_column: Any, keys: list[Any], most: int
) -> sa.Select[Any]:
    """Select the ids of the first rows, without the tables that the statement joins."""
    found = statement.whereclause
    ids = sa.select(id_column)
    return (ids if found is None else ids.where(found)).order_by(*keys).limit(most)


def _beyond(
    connection: sa.Connection,
    statement: sa.Select[Any],
    id_column: Any,
    order: Any,
    anchor: int,
    *,
    falling: bool,
) -> sa.ColumnElement[bool]:
    place = statement.with_only_columns(*_columns(order, id_column), maintain_column_froms=True)
    values = connection.execute(place.where(id_column == anchor)).one_or_none()
    columns = _columns(order, id_column)
    return not_found() if values is None else _past(columns, values, falling=falling)


def in_parts(
    statement: sa.Select[Any], *, id_column: Any, order: Any, descending: bool
) -> Iterator[Sequence[Any]]:
    """Read all of `statement`, which must select `id`, in the order of `fetch_page`.

    Yields EXPORTED_FIRST rows, then up to EXPORTED_AT_ONCE at a time. Every part is its own query,
    so that no transaction stays open for slow clients; concurrent changes become visible between
    parts.
    """
    keys = _keys(order, id_column, falling=descending)
    columns = _columns(order, id_column)
    # As the driver has them: they only go back into the next statement.
    places = [sa.type_coerce(column, sa.types.NullType()) for column in columns]
    ordered = statement.add_columns(*(place.label(None) for place in places)).order_by(*keys)
    following = ordered.limit(EXPORTED_FIRST)
    while part := db.session.connection().execute(following).all():
        yield part
        past = _past(places, part[-1][-len(places) :], falling=descending)
        following = ordered.where(past).limit(EXPORTED_AT_ONCE)


def _keys(order: Any, id_column: Any, *, falling: bool) -> list[Any]:
    direction = sa.desc if falling else sa.asc
    return [direction(column) for column in _columns(order, id_column)]


def _columns(order: Any, id_column: Any) -> list[Any]:
    """Return the columns of the order, one or several, and the id that ends it."""
    columns = order if isinstance(order, tuple) else (order,)
    return [*(column for column in columns if column is not id_column), id_column]


def _past(
    columns: Sequence[Any], values: Sequence[Any], *, falling: bool
) -> sa.ColumnElement[bool]:
    """Match rows after the one with `values` in the columns of the order, the id among them."""
    reached = [sa.literal(value, at.type) for at, value in zip(columns, values, strict=True)]
    here, there = sa.tuple_(*columns), sa.tuple_(*reached)
    past = here < there if falling else here > there
    first = columns[0]
    if not isinstance(first, sa.Function):
        return past
    # SQLite finds no row value of an expression in an index, only the expression.
    return sa.and_(first <= reached[0] if falling else first >= reached[0], past)


def _total(statement: sa.Select[Any], id_column: Any, most: int = COUNT_CAP) -> sa.Select[Any]:
    """Select the number of the statement's rows; `most` + 1 means more."""
    capped = statement.with_only_columns(id_column, maintain_column_froms=True).limit(most + 1)
    return sa.select(sa.func.count()).select_from(capped.subquery())


class KeysetModelView(GuardedModelView):
    """A model view that lists plain rows of one Core select of its `columns`.

    default_order: (a sortable column or "id", whether descending). exports_as_shown: exports
    contain the cells' texts, masked as in the list, instead of the rows' texts. counts_alone:
    whether every row has one of each table joined, or none, and no condition is on those tables.
    """

    keeps_views = True
    exports_as_shown = False
    counts_alone = False
    export_types: ClassVar[list[str]] = ["xlsx", "csv"]

    default_order: tuple[str, bool] = ("id", True)
    column_default_sort: Any = "id"

    def __init__(self, model: type[Any], **kwargs: Any) -> None:
        self._selects: dict[str, tuple[date, sa.Select[Any]]] = {}
        super().__init__(model, **kwargs)

    def statement(self) -> sa.Select[Any]:
        """Select `id` and the columns from the rows visible to the actor."""
        lang, today = i18n.language(), kuwait_today()
        made = self._selects.get(lang)
        if made is None or made[0] != today:
            made = self._selects[lang] = today, self._select()
        return cast(sa.Select[Any], self.scope(made[1]))

    def _select(self) -> sa.Select[Any]:
        """Select the columns of all rows, for a page in its language; made once a day for each."""
        values = (column.selected(self.model) for column in self.columns)
        selected = [value for value in values if value is not None]
        rows: sa.Select[Any] = sa.select(self.model.id, *selected, *self.also_selected())
        return self.joined(rows.select_from(self.model))

    def also_selected(self) -> Sequence[Any]:
        """Return what the cells need besides the columns, the same for all readers."""
        return ()

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        """Join the other tables of the columns to the statement, the same for all readers."""
        return rows

    def search_condition(self, typed: str) -> Any | None:
        """Return the condition for the search text, or None to search nothing."""
        return None

    def search_counted(self, typed: str) -> Any | None:
        """Return a condition that counts what `search_condition` finds sooner, if there is one."""
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

    def _to_count(
        self,
        listed: sa.Select[Any],
        search: str | None,
        filters: Sequence[tuple[int, str, str]] | None,
    ) -> tuple[sa.Select[Any], sa.Select[Any] | None]:
        """Return what selects the rows listed to count them, and some if they are very many."""
        sampled = self.search_sample(search) if search else None
        condition = self.search_counted(search) if search else None
        chosen = [self._filters[index] for index, _label, _value in filters or ()]
        is_alike = sampled is None and condition is None
        if is_alike and not any(flt.is_counted_otherwise for flt in chosen):
            return self._alone(listed), None
        rows = self._filtered(filters, is_counted=True)
        if condition is None and search:
            condition = self.search_condition(search)
        counted = rows if condition is None else rows.where(condition)
        return self._alone(counted), None if sampled is None else self._alone(rows.where(sampled))

    def _alone(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        """Return the statement without its joins, for which PostgreSQL would read whole rows."""
        found = rows.whereclause
        if not self.counts_alone or found is None:
            return rows
        return sa.select(self.model.id).where(found)

    def _filtered(
        self, filters: Sequence[tuple[int, str, str]] | None, *, is_counted: bool = False
    ) -> sa.Select[Any]:
        statement = self.statement()
        for index, _label, value in filters or ():
            flt = self._filters[index]
            apply = flt.apply_to_count if is_counted else flt.apply
            statement = apply(statement, flt.clean(value))
        return statement

    def narrowing(self, args: ViewArgs) -> dict[str, Any]:
        told = super().narrowing(args)
        if told["opened"] not in ("", "filters"):
            told["counts"] = self._choice_counts(told["unfolded"])
        return told

    def _choice_counts(self, unfolded: Sequence[OfferedFilter]) -> dict[str, str]:
        """Return how many rows each choice of the open filter would leave; one statement."""
        choices = [value for item in unfolded for value, _label, _url in item.choices]
        if not 0 < len(choices) <= MOST_COUNTED:
            return {}
        flt, others = unfolded[0].flt, unfolded[0].without
        rows = self.narrowed(others.search, others.filters)
        totals = [
            _total(flt.apply(rows, flt.clean(value)), self.model.id).scalar_subquery()
            for value in choices
        ]
        counted = db.session.execute(sa.select(*(total.label(None) for total in totals))).one()
        return dict(zip(choices, map(_capped, counted), strict=True))

    # The list as a file

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Any:
        """Export the filtered list; rate-limited and recorded in the audit trail.

        A workbook of more than WRITTEN_AT_ONCE rows is offered as an order for a job.
        """
        require(self.can_export and export_type in self.export_types)
        args = self._get_list_extra_args()
        if export_type == "xlsx" and self.export_count(args, WRITTEN_AT_ONCE) > WRITTEN_AT_ONCE:
            return self._offer_order(args)
        filename = f"{self.endpoint}.{export_type}"
        with rate_limits.counted(("export_account", f"user:{current_actor().id}")):
            audit.access(f"export:{export_type}", object_type=self.model.__tablename__, result="ok")
            if export_type == "csv":
                return csv_export.table_response(filename, self.export_table(args))
            return xlsx_export.tables_response(filename, self.export_tables(args))

    def _offer_order(self, args: ViewArgs) -> Any:
        count, query = self.export_count(args, xlsx_export.MOST_ROWS), self.export_query(args)
        return self.render(
            "exports/order.html",
            count=count,
            most=xlsx_export.MOST_ROWS,
            is_too_long=count > xlsx_export.MOST_ROWS,
            query=query,
            words=self.export_filters(args),
            list_url=self.list_url(args),
            csv_url=f"{self.get_url('.export', export_type='csv')}?{query}",
            exports_endpoint=f"{self.admin.endpoint}_exports",
        )

    def export_count(self, args: ViewArgs, most: int) -> int:
        """Return the number of rows of an export; `most` + 1 means more."""
        return db.session.scalar(_total(self.export_statement(args), self.model.id, most)) or 0

    def export_query(self, args: ViewArgs) -> str:
        """Return the part of the list's address that says what an export has, in which order."""
        return urlencode(self.list_query(args.clone(page=None, page_size=None, extra_args={})))

    def export_filters(self, args: ViewArgs) -> str:
        """Return the search and the filters of an export in words."""
        search = [(_("Search"), args.search)] if args.search else []
        chosen = [
            (self._filters[index].name, self._filters[index].in_words(value))
            for index, _label, value in args.filters or ()
        ]
        words = (f"{label}: {value}" for label, value in (*search, *chosen))
        return str(_("; ")).join(words)

    def export_tables(self, args: ViewArgs) -> list[Table]:
        """Return the sheets of a workbook: the list, and what a subclass adds to it."""
        return [self.export_table(args)]

    def export_table(self, args: ViewArgs) -> Table:
        """Return the filtered list as a table of any length, in list order."""
        exported = self.exported(args)
        columns = [self.export_values(key, head.kind) for key, head in exported]
        heads = [head for _key, head in exported]
        return Table(str(self.name), heads, self._export_parts(args, columns))

    def exported(self, args: ViewArgs) -> list[tuple[str, Head]]:
        """Return (key, heading) of the columns of an export."""
        types = {selected.name: selected.type for selected in self.statement().selected_columns}
        return [
            (key, Head(str(label), self._export_kind(key, types.get(key))))
            for key, label in self._export_columns
        ]

    def _export_kind(self, key: str, sql_type: Any) -> Kind:
        return self.column_named[key].kind or kind_of(sql_type)

    def _export_parts(self, args: ViewArgs, columns: Sequence[Values]) -> Iterator[Part]:
        for rows in self.export_rows(args):
            part = [values_of(rows) for values_of in columns]
            db.session.rollback()  # no transaction stays open while the part is written
            yield part

    def export_rows(self, args: ViewArgs) -> Iterator[Sequence[Any]]:
        """Yield the rows of an export in parts, each with what `export_values` needs."""
        column = self._get_column_by_idx(args.sort)
        order, descending = self._order(column[0] if column else None, args.sort_desc)
        statement = self.export_statement(args)
        for rows in in_parts(
            statement, id_column=self.model.id, order=order, descending=descending
        ):
            self.prepare_export(rows)
            yield rows

    def export_statement(self, args: ViewArgs) -> sa.Select[Any]:
        """Return what selects the rows of an export, in no order."""
        return self.narrowed(args.search, args.filters)

    def prepare_export(self, rows: Sequence[Any]) -> None:
        """Hook to load further data that `export_values` needs for these rows."""

    def export_values(self, key: str, kind: Kind) -> Values:
        """Return what makes the values of an exported column, without markup."""
        column = self.column_named[key]
        if column.text is not None:
            return made_values(column.text, column.reads)
        if self.exports_as_shown and kind is Kind.TEXT:
            return made_values(lambda row: escape(column.cell_of(row)).striptags())
        if column.value is not None:
            return made_values(column.value, column.reads)
        return selected_values(key)

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
        listed = self.narrowed(search, filters)
        counted, sample = self._to_count(listed, search, filters)
        part = fetch_page(
            db.session.connection(),
            listed,
            id_column=self.model.id,
            order=order,
            descending=descending,
            size=page_size or self.page_size,
            after=_anchor("after"),
            before=_anchor("before"),
            counted=counted,
            sample=sample,
            whole=self.statement() if self.counts_alone and (search or filters) else None,
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
            return str(self._get_list_url(args.clone(page=0, extra_args=args.extra_args | anchor)))

        first, last = (part.rows[0].id, part.rows[-1].id) if part.rows else (0, 0)
        self._template_args.update(
            page_prev_url=url(before=first) if part.has_previous and part.rows else None,
            page_next_url=url(after=last) if part.has_next and part.rows else None,
            count_label=part.count_label,
        )


def _capped(count: int) -> str:
    return f"{COUNT_CAP:,}+" if count > COUNT_CAP else f"{count:,}"


def _anchor(name: str) -> int | None:
    return id_or_404(request.args[name]) if request.args.get(name) else None
