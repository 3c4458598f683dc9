"""Columns, filters and cells shared by the request lists of both areas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from flask import g
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from markupsafe import Markup, escape
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from admin_views.base import formatters
from admin_views.base.columns import Column
from admin_views.base.filters import DateFilter, ListFilter, day_filters
from admin_views.base.search import Hit
from clearance.core import i18n
from clearance.core.extensions import db
from clearance.core.values import mask_civil_id
from clearance.models import Request
from clearance.models.enums import Status
from clearance.requests import stages
from clearance.services import registry, versions


def status_cell(row: Any) -> Markup:
    """Return the status of a row as a badge, with the title of its stage, if any, below it."""
    badge, title = formatters.status_badge(row.status), stages.title_of(row)
    return badge + formatters.under(title) if title else badge


def hit(row: Any, url: str, *notes: Any) -> Hit:
    """Return what the area's search shows of a row of the list."""
    return Hit(
        row.number,
        url,
        (title_of(row.service_code), row.name, *notes),
        formatters.status_badge(row.status),
        (row.number, row.civil_id, row.mobile),
    )


def masked_civil_id(civil_id: str | None) -> Any:
    """Return a civil number masked, as lists show it."""
    return formatters.isolated(mask_civil_id(civil_id) if civil_id else "")


def due_words(row: Any) -> str:
    """Return the sentence that tells the applicant the due date of a row."""
    day, title = i18n.format_day(row.due_on), stages.title_of(row)
    if title:
        return str(_("The stage “%(stage)s” is due by %(date)s.", stage=title, date=day))
    return str(_("The office is due to decide by %(date)s.", date=day))


class _Unsorted(FunctionElement[Any]):
    """A column that SQLite looks up in no index; PostgreSQL, which knows how many, may."""

    name = "unsorted"
    inherit_cache = True


@compiles(_Unsorted)
def _as_it_is(element: _Unsorted, compiler: Any, **kwargs: Any) -> str:
    return str(compiler.process(element.clauses, **kwargs))


@compiles(_Unsorted, "sqlite")
def _without_index(element: _Unsorted, compiler: Any, **kwargs: Any) -> str:
    return f"+{_as_it_is(element, compiler, **kwargs)}"


def unsorted(column: Any) -> sa.ColumnElement[Any]:
    """Wrap a column so that SQLite uses no index on it.

    It does not know how many rows match: it would sort all rows found by the column's index
    instead of following the list's order, or a partial index, and stopping at the page's end.
    """
    wrapped = _Unsorted(column)
    wrapped.type = column.type
    return wrapped


def is_open() -> sa.ColumnElement[bool]:
    """Return the condition for requests sent but not yet decided."""
    return sa.and_(
        Request.decided_at.is_(None),
        unsorted(Request.status).in_(sorted(registry.current().open_statuses)),
    )


def status_filter(
    *,
    is_draft_listed: bool = True,
    opened: Callable[[], Any] = registry.is_open,
    groups: Mapping[str, tuple[Any, Callable[[], Any]]] = MappingProxyType({}),
) -> ListFilter:
    """Return the status filter; "open" is every status from sending to decision.

    opened: a condition for "open" tuned to a long list. groups: code → label and condition of
    several statuses.
    """
    several = {"open": (lazy_pgettext("requests", "Open"), opened), **groups}

    def choices() -> list[tuple[str, Any]]:
        listed = [
            (code, status.label)
            for code, status in registry.current().statuses.items()
            if is_draft_listed or status != Status.DRAFT
        ]
        named = [(code, label) for code, (label, _condition) in several.items()]
        return [*named, *listed, *((code, code) for code in _gone_statuses())]

    def condition(value: str) -> Any:
        return several[value][1]() if value in several else Request.status == value

    return ListFilter("status", STATUS.label, condition, choices)


def _gone_statuses() -> list[str]:
    """Return the statuses that only an absent flow knows and that requests have.

    One lookup in the index for each status in use: the table is too long to read it all.
    """
    known = tuple(sorted(registry.current().statuses))
    return list(db.session.scalars(_statuses_besides(known)))


@cache
def _statuses_besides(known: tuple[str, ...]) -> sa.Select[tuple[str]]:
    lowest = sa.select(sa.func.min(Request.status).label("status"))
    used = lowest.cte("used", recursive=True)
    following = lowest.where(Request.status > used.c.status).scalar_subquery()
    used = used.union_all(sa.select(following).where(used.c.status.is_not(None)))
    return sa.select(used.c.status).where(used.c.status.not_in(known))


def service_filter(titles: Callable[[], list[tuple[str, str]]] | None = None) -> ListFilter:
    """Return the service filter. titles: see `service_titles`, which it is by default."""
    return ListFilter("service", SERVICE.label, Request.service_code, titles or service_titles)


def sent_filters() -> list[DateFilter]:
    """Return the filters by day sent, from and to (Kuwait days, inclusive)."""
    return day_filters(Request.sent_at, _l("Sent from"), _l("Sent up to"), prefix="sent_")


def service_titles() -> list[tuple[str, str]]:
    """Return (code, title) of the services in the page's language, archived ones too."""
    lang = i18n.language()
    return [
        (version.definition.code, version.definition.title_in(lang))
        for version in versions.all_newest()
    ]


def name_column(model: Any = Request) -> sa.ColumnElement[str]:
    """Return the person's or broker's name column, preferring the page's language."""
    return name_column_in(model, i18n.language())


@cache
def name_column_in(model: Any, lang: str) -> sa.ColumnElement[str]:
    """Return the name column for a page in `lang`."""
    name: sa.ColumnElement[str] = sa.literal_column(name_in_sql(model, lang), sa.String())
    return name.label("name")


@cache
def name_in_sql(model: Any, lang: str) -> str:
    """Return the name's expression for a page in `lang` as SQL, the same on both databases.

    As text, because SQLAlchemy looks at each part of a statement at each execution: this has
    a hundred.
    """
    other = "en" if lang == "ar" else "ar"
    own = sa.func.nullif(_joined(model, lang), "")
    name = sa.func.coalesce(own, _joined(model, other))
    return str(name.compile(compile_kwargs={"literal_binds": True}))


def service_cell(row: Any) -> Markup:
    """Return the name of a row's service, short where room is scarce."""
    known: dict[str, Markup] | None = g.get("service_cells")
    if known is None:
        lang = i18n.language()
        known = g.service_cells = {
            version.definition.code: formatters.brief(
                version.definition.short_title_in(lang), version.definition.title_in(lang)
            )
            for version in versions.all_newest()
        }
    code = row.service_code
    return known[code] if code in known else escape(code)


def title_of(code: str) -> str:
    """Return a service's title in the page's language; titles are loaded once per page."""
    if "service_titles" not in g:
        g.service_titles = dict(service_titles())
    return str(g.service_titles.get(code, code))


def _joined(model: Any, lang: str) -> sa.ColumnElement[str]:
    parts = [getattr(model, f"name_{lang}_{place}") for place in range(1, 5)]
    joined: Any = parts[0]
    for part in parts[1:]:
        joined = joined + sa.case((part == "", ""), else_=sa.literal(" ") + part)
    return sa.func.trim(joined)


SERVICE = Column(
    "service_code",
    _l("Service"),
    cell=service_cell,
    value=lambda row: title_of(row.service_code),
    reads=("service_code",),
    width="short",
)
STATUS = Column(
    "status",
    _l("Status"),
    cell=status_cell,
    text=stages.words_of_status,
    reads=("status", "stage", "service_version_id"),
    width="state",
)
STAGE = (Request.stage, Request.service_version_id)
"""What the cells of STATUS need besides the status."""
IDENTITY = (
    Column("civil_id", _l("Civil number"), masked_civil_id, is_listed=False, width="code"),
    Column("mobile", _l("Mobile number"), formatters.isolated, is_listed=False, width="code"),
)
