"""What a view keeps of a list, and everything that one person keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.models import ListLayout, SavedView, User


@dataclass(frozen=True)
class Kept:
    """A filter or a column of a view. label: by language, for when it no longer exists."""

    name: str
    label: Mapping[str, str]
    value: str = ""

    def label_in(self, lang: str) -> str:
        """Return what the filter or column was called."""
        return self.label.get(lang) or self.name


@dataclass(frozen=True)
class ListState:
    """Search, filters, order and columns of a list. columns: none for the list's own."""

    search: str = ""
    filters: tuple[Kept, ...] = ()
    sort: Kept | None = None
    is_descending: bool = False
    columns: tuple[Kept, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "search": self.search,
            "filters": [_written(kept) for kept in self.filters],
            "sort": _written(self.sort) if self.sort is not None else None,
            "is_descending": self.is_descending,
            "columns": [_written(kept) for kept in self.columns],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ListState:
        """Return a stored state."""
        sort = stored.get("sort")
        return cls(
            search=stored.get("search", ""),
            filters=tuple(Kept(**kept) for kept in stored.get("filters", ())),
            sort=Kept(**sort) if sort else None,
            is_descending=bool(stored.get("is_descending")),
            columns=tuple(Kept(**kept) for kept in stored.get("columns", ())),
        )

    @property
    def terms(self) -> tuple[Any, ...]:
        """What two equal states have in common, whatever their parts were called."""
        return (
            self.search,
            sorted((kept.name, kept.value) for kept in self.filters),
            self.sort.name if self.sort is not None else None,
            self.is_descending,
            [kept.name for kept in self.columns],
        )


def _written(kept: Kept) -> dict[str, Any]:
    return {"name": kept.name, "label": dict(kept.label), "value": kept.value}


@dataclass(frozen=True)
class ViewEntry:
    """A view that a person may open. is_own: it is theirs; others are shared."""

    id: int
    name: str
    is_own: bool
    is_shared: bool
    owner_id: int
    version: int
    state: ListState


@dataclass(frozen=True)
class Arrangement:
    """What a person keeps of a list. columns: None for those delivered. default_id: the view."""

    views: tuple[ViewEntry, ...] = ()
    columns: tuple[str, ...] | None = None
    default_id: int | None = None
    has_roomy_lists: bool = False

    def view(self, view_id: int | None) -> ViewEntry | None:
        """Return the view with the id, or None."""
        return next((view for view in self.views if view.id == view_id), None)

    @property
    def default(self) -> ViewEntry | None:
        """The view that the list opens with, or None; one no longer shared is none."""
        return self.view(self.default_id)


def arrangement_of(user_id: int, list_name: str) -> Arrangement:
    """Return what a user keeps of a list, own views first; one statement."""
    connection = db.session.connection()
    found = connection.execute(_STATEMENT, {"user_id": user_id, "list_name": list_name}).all()
    return Arrangement(
        views=tuple(
            ViewEntry(
                id=row.id,
                name=row.name,
                is_own=row.owner_id == user_id,
                is_shared=row.is_shared,
                owner_id=row.owner_id,
                version=row.version,
                state=ListState.from_json(row.state),
            )
            for row in found
            if row.id is not None
        ),
        columns=tuple(found[0].columns) if found and found[0].columns else None,
        default_id=found[0].view_id if found else None,
        has_roomy_lists=bool(found and found[0].has_roomy_lists),
    )


def _statement() -> sa.Select[Any]:
    user_id: sa.BindParameter[int] = sa.bindparam("user_id")
    list_name: sa.BindParameter[str] = sa.bindparam("list_name")
    is_own = SavedView.owner_id == User.id
    layout = sa.and_(ListLayout.user_id == User.id, ListLayout.list_name == list_name)
    views = sa.and_(
        SavedView.list_name == list_name,
        sa.or_(is_own, SavedView.is_shared.is_(True)),
    )
    return (
        sa.select(
            User.has_roomy_lists,
            ListLayout.columns,
            ListLayout.view_id,
            SavedView.id,
            SavedView.name,
            SavedView.owner_id,
            SavedView.is_shared,
            SavedView.version,
            SavedView.state,
        )
        .select_from(User)
        .outerjoin(ListLayout, layout)
        .outerjoin(SavedView, views)
        .where(User.id == user_id)
        .order_by(sa.case((is_own, 0), else_=1), SavedView.name, SavedView.id)
    )


_STATEMENT = _statement()
