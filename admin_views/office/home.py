"""First page of the office: what needs the reader now, by role, each figure a link."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_admin import expose
from flask_babel import format_timedelta
from flask_babel import lazy_gettext as _l

from admin_views import request_lists
from admin_views.access import acting
from admin_views.base import GuardedView
from admin_views.office import queues, register_lists
from clearance import definition, i18n, notices, policies
from clearance.actor import Actor
from clearance.calendar import kuwait_today, utc_now
from clearance.extensions import db
from clearance.models import Licence, Request, Service, User
from clearance.vocabulary import (
    STAFF_ROLES,
    STATUS_LABELS,
    LicenceStatus,
    Role,
    Status,
    SuspendedBy,
)

SHOWN_ROWS = 8
DECIDED_DAYS = 7


class OfficeHome(GuardedView):
    """What needs the reader now."""

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_staff

    @expose("/")
    def index(self) -> Any:
        """Show what needs this reader, with how the outbox stands."""
        actor = acting()
        figures = {
            Role.REVIEWER: reviewer_figures,
            Role.MANAGER: manager_figures,
            Role.ADMINISTRATOR: administrator_figures,
        }
        outbox = notices.waiting(utc_now())
        return self.render(
            "office/home.html",
            role=str(actor.role),
            outbox=outbox,
            oldest=format_timedelta(timedelta(minutes=outbox.oldest_minutes)),
            **figures[Role(actor.role)](actor),
        )


def list_url(endpoint: str = "office_requests", **filters: Any) -> str:
    """A list, of requests or another, with these filters (named as in the address, no `flt`)."""
    chosen = {f"flt{place}_{key}": value for place, (key, value) in enumerate(filters.items())}
    return url_for(f"{endpoint}.index_view", **chosen)


def reviewer_figures(actor: Actor) -> dict[str, Any]:
    """The reviewer's own work, and what nobody has taken."""
    own = queues.own_work(actor.id)
    return {
        "counts": _counts(
            mine=own,
            late=sa.and_(own, queues.late()),
            unassigned=queues.UNASSIGNED,
            waiting=sa.and_(queues.WAITING, queues.REVIEWER.in_([actor.id])),
        ),
        "urls": _queue_urls() | {"waiting": list_url(queue="waiting", reviewer=actor.id)},
        "licences": licence_figures(),
        "own_work": _rows(own),
        "unassigned": _rows(queues.UNASSIGNED),
    }


def manager_figures(actor: Actor) -> dict[str, Any]:
    """How much there is, how old it is, and who carries it."""
    today = kuwait_today()
    decided_from = today - timedelta(days=DECIDED_DAYS)
    return {
        "counts": _counts(
            open=request_lists.is_open(),
            late=queues.late(),
            unassigned=queues.UNASSIGNED,
            waiting=queues.WAITING,
            decided=Request.decided_at >= request_lists.day_start(decided_from),
        ),
        "urls": _queue_urls() | {"open": list_url(status="open")},
        "licences": licence_figures(),
        "by_status": _by_status(actor),
        "by_age": [
            (str(label), _count(sa.and_(queues.AT_THE_OFFICE, queues.sent_between(first, end))))
            for label, first, end in queues.AGES.values()
        ],
        "load": _load(),
        "by_service": _by_service(actor),
    }


def licence_figures() -> list[tuple[Any, int, str, str]]:
    """(label, number, list, tone) of the licences that want looking at; counted by indexes."""
    soon = str(register_lists.SOON_DAYS)
    ended = register_lists.count_ending(register_lists.PAST)
    suspended = sa.select(sa.func.count()).where(
        Licence.status == LicenceStatus.SUSPENDED, Licence.suspended_by == SuspendedBy.OFFICE
    )
    counts = db.session.execute(
        sa.select(
            register_lists.count_ending(soon).scalar_subquery(),
            ended.scalar_subquery(),
            suspended.scalar_subquery(),
        )
    ).one()

    def url(**filters: str) -> str:
        return list_url("office_licences", **filters)

    active = str(LicenceStatus.ACTIVE)
    return [
        (_l("Licences that end within 30 days"), counts[0], url(ends=soon, status=active), "info"),
        (
            _l("Active licences with a link past its end"),
            counts[1],
            url(ends=register_lists.PAST, status=active),
            "danger",
        ),
        (
            _l("Licences suspended by the office"),
            counts[2],
            url(status=str(LicenceStatus.SUSPENDED), suspended_by=str(SuspendedBy.OFFICE)),
            "warning",
        ),
    ]


def administrator_figures(actor: Actor) -> dict[str, Any]:
    """The staff, the services and the outbox."""
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


def _counts(**conditions: Any) -> dict[str, int]:
    """How many requests fit each condition: one query, each count by an index of its own."""
    counts = (
        sa.select(sa.func.count())
        .select_from(Request)
        .where(condition)
        .scalar_subquery()
        .label(name)
        for name, condition in conditions.items()
    )
    return dict(db.session.execute(sa.select(*counts)).one()._mapping)


def _count(condition: Any) -> int:
    return db.session.scalar(sa.select(sa.func.count()).where(condition)) or 0


def _rows(condition: Any) -> list[dict[str, Any]]:
    """The most urgent requests of a condition, found in the index before their rows are read."""
    urgency = (Request.due_on, Request.sent_at, Request.id)
    urgent = sa.select(Request.id).where(condition).order_by(*urgency).limit(SHOWN_ROWS)
    statement = (
        sa.select(
            Request.id,
            Request.number,
            Request.service_code,
            Request.due_on,
            request_lists.name_column(),
        )
        .where(Request.id.in_(urgent))
        .order_by(*urgency)
    )
    today = kuwait_today()
    return [
        {
            "url": url_for("office_requests.details_view", id=row.id),
            "number": row.number,
            "service": request_lists.title_of(row.service_code),
            "name": row.name,
            "due_on": row.due_on,
            "is_late": row.due_on < today,
        }
        for row in db.session.execute(statement)
    ]


def _by_status(actor: Actor) -> list[tuple[str, int, str]]:
    """(label, number, list) of each state that any request is in."""
    statement = (
        sa.select(Request.status, sa.func.count())
        .where(policies.requests_visible_to(actor))
        .group_by(Request.status)
    )
    counted: dict[str, int] = {row[0]: row[1] for row in db.session.execute(statement)}
    return [
        (str(STATUS_LABELS[each]), counted[each], list_url(status=str(each)))
        for each in Status
        if each in counted
    ]


def _by_service(actor: Actor) -> list[tuple[str, int]]:
    statement = (
        sa.select(service := request_lists.unsorted(Request.service_code), sa.func.count())
        .where(policies.requests_visible_to(actor), queues.AT_THE_OFFICE)
        .group_by(service)
    )
    counted = {row[0]: row[1] for row in db.session.execute(statement)}
    lang = i18n.language()
    return [
        (each.definition.title_in(lang), counted.get(each.definition.code, 0))
        for each in definition.all_current()
    ]


def _load() -> list[dict[str, Any]]:
    """What each reviewer carries now."""
    statement = (
        sa.select(
            queues.REVIEWER.label("reviewer_id"),
            sa.func.count().label("open"),
            sa.func.count(sa.case((queues.late(), 1))).label("late"),
        )
        .where(queues.AT_THE_OFFICE, queues.REVIEWER != 0)
        .group_by(queues.REVIEWER)
    )
    carried = {row.reviewer_id: row for row in db.session.execute(statement)}
    return [
        {
            "name": name,
            "open": carried[key].open if key in carried else 0,
            "late": carried[key].late if key in carried else 0,
            "url": list_url(status="open", reviewer=key),
        }
        for key, name in queues.reviewers()
    ]
