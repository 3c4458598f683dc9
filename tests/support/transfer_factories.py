"""Builders of transfers for tests: two offices, a broker between them, steps by the use cases."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Delivery, Licence, Organisation, Request, User
from clearance.models.enums import Channel
from clearance.notifications import outbox
from clearance.requests import drafts
from clearance.services import versions
from clearance.services.flows import Action
from clearance.transfers import consents
from clearance.transfers import operations as transfer_operations
from clearance.transfers.flow import TransferAction
from tests.support import factories, issued_factories
from tests.support import request_factories as requests

_serial = count(4001)


@dataclass
class Offices:
    """A present office with its broker's licence, and a new one, each with its general user."""

    present: Organisation
    new: Organisation
    releaser: User
    receiver: User
    licence: Licence

    @property
    def organisation_id(self) -> int:
        """Whose broker he is now, read from the database."""
        db.session.expire(self.licence.broker)
        return self.licence.broker.organisation_id


def make_offices(**columns: Any) -> Offices:
    """Two offices and a broker of the first one; columns are his or his licence's."""
    requests.load_services()
    present, new = (
        factories.make_organisation(licence_no=f"KW-{next(_serial)}") for _each in range(2)
    )
    broker = {"mobile": factories.mobile(), "email": "broker@example.com"} | columns
    return Offices(
        present,
        new,
        factories.make_agent(present),
        factories.make_agent(new),
        issued_factories.make_licence(present, **broker),
    )


def make_draft(
    offices: Offices, *, receiving: bool = False, now: datetime | None = None, **values: Any
) -> Request:
    """A complete draft by the present office, or by the new one."""
    if not receiving:
        values = {"licence_no": offices.new.licence_no} | values
        return requests.make_draft(
            offices.releaser, "transfer", licence_id=offices.licence.id, now=now, **values
        )
    req = begin_receiving(offices, now=now)
    drafts.save(
        req, requests.values_for("transfer", **values), actor_of(offices.receiver), now or utc_now()
    )
    for spec in versions.for_request(req).documents:
        if spec.required:
            requests.make_document(req, spec.kind, offices.receiver)
    db.session.commit()
    return req


def begin_receiving(offices: Offices, now: datetime | None = None, **numbers: Any) -> Request:
    """The draft of the new office; numbers replace those of the broker."""
    right = {
        "licence_no": offices.licence.number,
        "civil_id": offices.licence.broker.civil_id,
        "organisation_no": offices.present.licence_no,
    }
    actor = actor_of(offices.receiver)
    db.session.rollback()  # the tries are counted apart
    req = transfer_operations.begin_receiving(actor, now or utc_now(), **(right | numbers))
    db.session.commit()
    return req


def send(req: Request, offices: Offices, now: datetime | None = None) -> Request:
    """Sent by whoever asks."""
    return requests.step(req, Action.SEND, asking(req, offices), now=now)


def make_sent(
    offices: Offices, *, receiving: bool = False, now: datetime | None = None, **values: Any
) -> Request:
    """A transfer that awaits the other party."""
    return send(make_draft(offices, receiving=receiving, now=now, **values), offices, now)


def accept(req: Request, offices: Offices, now: datetime | None = None) -> Request:
    """Accepted by the other party: it awaits the broker."""
    return requests.step(req, TransferAction.ACCEPT, other(req, offices), now=now)


def asking(req: Request, offices: Offices) -> User:
    """The general user who sent it."""
    return offices.releaser if req.organisation_id == offices.present.id else offices.receiver


def other(req: Request, offices: Offices) -> User:
    """The general user of the other organisation."""
    return offices.receiver if req.organisation_id == offices.present.id else offices.releaser


def make_accepted(offices: Offices, **options: Any) -> Request:
    """A transfer that awaits the broker."""
    return accept(make_sent(offices, **options), offices, options.get("now"))


def token_of(req: Request) -> str:
    """The token of the newest link that was sent to a broker."""
    delivery = db.session.scalars(
        sa.select(Delivery)
        .where(Delivery.event == "transfer:consent", Delivery.channel == Channel.SMS)
        .order_by(Delivery.id.desc())
    ).first()
    assert delivery is not None and req.id
    found = re.search(r"/consent/([\w-]+)", outbox.body_of(delivery))
    assert found is not None
    return found[1]


def code_of(mobile: str) -> str:
    """The newest code that was sent to that mobile."""
    delivery = db.session.scalars(
        sa.select(Delivery)
        .where(Delivery.event == "code:consent", Delivery.address == mobile)
        .order_by(Delivery.id.desc())
    ).first()
    assert delivery is not None
    found = re.search(r"(?<!\d)\d{6}(?!\d)", outbox.body_of(delivery))
    assert found is not None
    return found[0]


def answer(
    app: Flask, token: str, action: Action = TransferAction.CONSENT, now: datetime | None = None
) -> bool:
    """What the broker does with his link: ask for a code, type it. True when it was right."""
    now = now or utc_now()
    db.session.rollback()
    with factories.visit(app, ip="10.9.9.9"):
        asked = consents.find(token)
        assert asked is not None and asked.mobile is not None
        consents.send_code(asked, "ar", now)
        db.session.commit()
        code = code_of(asked.mobile)
        db.session.rollback()
        is_right = consents.answer(asked, action, code, now)
        db.session.commit()
    for row in list(db.session):
        db.session.refresh(row)  # so that they can be read when the session is gone
    return is_right


def make_submitted(app: Flask, offices: Offices, **options: Any) -> Request:
    """A transfer that all three have consented to."""
    req = make_accepted(offices, **options)
    assert answer(app, token_of(req), now=options.get("now"))
    return req
