"""The agent's first page, and the choice of organisation."""

from __future__ import annotations

from typing import Any

from flask import redirect, request
from flask_admin import expose

from admin_views.access import acting, as_id, not_found
from admin_views.base import GuardedView
from clearance import sessions
from clearance.actor import Actor
from clearance.extensions import db


class MyHome(GuardedView):
    """What needs the agent now, and what goes on."""

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_agent

    @expose("/")
    def index(self) -> Any:
        """Show what needs the reader, what is open, what was told."""
        return self.render("my/index.html")

    @expose("/organisation", methods=("POST",))
    def switch(self) -> Any:
        """Work for another of the reader's organisations; the session keeps the choice."""
        actor = acting()
        chosen = as_id(request.form.get("organisation"))
        if actor.standing_in(chosen) is None or actor.session_id is None:
            not_found()
        sessions.choose_organisation(actor.session_id, chosen)
        db.session.commit()
        return redirect(self.home_url())
