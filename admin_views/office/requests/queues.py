"""Queues of the office, as conditions, tabs and filters."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, timedelta
from itertools import chain
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin_views.base.access import current_actor
from admin_views.base.filters import DateFilter, ListFilter, day_start
from admin_views.shared import register_lists, request_lists
from clearance.core import i18n, teams
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_today
from clearance.core.extensions import db
from clearance.figures.ages import AGES
from clearance.figures.measures import office_decisions
from clearance.models import Event, Request, User
from clearance.models.enums import Labelled
from clearance.requests.timeline import STAGE
from clearance.services import registry, versions

NOBODY = "none"
DECIDED = "decided"


class Queue(Labelled):
    """The queues by their names in URLs."""

    MINE = "mine", _l("My requests to review")
    UNASSIGNED = "unassigned", _l("Unassigned")
    OFFICE = "office", _l("Waiting for the office")
    LATE = "late", _l("Overdue requests")
    WAITING = "waiting", _l("Waiting for the applicant")


# Requests have a due date, or a team, exactly while the office must answer them.
_UNDECIDED = Request.decided_at.is_(None)
AT_THE_OFFICE = sa.and_(
    _UNDECIDED, sa.or_(Request.due_on.is_not(None), Request.team_code.is_not(None))
)
# The same for a list in the order of sending: SQLite finds all of it, to list and to count, in
# ix_request_undecided, where a smaller index would have it read each row for its status.
_IN_ORDER = sa.and_(
    _UNDECIDED,
    sa.or_(
        *(
            request_lists.unsorted(column).is_not(None)
            for column in (Request.due_on, Request.team_code)
        )
    ),
)
REVIEWER = request_lists.unsorted(Request.reviewer_id)
UNASSIGNED = sa.and_(_IN_ORDER, REVIEWER.is_(None))
URGENCY = (Request.due_on.asc().nulls_last(), Request.sent_at, Request.id)
"""The most urgent first, those without a due date last."""
DUE_ORDER = sa.func.coalesce(Request.due_on, sa.literal_column("'9999-12-31'"), type_=sa.Date())
"""As ix_request_due_order has it."""


def most_urgent(limit: int, *conditions: sa.ColumnElement[bool]) -> sa.Select[tuple[int]]:
    """Select the ids of the most urgent requests of each condition: up to `limit` of each kind.

    Those with a due date and those without are found apart: an index has the latter first. Order
    what this finds by URGENCY.
    """
    order = (Request.due_on, Request.sent_at, Request.id)
    kinds = (Request.due_on.is_not(None), Request.due_on.is_(None))
    parts = [
        sa.select(Request.id).where(condition, kind).order_by(*order).limit(limit).subquery()
        for condition in conditions
        for kind in kinds
    ]
    return sa.select(sa.union_all(*(sa.select(part.c.id) for part in parts)).subquery().c.id)


def assigned_to(reviewer_id: int | None) -> sa.ColumnElement[bool]:
    """Return the condition for requests that a reviewer, or nobody (None), must answer.

    Uses the index by reviewer and due date; `my_open` and `unassigned` keep the order of sending.
    """
    return sa.and_(AT_THE_OFFICE, Request.reviewer_id == reviewer_id)


def free_for(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition for requests without a reviewer that the reader can take."""
    return sa.and_(assigned_to(None), for_teams(actor))


def of_teams(codes: Collection[str]) -> sa.ColumnElement[bool]:
    """Return the condition for requests of these teams, and for those of all reviewers."""
    return sa.or_(Request.team_code.is_(None), Request.team_code.in_(sorted(codes)))


def for_teams(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition for requests that the reader can take: all, while there is one team."""
    is_limited = actor.is_reviewer and teams.are_several()
    return of_teams(actor.teams) if is_limited else sa.true()


def unassigned() -> sa.ColumnElement[bool]:
    """Return the condition for requests without a reviewer that the reader can take or assign."""
    return sa.and_(UNASSIGNED, for_teams(current_actor()))


def my_open(reviewer_id: Any) -> sa.ColumnElement[bool]:
    """Return the condition for requests that this reviewer must answer."""
    return sa.and_(_IN_ORDER, REVIEWER.in_([reviewer_id]))


def overdue() -> sa.ColumnElement[bool]:
    """Return the condition for requests whose answer was due before today."""
    return sa.and_(AT_THE_OFFICE, Request.due_on < kuwait_today())


def overdue_by_index() -> sa.ColumnElement[bool]:
    """Return `overdue` as the order by due date has it: those with one are at the office."""
    return kuwait_today() > DUE_ORDER


def waiting_for_applicant() -> sa.ColumnElement[bool]:
    """Return the condition for requests on which the applicant's side has to act."""
    statuses = sorted(registry.current().waiting_statuses)
    return sa.and_(_UNDECIDED, request_lists.unsorted(Request.status).in_(statuses))


def queue_condition(name: str) -> sa.ColumnElement[bool]:
    """Return the condition of the queue called `name`, for the signed-in user."""
    conditions: dict[Queue, Callable[[], sa.ColumnElement[bool]]] = {
        Queue.MINE: lambda: my_open(current_actor().id),
        Queue.UNASSIGNED: unassigned,
        Queue.OFFICE: lambda: _IN_ORDER,
        Queue.LATE: overdue,
        Queue.WAITING: waiting_for_applicant,
    }
    return conditions[Queue(name)]()


def tabs() -> list[tuple[Queue, Any]]:
    """Return the reader's queues; managers have none of their own."""
    hidden = set() if current_actor().is_reviewer else {Queue.MINE}
    return [(queue, queue.label) for queue in Queue if queue not in hidden]


def filters() -> tuple[ListFilter, ...]:
    """Return the filters of the request list."""
    return (
        ListFilter("queue", _l("Queue"), queue_condition, tabs),
        request_lists.service_filter(),
        request_lists.status_filter(
            is_draft_listed=False, opened=request_lists.is_open, groups={DECIDED: _BY_OFFICE}
        ),
        ListFilter("stage", _l("Stage"), _stage, stage_choices),
        ListFilter("team", _l("Team"), _team, team_choices),
        register_lists.OrganisationFilter(Request.organisation_id),
        ListFilter("age", _l("Age"), _age, [(key, label) for key, (label, *_days) in AGES.items()]),
        ListFilter("reviewer", _l("Reviewer"), _reviewer, reviewer_choices),
        *request_lists.sent_filters(),
        DateFilter("decided_from", _l("Closed from"), _closed_from),
        DateFilter("decided_to", _l("Closed up to"), _closed_up_to),
        ListFilter("decided_in", _l("Decided in stage"), _decided_in, decided_stages),
        ListFilter("decided_by", _l("Decided by team"), _decided_by, team_choices),
    )


def sent_days_ago(first: int, end: int | None) -> sa.ColumnElement[bool]:
    """Return the condition for requests sent `first` to below `end` (if any) Kuwait days ago."""
    today = kuwait_today()
    until = Request.sent_at < day_start(today - timedelta(days=first), 1)
    if end is None:
        return until
    return sa.and_(until, Request.sent_at >= day_start(today - timedelta(days=end), 1))


def _by_office() -> sa.ColumnElement[bool]:
    """Return the condition for requests that the office has decided."""
    decisions = sorted(office_decisions())
    return sa.and_(
        Request.decided_at.is_not(None), request_lists.unsorted(Request.status).in_(decisions)
    )


_BY_OFFICE = (_l("Decided by the office"), _by_office)


def _closed_from(day: date) -> sa.ColumnElement[bool]:
    return Request.decided_at >= day_start(day)


def _closed_up_to(day: date) -> sa.ColumnElement[bool]:
    """Return the condition; those sent later are left out by the index in which the list is."""
    end = day_start(day, 1)
    return sa.and_(Request.decided_at < end, Request.sent_at < end)


def stage_choices() -> list[tuple[str, str]]:
    """Return the stages of the services in use, each with its service's title."""
    lang = i18n.language()
    return [
        (f"{service.code}.{stage.name}", f"{service.title_in(lang)} – {stage.title.of(lang)}")
        for service in (version.definition for version in versions.all_current())
        for stage in service.stages
    ]


def decided_stages() -> list[tuple[str, str]]:
    """Return the stages of all versions of the services, as they were last called."""
    lang = i18n.language()
    named: dict[str, str] = {}
    for _version, code, stage in versions.all_stages():
        title = f"{request_lists.title_of(code)} – {stage.title.of(lang)}"
        named.setdefault(f"{code}.{stage.name}", title)
    return list(named.items())


def team_choices() -> list[tuple[str, str]]:
    """Return the teams, where there are several."""
    named = teams.named(i18n.language())
    return named if len(named) > 1 else []


def _decided_in(value: str) -> sa.ColumnElement[bool]:
    code, _dot, name = value.partition(".")
    return sa.and_(_by_office(), Request.service_code == code, _was_decided(name == _LEFT))


def _decided_by(value: str) -> sa.ColumnElement[bool]:
    """Return the condition; a stage of the same name may be another team's in another version."""
    having: dict[str, list[int]] = {}
    for version_id, _code, stage in versions.all_stages():
        if stage.team == value:
            having.setdefault(stage.name, []).append(version_id)
    ways = (
        sa.and_(Request.service_version_id.in_(ids), name == _LEFT) for name, ids in having.items()
    )
    # First by the version, so that the events of other services are not looked for.
    versioned = Request.service_version_id.in_(sorted({*chain(*having.values())}))
    return sa.and_(_by_office(), versioned, _was_decided(sa.or_(sa.false(), *ways)))


_LEFT = Event.changes[(STAGE, 0)].as_string()
"""The stage in which the step of an event was taken."""


def _was_decided(how: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Match requests whose final step was taken so."""
    final = sa.and_(Event.request_id == Request.id, Event.to_status == Request.status)
    return sa.exists().where(final, how).correlate(Request)


def _stage(value: str) -> sa.ColumnElement[bool]:
    code, _dot, name = value.partition(".")
    return sa.and_(
        _UNDECIDED,
        request_lists.unsorted(Request.stage) == name,
        request_lists.unsorted(Request.service_code) == code,
    )


def _team(value: str) -> sa.ColumnElement[bool]:
    return sa.and_(AT_THE_OFFICE, request_lists.unsorted(Request.team_code) == value)


def reviewers(*codes: str | None) -> list[tuple[int, str]]:
    """Return (id, name) of the active reviewers, of one team if all the `codes` are its own."""
    return _named(teams.members(codes[0] if len(set(codes)) == 1 else None))


def _named(*conditions: sa.ColumnElement[bool]) -> list[tuple[int, str]]:
    """Return (id, name) of the users that match, by name."""
    name = User.selected_name(i18n.language())
    found = db.session.execute(sa.select(User.id, name).where(*conditions).order_by(name, User.id))
    return [(key, shown) for key, shown in found]


def _with_requests() -> sa.Select[tuple[int | None]]:
    """Select who has requests: one lookup in the index for each person."""
    lowest = sa.select(sa.func.min(Request.reviewer_id).label("id")).where(AT_THE_OFFICE)
    people = lowest.where(Request.reviewer_id > 0).cte("people", recursive=True)
    following = lowest.where(Request.reviewer_id > people.c.id).scalar_subquery()
    people = people.union_all(sa.select(following).where(people.c.id.is_not(None)))
    return sa.select(people.c.id).where(people.c.id.is_not(None))


def holders() -> list[tuple[int, Any]]:
    """Return (id, name) of active reviewers, and of former ones who still have requests."""
    reviewing = reviewers()
    active = [key for key, _name in reviewing]
    former = _named(User.id.in_(_with_requests()), User.id.not_in(active))
    left = [(key, _("%(name)s (no longer a reviewer)", name=name)) for key, name in former]
    return [*reviewing, *left]


def reviewer_choices() -> list[tuple[str, Any]]:
    """Return the choices of the reviewer filter, "nobody" among them."""
    people = [(str(user_id), name) for user_id, name in holders()]
    return [(NOBODY, _l("Nobody")), *people]


def _age(value: str) -> sa.ColumnElement[bool]:
    _label, first, end = AGES[value]
    return sent_days_ago(first, end)


def _reviewer(value: str) -> sa.ColumnElement[bool]:
    if value == NOBODY:
        return Request.reviewer_id.is_(None)
    return Request.reviewer_id == int(value)
