"""Decisions on subscriptions, one or many: confirmation page, execution and results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin_views.base.access import current_actor, require
from admin_views.base.form_post import posted_key
from admin_views.office.asking import ask
from admin_views.office.bulk import (
    BulkSteps,
    Outcome,
    Row,
    SelectedRow,
    posted_outcomes,
    take_on_each,
)
from admin_views.office.requests.actions import ready_reasons
from admin_views.shared import request_lists
from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.reasons import Reason
from clearance.core.request_kind import is_posted, is_sent
from clearance.models import Organisation, Subscription
from clearance.models.enums import ReasonFor
from clearance.organisations import subscription_changes
from forms.request_actions import StepForm, step_form


@dataclass(frozen=True)
class Decision:
    """A decision. done: the success message."""

    name: str
    label: Any
    done: Any
    approves: bool


DECISIONS: dict[str, Decision] = {
    "approve": Decision("approve", _l("Approve"), _l("The subscription was approved."), True),
    "refuse": Decision("refuse", _l("Reject"), _l("The subscription was rejected."), False),
}


def details_url(subscription_id: int) -> str:
    """Return the URL of a subscription."""
    return url_for("office_subscriptions.details", subscription_id=subscription_id)


class SubscriptionSteps(BulkSteps):
    """Mixin of the view; `get_one` respects the reader's scope."""

    step_argument = "step"
    bulk_labels: ClassVar[dict[str, Any]] = {
        name: decision.label for name, decision in DECISIONS.items()
    }
    get_one: Callable[[Any], Subscription]
    show: Callable[..., Any]

    @expose("/do/<step>", methods=("GET", "POST"))
    @expose("/<int:subscription_id>/do/<step>", methods=("GET", "POST"))
    def do(self, step: str, subscription_id: int | None = None) -> Any:
        """Confirm and take a decision on one subscription, or on the chosen ones."""
        require(current_actor().is_reviewer and step in DECISIONS)
        decision = DECISIONS[step]
        if "outcome" in request.form:
            return self._results(posted_outcomes())
        chosen = self._chosen(subscription_id)
        if not chosen:
            return redirect(self.return_url(), code=303)
        form = _form(decision)
        if not is_sent():
            return self._ask(decision, chosen, form, subscription_id)
        if not form.validate():
            return self._ask(decision, chosen, form, subscription_id), 400
        outcomes = _decide_each(chosen, decision, form.given_reason(), current_actor())
        if subscription_id is not None:
            return self._told(subscription_id, decision, outcomes)
        return self._results(outcomes)

    def _chosen(self, subscription_id: int | None) -> list[SelectedRow]:
        """Return the chosen rows, or the page's own one, with the versions shown."""
        if subscription_id is None:
            return self.chosen_rows()
        row = self.get_one(subscription_id)
        if is_posted():
            return [selected for selected in self.chosen_rows() if selected.id == row.id]
        return [SelectedRow(row.id, row.version)]

    def _ask(
        self,
        decision: Decision,
        chosen: Sequence[SelectedRow],
        form: StepForm,
        subscription_id: int | None,
    ) -> str:
        found = _read([selected.id for selected in chosen])
        return ask(
            self.render,
            "office/subscriptions/ask.html",
            form,
            self.return_url() if subscription_id is None else details_url(subscription_id),
            decision=decision,
            rows=[
                Row(selected, found[selected.id], found[selected.id]["refusal"])
                for selected in chosen
            ],
        )

    def _told(
        self, subscription_id: int, decision: Decision, outcomes: Sequence[Outcome] | None
    ) -> Any:
        """Return the subscription's page with the result of a single decision."""
        failed = next((outcome for outcome in outcomes or () if not outcome.is_done), None)
        if failed is not None:
            return self.show(self.get_one(subscription_id), alert=failed.why, status=409)
        if outcomes is not None:
            flash(str(decision.done), "success")
        return redirect(details_url(subscription_id), code=303)

    def _results(self, outcomes: Sequence[Outcome] | None) -> Any:
        return self.show_results("office/subscriptions/results.html", outcomes, _read)


def _form(decision: Decision) -> StepForm:
    ready = () if decision.approves else ready_reasons(ReasonFor.REFUSE_SUBSCRIPTION)
    return step_form(needs_reason=not decision.approves, ready=ready, lang=i18n.language())


def _read(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Load what the pages show of the subscriptions, by id."""
    found = db.session.execute(
        sa.select(Subscription, Organisation)
        .join(Organisation, Organisation.id == Subscription.organisation_id)
        .where(Subscription.id.in_(ids))
    )
    return {
        row.id: {
            "url": details_url(row.id),
            "organisation": organisation.name_in(i18n.language()),
            "service": request_lists.title_of(row.service_code),
            "asked_at": row.asked_at,
            "refusal": subscription_changes.decide_refusal(row, current_actor()),
        }
        for row, organisation in found
    }


def _decide_each(
    chosen: Sequence[SelectedRow], decision: Decision, reason: Reason, actor: Actor
) -> list[Outcome] | None:
    """Decide the rows; return the outcomes, or None if the form's key was already used. Commits."""

    def take(selected: SelectedRow) -> None:
        with db.session.begin_nested():
            subscription_changes.decide(
                selected.id,
                approve=decision.approves,
                reason=reason,
                actor=actor,
                version=selected.version,
                now=utc_now(),
            )

    return take_on_each(chosen, take, step=decision.name, actor=actor, key=posted_key())
