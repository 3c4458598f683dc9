"""Subscriptions at the office: list and details."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from flask import request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy.orm import aliased

from admin_views.base import formatters
from admin_views.base.access import current_actor
from admin_views.base.export import for_managers
from admin_views.base.filters import DateFilter, ListFilter
from admin_views.base.keyset_list import KeysetModelView
from admin_views.base.model_view import matches_all_words
from admin_views.office.licences import lists as register_lists
from admin_views.office.subscriptions.actions import DECISIONS, SubscriptionSteps, details_url
from admin_views.shared import request_lists
from clearance.auth import permissions
from clearance.core import i18n, values
from clearance.core.actor import Actor
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
from clearance.services import versions

_OFFICER = aliased(User)
_TELLS = {
    "asked": _l("Asked for"),
    "subscribed": _l("Subscribed at once"),
    "withdrawn": _l("Taken back"),
    "left": _l("Left"),
    "approved": _l("Approved"),
    "refused": _l("Refused"),
}
_TONES = {"approved": "success", "subscribed": "success", "refused": "danger", "asked": "info"}


def _organisation(view: Any, context: Any, row: Any, key: str) -> Markup:
    return Markup('<a href="{}"><bdi>{}</bdi></a><small class="under">{}</small>').format(
        details_url(row.id), register_lists.organisation_name(row), i18n.in_language(row, "entity")
    )


def _service(view: Any, context: Any, row: Any, key: str) -> str:
    return request_lists.title_of(row.service_code)


def _status(view: Any, context: Any, row: Any, key: str) -> Markup:
    return status_badge(row.status)


def _officer(view: Any, context: Any, row: Any, key: str) -> Any:
    return formatters.isolated(_name(row))


def _name(row: Any) -> str:
    return f"{row.first_name or ''} {row.last_name or ''}".strip()


def status_badge(status: str) -> Markup:
    """Return a subscription status as a badge."""
    return formatters.state_badge(SubscriptionStatus(status))


def _services() -> list[tuple[str, str]]:
    lang = i18n.language()
    return [
        (version.definition.code, version.definition.title_in(lang))
        for version in versions.all_current()
    ]


class Subscriptions(SubscriptionSteps, KeysetModelView):
    """All subscriptions; reviewers decide pending ones, managers read and export."""

    can_view_details = True
    can_export = for_managers
    column_list = ("organisation", "service", "status", "asked_at", "decided_at", "officer")
    column_export_list = (
        "organisation",
        "licence_no",
        "service",
        "status",
        "asked_at",
        "decided_at",
        "officer",
        "reason",
    )
    column_labels: ClassVar[dict[str, Any]] = {
        "organisation": _l("Organisation"),
        "licence_no": _l("Licence number"),
        "service": _l("Service"),
        "status": _l("Status"),
        "asked_at": _l("Asked on"),
        "decided_at": _l("Status since"),
        "officer": _l("Decided by"),
        "reason": _l("Reason"),
    }
    column_formatters: ClassVar[dict[str, Any]] = {
        "organisation": _organisation,
        "service": _service,
        "status": _status,
        "asked_at": formatters.format_date_of_instant,
        "decided_at": formatters.format_date_of_instant,
        "officer": _officer,
    }
    column_filters = (
        ListFilter(
            "status",
            _l("Status"),
            lambda value: Subscription.status == value,
            SubscriptionStatus.choices(),
        ),
        ListFilter(
            "service", _l("Service"), lambda value: Subscription.service_code == value, _services
        ),
        DateFilter(
            "from",
            _l("Asked from"),
            lambda day: Subscription.asked_at >= request_lists.day_start(day),
        ),
        DateFilter(
            "to",
            _l("Asked up to"),
            lambda day: Subscription.asked_at < request_lists.day_start(day, 1),
        ),
    )
    orders: ClassVar[dict[str, Any]] = {
        "asked_at": Subscription.asked_at,
        "organisation": Organisation.name_folded,
    }
    default_order = ("asked_at", True)
    search_hint = _l("Words of the organisation's name, or its licence number")
    empty_title = _l("No subscriptions yet")
    empty_text = _l("They appear here as organisations subscribe to services.")

    def accessible_to(self, actor: Actor) -> bool:
        return actor.role in permissions.READING_ROLES

    def get_list_row_actions(self) -> list[Any]:
        return []  # the organisation's name links to the details

    def scope(self, query: Any) -> Any:
        return query

    def statement(self) -> sa.Select[Any]:
        columns: list[Any] = [
            Subscription.id,
            Subscription.service_code,
            Subscription.status,
            Subscription.reason,
            Subscription.asked_at,
            Subscription.decided_at,
            Organisation.licence_no,
            LegalEntity.name_ar.label("entity_ar"),
            LegalEntity.name_en.label("entity_en"),
            _OFFICER.first_name,
            _OFFICER.last_name,
            *register_lists.organisation_columns(),
        ]
        joined: sa.Select[Any] = (
            sa.select(*columns)
            .select_from(Subscription)
            .join(Organisation, Organisation.id == Subscription.organisation_id)
            .join(LegalEntity, LegalEntity.code == Organisation.legal_entity)
            .outerjoin(_OFFICER, _OFFICER.id == Subscription.decided_by_id)
        )
        return joined

    def search_condition(self, typed: str) -> Any | None:
        compact = values.ascii_digits(typed).replace(" ", "")
        if any(char.isdigit() for char in compact):
            return sa.func.upper(Organisation.licence_no) == compact.upper()
        return matches_all_words(Organisation.name_folded, typed)

    def export_value(self, row: Any, key: str) -> Any:
        texts = {
            "organisation": register_lists.organisation_name,
            "service": lambda row: request_lists.title_of(row.service_code),
            "status": lambda row: str(SubscriptionStatus(row.status).label),
            "officer": _name,
        }
        return texts[key](row) if key in texts else getattr(row, key)

    @expose("/<int:subscription_id>/")
    def details(self, subscription_id: int) -> Any:
        """Show a subscription with its history."""
        return self.show(self.get_one(subscription_id))

    @expose("/details/")
    def details_view(self) -> Any:
        """Show a subscription by `?id=`, Flask-Admin's URL for details."""
        return self.show(self.get_one(request.args.get("id")))

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
            badge=status_badge(row.status),
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
                "who": user.full_name if user is not None else None,
                "text": event.reason,
                "tone": _TONES.get(what, "neutral"),
            }
        )
    return entries
