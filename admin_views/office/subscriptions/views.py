"""Subscriptions at the office: list and details."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from admin_views.base import formatters
from admin_views.base.access import DetailsById, EveryRow, ForReaders, LinkedRows, current_actor
from admin_views.base.columns import Column
from admin_views.base.export import for_managers
from admin_views.base.filters import ListFilter, day_filters
from admin_views.base.keyset_list import KeysetModelView
from admin_views.base.search import Hit, SearchedList
from admin_views.office.subscriptions.actions import DECISIONS, SubscriptionSteps, details_url
from admin_views.shared import register_lists, request_lists
from clearance.auth import permissions
from clearance.core import i18n, reasons
from clearance.core.database import shared_alias
from clearance.core.extensions import db
from clearance.models import (
    Broker,
    Event,
    LegalEntity,
    Membership,
    Organisation,
    Request,
    Subscription,
    User,
)
from clearance.models.enums import SubscriptionStatus
from clearance.organisations import subscription_changes

_OFFICER = shared_alias(User)
_TELLS = {
    "asked": _l("Requested"),
    "subscribed": _l("Subscribed immediately"),
    "withdrawn": _l("Withdrawn"),
    "left": _l("Ended"),
    "approved": _l("Approved"),
    "refused": _l("Rejected"),
}
_TONES = {"approved": "success", "subscribed": "success", "refused": "danger", "asked": "info"}


def _organisation(row: Any) -> Markup:
    name = formatters.bdi(register_lists.organisation_name(row))
    link = Markup('<a href="{}">{}</a>').format(details_url(row.id), name)
    return link + formatters.under(i18n.in_language(row, "entity"))


def _officer() -> Any:
    return _OFFICER.selected_name(i18n.language())


_badge = formatters.badges(SubscriptionStatus)


class Subscriptions(
    DetailsById, SubscriptionSteps, ForReaders, EveryRow, LinkedRows, SearchedList, KeysetModelView
):
    """All subscriptions; reviewers decide pending ones, managers read and export."""

    can_export = for_managers
    columns = (
        Column(
            "organisation",
            _l("Organisation"),
            cell=_organisation,
            value=register_lists.organisation_name,
            order=Organisation.name_folded,
        ),
        Column(
            "licence_no",
            _l("Licence number"),
            sql=Organisation.licence_no,
            is_listed=False,
            width="code",
        ),
        replace(request_lists.SERVICE, name="service"),
        Column(
            "status",
            _l("Status"),
            _badge,
            text=lambda row: SubscriptionStatus(row.status).label,
            width="state",
        ),
        Column("asked_at", _l("Requested on"), formatters.date_of, order=True, width="date"),
        Column("decided_at", _l("Status since"), formatters.date_of, width="date"),
        Column("officer", _l("Decided by"), formatters.isolated, sql=_officer),
        Column("reason", _l("Reason"), is_listed=False, value=lambda row: reasons.read(row.reason)),
    )
    column_filters = (
        ListFilter("status", _l("Status"), Subscription.status, SubscriptionStatus.choices()),
        ListFilter(
            "service", _l("Service"), Subscription.service_code, request_lists.service_titles
        ),
        *day_filters(Subscription.asked_at, _l("Requested from"), _l("Requested until")),
    )
    default_order = ("asked_at", True)
    search_hint = _l("Organisation name or licence number")
    empty_title = _l("No subscriptions yet")
    empty_text = _l("Subscriptions appear here when organisations subscribe to services.")

    def also_selected(self) -> Sequence[Any]:
        own = (Subscription.service_code,)
        return *own, *register_lists.entity_columns(), *register_lists.organisation_columns()

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        return (
            rows.join(Organisation, Organisation.id == Subscription.organisation_id)
            .join(LegalEntity, LegalEntity.code == Organisation.legal_entity)
            .outerjoin(_OFFICER, _OFFICER.id == Subscription.decided_by_id)
        )

    def search_condition(self, typed: str) -> Any | None:
        return register_lists.organisation_condition(typed)

    def hit(self, row: Any) -> Hit:
        return Hit(
            register_lists.organisation_name(row),
            details_url(row.id),
            (request_lists.title_of(row.service_code),),
            _badge(row.status),
            (row.licence_no,),
        )

    @expose("/<int:subscription_id>/")
    def details(self, subscription_id: Any) -> Any:
        """Show a subscription with its history."""
        return self.show(self.get_one(subscription_id))

    def show(self, row: Subscription, *, alert: str = "", status: int = 200) -> Any:
        """Render a subscription's page."""
        reader = current_actor()
        organisation = db.session.get_one(Organisation, row.organisation_id)
        page = self.render(
            "office/subscriptions/details.html",
            row=row,
            alert=alert,
            organisation=organisation,
            entity=db.session.get_one(LegalEntity, organisation.legal_entity),
            service=request_lists.title_of(row.service_code),
            badge=_badge(row.status),
            counts=_counts(row),
            history=_history(row),
            decisions=DECISIONS.values() if reader.is_reviewer else (),
            refusal=subscription_changes.decide_refusal(row, reader),
        )
        return page, status

    def is_action_allowed(self, name: str) -> bool:
        return name in DECISIONS and current_actor().is_reviewer


def _counts(row: Subscription) -> list[tuple[str, int]]:
    """Return the organisation's size, and the number of its requests for the service."""
    counted = (
        (_("Brokers"), Broker.organisation_id == row.organisation_id),
        (
            _("Users"),
            sa.and_(
                Membership.organisation_id == row.organisation_id, Membership.is_active.is_(True)
            ),
        ),
        (
            _("Requests for this service"),
            sa.and_(
                Request.organisation_id == row.organisation_id,
                Request.service_code == row.service_code,
                permissions.requests_visible_to(current_actor()),
            ),
        ),
    )
    queries = (
        sa.select(sa.func.count()).where(condition).scalar_subquery()
        for _label, condition in counted
    )
    found = db.session.execute(sa.select(*queries)).one()
    return [(label, number) for (label, _where), number in zip(counted, found, strict=True)]


def _history(row: Subscription) -> list[dict[str, Any]]:
    """Return the subscription's history as timeline entries, newest first."""
    found = db.session.execute(
        sa.select(Event, User)
        .outerjoin(User, User.id == Event.actor_id)
        .where(Event.object_type == Subscription.__tablename__, Event.object_id == str(row.id))
        .order_by(Event.id.desc())
    )
    entries = []
    for event, user in found:
        what = event.kind.rpartition(":")[2]
        entries.append(
            {
                "title": _TELLS.get(what, what),
                "at": event.at,
                "who": user.name_in(i18n.language()) if user is not None else None,
                "text": reasons.read(event.reason),
                "tone": _TONES.get(what, "neutral"),
            }
        )
    return entries
