"""Outbox: queued, sent and given-up messages; the latter can be sent again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import flash
from flask_admin.actions import action
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from admin_views.base import formatters
from admin_views.base.access import current_actor
from admin_views.base.export import for_managers
from admin_views.base.filters import ListFilter
from admin_views.base.keyset_list import KeysetModelView
from admin_views.office.settings.reference_data import keeps_or_reads
from clearance.core import audit, i18n
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.values import mask_email, mask_mobile
from clearance.models import Delivery
from clearance.models.enums import Channel, DeliveryStatus
from clearance.notifications import events, outbox
from clearance.notifications.delivery import KEPT_IN_PORTAL


def _event(view: Any, context: Any, row: Any, key: str) -> str:
    message = events.registered().get(row.event)
    return message.label(i18n.language()) if message else str(row.event)


def _channel(view: Any, context: Any, row: Any, key: str) -> str:
    return str(Channel(row.channel).label)


def _address(view: Any, context: Any, row: Any, key: str) -> Any:
    mask = mask_email if row.channel == Channel.EMAIL else mask_mobile
    return formatters.isolated(mask(row.address))


def _status(view: Any, context: Any, row: Any, key: str) -> Any:
    return formatters.state_badge(DeliveryStatus(row.status))


def _fault(view: Any, context: Any, row: Any, key: str) -> Any:
    if row.last_error == KEPT_IN_PORTAL:
        return _("No gateway is set; kept here.")
    return formatters.isolated(row.last_error)


def _events() -> list[tuple[str, str]]:
    lang = i18n.language()
    return [(name, event.label(lang)) for name, event in events.registered().items()]


class Deliveries(KeysetModelView):
    """Messages without their bodies; managers read, administrators also send again."""

    can_export = for_managers
    exports_as_shown = True
    column_list = ("created_at", "event", "channel", "address", "status", "attempts", "last_error")
    column_export_list = column_list
    column_labels: ClassVar[dict[str, Any]] = {
        "created_at": _l("Queued at"),
        "event": _l("Message"),
        "channel": _l("Channel"),
        "address": _l("To"),
        "status": _l("Status"),
        "attempts": _l("Tries"),
        "last_error": _l("Remark"),
    }
    column_formatters: ClassVar[dict[str, Any]] = {
        "created_at": formatters.format_instant,
        "event": _event,
        "channel": _channel,
        "address": _address,
        "status": _status,
        "last_error": _fault,
    }
    column_filters = (
        ListFilter(
            "status",
            _l("Status"),
            lambda value: Delivery.status == value,
            DeliveryStatus.choices(),
        ),
        ListFilter(
            "channel",
            _l("Channel"),
            lambda value: Delivery.channel == value,
            Channel.choices(),
        ),
        ListFilter("event", _l("Message"), lambda value: Delivery.event == value, _events),
    )
    orders: ClassVar[dict[str, Any]] = {"created_at": Delivery.created_at}
    default_order = ("created_at", True)
    empty_title = _l("No messages yet")
    empty_text = _l("E-mails and SMS of the portal appear here, with what became of them.")

    def accessible_to(self, actor: Actor) -> bool:
        return keeps_or_reads(actor)

    def scope(self, query: Any) -> Any:
        return query

    def statement(self) -> sa.Select[Any]:
        columns: list[Any] = [
            Delivery.id,
            Delivery.created_at,
            Delivery.event,
            Delivery.channel,
            Delivery.address,
            Delivery.status,
            Delivery.attempts,
            Delivery.last_error,
        ]
        return sa.select(*columns)

    def is_action_allowed(self, name: str) -> bool:
        return name == "send_again" and current_actor().is_administrator

    @action(
        "send_again",
        _l("Send again"),
        _l("Send the chosen messages again? Only those that were given up are sent."),
    )
    def send_again(self, ids: Sequence[int]) -> None:
        """Requeue the given-up ones of the chosen messages and flash the numbers."""
        sent = 0
        chosen = sa.select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.id)
        for delivery in db.session.scalars(chosen.with_for_update()):
            try:
                outbox.send_again(delivery, utc_now())
            except DomainError:
                continue
            audit.record("office:delivery:sent_again", obj=delivery, actor_id=current_actor().id)
            sent += 1
        db.session.commit()
        if sent:
            flash(
                ngettext(
                    "%(num)s message is sent again.", "%(num)s messages are sent again.", sent
                ),
                "success",
            )
        left = len(ids) - sent
        if left:
            flash(
                ngettext(
                    "%(num)s message was not given up, or has run out; it stays as it is.",
                    "%(num)s messages were not given up, or have run out; they stay as they are.",
                    left,
                ),
                "warning",
            )
