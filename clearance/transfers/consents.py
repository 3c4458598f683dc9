"""The broker's answer to his transfer, by link and one-time code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from clearance.auth import one_time_codes, rate_limits
from clearance.core import crypto
from clearance.core.database import own_transaction
from clearance.core.errors import Refused
from clearance.core.extensions import db
from clearance.models import Broker, Licence, Organisation, Request, TransferConsent
from clearance.models.enums import Channel, CodePurpose
from clearance.models.names import NAME_COLUMNS, joined_name
from clearance.requests import transitions
from clearance.services import registry
from clearance.transfers.flow import TransferAction
from clearance.transfers.guards import CANNOT_BE_ASKED, registered_mobile
from clearance.transfers.statuses import TransferStatus

TOKEN_MAX_LENGTH = 200


@dataclass(frozen=True)
class Asked:
    """A transfer that awaits the broker's answer. releasing, receiving, broker: names by language.

    mobile: currently registered, for the code; None when it cannot receive one.
    """

    consent_id: int
    request_id: int
    number: str
    licence_no: str
    broker: dict[str, str]
    releasing: dict[str, str]
    receiving: dict[str, str]
    mobile: str | None
    asked_at: datetime

    @property
    def owner(self) -> str:
        """Owner of the one-time codes."""
        return f"consent:{self.consent_id}"


def find(token: str) -> Asked | None:
    """Return the transfer of a link; None if unknown, answered, withdrawn or lapsed.

    Reads in a transaction of its own, after counting the visit. Raises: TooManyTries.
    """
    rate_limits.consume("consent_ip", rate_limits.client_ip())
    digest = crypto.token_hash(token[:TOKEN_MAX_LENGTH])
    with own_transaction(write=False) as connection:
        row = connection.execute(_question(digest)).one_or_none()
    if row is None or not registry.current().has("transfers"):
        return None
    return Asked(
        consent_id=row.consent_id,
        request_id=row.request_id,
        number=row.number,
        licence_no=row.licence_no,
        broker={lang: joined_name(row, lang) for lang in ("ar", "en")},
        releasing={"ar": row.releasing_ar, "en": row.releasing_en},
        receiving={"ar": row.receiving_ar, "en": row.receiving_en},
        mobile=registered_mobile(row.mobile),
        asked_at=row.asked_at,
    )


def send_code(asked: Asked, language: str, now: datetime) -> None:
    """Send a new code to the registered mobile and void the earlier one. Flushes.

    Call it before the request's first query. Raises: TooManyTries (once a minute); Refused when
    no code can be sent to that number.
    """
    if asked.mobile is None:
        raise Refused(CANNOT_BE_ASKED)
    one_time_codes.consume_send_quota(Channel.SMS, asked.mobile)
    one_time_codes.create(
        asked.owner, CodePurpose.CONSENT, Channel.SMS, asked.mobile, language, now
    )


def code_until(asked: Asked, now: datetime) -> datetime | None:
    """Return when the last code expires, or None if none is valid."""
    return one_time_codes.expires_at(asked.owner, CodePurpose.CONSENT, Channel.SMS, now)


def answer(asked: Asked, action: TransferAction, typed: str, now: datetime) -> bool:
    """Record the broker's answer if the code is right; return whether it was. Flushes.

    action: CONSENT or REFUSE. Call it before the request's first query. Raises: TooManyTries;
    TransitionNotAllowed when the transfer was answered, withdrawn or lapsed meanwhile; Refused.
    Source: specification section 5; security rules 7 to 9.
    """
    if action not in {TransferAction.CONSENT, TransferAction.REFUSE}:
        raise ValueError(f"{action} is not the broker's step")
    code_id = one_time_codes.verify(
        asked.owner, CodePurpose.CONSENT, Channel.SMS, asked.mobile or "", typed, now
    )
    if code_id is None or not one_time_codes.mark_used(code_id, now):
        return False
    req = db.session.get_one(Request, asked.request_id)
    transitions.perform(req, action, actor=None, now=now, version=req.version)
    return True


def _question(digest: str) -> sa.Select[tuple[object, ...]]:
    """Return the query for the transfer that awaits the broker's answer by this link."""
    releasing, receiving = aliased(Organisation), aliased(Organisation)
    by_releasing, by_receiving = aliased(TransferConsent), aliased(TransferConsent)
    statement = (
        sa.select(
            TransferConsent.id.label("consent_id"),
            TransferConsent.asked_at,
            Request.id.label("request_id"),
            Request.number,
            *(getattr(Request, name) for name in NAME_COLUMNS),
            Licence.number.label("licence_no"),
            Broker.mobile,
            releasing.name_ar.label("releasing_ar"),
            releasing.name_en.label("releasing_en"),
            receiving.name_ar.label("receiving_ar"),
            receiving.name_en.label("receiving_en"),
        )
        .join(Request, Request.id == TransferConsent.request_id)
        .join(Broker, Broker.id == Request.broker_id)
        .join(Licence, Licence.id == Request.licence_id)
    )
    for row, organisation, party in (
        (by_releasing, releasing, "releasing"),
        (by_receiving, receiving, "receiving"),
    ):
        own = sa.and_(row.request_id == Request.id, row.party == party)
        statement = statement.join(row, own).join(
            organisation, organisation.id == row.organisation_id
        )
    return statement.where(
        TransferConsent.token_hash == digest,
        TransferConsent.party == "broker",
        TransferConsent.answer == "waiting",
        Request.status == TransferStatus.AWAITING_BROKER,
    )
