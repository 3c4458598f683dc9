"""Home page of the office: pending work by role, every figure with a link."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_admin import expose
from flask_babel import format_timedelta
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin_views.base.access import current_actor
from admin_views.base.filters import day_start
from admin_views.base.model_view import GuardedView
from admin_views.office.requests import queues
from admin_views.shared import register_lists, request_lists
from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.figures.ages import AGES
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
FINAL_CAP = 1_000


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
    own = queues.assigned_to(actor.id)
    nobodys = sa.and_(queues.assigned_to(None), queues.for_teams(actor))
    waiting = Request.status.in_(registry.current().waiting_statuses)
    return {
        "counts": _counts(
            mine=own,
            late=sa.and_(own, Request.due_on < kuwait_today()),
            unassigned=nobodys,
            waiting=sa.and_(waiting, Request.reviewer_id == actor.id),
        ),
        "urls": _queue_urls() | {"waiting": list_url(queue="waiting", reviewer=actor.id)},
        "licences": licence_figures(),
        "subscriptions": _asked_subscriptions(),
        "own_work": _rows(own),
        "unassigned": _rows(nobodys),
    }


def _asked_subscriptions() -> tuple[int, str]:
    """Return the number of subscriptions awaiting a decision, and their list's URL."""
    asked = str(SubscriptionStatus.ASKED)
    counted = sa.select(sa.func.count()).where(Subscription.status == asked)
    return db.session.scalar(counted) or 0, list_url("office_subscriptions", status=asked)


def manager_figures(actor: Actor) -> dict[str, Any]:
    """Return requests by status, age and service, and the reviewers' workload."""
    decided_from = kuwait_today() - timedelta(days=DECIDED_DAYS)
    in_hands, states = _in_hands(), _by_state()
    by_service, by_age = _at_the_office()
    return {
        "counts": {
            "open": sum(states[status] for status in registry.current().open_statuses),
            "late": sum(late for _number, late in in_hands.values()),
            "unassigned": in_hands.get(None, (0, 0))[0],
            "waiting": sum(states[status] for status in registry.current().waiting_statuses),
            **_counts(decided=Request.decided_at >= day_start(decided_from)),
        },
        "urls": _queue_urls() | {"open": list_url(status="open")},
        "licences": licence_figures(),
        "by_status": [
            (
                str(registry.current().status_label(status)),
                _capped(number),
                list_url(status=str(status)),
            )
            for status, number in states.items()
            if number
        ],
        "by_age": by_age,
        "by_stage": _by_stage(),
        "by_team": _by_team(),
        "load": _load(in_hands),
        "by_service": by_service,
    }


def licence_figures() -> list[tuple[Any, int, str, str]]:
    """Return (label, number, URL, tone) of licences needing attention; counted by indexes."""
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
        (
            _l("Licences that expire within 30 days"),
            counts[0],
            url(ends=soon, status=active),
            "info",
        ),
        (
            _l("Active licences with an expired document"),
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


def _counts(**conditions: Any) -> dict[str, int]:
    """Count the requests of every condition in one query, each count by its own index."""
    counts = (
        sa.select(sa.func.count())
        .select_from(Request)
        .where(condition)
        .scalar_subquery()
        .label(name)
        for name, condition in conditions.items()
    )
    return dict(db.session.execute(sa.select(*counts)).one()._mapping)


def _rows(condition: Any) -> list[dict[str, Any]]:
    """Return the most urgent requests, found by index before any rows are read."""
    urgent = sa.select(Request.id).where(condition).order_by(*queues.URGENCY).limit(SHOWN_ROWS)
    statement = (
        sa.select(
            Request.id,
            Request.number,
            Request.service_code,
            Request.due_on,
            *request_lists.STAGE,
            request_lists.name_column(),
        )
        .where(Request.id.in_(urgent))
        .order_by(*queues.URGENCY)
    )
    today = kuwait_today()
    return [
        {
            "url": url_for("office_requests.details_view", id=row.id),
            "number": row.number,
            "service": request_lists.title_of(row.service_code),
            "name": row.name,
            "stage": stages.title_of(row),
            "due_on": row.due_on,
            "is_late": row.due_on is not None and row.due_on < today,
        }
        for row in db.session.execute(statement)
    ]


def _by_state() -> dict[str, int]:
    """Count the requests by status; closed ones only up to FINAL_CAP + 1."""
    known, counts = registry.current(), []
    sent = [status for status in known.statuses if status != Status.DRAFT]
    for status in sent:
        counted = sa.select(Request.id).where(Request.status == status)
        if status not in known.open_statuses:
            counted = counted.limit(FINAL_CAP + 1)
        counts.append(sa.select(sa.func.count()).select_from(counted.subquery()).scalar_subquery())
    return dict(zip(sent, db.session.execute(sa.select(*counts)).one(), strict=True))


def _capped(number: int) -> str:
    """Format the number, as "more than" the cap where counting stopped."""
    if number > FINAL_CAP:
        return str(_("more than %(number)s", number=f"{FINAL_CAP:,}"))
    return str(number)


def _in_hands() -> dict[int | None, tuple[int, int]]:
    """Map reviewer ids (None: unassigned) to the numbers of their requests and late ones."""
    late = sa.func.count().filter(Request.due_on < kuwait_today())
    statement = (
        sa.select(Request.reviewer_id, sa.func.count(), late)
        .where(queues.AT_THE_OFFICE)
        .group_by(Request.reviewer_id)
    )
    return {row[0]: (row[1], row[2]) for row in db.session.execute(statement)}


def _at_the_office() -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Return (service, number) and (age, number) of requests to answer, in one query."""
    ages = [
        sa.func.count().filter(queues.sent_days_ago(first, end))
        for _label, first, end in AGES.values()
    ]
    statement = (
        sa.select(Request.service_code, sa.func.count(), *ages)
        .where(queues.AT_THE_OFFICE)
        .group_by(Request.service_code)
    )
    rows = {row[0]: row[1:] for row in db.session.execute(statement)}
    lang = i18n.language()
    by_service = [
        (version.definition.title_in(lang), rows.get(version.definition.code, (0,))[0])
        for version in versions.all_current()
    ]
    by_age = [
        (str(label), sum(row[place] for row in rows.values()))
        for place, (label, *_days) in enumerate(AGES.values(), 1)
    ]
    return by_service, by_age


def _by_stage() -> list[tuple[str, int, str]]:
    """Return (service and stage, number, URL) of requests to answer in the stages in use."""
    choices = queues.stage_choices()
    if not choices:
        return []
    statement = (
        sa.select(Request.service_code, Request.stage, sa.func.count())
        .where(queues.AT_THE_OFFICE, Request.stage.is_not(None))
        .group_by(Request.service_code, Request.stage)
    )
    counted = {f"{code}.{stage}": number for code, stage, number in db.session.execute(statement)}
    return [(title, counted.get(key, 0), list_url(stage=key)) for key, title in choices]


def _by_team() -> list[dict[str, Any]]:
    """Return the teams' workload, where there are several."""
    named = queues.team_choices()
    if not named:
        return []
    late = sa.func.count().filter(Request.due_on < kuwait_today())
    statement = (
        sa.select(Request.team_code, sa.func.count(), late)
        .where(queues.AT_THE_OFFICE, Request.team_code.is_not(None))
        .group_by(Request.team_code)
    )
    counted = {row[0]: (row[1], row[2]) for row in db.session.execute(statement)}
    return [
        {
            "name": name,
            "open": counted.get(code, (0, 0))[0],
            "late": counted.get(code, (0, 0))[1],
            "url": list_url(team=code),
        }
        for code, name in named
    ]


def _load(in_hands: Mapping[int | None, tuple[int, int]]) -> list[dict[str, Any]]:
    """Return the reviewers' workload, including former reviewers who still have requests."""
    return [
        {
            "name": name,
            "open": in_hands.get(key, (0, 0))[0],
            "late": in_hands.get(key, (0, 0))[1],
            "url": list_url(status="open", reviewer=key),
        }
        for key, name in queues.holders()
    ]
