"""Issue, void and find documents: rows with everything that is printed on them.

A row is created in the decision's transaction. Its file is made afterwards (issuing/files.py), and
its authenticity is derived from the licence at every check (issuing/verification.py).
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import joinedload

from clearance.auth import permissions
from clearance.core import audit, i18n, numbering, reasons
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_date
from clearance.core.conditional_writes import changed_rows
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.core.settings import Settings
from clearance.core.urls import check_url
from clearance.licences import validity
from clearance.models import (
    Broker,
    BrokerType,
    Document,
    IssuedDocument,
    Licence,
    Organisation,
    Request,
    User,
)
from clearance.models.enums import IssuedKind, VoidReason
from clearance.models.names import joined_name
from clearance.services import registry, versions
from clearance.services.statements import Composed

CODE_LENGTH = 20  # base32: 100 bits (specification section 9; security rule 41)
WAITING_MARK = "clearance_files_to_make"  # in session.info: make files after the commit
PHOTO_KIND = "photo"
PICTURES = "image/%"
LANGUAGES = ("ar", "en")
LETTER_LANGUAGE, LETTER_ADDRESSEE, LETTER_PURPOSE = LETTER_ROLES = (
    "letter_language",
    "letter_addressee",
    "letter_purpose",
)
"""Roles of the fields by which a letter is asked for."""
_NEWEST_FIRST = (IssuedDocument.issued_at.desc(), IssuedDocument.id.desc())


def issue(
    kind: IssuedKind, licence: Licence, req: Request, *, now: datetime, language: str = "ar"
) -> IssuedDocument:
    """Issue a document of `kind` for `licence` by the decision on `req`. Flushes.

    Idempotent per request and kind. A certificate or card voids the previous valid one. language:
    default for letters whose request names none; certificates and cards are bilingual. The caller
    holds the licence's lock and has applied the decision to it; the file is made after the commit.
    Source: specification sections 5 and 9.
    """
    db.session.flush()
    db.session.refresh(licence)  # the decision may have bypassed this object
    db.session.refresh(licence.broker)
    if (earlier := _issued_by(req, kind)) is not None:
        return earlier
    if kind != IssuedKind.LETTER:
        void_valid_documents(licence, kind, VoidReason.REPLACED, now)
    else:
        language = _asked_language(req) or language
    code = _new_code()
    document = IssuedDocument(
        request_id=req.id,
        licence_id=licence.id,
        organisation_id=licence.broker.organisation_id,
        kind=kind,
        language=language,
        check_code=code,
        content=_content(kind, licence, req, code, now),
        issued_at=now,
        valid_until=None if kind == IssuedKind.LETTER else licence.expires,
    )
    _add(document, req, now, {"kind": [None, str(kind)]})
    return document


def issue_statement(statement: Composed, req: Request, *, now: datetime) -> IssuedDocument:
    """Issue a statement with the next number of its prefix, by the decision on `req`. Flushes.

    Idempotent per request and name of the statement. Later versions of the definition change
    nothing that was issued. The file is made after the commit.
    """
    if (earlier := _issued_by(req, IssuedKind.STATEMENT, statement.name)) is not None:
        return earlier
    code, number = _new_code(), numbering.next_number(statement.prefix, now)
    document = IssuedDocument(
        request_id=req.id,
        organisation_id=req.organisation_id,
        kind=IssuedKind.STATEMENT,
        name=statement.name,
        number=number,
        title=dict(statement.title),
        language="ar",
        check_code=code,
        content={**statement.content, "number": number, "check_url": _check_url(code)},
        issued_at=now,
        valid_until=statement.valid_until,
    )
    _add(document, req, now, {"kind": [None, document.kind], "number": [None, number]})
    return document


def title_of(document: Any) -> Any:
    """Return what an issued document is called, lazily in the page's language.

    document: the object, or a query's row with `kind` and `title`.
    """
    if document.title is not None:
        return i18n.bilingual(**document.title)
    return IssuedKind(document.kind).label


def _add(
    document: IssuedDocument, req: Request, now: datetime, changes: dict[str, list[Any]]
) -> None:
    db.session.add(document)
    _record("made", document, req.reviewer_id, now, changes)
    db.session.info[WAITING_MARK] = True


def _issued_by(req: Request, kind: IssuedKind, name: str = "") -> IssuedDocument | None:
    statement = sa.select(IssuedDocument).where(
        IssuedDocument.request_id == req.id,
        IssuedDocument.kind == kind,
        IssuedDocument.name == name,
    )
    return db.session.scalar(statement)


def void(
    document: IssuedDocument, reason: str, now: datetime, *, actor_id: int | None = None
) -> None:
    """Void the document permanently, unless it is void already. Flushes.

    reason: a VoidReason, or a text of at most 250 characters. actor_id: who voids it manually;
    None if it follows from a decision.
    """
    voided = changed_rows(
        sa.update(IssuedDocument)
        .where(IssuedDocument.id == document.id, IssuedDocument.voided_at.is_(None))
        .values(voided_at=now, void_reason=str(reason))
    )
    db.session.refresh(document)
    if voided:
        _record(
            "voided", document, actor_id, now, {"void_reason": [None, reasons.read(str(reason))]}
        )


def void_valid_documents(licence: Licence, kind: IssuedKind, reason: str, now: datetime) -> int:
    """Void all of the licence's documents of `kind` not void yet; return how many. Flushes."""
    return _void_each(IssuedDocument.kind == kind, licence, reason, now)


def void_all(licence: Licence, reason: str, now: datetime) -> int:
    """Void all of the licence's documents not void yet; return how many. Flushes."""
    return _void_each(sa.true(), licence, reason, now)


def of_request(req: Request, actor: Actor | None = None) -> list[IssuedDocument]:
    """Return the documents issued by the decision on `req`, oldest first.

    actor: only those visible to the actor; None for all.
    """
    return _listed(
        IssuedDocument.request_id == req.id, actor, IssuedDocument.issued_at, IssuedDocument.id
    )


def of_licence(licence: Licence, actor: Actor | None = None) -> list[IssuedDocument]:
    """Return all documents issued for the licence, newest first. actor: as in `of_request`."""
    return _listed(IssuedDocument.licence_id == licence.id, actor, *_NEWEST_FIRST)


def recent(actor: Actor, organisation_id: int, since: datetime, limit: int) -> list[IssuedDocument]:
    """Return an organisation's documents issued from `since` on that are not permanently void.

    Those visible to `actor`, newest first.
    """
    condition = sa.and_(
        IssuedDocument.organisation_id == organisation_id,
        IssuedDocument.issued_at >= since,
        IssuedDocument.voided_at.is_(None),
    )
    newest_first = (IssuedDocument.issued_at.desc(), IssuedDocument.id.desc())
    return _listed(condition, actor, *newest_first, limit=limit)


def find(issued_id: int, actor: Actor) -> IssuedDocument:
    """Return the document if visible to `actor`. Raises: NotFound for all other ids."""
    found = _listed(IssuedDocument.id == issued_id, actor)
    if not found:
        raise NotFound
    return found[0]


def _listed(
    condition: sa.ColumnElement[bool], actor: Actor | None, *order: Any, limit: int | None = None
) -> list[IssuedDocument]:
    query = (
        sa.select(IssuedDocument)
        .where(condition)
        .options(joinedload(IssuedDocument.licence))
        .order_by(*order)
        .limit(limit)
    )
    if actor is not None:
        query = query.where(permissions.issued_visible_to(actor, of_few=True))
    return list(db.session.scalars(query))


def _void_each(
    condition: sa.ColumnElement[bool], licence: Licence, reason: str, now: datetime
) -> int:
    living = db.session.scalars(
        sa.select(IssuedDocument)
        .where(
            IssuedDocument.licence_id == licence.id, IssuedDocument.voided_at.is_(None), condition
        )
        .order_by(IssuedDocument.id)
    ).all()
    for document in living:
        void(document, reason, now)
    return len(living)


def _content(
    kind: IssuedKind, licence: Licence, req: Request, code: str, now: datetime
) -> dict[str, Any]:
    """Return everything that is printed, with current values; days in ISO format."""
    broker = licence.broker
    content: dict[str, Any] = {
        "check_url": _check_url(code),
        "number": licence.number,
        "holder": {lang: joined_name(broker, lang) for lang in LANGUAGES},
        "gender": _gender(broker),
        "broker_type": _type_names(broker.broker_type),
        "issued": licence.issued.isoformat(),
        "valid_until": licence.expires.isoformat(),
        "dated": kuwait_date(now).isoformat(),
    }
    return content | _OWN_CONTENT[kind](licence, req, now)


def _gender(broker: Broker) -> str:
    """Return the gender that the broker gave as a user, "" if they have no account."""
    query = sa.select(User.gender).where(User.civil_id == broker.civil_id).limit(1)
    return db.session.scalar(query) or ""


def _certificate(licence: Licence, req: Request, now: datetime) -> dict[str, Any]:
    return {"civil_id": licence.broker.civil_id, "guarantee_no": licence.guarantee_no}


def _card(licence: Licence, req: Request, now: datetime) -> dict[str, Any]:
    return {"organisation": _organisation(licence), "photo": _photo(licence, req)}


def _letter(licence: Licence, req: Request, now: datetime) -> dict[str, Any]:
    return {
        "civil_id": licence.broker.civil_id,
        "organisation": _organisation(licence),
        "status": str(validity.status_on(licence, kuwait_date(now))),
        "request_number": req.number,
        "addressee": _answer(req, LETTER_ADDRESSEE),
        "purpose": _answer(req, LETTER_PURPOSE),
    }


_OWN_CONTENT = {
    IssuedKind.CERTIFICATE: _certificate,
    IssuedKind.CARD: _card,
    IssuedKind.LETTER: _letter,
}


def _type_names(code: str) -> dict[str, str]:
    row = db.session.get_one(BrokerType, code)
    return {"ar": row.name_ar, "en": row.name_en}


def _organisation(licence: Licence) -> dict[str, str]:
    organisation = db.session.get_one(Organisation, licence.broker.organisation_id)
    return {lang: organisation.name_in(lang) for lang in LANGUAGES}


def _asked_language(req: Request) -> str:
    asked = str(versions.answer(req, LETTER_LANGUAGE) or "")
    return asked if asked in LANGUAGES else ""


def _answer(req: Request, role: str) -> dict[str, str]:
    """Return an answer in both languages: a choice's label, or the text as typed."""
    typed = str(versions.answer(req, role) or "")
    service = versions.for_request(req)
    field = service.field(service.roles.get(role, ""))
    labels = {choice.value: choice.label for choice in (field.choices if field else ())}
    if typed in labels:
        return {lang: labels[typed].of(lang) for lang in LANGUAGES}
    return dict.fromkeys(LANGUAGES, typed)


def _photo(licence: Licence, req: Request) -> dict[str, str] | None:
    """Return the newest photo of the request, else of the person's earlier granted requests."""
    granted = Request.status.in_(sorted(registry.current().completed_statuses))
    ways = (
        sa.select(Request.id).where(Request.id == req.id),
        sa.select(Request.id).where(Request.civil_id == licence.broker.civil_id, granted),
        sa.select(Request.id).where(Request.licence_id == licence.id, granted),
    )
    row = db.session.execute(
        sa.select(Document.storage_key, Document.sha256)
        .where(
            # A union, so that every condition uses its own index.
            Document.request_id.in_(sa.union(*ways)),
            Document.kind == PHOTO_KIND,
            Document.media_type.like(PICTURES),
        )
        .order_by(
            (Document.request_id == req.id).desc(),
            Document.uploaded_at.desc(),
            Document.id.desc(),
        )
        .limit(1)
    ).one_or_none()
    return {"storage_key": row.storage_key, "sha256": row.sha256} if row is not None else None


def _check_url(code: str) -> str:
    settings: Settings = current_app.extensions["settings"]
    return settings.base_url + check_url(code)


def _new_code() -> str:
    return base64.b32encode(secrets.token_bytes(13)).decode()[:CODE_LENGTH]


def _record(
    verb: str,
    document: IssuedDocument,
    actor_id: int | None,
    now: datetime,
    changes: dict[str, Any],
) -> None:
    db.session.flush()
    audit.record(
        f"issued:document:{verb}",
        obj=document,
        actor_id=actor_id,
        at=now,
        organisation_id=document.organisation_id,
        request_id=document.request_id,
        changes=changes,
    )
