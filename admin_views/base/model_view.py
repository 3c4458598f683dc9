"""Base views of both areas, closed by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import abort, flash, g, redirect, request, url_for
from flask_admin import BaseView, expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.model.base import ViewArgs
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import NotFound

from admin_views.base import navigation
from admin_views.base.access import AccessControlled, current_actor, id_or_404, not_found, require
from admin_views.base.arrangement import ArrangedList
from admin_views.base.columns import Column, are_wide, cells_of
from admin_views.base.filters import ListFilter, OfferedFilter
from admin_views.base.form_post import claim_key, repeated
from admin_views.base.widgets import nativise
from clearance.core import audit, urls, values
from clearance.core.actor import Actor
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.request_kind import is_redrawn, wants_json
from forms.base import BaseForm

LAST_PAGE = 10_000
PAGE = 20
_READABLE = "!$'()*,/:;?@"
"""What addresses need not quote in a query, as in those of `url_for`."""

__all__ = ["GuardedModelView", "GuardedView", "OwnView", "RowForm"]


class RowForm(BaseForm):
    """Base class of scaffolded forms."""

    def __init__(self, formdata: Any = None, obj: Any = None, **kwargs: Any) -> None:
        self._obj = obj  # read by Flask-Admin's Unique validator
        super().__init__(formdata=formdata, obj=obj, **kwargs)

    def validate(self, extra_validators: Any = None) -> bool:
        """Return whether the form is valid; one that is only redrawn is not."""
        return not is_redrawn() and super().validate(extra_validators)


class _Framed(AccessControlled):
    """Renders pages inside the area's frame: menu, bell, organisation switcher."""

    def render(self, template: str, **kwargs: Any) -> str:
        frame = navigation.frame(current_actor(), self.admin.endpoint)  # type: ignore[attr-defined]  # the view it is mixed into
        return cast(str, super().render(template, **(frame | kwargs)))  # type: ignore[misc]  # as above

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        """Lead a second click of a form that closed its own page to where the first one led."""
        is_known = current_user.is_authenticated and current_user.is_full
        return (is_known and repeated()) or super().inaccessible_callback(name, **kwargs)

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a view; a second click on what the first one removed leads to where that one led."""
        try:
            return fn(self, *args, **kwargs)
        except NotFound:
            if again := repeated():
                return again
            raise


class GuardedView(_Framed, BaseView):
    """A view without a model; override `accessible_to`."""

    def newest_first(self, read: Callable[..., Sequence[Any]]) -> dict[str, Any]:
        """Return a page of the reader's rows for `ui.keyset`; `?before=` continues with older ones.

        read: returns up to `limit` rows before the id `before_id`, newest first.
        """
        typed = request.args.get("before")
        before = id_or_404(typed) if typed else None
        found = read(limit=PAGE + 1, before_id=before)
        return {
            "rows": found[:PAGE],
            "newest_url": url_for(request.endpoint or "") if before else None,
            "older_url": url_for(request.endpoint or "", before=found[PAGE - 1].id)
            if len(found) > PAGE
            else None,
        }


class OwnView(GuardedView):
    """A view of the reader's own affairs, the same in both areas. for_staff: it is the office's."""

    def __init__(self, *, for_staff: bool, **kwargs: Any) -> None:
        self.for_staff = for_staff
        super().__init__(**kwargs)

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_staff == self.for_staff


class GuardedModelView(ArrangedList, _Framed, ModelView):
    """A model view with every feature disabled until a subclass enables it.

    Override `accessible_to` and `scope`; set `columns` and the lists of the enabled features.
    `audit_kind` names its audit events, such as "holiday" (`reference:holiday:created`).
    """

    can_create = can_edit = can_delete = can_export = can_view_details = False
    columns: Sequence[Column] = ()
    column_editable_list = None
    column_list: Sequence[str] | None = None
    column_details_list: Sequence[str] | None = None
    column_export_list: Sequence[str] | None = None
    form_columns: Sequence[str] | None = None
    column_default_sort: Any = None
    form_base_class = RowForm
    page_size = 25
    can_set_page_size = True
    page_size_options = (25, 50, 100)
    list_template = "admin/model/list.html"
    details_template = "admin/model/details.html"
    create_template = "admin/model/create.html"
    edit_template = "admin/model/edit.html"

    empty_title: Any = _l("Nothing here yet")
    empty_text: Any = None
    search_hint: Any = None
    action_order: Sequence[str] = ()
    audit_kind = ""
    known_constraints: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, model: type[Any], **kwargs: Any) -> None:
        self._check_lists()
        self._declare(self.columns)
        super().__init__(model, db, **kwargs)

    def _declare(self, columns: Sequence[Column]) -> None:
        """Tell Flask-Admin in its own attributes what the columns say."""
        self.column_named = {column.name: column for column in columns}
        self.column_list = [column.name for column in columns if column.is_listed]
        self.column_export_list = [column.name for column in columns if column.is_exported]
        self.column_labels = {column.name: column.label for column in columns}
        self.column_formatters = {
            column.name: _formatter(column)
            for column in columns
            if column.shown or column.cell or column.value
        }
        self.column_sortable_list = [column.name for column in columns if column.order is not None]

    def _check_lists(self) -> None:
        """Refuse unset lists, which Flask-Admin would fill with all columns. Raises: TypeError."""
        opened = {
            "columns": True,
            "column_default_sort": True,
            "form_columns": self.can_create or self.can_edit,
            "audit_kind": self.can_create or self.can_edit or self.can_delete,
        }
        missing = [name for name, needed in opened.items() if needed and not getattr(self, name)]
        if missing or self.column_editable_list:
            raise TypeError(f"{type(self).__name__} leaves open: {missing or 'inline editing'}")

    # Row visibility

    def scope(self, query: Any) -> Any:
        """Restrict an ORM query or Core select to the rows visible to the actor."""
        raise NotImplementedError("restrict the rows to those this reader may see")

    def get_query(self) -> Any:
        return self.scope(super().get_query())

    def get_count_query(self) -> Any:
        return self.scope(super().get_count_query())

    def get_one(self, id: Any) -> Any:
        """Return the row with the id if visible to the actor, else abort with 404."""
        column = sa.inspect(self.model).primary_key[0]
        row = self.get_query().where(column == _as_key(column, id)).one_or_none()
        return row if row is not None else not_found()

    def scaffold_auto_joins(self) -> list[Any]:
        return []

    # Query arguments

    def _get_list_extra_args(self) -> ViewArgs:
        """Return the list's arguments; parsed once a page."""
        known: dict[str, ViewArgs] = g.setdefault("list_args", {})
        if self.endpoint not in known:
            known[self.endpoint] = self.read_args(self.list_args(), self.kept_args())
        return known[self.endpoint].clone()

    def read_args(self, args: Mapping[str, str], kept: Mapping[str, str] | None = None) -> ViewArgs:
        """Parse arguments of the list; abort on invalid ones, which no page of ours sends.

        kept: further arguments of all the page's links.
        """
        page = _whole(args.get("page"), 0)
        if page is None or not 0 <= page <= LAST_PAGE:
            not_found()
        return ViewArgs(
            page=page,
            page_size=_whole(args.get("page_size"), 0),
            sort=self._sorted_by(args.get("sort")),
            sort_desc=1 if args.get("desc") == "1" else None,
            search=values.searched(args.get("search", ""), 200),
            filters=self._filters_in(args),
            extra_args=dict(kept or {}),
        )

    def _sorted_by(self, typed: str | None) -> str | None:
        """Return the column to sort by; older addresses have its place instead of its name."""
        if not typed:
            return None
        place = values.whole_number(typed)
        if place is not None and place < len(self._list_columns):
            typed = self._list_columns[place][0]
        return typed if self.is_sortable(typed) else abort(400)

    def _get_column_by_idx(self, idx: Any) -> tuple[Any, Any] | None:
        """Return (name, label) of the column that `ViewArgs.sort` has."""
        return None if idx is None else (idx, self.get_column_name(idx))

    def _get_list_filter_args(self) -> Any:
        return self._get_list_extra_args().filters

    def _filters_in(self, args: Mapping[str, str]) -> list[tuple[int, str, str]] | None:
        chosen = []
        for argument, value in args.items():
            key = argument.partition("_")[2] if argument.startswith("flt") else ""
            if not value or key not in (self._filter_args or {}):
                continue
            index, flt = self._filter_args[key]
            if not flt.validate(value):
                abort(400)
            chosen.append((index, str(flt.name), value))
        return sorted(chosen) or None

    def get_filter_arg(self, index: int, flt: ListFilter) -> str:
        return flt.key

    def search_placeholder(self) -> str | None:
        return str(self.search_hint) if self.search_hint else super().search_placeholder()

    # The list's page

    def _get_list_url(self, view_args: ViewArgs) -> str:
        return self.list_url(view_args)

    def list_query(self, args: ViewArgs) -> dict[str, Any]:
        """Return the arguments of an address that shows what `args` say, without those unset."""
        size = self.get_safe_page_size(args.page_size)
        query = {
            "search": args.search,
            **self._get_filters(args.filters),
            "sort": args.sort,
            "desc": 1 if args.sort_desc else None,
            "page_size": size if size != self.page_size else None,
            "page": args.page,
            **args.extra_args,
        }
        return {name: value for name, value in query.items() if value not in (None, "", 0)}

    def list_url(self, args: ViewArgs, **further: Any) -> str:
        """Return the address of the list that shows what `args` say; `_anchor` is a place in it."""
        pages: dict[str, str] = g.setdefault("list_pages", {})  # a page has a dozen of these
        if self.endpoint not in pages:
            pages[self.endpoint] = self.get_url(".index_view")
        anchor = further.pop("_anchor", "")
        query = urlencode(self.list_query(args) | further, safe=_READABLE)
        return f"{pages[self.endpoint]}{query and '?'}{query}{anchor and '#'}{anchor}"

    @expose("/")
    def index_view(self) -> Any:
        """List the rows; `?open=` adds the choices of a filter, or alone where a script asks."""
        if self._opened() and wants_json():
            args = self._get_list_extra_args()
            return ModelView.render(self, "admin/model/panel.html", **self.narrowing(args))
        return super().index_view()

    def render(self, template: str, **values: Any) -> str:
        if template == self.list_template:
            args = self._get_list_extra_args()
            values |= self.narrowing(args) | self.arranging(args)
            values |= {
                "columns": self.shown_columns(),
                "is_wide": are_wide(self.shown_columns()),
                "lines": list(cells_of(self.shown_columns(), values["data"])),
                "query": self.list_query(args.clone(page=None)),
            }
        return super().render(template, **values)

    def _opened(self) -> str:
        """Return which choices the page shows: "filters" for all, or the key of one filter."""
        opened = request.args.get("open", "")
        known = {"filters", *(flt.key for flt in self._filters or ())}
        return opened if self._filters and opened in known else ""

    def narrowing(self, args: ViewArgs) -> dict[str, Any]:
        """Return what the page tells of search and filters, and offers to change."""
        args = args.clone(page=None)
        chosen = {index: value for index, _label, value in args.filters or ()}
        opened = self._opened()
        offered = [
            OfferedFilter(flt, chosen.get(index, ""), self._without(args, index), self)
            for index, flt in enumerate(self._filters or ())
            if index in chosen or opened in ("filters", flt.key)
        ]
        unfolded = [item for item in offered if opened in ("filters", item.flt.key)]
        return {
            "opened": opened,
            "offered": offered,
            "counts": {},
            "unfolded": [item for item in unfolded if item.value or not item.flt.is_idle],
            "kept": self.list_query(args.clone(filters=None) if opened == "filters" else args),
            "clear_url": self.list_url(args.clone(filters=None, search=None)),
            "search_url": self.list_url(args.clone(search=None)),
            "filters_url": self.list_url(args, open="filters", _anchor="panel"),
            "closed_url": self.list_url(args),
        }

    def _without(self, args: ViewArgs, index: int) -> ViewArgs:
        left = [chosen for chosen in args.filters or () if chosen[0] != index]
        return args.clone(filters=left)

    # Forms

    def scaffold_form(self) -> Any:
        # Without form_columns Flask-Admin would scaffold all columns.
        return super().scaffold_form() if self.form_columns else RowForm

    def create_form(self, obj: Any = None) -> Any:
        return nativise(super().create_form(obj))

    def edit_form(self, obj: Any = None) -> Any:
        return nativise(super().edit_form(obj))

    def action_form(self, obj: Any = None) -> None:
        """Make none: our templates post the actions in a form of their own."""

    def handle_view_exception(self, exc: Exception) -> bool:
        """Flash domain errors and known constraint violations; re-raise everything else."""
        if isinstance(exc, DomainError):
            flash(str(exc), "error")
            return True
        if isinstance(exc, IntegrityError):
            for fragment, text in self.known_constraints.items():
                if fragment in str(exc.orig):
                    flash(str(text), "error")
                    return True
        raise exc

    def _on_model_change(self, form: Any, model: Any, is_created: bool) -> None:
        """Flush and record an audit event; without the flush a new row has no id yet."""
        changes = unsaved_changes(model)
        super()._on_model_change(form, model, is_created)
        db.session.flush()
        self._record(model, "created" if is_created else "changed", changes)

    def on_model_delete(self, model: Any) -> None:
        self._record(model, "deleted", {})

    def _record(self, model: Any, what: str, changes: Mapping[str, Any]) -> None:
        kind = f"reference:{self.audit_kind}:{what}"
        audit.record(kind, obj=model, actor_id=current_actor().id, changes=changes)

    # Flask-Admin's routes, answering 404 where it would redirect

    # Those that write claim the form's key in Flask-Admin's own transaction, which a refusal ends.

    def _once(self, view: Callable[[], Any]) -> Any:
        earlier = claim_key(self.return_url())
        return view() if earlier is None else redirect(earlier)

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        """Create a row."""
        require(self.can_create)
        return self._once(super().create_view)

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        is_open = self.can_edit and request.args.get("id")
        return self._once(super().edit_view) if is_open else not_found()

    @expose("/details/")
    def details_view(self) -> Any:
        is_open = self.can_view_details and request.args.get("id")
        return super().details_view() if is_open else not_found()

    @expose("/delete/", methods=("POST",))
    def delete_view(self) -> Any:
        return self._once(super().delete_view) if self.can_delete else not_found()

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Any:
        return not_found()  # keyset lists have their own

    @expose("/ajax/lookup/")
    def ajax_lookup(self) -> Any:
        return not_found()  # none of our forms uses it

    @expose("/ajax/update/", methods=("POST",))
    def ajax_update(self) -> Any:
        return not_found()  # it writes even where editing is closed

    # Bulk actions

    @expose("/action/", methods=("POST",))
    def action_view(self) -> Any:
        """Run an action on the chosen rows, skipping those not visible to the actor."""
        name = request.form.get("action", "")
        require(name in self._actions_data and self.is_action_allowed(name))
        ids = self.ids_in_scope(request.form.getlist("rowid"))
        if not ids:
            flash(_("Select at least one row first."), "warning")
            return redirect(self.return_url())
        act = self._actions_data[name][0]
        return self._once(lambda: act(ids) or redirect(self.return_url()))

    def action_delete(self, ids: Sequence[int]) -> Any:
        """Disable Flask-Admin's bulk deletion."""
        return not_found()

    def get_actions_list(self) -> tuple[list[tuple[str, str]], dict[str, str]]:
        actions, confirmations = super().get_actions_list()
        order = list(self.action_order)
        known = {name: place for place, name in enumerate(order)}
        return sorted(actions, key=lambda action: known.get(action[0], len(order))), confirmations

    def ids_in_scope(self, typed: Sequence[str]) -> list[int]:
        """Return the distinct `typed` ids visible to the actor, in their order; at most 500."""
        wanted = values.whole_numbers(typed)[:500]
        column = sa.inspect(self.model).primary_key[0]
        found = set(db.session.scalars(self.scope(sa.select(column).where(column.in_(wanted)))))
        return [row_id for row_id in wanted if row_id in found]

    def return_url(self) -> str:
        """Return the submitted `url` if it is a local path, else the list's URL."""
        return urls.safe_local_path(request.values.get("url")) or self.get_url(".index_view")


def _formatter(column: Column) -> Callable[[Any, Any, Any, str], Any]:
    """Return Flask-Admin's formatter of a column, for pages that show a value by itself."""
    return lambda view, context, row, name: column.cell_of(row)


def unsaved_changes(model: Any) -> dict[str, list[Any]]:
    """Return field → [from, to] of unflushed changes to `model`, as JSON values."""
    state = sa.inspect(model)
    changes = {}
    for column in state.mapper.column_attrs:
        history = state.attrs[column.key].history
        if history.has_changes():
            old = history.deleted[0] if history.deleted else None
            new = history.added[0] if history.added else None
            changes[column.key] = [_json(old), _json(new)]
    return changes


def _json(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)


def _whole(typed: str | None, default: int | None) -> int | None:
    if typed is None or typed == "":
        return default
    number = values.whole_number(typed)
    return number if number is not None else abort(400)


def _as_key(column: Any, value: Any) -> Any:
    kind = column.type.python_type
    if kind is int:
        return id_or_404(value)
    if kind is date:
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            not_found()
    return str(value)[:80]
