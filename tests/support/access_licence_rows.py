"""The brokers, licences, transfers, tables and issued documents that the walk asks for."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core import idempotency
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.files import storage
from clearance.issuing import operations
from clearance.licences import office_actions
from clearance.models import Licence, Organisation, Request, User
from clearance.models.enums import IssuedKind, Status
from clearance.requests import attachments, batch
from clearance.transfers import consents
from tests.support import factories, files, issued_factories, request_factories, transfer_factories
from tests.support.access_licence_cases import SERVICE
from tests.support.transfer_factories import Offices

PDF = b"%PDF-1.7\n%%EOF\n"
CORRECTED = {"address": "الجهراء، شارع مبارك"}


@dataclass
class People:
    """Two offices, each with its general user, and who decides."""

    office: Organisation
    other: Organisation
    general: User
    foreign: User
    reviewer: User


@dataclass
class Made:
    """rows: what the cases ask for. own, others: words that tell of either office's brokers.

    told: which of the own words the other office learns when it is asked for a transfer.
    not_granted: which of them belong to services that no additional user was granted.
    """

    rows: dict[str, Any] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    not_granted: set[str] = field(default_factory=set)


def make(app: Flask, people: People) -> Made:
    """Make and commit them all."""
    made = Made()
    first = _broker(people.office, made.own)
    second = _broker(people.office, made.own)
    made.rows |= {
        "licence": first.id,
        "broker": first.broker_id,
        "second_licence": second.id,
        "foreign_licence": _broker(people.other, made.others).id,
    }
    _issue(made, people, first, second)
    made.rows["licence_version"] = first.version
    made.rows["correction"] = _posted(first) | CORRECTED
    _suspend(made, people)
    _transfers(app, made, people)
    _grid(made, people, [first, second])
    return made


def _broker(organisation: Organisation, words: set[str], told: set[str] | None = None) -> Licence:
    licence = issued_factories.make_licence(
        organisation, mobile=factories.mobile(), email=f"{factories.civil_id()}@example.com"
    )
    broker = licence.broker
    words |= {broker.civil_id, broker.passport_no or "", broker.mobile, broker.email}
    (words if told is None else told).add(licence.number)
    return licence


def _posted(licence: Licence) -> dict[str, str]:
    """What the form of a correction sends when nothing was changed in it."""
    values = {
        name: getattr(licence if hasattr(licence, name) else licence.broker, name)
        for name in office_actions.CORRECTABLE
    }
    return {
        name: value.isoformat() if isinstance(value, date) else value or ""
        for name, value in values.items()
    }


def _issue(made: Made, people: People, first: Licence, second: Licence) -> None:
    """A letter, and a card: of a service granted to the additional user, and of another one."""
    for name, code, kind, licence in (
        ("issued", SERVICE, IssuedKind.LETTER, first),
        ("issued_card", "lost_card", IssuedKind.CARD, second),
    ):
        req = request_factories.make_request(
            people.general,
            Status.APPROVED,
            code=code,
            reviewer=people.reviewer,
            licence_id=licence.id,
        )
        (document,) = operations.of_request(req)
        assert document.kind == kind
        stored = storage.put(PDF, "application/pdf")
        document.storage_key, document.sha256 = stored.key, hashlib.sha256(PDF).hexdigest()
        storage.follow(document)
        db.session.commit()
        made.rows[name] = document.id
        made.own |= {req.number or "", document.check_code}
    made.rows["issued_digest"] = hashlib.sha256(PDF).hexdigest()
    made.rows["check_code"] = operations.of_licence(first)[0].check_code
    made.not_granted |= {req.number or "", document.check_code}


def _suspend(made: Made, people: People) -> None:
    licence = _broker(people.office, made.own)
    actor = actor_of(people.reviewer)
    office_actions.suspend(licence, actor, "مخالفة.", licence.version, utc_now())
    db.session.commit()
    made.rows |= {"suspended": licence.id, "suspended_version": licence.version}


def _transfers(app: Flask, made: Made, people: People) -> None:
    """One that the other office is asked for, one that it asks for, one that the broker answers."""

    def leaving() -> Offices:
        licence = _broker(people.office, made.own, made.told)
        return Offices(people.office, people.other, people.general, people.foreign, licence)

    away = leaving()
    req = transfer_factories.make_draft(away)
    document = attach(req, "transfer_letter", people.general)
    transfer_factories.send(req, away)
    accepted = transfer_factories.make_accepted(leaving())
    made.told |= {req.number or "", accepted.number or ""}
    made.not_granted |= {req.number or "", accepted.number or ""}
    token = transfer_factories.token_of(accepted)
    made.rows |= {
        "transfer": req.id,
        "transfer_version": req.version,
        "transfer_document": document,
        "transfer_draft": transfer_factories.make_draft(leaving()).id,
        "accepted": accepted.id,
        "accepted_version": accepted.version,
        "consent": token,
        "consent_code": _code(app, token),
    }
    coming = _broker(people.other, set())
    asking = Offices(people.other, people.office, people.foreign, people.general, coming)
    asked = transfer_factories.make_sent(asking)
    made.rows |= {"asked": asked.id, "asked_version": asked.version}
    made.rows["broker_to_come"] = {
        "licence_no": (licence := _broker(people.other, made.others)).number,
        "civil_id": licence.broker.civil_id,
        "organisation_no": people.other.licence_no,
    }


def _code(app: Flask, token: str) -> str:
    """The code that the broker gets for his answer."""
    now = utc_now()
    db.session.rollback()
    with factories.visit(app):
        asked = consents.find(token)
        assert asked is not None and asked.mobile is not None
        consents.send_code(asked, "ar", now)
        db.session.commit()
        return transfer_factories.code_of(asked.mobile)


def _grid(made: Made, people: People, licences: list[Licence]) -> None:
    """Two drafts of one table, with a document given once for both."""
    actor, now = actor_of(people.general), utc_now()
    key = idempotency.new()
    drafts = batch.create_drafts(SERVICE, [licence.id for licence in licences], actor, now, key)
    db.session.commit()
    checked = attachments.check_upload("shared.png", io.BytesIO(files.png()))
    shared = batch.attach_to_all(drafts, checked, "other", "", actor, now)
    db.session.commit()
    made.rows |= {
        "grid": drafts[0].grid_key,
        "grid_rows": [(req.id, req.version) for req in drafts],
        "grid_document": shared[0].id,
    }


def attach(req: Request, kind: str, owner: User) -> int:
    """Give the draft a picture, with its file; returns the document's id."""
    checked = attachments.check_upload("photo.png", io.BytesIO(files.png()))
    document = attachments.attach(req, checked, kind, "", actor_of(owner), utc_now())
    db.session.commit()
    return document.id
