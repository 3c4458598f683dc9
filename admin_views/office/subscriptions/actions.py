"""Deciding on asked subscriptions, one or many: the page that asks, the step, what came of it."""

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
    """One of the two decisions. done: what is said when it was made."""

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
    """A chosen subscription. refusal: why it cannot be decided on by the reader now, or None."""

    chosen: SelectedRow
    subscription: Subscription
    organisation: str
    service: str
    refusal: Refusal | None


def details_url(subscription_id: int) -> str:
    """Where one subscription is read."""
    return url_for("office_subscriptions.details", subscription_id=subscription_id)


class SubscriptionSteps:
    """Mixed into the view; `get_one` and `ids_in_scope` know what the reader sees."""

    get_one: Callable[[Any], Subscription]
    ids_in_scope: Callable[[Sequence[str]], list[int]]
    render: Callable[..., str]
    return_url: Callable[[], str]
    show: Callable[..., Any]

    @expose("/do/<step>", methods=("GET", "POST"))
    @expose("/<int:subscription_id>/do/<step>", methods=("GET", "POST"))
    def do(self, step: str, subscription_id: int | None = None) -> Any:
        """Ask before a decision on one subscription, or on all that were chosen, and make it."""
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
        """From the list's action to the page that asks."""
        return redirect(
            url_for("office_subscriptions.do", step=name, id=ids, url=self.return_url()), code=303
        )

    def _chosen(self, subscription_id: int | None) -> list[SelectedRow]:
        """The chosen rows of the reader's scope, each with the version that the page showed."""
        if is_posted():
            typed = [SelectedRow.read(each) for each in request.form.getlist("row")[:MOST_AT_ONCE]]
            visible = set(self.ids_in_scope([str(each.request_id) for each in typed]))
            if subscription_id is not None:
                visible &= {self.get_one(subscription_id).id}
            return [each for each in typed if each.request_id in visible]
        if subscription_id is not None:
            row = self.get_one(subscription_id)
            return [SelectedRow(row.id, row.version)]
        ids = self.ids_in_scope(request.args.getlist("id")[:MOST_AT_ONCE])
        found = sa.select(Subscription.id, Subscription.version).where(Subscription.id.in_(ids))
        versions = dict(db.session.execute(found).all())
        return [SelectedRow(each, versions[each]) for each in ids]

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
            possible=sum(each.refusal is None for each in rows),
            form=form,
            form_key=posted_key() or idempotency.new(),
            back_url=back,
        )

    def _told(
        self, subscription_id: int, decision: Decision, outcomes: Sequence[Outcome] | None
    ) -> Any:
        """After a decision on one: its page, with what was done or why not."""
        failed = next((each for each in outcomes or () if not each.is_done), None)
        if failed is not None:
            return self.show(self.get_one(subscription_id), alert=failed.why, status=409)
        if outcomes is not None:
            flash(str(decision.done), "success")
        return redirect(details_url(subscription_id), code=303)

    def _results(self, decision: Decision, outcomes: Sequence[Outcome]) -> str:
        visible = set(self.ids_in_scope([str(each.request_id) for each in outcomes]))
        shown = [each for each in outcomes if each.request_id in visible]
        named = {
            each.chosen.request_id: each
            for each in _read([SelectedRow(each.request_id, 0) for each in shown], current_actor())
        }
        return self.render(
            "office/subscriptions/results.html",
            decision=decision,
            outcomes=shown,
            rows=named,
            done=sum(each.is_done for each in shown),
            back_url=self.return_url(),
        )


def _form(decision: Decision) -> StepForm:
    ready = () if decision.approves else ready_reasons(ReasonFor.REFUSE_SUBSCRIPTION)
    return step_form(needs_reason=not decision.approves, ready=ready, lang=i18n.language())


def _posted_outcomes() -> list[Outcome]:
    """What the results page posts back to be shown in the other language."""
    return [Outcome.read(each) for each in request.form.getlist("outcome")[:MOST_AT_ONCE]]


def _read(chosen: Sequence[SelectedRow], actor: Actor) -> list[Row]:
    """The chosen subscriptions with what a page tells of them; two queries."""
    lang = i18n.language()
    found = db.session.execute(
        sa.select(Subscription, Organisation)
        .join(Organisation, Organisation.id == Subscription.organisation_id)
        .where(Subscription.id.in_([each.request_id for each in chosen]))
    )
    rows = {row.id: (row, organisation) for row, organisation in found}
    return [
        Row(
            each,
            row,
            organisation.name_in(lang),
            request_lists.title_of(row.service_code),
            subscription_changes.decide_refusal(row, actor),
        )
        for each in chosen
        for row, organisation in (rows[each.request_id],)
    ]


def _decide_each(
    chosen: Sequence[SelectedRow], decision: Decision, reason_in: Callable[[str], str], actor: Actor
) -> list[Outcome] | None:
    """Decide on each and tell what became of it; None when the form's key was spent already.

    They are gone through in the order of their ids, so that two who decide on the same rows at once
    never wait for each other. Each row is a savepoint of its own, and every 50 rows are committed
    (security rule 56).
    """
    if (
        idempotency.claim(posted_key(), idempotency_owner(actor), decision.name, utc_now())
        is not None
    ):
        db.session.rollback()
        return None
    outcomes: dict[SelectedRow, Outcome] = {}
    for place, each in enumerate(sorted(set(chosen), key=lambda row: row.request_id), 1):
        outcomes[each] = _decide(each, decision, reason_in, actor)
        if place % COMMIT_EVERY == 0:
            db.session.commit()
    db.session.commit()
    return [outcomes[each] for each in dict.fromkeys(chosen)]


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
