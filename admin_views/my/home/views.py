"""The agent's home page and the organisation switch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import redirect, request, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin_views.base.access import current_actor, id_or_404, not_found
from admin_views.base.model_view import GuardedView
from admin_views.my.home import pending
from admin_views.my.services import cards
from admin_views.shared import request_lists
from admin_views.shared.request_parts import next_step
from clearance.auth import permissions, sessions
from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Request
from clearance.models.enums import Status
from clearance.notifications import inbox
from clearance.requests import deadlines
from clearance.services import registry
from clearance.services.extension import Waiting

STEPS = {Status.RETURNED: _l("Make corrections"), Status.DRAFT: _l("Continue")}
SHOWN_RETURNED = SHOWN_WAITING = SHOWN_FOLLOW_UPS = 5
SHOWN_DRAFTS = 3
SHOWN_AT_OFFICE = 5
SHOWN_NOTICES = 4


class MyHome(GuardedView):
    """Pending tasks and open requests."""

    def __init__(self, **kwargs: Any) -> None:
        self._tasks: dict[tuple[str, bool], sa.Select[Any]] = {}
        super().__init__(**kwargs)

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_agent

    @expose("/")
    def index(self) -> Any:
        """Show pending tasks, open requests and notifications."""
        actor, lang, now = current_actor(), i18n.language(), utc_now()
        notices = inbox.of_user(actor.id, limit=SHOWN_NOTICES)
        subjects = registry.current()
        waiting = [
            TaskList((status,), SHOWN_WAITING, newest_first=False, waiting=about)
            for status, about in subjects.waiting.items()
        ]
        returned = TaskList((Status.RETURNED,), SHOWN_RETURNED, newest_first=False)
        drafts = TaskList((Status.DRAFT,), SHOWN_DRAFTS)
        at_office = TaskList(_at_office(), SHOWN_AT_OFFICE)
        rows = self._task_rows(actor, [*waiting, returned, drafts, at_office])
        return self.render(
            "my/home/index.html",
            waiting=[tasks.of(rows) for tasks in waiting],
            returned=returned.of(rows),
            drafts=drafts.of(rows),
            open_requests=at_office.of(rows),
            list_of=_list_of,
            notices=list(zip(notices, inbox.texts_of(notices, lang), strict=True)),
            **pending.told(actor, lang, now),
            to_answer=[row for rows in subjects.to_answer for row in rows(actor, lang, now)],
            follow_ups=cards.follow_ups(actor, lang, now),
            shown_follow_ups=SHOWN_FOLLOW_UPS,
            renewals=pending.renewals(actor, lang, now),
            issued=pending.recently_issued(actor, now),
            standing=actor.standing,
        )

    def _task_rows(self, actor: Actor, lists: Sequence[TaskList]) -> Sequence[Any]:
        """Return the rows of all the lists, of the chosen organisation, in one query."""
        standing = actor.standing
        if standing is None:
            return []
        kind = i18n.language(), standing.is_general
        if kind not in self._tasks:
            self._tasks[kind] = _tasks(lists, sees_all=standing.is_general)
        given = {"organisation": standing.organisation_id, "services": sorted(standing.services)}
        return db.session.execute(self._tasks[kind], given).all()

    @expose("/organisation", methods=("POST",))
    def switch(self) -> Any:
        """Switch to another of the reader's organisations for this session."""
        if not sessions.choose_organisation(
            current_actor(), id_or_404(request.form.get("organisation"))
        ):
            not_found()
        db.session.commit()
        return redirect(self.home_url(), code=303)


def _at_office() -> list[str]:
    """Return the statuses of open requests that the applicant has nothing to do for."""
    subjects = registry.current()
    return sorted(subjects.open_statuses - {Status.RETURNED} - set(subjects.waiting))


def _list_of(status: str) -> str:
    """Return the URL of the request list filtered by `status`."""
    return url_for("my_requests.index_view", flt0_status=status)


@dataclass(frozen=True)
class TaskList:
    """Requests in some states that the home page lists. limit: how many of them.

    waiting: what a subject says of the status.
    """

    statuses: Sequence[str]
    limit: int
    newest_first: bool = True
    waiting: Waiting | None = None

    def ids(self, visible: sa.ColumnElement[bool]) -> list[sa.Subquery]:
        """Select the ids of the first rows of each status, one more than the list shows."""
        order = (Request.sent_at, Request.id)  # of drafts, which were not sent, by id
        return [
            sa.select(Request.id)
            .where(visible, Request.status == status)
            .order_by(*(column.desc() if self.newest_first else column for column in order))
            .limit(self.limit + 1)
            .subquery()
            for status in self.statuses
        ]

    def of(self, rows: Sequence[Any]) -> dict[str, Any]:
        """Return the list's `rows`, of all the lists', and whether there are `more`."""
        own = [row for row in rows if row.status in self.statuses]
        own.sort(key=lambda row: (row.sent_at or row.created_at, row.id), reverse=self.newest_first)
        waiting = self.waiting
        tasks = [
            _task(row, STEPS.get(row.status) if waiting is None else waiting.step)
            for row in own[: self.limit]
        ]
        return {"kind": waiting, "rows": tasks, "more": len(own) > self.limit}


def _tasks(lists: Sequence[TaskList], *, sees_all: bool) -> sa.Select[Any]:
    """Select the rows of all the lists, of an organisation; building it takes longer than it runs.

    sees_all: those of all services, instead of those granted.
    """
    services: Any = None if sees_all else sa.bindparam("services", expanding=True)
    visible = permissions.requests_of(sa.bindparam("organisation"), services)
    selected = [ids for tasks in lists for ids in tasks.ids(visible)]
    ids = sa.union_all(*(sa.select(subquery.c.id) for subquery in selected)).subquery()
    last_days = [
        (Request.status.in_(tasks.statuses), tasks.waiting.last_day)
        for tasks in lists
        if tasks.waiting is not None and tasks.waiting.last_day is not None
    ]
    columns: list[Any] = [
        Request.id,
        Request.number,
        Request.service_code,
        Request.status,
        Request.due_on,
        Request.created_at,
        Request.sent_at,
        Request.saved_at,
        Request.returned_at,
        *request_lists.STAGE,
        (sa.case(*last_days) if last_days else sa.null()).label("last_day"),
        request_lists.name_column(),
    ]
    return sa.select(*columns).where(Request.id.in_(sa.select(ids.c.id)))


def _task(row: Any, step: Any) -> dict[str, Any]:
    """Return a row of a task list."""
    return {
        "id": row.id,
        "status": row.status,
        "number": row.number,
        "service": request_lists.title_of(row.service_code),
        "name": row.name,
        "badge": request_lists.status_cell(row),
        "text": next_step(row.service_version_id, row.status),
        "step": step,
        "due": request_lists.due_words(row) if row.due_on else "",
        "step_by": row.last_day or deadlines.correct_by(row.status, row.returned_at),
        "saved_at": row.saved_at,
    }
