"""Home page of the office: pending work by role, every figure with a link."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_admin import expose
from flask_babel import format_timedelta
from flask_babel import lazy_gettext as _l

from admin_views.base.access import current_actor
from admin_views.base.filters import day_start
from admin_views.base.model_view import GuardedView
from admin_views.office.requests import queues
from admin_views.shared import register_lists, request_lists
from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_date, kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.figures import reading, standing
from clearance.figures.ages import AGES
from clearance.figures.measures import Dimension, Measure
from clearance.figures.reading import Present
from clearance.models import Licence, Request, Service, Subscription, User
from clearance.models.enums import (
    STAFF_ROLES,
    LicenceStatus,
    Role,
    Status,
    SubscriptionStatus,
    SuspendedBy,
)
from clearance.notifications import outbox
from clearance.requests import stages
from clearance.services import registry, versions

SHOWN_ROWS = 8
DECIDED_DAYS = 7
FEW = 1_000
SOON = str(register_lists.SOON_DAYS)


class OfficeHome(GuardedView):
    """Pending work of the reader's role."""

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_staff

    @expose("/")
    def index(self) -> Any:
        """Show the role's figures and the state of the outbox."""
        actor = current_actor()
        figures = {
            Role.REVIEWER: reviewer_figures,
            Role.MANAGER: manager_figures,
            Role.ADMINISTRATOR: administrator_figures,
        }
        waiting = outbox.waiting(utc_now())
        return self.render(
            "office/home.html",
            role=str(actor.role),
            outbox=waiting,
            oldest=format_timedelta(timedelta(minutes=waiting.oldest_minutes)),
            out_of_order=[] if actor.role == Role.REVIEWER else list(versions.out_of_order()),
            title_of=request_lists.title_of,
            **figures[Role(actor.role)](actor),
        )


def list_url(endpoint: str = "office_requests", **filters: Any) -> str:
    """Return a list's URL with the filters, which are named as in the URL but without `flt`."""
    chosen = {f"flt{place}_{key}": value for place, (key, value) in enumerate(filters.items())}
    return url_for(f"{endpoint}.index_view", **chosen)


def reviewer_figures(actor: Actor) -> dict[str, Any]:
    """Return the reviewer's own work and the unassigned requests."""
    own, free = queues.assigned_to(actor.id), queues.free_for(actor)
    waiting = Request.status.in_(registry.current().waiting_statuses)
    asked = str(SubscriptionStatus.ASKED)
    counted = _numbers(
        FEW,
        mine=own,
        late=sa.and_(own, Request.due_on < kuwait_today()),
        unassigned=free,
        waiting=sa.and_(waiting, Request.reviewer_id == actor.id),
        subscriptions=Subscription.status == asked,
    )
    rows = _urgent_rows(own, free)
    return {
        "counts": _read(counted),
        "urls": _queue_urls()
        | {
            "waiting": list_url(queue="waiting", reviewer=actor.id),
            "subscriptions": list_url("office_subscriptions", status=asked),
        },
        "licences": licence_figures(),
        "own_work": [_row(row) for row in rows if row.reviewer_id == actor.id][:SHOWN_ROWS],
        "unassigned": [_row(row) for row in rows if row.reviewer_id is None][:SHOWN_ROWS],
    }


def manager_figures(actor: Actor) -> dict[str, Any]:
    """Return requests by status, age and service, and the reviewers' workload.

    What waits is counted now, each up to FEW. Its breakdown is too while no more than FEW requests
    are open; else it is that of the summaries, whose age the page shows.
    """
    known = registry.current()
    closed = known.statuses.keys() - known.open_statuses - {Status.DRAFT}
    waiting, today = known.waiting_statuses, kuwait_today()
    counts = _read(_request_counts(frozenset(closed), frozenset(waiting), today, FEW))
    present = _present(is_short=counts["open"] <= FEW)
    by_status = present.of(Dimension.ALL).by(Measure.OPEN)
    return {
        "counts": counts,
        "is_short": counts["open"] <= FEW,
        "few": f"{FEW:,}",
        "counted_at": present.made_at,
        "urls": _queue_urls() | {"open": list_url(status="open")},
        "licences": licence_figures(),
        "by_status": [
            (str(known.status_label(status)), number, list_url(status=str(status)))
            for status in known.statuses
            if (number := by_status.get(status) or counts.get(f"in {status}"))
        ],
        "by_age": _by_age(present),
        "by_stage": _by_stage(present),
        "by_team": _workload(present, Dimension.TEAM, queues.team_choices(), "team"),
        "load": _workload(present, Dimension.REVIEWER, queues.holders(), "reviewer", status="open"),
        "by_service": _by_service(present),
    }


@lru_cache(maxsize=2)
def _request_counts(
    closed: frozenset[str], waiting: frozenset[str], today: date, most: int
) -> sa.Select[Any]:
    """Select the numbers of `manager_figures`; made once a day, as it is long.

    closed, waiting: the statuses that are counted, and those that wait for the applicant.
    """
    decided_from = day_start(today - timedelta(days=DECIDED_DAYS))
    return _numbers(
        most,
        open=sa.and_(Request.decided_at.is_(None), Request.sent_at.is_not(None)),
        late=queues.overdue_by_index(),
        unassigned=queues.assigned_to(None),
        waiting=Request.status.in_(sorted(waiting)),
        decided=Request.decided_at >= decided_from,
        **{f"in {status}": Request.status == status for status in sorted(closed)},
    )


def _present(*, is_short: bool) -> Present:
    now = utc_now()
    if is_short:
        return reading.counted(standing.count_open(kuwait_date(now)), now)
    return reading.present()


def licence_figures() -> list[tuple[Any, Count, str, str]]:
    """Return (label, number, URL, tone) of licences needing attention; counted by indexes."""
    counts = _read(_licence_counts(kuwait_today(), FEW))

    def url(**filters: str) -> str:
        return list_url("office_licences", **filters)

    active = str(LicenceStatus.ACTIVE)
    return [
        (
            _l("Licences that expire within 30 days"),
            counts["soon"],
            url(ends=SOON, status=active),
            "info",
        ),
        (
            _l("Active licences with an expired document"),
            counts["ended"],
            url(ends=register_lists.PAST, status=active),
            "danger",
        ),
        (
            _l("Licences suspended by the office"),
            counts["suspended"],
            url(status=str(LicenceStatus.SUSPENDED), suspended_by=str(SuspendedBy.OFFICE)),
            "warning",
        ),
    ]


@lru_cache(maxsize=2)
def _licence_counts(today: date, most: int) -> sa.Select[Any]:
    """Select the numbers of `licence_figures`; made once a day, as it is long."""
    by_office = Licence.suspended_by == SuspendedBy.OFFICE
    return _numbers(
        most,
        soon=register_lists.count_ending(SOON, today, most),
        ended=register_lists.count_ending(register_lists.PAST, today, most),
        suspended=sa.and_(Licence.status == LicenceStatus.SUSPENDED, by_office),
    )


def administrator_figures(actor: Actor) -> dict[str, Any]:
    """Return the numbers of active staff by role and of active services."""
    staff = sa.select(User.role, sa.func.count()).where(
        User.role.in_(sorted(STAFF_ROLES)), User.is_active.is_(True)
    )
    counted = {role: count for role, count in db.session.execute(staff.group_by(User.role))}
    return {
        "staff": [(role, counted.get(role, 0)) for role in (*Role,) if role in STAFF_ROLES],
        "services": db.session.scalar(
            sa.select(sa.func.count()).select_from(Service).where(Service.is_active.is_(True))
        ),
    }


def _queue_urls() -> dict[str, str]:
    return {str(queue): list_url(queue=str(queue)) for queue in queues.Queue}


class Count(int):
    """A number that was counted up to FEW; shown as "1,000+" beyond."""

    def __str__(self) -> str:
        return f"{FEW:,}+" if self > FEW else super().__repr__()


def _numbers(most: int, **counted: Any) -> sa.Select[Any]:
    """Select the number of the rows of every condition, each by its own index, up to `most` + 1.

    counted: conditions, or selects of a number.
    """
    return sa.select(
        *(
            (what if isinstance(what, sa.Select) else _number(what, most))
            .scalar_subquery()
            .label(name)
            for name, what in counted.items()
        )
    )


def _number(condition: sa.ColumnElement[bool], most: int) -> sa.Select[Any]:
    rows: sa.Select[Any] = sa.select(sa.literal_column("1")).where(condition).limit(most + 1)
    return sa.select(sa.func.count()).select_from(rows.subquery())


def _read(numbers: sa.Select[Any]) -> dict[str, Count]:
    found = db.session.connection().execute(numbers).one()._mapping
    return {name: Count(number) for name, number in found.items()}


def _urgent_rows(*conditions: sa.ColumnElement[bool]) -> Sequence[Any]:
    """Return the most urgent requests of each condition, found by index before rows are read."""
    statement = (
        sa.select(
            Request.id,
            Request.number,
            Request.service_code,
            Request.reviewer_id,
            Request.due_on,
            *request_lists.STAGE,
            request_lists.name_column(),
        )
        .where(Request.id.in_(queues.most_urgent(SHOWN_ROWS, *conditions)))
        .order_by(*queues.URGENCY)
    )
    return db.session.connection().execute(statement).all()


def _row(row: Any) -> dict[str, Any]:
    return {
        "url": url_for("office_requests.details_view", id=row.id),
        "number": row.number,
        "service": request_lists.title_of(row.service_code),
        "name": row.name,
        "stage": stages.title_of(row),
        "due_on": row.due_on,
        "is_late": row.due_on is not None and row.due_on < kuwait_today(),
    }


def _by_age(present: Present) -> list[tuple[str, int]]:
    """Return (age, number) of the requests to respond to."""
    numbers = present.of(Dimension.ALL).by(Measure.WAITING)
    return [(str(label), numbers.get(key, 0)) for key, (label, *_days) in AGES.items()]


def _by_service(present: Present) -> list[tuple[str, int]]:
    """Return (service, number) of the requests to respond to."""
    lang = i18n.language()
    services = (version.definition for version in versions.all_current())
    return [
        (service.title_in(lang), present.of(Dimension.SERVICE, service.code).all(Measure.WAITING))
        for service in services
    ]


def _by_stage(present: Present) -> list[tuple[str, int, str]]:
    """Return (service and stage, number, URL) of requests to respond to in the stages in use."""
    return [
        (title, present.of(Dimension.STAGE, key).all(Measure.WAITING), list_url(stage=key))
        for key, title in queues.stage_choices()
    ]


def _workload(
    present: Present,
    dimension: Dimension,
    named: Iterable[tuple[Any, Any]],
    key: str,
    **filters: str,
) -> list[dict[str, Any]]:
    """Return what waits for each of `named`, (key, name), in their order.

    key: the name of the list's filter by them. filters: others of the list's address.
    """
    return [
        {
            "name": name,
            "open": present.of(dimension, one).all(Measure.WAITING),
            "late": present.of(dimension, one).all(Measure.LATE),
            "url": list_url(**filters, **{key: one}),
        }
        for one, name in named
    ]
