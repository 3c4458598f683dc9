"""Decisions on subscriptions, one or many: confirmation page, execution and results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin_views.base.access import current_actor, not_found
from admin_views.base.form_post import idempotency_owner, posted_key
from admin_views.office.requests.actions import ready_reasons
from admin_views.office.requests.bulk import COMMIT_EVERY, Outcome, SelectedRow
from admin_views.shared import request_lists
from clearance.core import i18n, idempotency
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, Refusal
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted
from clearance.models import Organisation, Subscription
from clearance.models.enums import ReasonFor
from clearance.organisations import subscription_changes
from clearance.public import form_helpers
from forms.request_actions import StepForm, step_form

MOST_AT_ONCE = 500


@dataclass(frozen=True)
class Decision:
    """A decision. done: the success message."""

    name: str
    label: Any
    done: Any
    approves: bool


DECISIONS: dict[str, Decision] = {
    "approve": Decision("approve", _l("Approve"), _l("The subscription was approved."), True),
    "refuse": Decision("refuse", _l("Refuse"), _l("The subscription was refused."), False),
}


@dataclass(frozen=True)
class Row:
    """A chosen subscription. refusal: why the reader cannot decide it now, or None."""

    chosen: SelectedRow
    subscription: Subscription
    organisation: str
    service: str
    refusal: Refusal | None


def details_url(subscription_id: int) -> str:
    """Return the URL of a subscription."""
    return url_for("office_subscriptions.details", subscription_id=subscription_id)


class SubscriptionSteps:
    """Mixin of the view; `get_one` and `ids_in_scope` respect the reader's scope."""

    get_one: Callable[[Any], Subscription]
    ids_in_scope: Callable[[Sequence[str]], list[int]]
    render: Callable[..., str]
    return_url: Callable[[], str]
    show: Callable[..., Any]

    @expose("/do/<step>", methods=("GET", "POST"))
    @expose("/<int:subscription_id>/do/<step>", methods=("GET", "POST"))
    def do(self, step: str, subscription_id: int | None = None) -> Any:
        """Confirm and take a decision on one subscription, or on the chosen ones."""
        if not current_actor().is_reviewer or step not in DECISIONS:
            not_found()
        decision = DECISIONS[step]
        if "outcome" in request.form:
            return self._results(decision, _posted_outcomes())
        chosen = self._chosen(subscription_id)
        if not chosen:
            return redirect(self.return_url(), code=303)
        form = _form(decision)
        if not form_helpers.is_sent():
            return self._ask(decision, chosen, form, subscription_id)
        if not form.validate():
            return self._ask(decision, chosen, form, subscription_id), 400
        outcomes = _decide_each(chosen, decision, form.reason_in, current_actor())
        if subscription_id is not None:
            return self._told(subscription_id, decision, outcomes)
        if outcomes is None:
            return redirect(self.return_url(), code=303)
        return self._results(decision, outcomes)

    def ask_for_many(self, name: str, ids: Sequence[int]) -> Any:
        """Redirect from the list's bulk action to the confirmation page."""
        return redirect(
            url_for("office_subscriptions.do", step=name, id=ids, url=self.return_url()), code=303
        )

    def _chosen(self, subscription_id: int | None) -> list[SelectedRow]:
        """Return the chosen rows within the reader's scope, with the versions shown."""
        if is_posted():
            typed = [SelectedRow.read(text) for text in request.form.getlist("row")[:MOST_AT_ONCE]]
            visible = set(self.ids_in_scope([str(selected.request_id) for selected in typed]))
            if subscription_id is not None:
                visible &= {self.get_one(subscription_id).id}
            return [selected for selected in typed if selected.request_id in visible]
        if subscription_id is not None:
            row = self.get_one(subscription_id)
            return [SelectedRow(row.id, row.version)]
        ids = self.ids_in_scope(request.args.getlist("id")[:MOST_AT_ONCE])
        found = sa.select(Subscription.id, Subscription.version).where(Subscription.id.in_(ids))
        versions = dict(db.session.execute(found).all())
        return [SelectedRow(row_id, versions[row_id]) for row_id in ids]

    def _ask(
        self,
        decision: Decision,
        chosen: Sequence[SelectedRow],
        form: StepForm,
        subscription_id: int | None,
    ) -> str:
        rows = _read(chosen, current_actor())
        back = details_url(subscription_id) if subscription_id is not None else self.return_url()
        return self.render(
            "office/subscriptions/do.html",
            decision=decision,
            rows=rows,
            possible=sum(row.refusal is None for row in rows),
            form=form,
            form_key=posted_key() or idempotency.new(),
            back_url=back,
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

    def _results(self, decision: Decision, outcomes: Sequence[Outcome]) -> str:
        visible = set(self.ids_in_scope([str(outcome.request_id) for outcome in outcomes]))
        shown = [outcome for outcome in outcomes if outcome.request_id in visible]
        named = {
            row.chosen.request_id: row
            for row in _read(
                [SelectedRow(outcome.request_id, 0) for outcome in shown], current_actor()
            )
        }
        return self.render(
            "office/subscriptions/results.html",
            decision=decision,
            outcomes=shown,
            rows=named,
            done=sum(outcome.is_done for outcome in shown),
            back_url=self.return_url(),
        )


def _form(decision: Decision) -> StepForm:
    ready = () if decision.approves else ready_reasons(ReasonFor.REFUSE_SUBSCRIPTION)
    return step_form(needs_reason=not decision.approves, ready=ready, lang=i18n.language())


def _posted_outcomes() -> list[Outcome]:
    """Parse the outcomes that the results page posts back to switch its language."""
    return [Outcome.read(text) for text in request.form.getlist("outcome")[:MOST_AT_ONCE]]


def _read(chosen: Sequence[SelectedRow], actor: Actor) -> list[Row]:
    """Load the chosen subscriptions with what the pages show, in two queries."""
    lang = i18n.language()
    found = db.session.execute(
        sa.select(Subscription, Organisation)
        .join(Organisation, Organisation.id == Subscription.organisation_id)
        .where(Subscription.id.in_([selected.request_id for selected in chosen]))
    )
    rows = {row.id: (row, organisation) for row, organisation in found}
    return [
        Row(
            selected,
            row,
            organisation.name_in(lang),
            request_lists.title_of(row.service_code),
            subscription_changes.decide_refusal(row, actor),
        )
        for selected in chosen
        for row, organisation in (rows[selected.request_id],)
    ]


def _decide_each(
    chosen: Sequence[SelectedRow], decision: Decision, reason_in: Callable[[str], str], actor: Actor
) -> list[Outcome] | None:
    """Decide the rows; return the outcomes, or None if the form's key was already used. Commits.

    Rows are taken in the order of their ids, so that concurrent decisions cannot deadlock. Every
    row has its savepoint, and every 50 rows are committed (security rule 56).
    """
    if (
        idempotency.claim(posted_key(), idempotency_owner(actor), decision.name, utc_now())
        is not None
    ):
        db.session.rollback()
        return None
    outcomes: dict[SelectedRow, Outcome] = {}
    for place, selected in enumerate(sorted(set(chosen), key=lambda row: row.request_id), 1):
        outcomes[selected] = _decide(selected, decision, reason_in, actor)
        if place % COMMIT_EVERY == 0:
            db.session.commit()
    db.session.commit()
    return [outcomes[selected] for selected in dict.fromkeys(chosen)]


def _decide(
    each: SelectedRow, decision: Decision, reason_in: Callable[[str], str], actor: Actor
) -> Outcome:
    try:
        with db.session.begin_nested():
            subscription_changes.decide(
                each.request_id,
                approve=decision.approves,
                reason_in=reason_in,
                actor=actor,
                version=each.version,
                now=utc_now(),
            )
    except DomainError as refusal:
        return Outcome(each.request_id, "", str(refusal) or _("This was not possible."))
    return Outcome(each.request_id, "")
