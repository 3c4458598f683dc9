"""Invitations to organisations, as the invited user reads and answers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import ForAgents, current_actor, id_or_404
from admin_views.base.form_post import post_once
from admin_views.base.model_view import GuardedView
from admin_views.my.home import pending
from admin_views.shared import request_lists
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.errors import Refused
from clearance.models import Invitation
from clearance.organisations import invitation_queries, invitation_responses


class MyInvitations(ForAgents, GuardedView):
    """The reader's own invitations; needs no membership in an organisation."""

    @expose("/")
    def index(self) -> Any:
        """List the open invitations."""
        rows = pending.invitations(current_actor(), i18n.language(), utc_now())
        return self.render("my/organisations/users/invitations.html", rows=rows)

    @expose("/<int:invitation_id>/")
    def details(self, invitation_id: int) -> Any:
        """Show an invitation."""
        return self._show(_found(invitation_id))

    @expose("/<int:invitation_id>/accept", methods=("POST",))
    def accept(self, invitation_id: int) -> Any:
        """Join the organisation."""
        return self._answer(
            invitation_id,
            invitation_responses.accept,
            _("You have joined the organisation."),
        )

    @expose("/<int:invitation_id>/refuse", methods=("POST",))
    def refuse(self, invitation_id: int) -> Any:
        """Decline the invitation without notifying the inviter."""
        return self._answer(
            invitation_id, invitation_responses.refuse, _("You have declined the invitation.")
        )

    def _answer(self, invitation_id: int, use_case: Callable[..., Any], told: str) -> Any:
        return post_once(
            lambda: use_case(_found(invitation_id).id, current_actor(), utc_now()),
            result=url_for("my.index"),
            told=told,
            refused=lambda fault: (self._show(_found(invitation_id), alert=fault.refusal), 409),
            of=Refused,
        )

    def _show(self, invitation: Invitation, alert: Any = None) -> str:
        lang = i18n.language()
        return self.render(
            "my/organisations/users/invitation.html",
            invitation=invitation,
            organisation=invitation_queries.organisation_of(invitation).name_in(lang),
            services=[request_lists.title_of(code) for code in invitation.services],
            closed=alert or invitation_queries.closed_refusal(invitation, utc_now()),
        )


def _found(invitation_id: int) -> Invitation:
    return invitation_queries.find(id_or_404(invitation_id), current_actor())
