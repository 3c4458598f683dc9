"""Pages on which people arrange a list: its columns, and views under a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import sqlalchemy as sa
from flask import abort, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor, id_or_404, not_found, require
from admin_views.base.arrangement import ArrangedList
from admin_views.base.columns import Column
from admin_views.base.form_post import post_once, posted_version, refuse
from admin_views.base.model_view import GuardedModelView, OwnView
from clearance import lists
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.errors import BadFields, DomainError, StaleEdit
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted, is_sent
from clearance.lists import View
from clearance.models import SavedView, User
from forms.lists import ViewForm

_QUERY_MAX_LENGTH = 4_000


@dataclass(frozen=True)
class OfferedColumn:
    """A column in the form, ticked if the list is to show it. is_fixed: it always is."""

    column: Column
    is_ticked: bool
    is_fixed: bool


class ListArrangements(OwnView):
    """Columns and views of every list of an area; addresses name a list by its endpoint.

    `query` has the arguments of the list's page from which the reader came.
    """

    @expose("/")
    def index(self) -> Any:
        """Lead to the home page; each list has pages of its own."""
        return redirect(self.home_url())

    @expose("/<list_name>/")
    def views(self, list_name: str) -> Any:
        """Show the views of a list: the reader's own, and shared ones."""
        arranged = self._list(list_name)
        arrangement = arranged.arrangement()
        return self.render(
            "admin/lists/views.html",
            **self._about(arranged),
            views=arrangement.views,
            default_id=arrangement.default_id,
            owners=_names({view.owner_id for view in arrangement.views if not view.is_own}),
            may_share=lists.may_share(current_actor()),
        )

    @expose("/<list_name>/new", methods=("GET", "POST"))
    def new(self, list_name: str) -> Any:
        """Save what the list shows under a name."""
        arranged, query, form = self._list(list_name), _query(), _form()
        state = arranged.state_in(query)
        if not is_sent() or not form.validate():
            return self._show_form(arranged, form, query=query)
        return post_once(
            lambda: lists.save(current_actor(), arranged.endpoint, _given(form), state, utc_now()),
            result=lambda saved: self._list_url(arranged, view=saved.id),
            told=lambda saved: _("The view “%(name)s” was saved.", name=saved.name),
            refused=lambda fault: self._show_form(arranged, _refused(form, fault), query=query),
            of=DomainError,
            acts_first=True,
        )

    @expose("/<list_name>/<int:view_id>/", methods=("GET", "POST"))
    def change(self, list_name: str, view_id: int) -> Any:
        """Rename a view, or share it."""
        arranged, saved = self._list(list_name), self._view(list_name, view_id)
        form = _form(saved)
        if not is_sent() or not form.validate():
            return self._show_form(arranged, form, saved)

        def act() -> None:
            view = _given(form, saved)
            lists.change(saved, current_actor(), view, utc_now(), version=posted_version())

        return post_once(
            act,
            result=self._page(arranged),
            told=_("The view was saved."),
            refused=lambda fault: self._show_form(arranged, _refused(form, fault), saved, fault),
            of=(BadFields, StaleEdit),
        )

    @expose("/<list_name>/<int:view_id>/copy", methods=("POST",))
    def copy(self, list_name: str, view_id: int) -> Any:
        """Let a view show what the list shows now."""
        arranged, saved = self._list(list_name), self._view(list_name, view_id)
        state = arranged.state_in(_query())
        return post_once(
            lambda: lists.copy_state(saved, current_actor(), state, utc_now()),
            result=self._list_url(arranged, view=saved.id),
            told=_("The view was saved."),
        )

    @expose("/<list_name>/<int:view_id>/remove", methods=("POST",))
    def remove(self, list_name: str, view_id: int) -> Any:
        """Remove a view."""
        arranged, saved = self._list(list_name), self._view(list_name, view_id)
        return post_once(
            lambda: lists.remove(saved, current_actor(), utc_now()),
            result=self._page(arranged),
            told=_("The view was removed."),
        )

    @expose("/<list_name>/default", methods=("POST",))
    def default(self, list_name: str) -> Any:
        """Choose the view that the list opens with, or none."""
        arranged, chosen = self._list(list_name), request.form.get("view", "")
        view_id = id_or_404(chosen) if chosen else None
        return post_once(
            lambda: lists.open_with(current_actor(), arranged.endpoint, view_id),
            result=self._page(arranged),
            told=_("Your choice was saved."),
        )

    @expose("/<list_name>/columns", methods=("GET", "POST"))
    def columns(self, list_name: str) -> Any:
        """Choose the columns of a list and their order, and the height of rows."""
        arranged, query = self._list(list_name), _query()
        if not is_sent():
            return self._show_columns(arranged, query)
        names = _posted_columns(arranged) if "reset" not in request.form else None
        target = {name: value for name, value in query.items() if name != "columns"}
        if "from" in query and names:
            target["columns"] = ",".join(names)

        def act() -> None:
            lists.choose_rows(current_actor(), is_roomy="is_roomy" in request.form)
            if "from" not in query:
                lists.choose_columns(current_actor(), arranged.endpoint, names)

        return post_once(act, result=self._list_url(arranged, **target))

    def _list(self, list_name: str) -> Any:
        """Return the list's view; 404 for lists that the reader may not open."""
        area = self.admin.endpoint
        for endpoint in (f"{area}_{list_name}", list_name):
            for view in self.admin._views:
                if view.endpoint == endpoint and isinstance(view, GuardedModelView):
                    require(view.keeps_views and view.is_accessible())
                    return view
        return not_found()

    def _view(self, list_name: str, view_id: int) -> SavedView:
        """Return a view that the reader may change, else abort with 404."""
        saved = db.session.get(SavedView, view_id)
        if saved is None or saved.list_name != self._list(list_name).endpoint:
            not_found()
        require(lists.may_change(saved, current_actor()))
        return saved

    def _about(self, arranged: Any) -> dict[str, Any]:
        """Return what every page of a list says of it."""
        return {
            "listed": arranged,
            "list_url": self._list_url(arranged),
            "views_url": self._page(arranged),
            "list_name": self._name_of(arranged),
        }

    def _show_form(
        self,
        arranged: ArrangedList,
        form: ViewForm,
        saved: SavedView | None = None,
        fault: Exception | None = None,
        *,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """Render the form of a view. saved: the view, None for a new one. fault: why not."""
        is_stale = isinstance(fault, StaleEdit)
        keeps_version = saved is not None and is_sent() and not is_stale
        version = posted_version() if keeps_version else saved.version if saved is not None else 0
        page = self.render(
            "admin/lists/view.html",
            **self._about(arranged),
            form=form,
            saved=saved,
            version=version,
            stale=saved if is_stale else None,
            query=urlencode(query or {}),
        )
        return (page, 409) if is_stale else page

    def _show_columns(self, arranged: Any, query: Mapping[str, str]) -> str:
        """Render the columns in the order of the list, or as the form has them after a move."""
        offered = {column.name: column for column in arranged.offered_columns()}
        if is_posted():
            order, shown = _posted_order(list(offered)), set(request.form.getlist("shown"))
        else:
            listed = [column.name for column in arranged.shown_in(query)]
            order, shown = list(dict.fromkeys([*listed, *offered])), set(listed)
        way, _colon, moved = request.form.get("_change", "").partition(":")
        fixed = arranged.columns[0].name
        return self.render(
            "admin/lists/columns.html",
            **self._about(arranged),
            offered=[
                OfferedColumn(offered[name], name in shown or name == fixed, name == fixed)
                for name in _moved(order, moved, way)
            ],
            moved=moved,
            way=way,
            is_roomy="is_roomy" in request.form
            if is_posted()
            else arranged.arrangement().has_roomy_lists,
            query=urlencode(query),
            back_url=self._list_url(arranged, **query),
            is_of_view="from" in query,
        )

    def _name_of(self, arranged: Any) -> str:
        return str(arranged.endpoint).removeprefix(f"{self.admin.endpoint}_")

    def _page(self, arranged: Any) -> str:
        return url_for(f"{self.endpoint}.views", list_name=self._name_of(arranged))

    def _list_url(self, arranged: Any, **query: Any) -> str:
        return url_for(f"{arranged.endpoint}.index_view", **query)


def _query() -> dict[str, str]:
    """Return the arguments of the list's page, given by its link or posted by the form."""
    typed = request.form.get("query") if is_sent() else None
    if typed is None:
        return {name: value for name, value in request.args.items() if name != "list_name"}
    if len(typed) > _QUERY_MAX_LENGTH:
        abort(400)
    return dict(parse_qsl(typed))


def _form(saved: SavedView | None = None) -> ViewForm:
    form = ViewForm(obj=saved)
    if not lists.may_share(current_actor()):
        del form.is_shared
    return form


def _given(form: ViewForm, saved: SavedView | None = None) -> View:
    was_shared = saved is not None and saved.is_shared
    is_shared = bool(form.is_shared.data) if "is_shared" in form else was_shared
    return View(form.name.data or "", is_shared)


def _refused(form: ViewForm, fault: Exception) -> ViewForm:
    shown: ViewForm = refuse(form, form.name, fault)
    return shown


def _posted_columns(arranged: Any) -> list[str]:
    """Return the ticked columns in the form's order; aborts with 400 for none of ours."""
    known = [column.name for column in arranged.offered_columns()]
    ticked = {*request.form.getlist("shown"), known[0]}
    if not ticked <= set(known):
        abort(400)
    return [name for name in _posted_order(known) if name in ticked]


def _posted_order(known: Sequence[str]) -> list[str]:
    """Return all the known columns, in the order of the form as far as it has them."""
    typed = [name for name in request.form.getlist("order") if name in known]
    return list(dict.fromkeys([*typed, *known]))


def _moved(order: Sequence[str], name: str, way: str) -> list[str]:
    """Return the order with one column a place further up or down."""
    moved = list(order)
    if name in moved and way in ("up", "down"):
        place = moved.index(name)
        moved.insert(max(0, place + (1 if way == "down" else -1)), moved.pop(place))
    return moved


def _names(user_ids: Sequence[int] | set[int]) -> dict[int, str]:
    """Return the names of users by id."""
    name = User.selected_name(i18n.language())
    found = db.session.execute(sa.select(User.id, name).where(User.id.in_(sorted(user_ids))))
    return {user_id: shown for user_id, shown in found}
