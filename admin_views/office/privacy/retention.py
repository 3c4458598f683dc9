"""What is deleted when, what the last runs deleted, and legal holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from flask import request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import ForKeepers, current_actor, id_or_404, not_found
from admin_views.base.model_view import GuardedView
from admin_views.office.asking import ask, ask_and_take
from clearance.auth import permissions
from clearance.core import legal_holds
from clearance.core.clock import utc_now
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.core.request_kind import is_sent
from clearance.jobs import retention
from clearance.models import Broker, LegalHold, Purge, Request, User
from clearance.models.enums import STAFF_ROLES
from forms.retention import CivilNumberHoldForm, HoldForm


class Retention(ForKeepers, GuardedView):
    """The rules of retention and its runs; managers and administrators place and lift holds."""

    @expose("/")
    def index_view(self) -> Any:
        """Show rules, holds and the last runs of the purge."""
        return self.render(
            "office/privacy/retention.html",
            rules=[(rule, rule.period()) for rule in retention.RULES],
            labels={rule.name: rule.label for rule in retention.RULES},
            in_force=legal_holds.listed(in_force=True),
            lifted=legal_holds.listed(in_force=False),
            opens_requests=current_actor().is_manager,
            **self.newest_first(_runs),
        )

    @expose("/requests/<int:request_id>/hold", methods=("GET", "POST"))
    def hold_request(self, request_id: int) -> Any:
        """Place a legal hold on a request that the reader may see."""
        visible = permissions.requests_visible_to(current_actor())
        query = sa.select(Request).where(Request.id == id_or_404(request_id), visible)
        req = db.session.scalar(query) or not_found()
        back = url_for("office_requests.details_view", id=req.id)
        return self._place(HoldForm(), req, req.number, back)

    @expose("/users/<int:user_id>/hold", methods=("GET", "POST"))
    def hold_user(self, user_id: int) -> Any:
        """Place a legal hold on a person who uses the portal."""
        user = db.session.get(User, id_or_404(user_id)) or not_found()
        view = "office_staff" if user.role in STAFF_ROLES else "office_users"
        back = url_for(f"{view}.details_view", id=user.id)
        return self._place(HoldForm(), user, user.email, back)

    @expose("/civil-numbers/hold", methods=("GET", "POST"))
    def hold_civil_number(self) -> Any:
        """Place a legal hold on a civil number, whether or not the portal knows it.

        `broker`: the row whose number a manager is offered.
        """
        form = CivilNumberHoldForm()
        if "broker" in request.args and not is_sent() and current_actor().is_manager:
            broker = db.session.get(Broker, id_or_404(request.args["broker"])) or not_found()
            form.civil_id.data = broker.civil_id
        return self._place(form, None, "", self.get_url(".index_view"))

    @expose("/holds/<int:hold_id>/lift", methods=("GET", "POST"))
    def lift(self, hold_id: int) -> Any:
        """Lift a hold after asking why."""
        hold = db.session.get(LegalHold, id_or_404(hold_id)) or not_found()
        subject = hold.request.number if hold.request else hold.user.email if hold.user else None
        refusal = Refusal(_("This legal hold was lifted already.")) if hold.lifted_at else None
        return self._asked(
            HoldForm(),
            "office/privacy/lift.html",
            partial(legal_holds.lift, hold.id),
            self.get_url(".index_view"),
            _("The legal hold was lifted."),
            {"subject": subject or hold.civil_id, "hold": hold, "refusal": refusal},
        )

    def _place(
        self, form: HoldForm, subject: Request | User | None, name: str | None, back: str
    ) -> Any:
        """Ask for a reason, and without a subject for a civil number, and place a hold."""
        earlier = subject is not None and legal_holds.of(subject)
        return self._asked(
            form,
            "office/privacy/hold.html",
            lambda *given: legal_holds.place(subject or form["civil_id"].data, *given),
            back,
            _("The legal hold was placed."),
            {
                "subject": name,
                "refusal": legal_holds.ALREADY if earlier else None,
                "is_request": isinstance(subject, Request),
            },
        )

    def _asked(
        self,
        form: HoldForm,
        template: str,
        act: Callable[..., Any],
        back: str,
        told: str,
        shown: dict[str, Any],
    ) -> Any:
        """Ask for a reason, then do `act(reason, actor, now)` and go back."""

        def page(alert: str = "") -> str:
            return ask(self.render, template, form, back, alert=alert, **shown)

        return ask_and_take(
            page,
            form,
            lambda: act(form.reason.data, current_actor(), utc_now()),
            result=back,
            told=told,
            refused=lambda fault: (page(str(fault)), 409),
            of=Refused,
        )


def _runs(*, limit: int, before_id: int | None) -> Sequence[Purge]:
    query = sa.select(Purge).order_by(Purge.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(Purge.id < before_id)
    return db.session.scalars(query).all()
