"""Service subscriptions (الاشتراك بالخدمات): catalogue, requests, withdrawal and leaving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from admin_views.base import formatters
from admin_views.base.access import ForAgents, chosen_organisation, current_actor, not_found
from admin_views.base.form_post import post_once, posted_organisation, posted_version
from admin_views.base.model_view import GuardedView
from admin_views.base.search import Group, Hit, fits_title, group_of
from admin_views.my.services import cards
from clearance.auth import permissions
from clearance.core import i18n, urls
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, NotFound, Refusal, Refused
from clearance.core.extensions import db
from clearance.models import Request, Subscription
from clearance.models.enums import SUBSCRIPTION_TERMS, Status, SubscriptionStatus
from clearance.organisations import subscription_changes, subscriptions
from clearance.organisations.subscriptions import Entry, Step
from clearance.services import versions
from clearance.services.document_kinds import kind_names

_CHANGES: dict[str, Callable[..., Subscription]] = {
    Step.ASK: subscription_changes.ask,
    Step.WITHDRAW: subscription_changes.withdraw,
    Step.LEAVE: subscription_changes.leave,
}
_NOT_HELD = Refusal(_l("Your organisation is not subscribed to this service."))


class MySubscriptions(ForAgents, GuardedView):
    """Services open to the chosen organisation; only its general users change subscriptions."""

    @expose("/")
    def index(self) -> Any:
        """List the services with the organisation's subscription states."""
        return self._show()

    def search_hits(self, typed: str) -> Iterator[Group]:
        """Yield the catalogue's entries for the area's search."""
        titles = (version.definition.title for version in versions.all_current())
        if not any(fits_title(typed, title.ar, title.en) for title in titles):
            return
        found = [
            Hit(
                entry.definition.title_in(i18n.language()),
                f"{urls.SUBSCRIPTIONS}#service-{entry.code}",
                (_state(entry),),
                _badge(entry),
            )
            for entry in subscriptions.catalogue(current_actor(), utc_now())
            if fits_title(typed, entry.definition.title.ar, entry.definition.title.en)
        ]
        yield from group_of(self.name, found, urls.SUBSCRIPTIONS)

    @expose("/<code>/leave")
    def ask_before_leaving(self, code: str) -> Any:
        """Show the consequences of leaving a service and ask for confirmation."""
        actor = current_actor()
        entry = _entry(code, actor)
        organisation_id = chosen_organisation()
        return self.render(
            "my/subscriptions/leave.html",
            card=_card(entry, kind_names(), i18n.language()),
            organisation_id=organisation_id,
            refusal=entry.refusal if entry.step is Step.LEAVE else entry.refusal or _NOT_HELD,
            losing=[
                user.name_in(i18n.language())
                for user in subscription_changes.losing_access(organisation_id, code)
            ]
            if permissions.can_manage(actor, organisation_id)
            else (),
            drafts=_count_drafts(organisation_id, code, actor),
        )

    @expose("/<code>/<step>", methods=("POST",))
    def do(self, code: str, step: str) -> Any:
        """Take a step for the organisation that the posted page showed."""
        change = _CHANGES.get(step) or not_found()
        actor, now = current_actor(), utc_now()
        organisation_id, version = posted_organisation(), posted_version()
        return post_once(
            lambda: change(organisation_id, code, actor, now, version=version),
            result=urls.SUBSCRIPTIONS,
            told=lambda row: _told(row, Step(step)),
            refused=self._refused,
        )

    def _refused(self, fault: DomainError) -> Any:
        if isinstance(fault, NotFound):
            raise fault
        return self._show(alert=_whole(fault), status=409)

    def _show(self, *, alert: str = "", status: int = 200) -> Any:
        actor, lang, kinds = current_actor(), i18n.language(), kind_names()
        entries = subscriptions.catalogue(actor, utc_now())
        page = self.render(
            "my/subscriptions/list.html",
            cards=[_card(entry, kinds, lang) for entry in entries],
            organisation_id=chosen_organisation(),
            reading_only=None if permissions.can_manage_selected(actor) else _only_reading(actor),
            alert=alert,
        )
        return page, status


def _only_reading(actor: Actor) -> Refusal | None:
    """Return why a member cannot change anything; None without an organisation."""
    return subscriptions.GENERAL_USER_ONLY if actor.standing is not None else None


def _entry(code: str, actor: Actor) -> Entry:
    for entry in subscriptions.catalogue(actor, utc_now()):
        if entry.code == code:
            return entry
    return not_found()


def _badge(entry: Entry) -> Markup:
    status = SubscriptionStatus.ACTIVE if entry.is_held else entry.status
    return formatters.state_badge(SubscriptionStatus(status)) if status else Markup()


def _card(entry: Entry, kinds: dict[str, str], lang: str) -> dict[str, Any]:
    """Return the data of a catalogue entry."""
    status = SubscriptionStatus.ACTIVE if entry.is_held else entry.status
    return cards.facts(entry.definition, kinds, lang) | {
        "entry": entry,
        "badge": status.label if status else _("Not subscribed"),
        "tone": status.tone if status else "neutral",
        "state": _state(entry),
        "terms": SUBSCRIPTION_TERMS[entry.definition.subscription],
        "open_requests": [
            {"number": number, "url": urls.request_url(key)}
            for key, number in entry.open_requests.first
        ],
        "more_open": entry.open_requests.count - len(entry.open_requests.first),
        "leave_url": url_for("my_subscriptions.ask_before_leaving", code=entry.code),
    }


def _state(entry: Entry) -> Any:
    """Return the text on the current state and its date."""
    since, asked = _day(entry.since), _day(entry.asked_at)
    if entry.is_held:
        return _("Since %(day)s", day=since) if since else ""
    if entry.status == SubscriptionStatus.ASKED:
        return _("Requested on %(day)s. The office has not decided yet.", day=asked)
    if entry.status == SubscriptionStatus.REFUSED:
        return _("Rejected on %(day)s", day=since)
    if entry.status == SubscriptionStatus.LEFT:
        return _("Ended on %(day)s", day=since)
    return ""


def _day(instant: Any) -> str:
    return i18n.format_instant(instant).partition(" ")[0]


def _told(row: Subscription, step: Step) -> Any:
    """Return the success message of a step."""
    if step is Step.ASK and row.status == SubscriptionStatus.ACTIVE:
        return _("The organisation is now subscribed to the service.")
    texts = {
        Step.ASK: _("We have asked the office. You will be notified when it has decided."),
        Step.WITHDRAW: _("The subscription request was withdrawn."),
        Step.LEAVE: _("The subscription has ended."),
    }
    return texts[step]


def _whole(fault: DomainError) -> str:
    """Return the refusal's message with its remedy."""
    change = fault.refusal.change if isinstance(fault, Refused) else ""
    return f"{fault} {change}".strip()


def _count_drafts(organisation_id: int, code: str, actor: Actor) -> int:
    counted = sa.select(sa.func.count()).where(
        Request.organisation_id == organisation_id,
        Request.service_code == code,
        Request.status == Status.DRAFT,
        permissions.requests_visible_to(actor),
    )
    return db.session.scalar(counted) or 0
