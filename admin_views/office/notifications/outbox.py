"""Outbox: queued, sent and given-up messages; the latter can be sent again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import flash
from flask_admin import expose
from flask_admin.actions import action
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from admin_views.base import formatters
from admin_views.base.access import EveryRow, ForKeepers, current_actor
from admin_views.base.columns import Column
from admin_views.base.export import for_managers
from admin_views.base.filters import ListFilter
from admin_views.base.keyset_list import KeysetModelView
from clearance.core import audit, i18n
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.values import mask_email, mask_mobile
from clearance.models import Delivery
from clearance.models.enums import Channel, DeliveryStatus
from clearance.notifications import events, outbox
from clearance.notifications.delivery import KEPT_IN_PORTAL


def _event(event: str) -> str:
    message = events.registered().get(event)
    return message.label(i18n.language()) if message else event


def _address(row: Any) -> Any:
    mask = mask_email if row.channel == Channel.EMAIL else mask_mobile
    return formatters.isolated(mask(row.address))


def _fault(error: str) -> Any:
    if error == KEPT_IN_PORTAL:
        return _("No gateway is set up, so the message stays here.")
    return formatters.isolated(error)


def _events() -> list[tuple[str, str]]:
    lang = i18n.language()
    return [(name, event.label(lang)) for name, event in events.registered().items()]


class Deliveries(ForKeepers, EveryRow, KeysetModelView):
    """Messages without their bodies; managers read, administrators also send again."""

    list_template = "office/notifications/outbox.html"
    can_export = for_managers
    exports_as_shown = True
    columns = (
        Column(
            "created_at", _l("Queued at"), formatters.format_instant, order=True, width="moment"
        ),
        Column("event", _l("Message"), _event),
        Column("channel", _l("Channel"), Channel.label_of, width="short"),
        Column("address", _l("To"), cell=_address, width="code"),
        Column("status", _l("Status"), formatters.badges(DeliveryStatus), width="state"),
        Column("attempts", _l("Attempts"), width="count"),
        Column("last_error", _l("Comment"), _fault),
    )
    column_filters = (
        ListFilter("status", _l("Status"), Delivery.status, DeliveryStatus.choices()),
        ListFilter("channel", _l("Channel"), Delivery.channel, Channel.choices()),
        ListFilter("event", _l("Message"), Delivery.event, _events),
    )
    default_order = ("created_at", True)
    empty_title = _l("No messages yet")
    empty_text = _l("E-mails and SMS from the portal appear here, with their delivery status.")

    @expose("/")
    def index_view(self) -> Any:
        """List the messages, and say if none leaves."""
        self._template_args["is_held"] = outbox.held_since_restore(utc_now()) is not None
        return super().index_view()

    def is_action_allowed(self, name: str) -> bool:
        return name == "send_again" and current_actor().is_administrator

    @action(
        "send_again",
        _l("Send again"),
        _l("Send the selected messages again? Only undelivered ones are sent."),
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
                    "%(num)s message will be sent again.",
                    "%(num)s messages will be sent again.",
                    sent,
                ),
                "success",
            )
        left = len(ids) - sent
        if left:
            flash(
                ngettext(
                    "%(num)s message is still being sent or has expired. It was not changed.",
                    "%(num)s messages are still being sent or have expired. They were not changed.",
                    left,
                ),
                "warning",
            )
