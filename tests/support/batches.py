"""The page on which several brokers' licences are renewed at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask

from clearance.core.clock import kuwait_today
from clearance.core.extensions import db
from clearance.models import Organisation
from tests.admin_views.my.conftest import People
from tests.support import factories, issued_factories
from tests.support.pages import Page, PageClient

START = "/my/services/renewal/several"
FORM = "#grid-form"


def make_licences(app: Flask, people: People, count: int, **columns: Any) -> list[int]:
    """Licences of the owner's organisation that can be renewed; their ids."""
    values = {"expires": kuwait_today() + timedelta(days=30), "email": "broker@example.com"}
    with app.app_context():
        organisation = db.session.get_one(Organisation, people.organisation.id)
        return [
            issued_factories.make_licence(
                organisation,
                **(values | {"mobile": factories.mobile(), "name_en_1": f"Broker{n}"} | columns),
            ).id
            for n in range(count)
        ]


def begin(client: PageClient, ids: list[int]) -> Page:
    """Choose the licences and open their grid."""
    return client.submit(client.get(START), {"licence": ids}, form="#choose", press="do=begin")
