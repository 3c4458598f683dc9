"""The agent's first page, and the choice of organisation."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import redirect, request
from flask_admin import expose

from admin_views import cells, request_lists
from admin_views.access import acting, as_id, not_found
from admin_views.base import GuardedView
from admin_views.my import waiting
from admin_views.my.wording import NEXT_STEPS
from clearance import announcements, i18n, notices, one_time_keys, policies, sessions
from clearance.actor import Actor
from clearance.calendar import utc_now
from clearance.extensions import db
from clearance.models import Request
from clearance.vocabulary import OPEN_STATUSES, Status

WAITING_FOR_AGENT = (Status.RETURNED, Status.SEATED, Status.DRAFT)
SHOWN_REQUESTS = 8
SHOWN_NOTICES = 5


class MyHome(GuardedView):
    """What needs the agent now, and what goes on."""

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_agent

    @expose("/")
    def index(self) -> Any:
        """Show what needs the reader, what is open, what was told."""
        actor, lang, now = acting(), i18n.language(), utc_now()
        told = notices.of_user(actor.id, limit=SHOWN_NOTICES)
        own = sorted(_requests(actor, WAITING_FOR_AGENT), key=_urgency)
        office = sorted(OPEN_STATUSES - set(WAITING_FOR_AGENT))
        return self.render(
            "my/index.html",
            tasks=[_task(row) for row in own],
            open_requests=[_task(row) for row in _requests(actor, office)],
            notices=list(zip(told, notices.texts_of(told, lang), strict=True)),
            announcements=announcements.current(now),
            invitations=waiting.invitations(actor, lang, now),
            transfers=waiting.to_answer(actor, lang, now),
            renewals=waiting.renewals(actor, lang, now),
            issued=waiting.made_ready(actor, now),
            form_key=one_time_keys.new(),
            standing=actor.standing,
        )

    @expose("/organisation", methods=("POST",))
    def switch(self) -> Any:
        """Work for another of the reader's organisations; the session keeps the choice."""
        if not sessions.choose_organisation(acting(), as_id(request.form.get("organisation"))):
            not_found()
        db.session.commit()
        return redirect(self.home_url(), code=303)


def _requests(actor: Actor, statuses: Any) -> list[Any]:
    organisation_id = actor.standing.organisation_id if actor.standing else 0
    statement = (
        sa.select(
            Request.id,
            Request.number,
            Request.service_code,
            Request.status,
            Request.due_on,
            Request.saved_at,
            request_lists.name_column(),
        )
        .where(
            policies.requests_visible_to(actor),
            Request.organisation_id == organisation_id,
            Request.status.in_(list(statuses)),
        )
        .order_by(Request.created_at.desc(), Request.id.desc())
        .limit(SHOWN_REQUESTS)
    )
    return list(db.session.execute(statement))


def _urgency(row: Any) -> int:
    return WAITING_FOR_AGENT.index(row.status)


def _task(row: Any) -> dict[str, Any]:
    """One line of a task list."""
    return {
        "id": row.id,
        "status": row.status,
        "number": row.number,
        "service": request_lists.title_of(row.service_code),
        "name": row.name,
        "badge": cells.status_badge(row.status),
        "text": NEXT_STEPS[row.status],
        "due_on": row.due_on,
        "saved_at": row.saved_at,
    }
