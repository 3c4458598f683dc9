"""The office's list of the fees charged."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Flask

from admin_views.base import formatters, navigation
from admin_views.base.access import EveryRow, ForReaders
from admin_views.base.columns import Column
from admin_views.base.keyset_list import KeysetModelView
from clearance.core.i18n import bilingual
from clearance.models import Event, Request
from clearance.requests.timeline import kind_of
from clearance.services.flows import Action


class Fees(ForReaders, EveryRow, KeysetModelView):
    """Approvals that charged a fee; reviewers and managers read them."""

    columns = (
        Column(
            "at", bilingual(ar="التاريخ", en="Charged on"), formatters.format_instant, order=True
        ),
        Column("number", bilingual(ar="الطلب", en="Request"), formatters.bdi, sql=Request.number),
        Column(
            "fee",
            bilingual(ar="الرسم (د.ك.)", en="Fee (KWD)"),
            sql=Event.changes["fee"][1].as_string(),
        ),
    )
    default_order = ("at", True)
    empty_title = bilingual(ar="لا توجد رسوم بعد", en="No fees yet")

    def joined(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        """Join the requests, and leave the approvals that charged a fee."""
        is_charged = sa.and_(
            Event.kind == kind_of(Action.APPROVE), Request.service_code == "extract"
        )
        return rows.join(Request, Request.id == Event.request_id).where(is_charged)


def add_views(app: Flask) -> None:
    """Add the list to the office, below its issued documents."""
    name = bilingual(ar="الرسوم", en="Fees")
    view = Fees(Event, name=name, endpoint="office_fees", url="/office/fees")
    navigation.add_view("office", view, "file", after="office_issued", page="index_view")
