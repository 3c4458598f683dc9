"""Transfers between organisations: incoming, outgoing and requesting a broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin_views.base import navigation
from admin_views.base.access import current_actor, not_found
from admin_views.base.form_post import post_once, posted_key, posted_version
from admin_views.base.model_view import GuardedView
from admin_views.base.search import Group, group_of, url_in
from admin_views.my.requests.base import form_url
from admin_views.my.transfers import consent_link, search
from clearance.auth import permissions
from clearance.core import audit, i18n, urls
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, Refusal, Refused, TooManyTries
from clearance.core.extensions import db
from clearance.core.request_kind import is_sent
from clearance.models import Broker, Request
from clearance.requests import available_actions, transitions
from clearance.services import versions
from clearance.services.flows import StepName
from clearance.transfers import operations as transfer_operations
from clearance.transfers import parties
from clearance.transfers.flow import TransferAction
from clearance.transfers.statuses import TransferStatus
from forms.transfers import ReceiveForm

REASON_MAX_LENGTH = 1000


def add_views(app: Flask) -> None:
    """Add the transfers to the agents' area."""
    view = MyTransfers(name=_l("Transfers"), endpoint="my_transfers", url="/my/transfers")
    navigation.add_view("my", view, "refresh", after="my_requests")


class MyTransfers(GuardedView):
    """Transfers that an organisation's general users answer and request."""

    def accessible_to(self, actor: Actor) -> bool:
        return permissions.may_answer(actor)

    @expose("/")
    def index(self) -> Any:
        """List the transfers to answer, the answered and the requested ones."""
        actor, now = current_actor(), utc_now()
        waiting = transfer_operations.waiting_for(actor, now)
        others = [req for req in transfer_operations.received(actor) if req not in waiting]
        return self.render(
            "my/transfers/list.html",
            named_by=transfer_operations.transfer_identifier(actor),
            waiting=_lines(waiting, urls.transfer_url, parties.named),
            answered=_lines(others, urls.transfer_url, parties.named),
            sent=_lines(transfer_operations.sent(actor), urls.request_url, lambda req: req),
        )

    def search_hits(self, typed: str) -> Iterator[Group]:
        """Yield the transfers to answer, by what their page shows: names and numbers.

        Those requested are among the requests.
        """
        found = search.hits(typed, current_actor())
        return group_of(self.name, found, url_in(self, "index"))

    @expose("/receive", methods=("GET", "POST"))
    def receive(self) -> Any:
        """Request another organisation's broker: enter three numbers, then fill in the form."""
        form = ReceiveForm()
        if is_sent() and form.validate():
            return self._begin(form)
        return self._show_receive(form)

    @expose("/<int:request_id>/")
    def details(self, request_id: int) -> Any:
        """Show the transfer to the other organisation; 404 for all but its general users."""
        return self._show(_found(request_id))

    @expose("/<int:request_id>/do/<action>", methods=("POST",))
    def do(self, request_id: int, action: str) -> Any:
        """Accept or decline the transfer."""
        req, step = _found(request_id), _others_step(action)
        return post_once(
            lambda: transitions.perform(
                req,
                step,
                actor=current_actor(),
                now=utc_now(),
                version=posted_version(),
                reason=request.form.get("reason", ""),
            ),
            result=urls.transfer_url(req.id),
            told=_DONE[step](),
            refused=lambda refusal: self._refused(request_id, refusal),
        )

    @expose("/<int:request_id>/link", methods=("POST",))
    def link(self, request_id: int) -> Any:
        """Send the broker a new consent link."""
        shown = permissions.transfers_answered_by(current_actor())
        return consent_link.send(
            request_id,
            shown,
            urls.transfer_url(request_id),
            lambda refusal: self._refused(request_id, refusal),
        )

    def _refused(self, request_id: int, refusal: DomainError) -> Any:
        return self._show(_found(request_id), alert=str(refusal), status=refusal.status_code)

    def _begin(self, form: ReceiveForm) -> Any:
        actor = current_actor()
        try:
            req = transfer_operations.begin_receiving(
                actor,
                utc_now(),
                licence_no=form.licence_no.data or "",
                civil_id=form.civil_id.data or "",
                organisation_no=form.organisation_no.data or "",
                form_key=posted_key() or None,
            )
            db.session.commit()
        except (Refused, TooManyTries) as error:
            db.session.rollback()
            audit.access("transfer:lookup", user_id=actor.id, result=type(error).__name__.lower())
            refusal = error.refusal if isinstance(error, Refused) else Refusal(str(error))
            return self._show_receive(form, refusal=refusal, status=error.status_code)
        return redirect(form_url(req), code=303)

    def _show_receive(
        self, form: ReceiveForm, *, refusal: Refusal | None = None, status: int = 200
    ) -> Any:
        page = self.render(
            "my/transfers/receive.html",
            form=form,
            shut=transfer_operations.receiving_refusal(current_actor(), utc_now()),
            refusal=refusal,
        )
        return page, status

    def _show(self, req: Request, *, alert: str = "", status: int = 200) -> Any:
        actor, now, lang = current_actor(), utc_now(), i18n.language()
        page = self.render(
            "my/transfers/details.html",
            req=req,
            alert=alert,
            facts=_facts(req, lang),
            **consent_link.shown(req, actor, now),
            is_waiting=req.status == TransferStatus.AWAITING_OTHER_PARTY,
            accept=available_actions.action(req, TransferAction.ACCEPT, actor, now),
            reason=request.form.get("reason", ""),
            reason_max_length=REASON_MAX_LENGTH,
        )
        return page, status


_DONE: dict[StepName, Any] = {
    TransferAction.ACCEPT: lambda: _(
        "You have accepted the transfer. We have asked the broker for consent."
    ),
    TransferAction.DECLINE: lambda: _("You have declined the transfer."),
}


def _found(request_id: int) -> Request:
    return transfer_operations.find(request_id, current_actor())


def _others_step(action: str) -> StepName:
    """Return the other organisation's step of that name; otherwise 404."""
    for step in _DONE:
        if step == action:
            return step
    return not_found()


def _lines(
    found: list[Request], url: Callable[[int], str], named: Callable[[Request], Request | Broker]
) -> list[dict[str, Any]]:
    """Return list rows of transfers. named: source of the broker's name for the reader."""
    lang, days = i18n.language(), transfer_operations.answer_days(found)
    return [
        {
            "url": url(req.id),
            "number": req.number,
            "status": req.status,
            "broker": named(req).name_in(lang),
            "licence": req.licence.number if req.licence is not None else "",
            "asking": req.organisation.name_in(lang),
            "other": req.other_organisation.name_in(lang) if req.other_organisation else "",
            "sent_at": req.sent_at,
            "answer_by": days.get(req.id),
        }
        for req in found
    ]


def _facts(req: Request, lang: str) -> list[tuple[str, str]]:
    """Return the facts the other organisation decides on; no documents or document dates."""
    given = {consent.party: consent.organisation for consent in transfer_operations.consents(req)}
    names = {
        party: organisation.name_in(lang) if organisation is not None else ""
        for party, organisation in given.items()
    }
    return [
        (_("Broker"), parties.named(req).name_in(lang)),
        (_("Licence number"), req.licence.number if req.licence is not None else ""),
        (_("From"), names.get("releasing", "")),
        (_("To"), names.get("receiving", "")),
        (_("Requested by"), req.organisation.name_in(lang)),
        (_("Reason"), str(versions.answer(req, parties.REASON) or "")),
        (_("Sent on"), i18n.format_instant(req.sent_at)),
    ]
