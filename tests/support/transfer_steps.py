"""Steps of transfers for tests."""

from __future__ import annotations

from flask import Flask
from flask_babel import force_locale

from clearance.core.errors import Refused
from clearance.core.extensions import db
from clearance.models import Request
from clearance.models.enums import LicenceStatus, SuspendedBy
from clearance.services.flows import Action
from clearance.transfers import consents
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.transfer_factories import Offices

SIDES = [False, True]
SIDE_NAMES = ["releasing", "receiving"]


def approve(req: Request) -> Request:
    return requests.step(req, Action.APPROVE, factories.make_staff())


def words_of(error: Refused, lang: str) -> str:
    with force_locale(lang):
        return f"{error.refusal.text} {error.refusal.change}"


def suspend_licence(offices: Offices) -> None:
    offices.licence.status = LicenceStatus.SUSPENDED
    offices.licence.suspended_by = SuspendedBy.OFFICE


def make_general_broker(offices: Offices) -> None:
    offices.present.general_broker_id = offices.licence.broker_id


def find(app: Flask, token: str) -> consents.Asked | None:
    db.session.rollback()
    with factories.visit(app):
        return consents.find(token)
