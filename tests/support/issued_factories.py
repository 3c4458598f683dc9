"""Builders for tests of what is issued: licences, decided requests, documents; committed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from clearance.auth.sessions import actor_of
from clearance.core import name_folding
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.extensions import db
from clearance.files import storage
from clearance.issuing import operations
from clearance.models import (
    Broker,
    Document,
    IssuedDocument,
    Licence,
    LicenceChange,
    Organisation,
    Request,
    User,
)
from clearance.models.enums import IssuedKind, LicenceStatus, LicenceStep, Status
from clearance.requests import drafts
from clearance.services.flows import Action
from tests.support import factories, request_factories

LETTER = """
schema: 1
code: greeting
prefix: GR
title: {ar: طلب رسالة, en: Letter Request}
description: {ar: خدمة للتجربة., en: A service for trying.}
subject: person
start: broker_type
subscription: automatic
exclusive: none
fields:
  - {name: number, mode: shown}
  - name: language
    type: choice
    required: true
    label: {ar: لغة الرسالة, en: Language}
    choices: [{value: ar, label: {ar: العربية, en: Arabic}},
              {value: en, label: {ar: الإنجليزية, en: English}}]
  - name: purpose
    type: choice
    required: true
    label: {ar: الغرض, en: Purpose}
    choices: [{value: bank, label: {ar: تقديمها إلى بنك, en: Submission to a bank}}]
  - {name: addressee, type: text, label: {ar: الجهة, en: Addressee}}
roles: {letter_language: language, letter_addressee: addressee, letter_purpose: purpose}
flow: standard
processing_days: 3
"""
"""A service that asks what a letter needs."""

PERMIT = """
schema: 2
code: port_permit
prefix: PP
title: {ar: طلب تصريح دخول ميناء, en: Port entry permit}
description: {ar: تصريح لدخول أحد الموانئ., en: A permit to enter a port.}
subject: person
start: broker_type
subscription: automatic
exclusive: none
fields:
  - {name: number, mode: shown}
  - {name: name_ar_1, required: true}
  - {name: name_en_1}
  - {name: port, type: choice, required: true, label: {ar: الميناء, en: Port}, choices: [
      {value: shuwaikh, label: {ar: ميناء الشويخ, en: Shuwaikh port}},
      {value: other, label: {ar: ميناء آخر, en: Another port}}]}
  - {name: other_port, type: text, label: {ar: اسم الميناء, en: Name of the port},
     when: {field: port, is: [other]}}
  - {name: vehicle, type: text, label: {ar: لوحة المركبة, en: Vehicle plate}}
  - {name: crew, type: number, minimum: 1, maximum: 40, label: {ar: عدد المرافقين, en: Crew}}
  - {name: ends_on, type: date, future: true, required: true, label: {ar: حتى تاريخ, en: Until}}
  - {name: notes, type: textarea, label: {ar: ملاحظات, en: Notes}}
flow: standard
processing_days: 3
issued:
  - name: permit
    title: {ar: تصريح دخول ميناء, en: Port Entry Permit}
    prefix: TPX
    valid: {until: ends_on}
    show: [port, other_port, crew, ends_on, notes]
    paragraphs:
      - ar: >-
          يصرح مكتب شؤون المخلصين بالإدارة العامة للجمارك لـ {name}، ممثلاً عن {organisation}،
          بدخول {port} اعتباراً من {today} وحتى {valid_until}، بموجب الطلب {number}.
        en: >-
          The Clearance Agents Affairs Office permits {name}, on behalf of {organisation}, to enter
          {port} from {today} to {valid_until}, under request {number}.
      - ar: "المركبة المستخدمة: {vehicle}."
        en: "Vehicle used: {vehicle}."
        or: {vehicle: {ar: دون مركبة, en: no vehicle}}
      - ar: يرافق حامل التصريح {crew} من الأشخاص، ويُبرز كل منهم بطاقته المدنية عند البوابة.
        en: "The holder brings {crew} persons, who show their civil ID cards at the gate."
        when: {field: crew, at_least: 1}
  - name: escort
    title: {ar: إشعار مرافقة, en: Escort Notice}
    prefix: TPE
    valid: {days: 30}
    when: {field: crew, at_least: 10}
    paragraphs: [{ar: "يلزم مرافق. ملاحظات: {notes}", en: "An escort is needed. Notes: {notes}"}]
"""
"""A service with two statements of its own, the second for large crews only."""

OF_LICENCES = (IssuedKind.CERTIFICATE, IssuedKind.CARD, IssuedKind.LETTER)
ISSUED_ON = date(2026, 3, 15)
EXPIRES = date(2030, 6, 30)
_serial = count(1)


def make_licence(organisation: Organisation | None = None, **columns: Any) -> Licence:
    """A broker with an active licence; columns of either replace what is made up."""
    organisation = organisation or factories.make_organisation()
    number = next(_serial)
    broker: dict[str, Any] = {
        "broker_type": "private",
        "name_ar_1": "أحمد",
        "name_ar_2": "عبد الله",
        "name_ar_4": "العنزي",
        "name_en_1": "Ahmad",
        "name_en_2": "Abdullah",
        "name_en_4": "Alenezi",
        "nationality": "KW",
        "civil_id": factories.civil_id(),
        "civil_id_expiry": date(2035, 1, 1),
        "passport_no": f"P{number:07d}",
        "passport_expiry": date(2035, 1, 1),
        "created_at": utc_now(),
    }
    licence: dict[str, Any] = {
        "number": f"KW-{70000 + number}",
        "guarantee_no": "LG 2519770/011926",
        "guarantee_expiry": date(2031, 1, 1),
        "issued": ISSUED_ON,
        "expires": EXPIRES,
        "status": LicenceStatus.ACTIVE,
    }
    for name, value in columns.items():
        (broker if hasattr(Broker, name) and name not in licence else licence)[name] = value
    names = [broker.get(f"name_{lang}_{n}", "") for lang in ("ar", "en") for n in range(1, 5)]
    holder = Broker(
        organisation_id=organisation.id, name_folded=name_folding.name_index(*names), **broker
    )
    made = Licence(broker=holder, **licence)
    db.session.add_all([holder, made])
    db.session.commit()
    return made


def make_decided(
    user: User, licence: Licence | None = None, *, status: str = Status.APPROVED, **columns: Any
) -> Request:
    """An approved request of `user` for `greeting`, about the licence."""
    version = request_factories.publish(LETTER)
    now = utc_now()
    values: dict[str, Any] = {
        "service_code": "greeting",
        "service_version_id": version.id,
        "number": f"GR/{next(_serial)}/26",
        "status": status,
        "organisation_id": user.memberships[0].organisation_id,
        "created_by_id": user.id,
        "sender_id": user.id,
        "licence_id": licence.id if licence is not None else None,
        "civil_id": licence.broker.civil_id if licence is not None else None,
        "created_at": now,
        "saved_at": now,
        "sent_at": now,
        "decided_at": now,
    }
    req = Request(**(values | columns))
    db.session.add(req)
    db.session.commit()
    return req


def make_photo(req: Request, user: User, data: bytes, media_type: str = "image/jpeg") -> Document:
    """A photo among the request's documents, with its file."""
    stored = storage.put(data, media_type)
    document = Document(
        request_id=req.id,
        kind="photo",
        label="photo.jpg",
        media_type=media_type,
        size=stored.size,
        sha256=stored.sha256,
        storage_key=stored.key,
        uploaded_by_id=user.id,
        uploaded_at=utc_now(),
    )
    db.session.add(document)
    storage.follow(document)
    db.session.commit()
    return document


def make_issued(
    kind: IssuedKind = IssuedKind.CERTIFICATE,
    licence: Licence | None = None,
    user: User | None = None,
    *,
    now: datetime | None = None,
    language: str = "ar",
    **columns: Any,
) -> IssuedDocument:
    """A document issued by a decision of its own. user: who asked; columns: of the request."""
    if user is None:
        organisation = licence.broker.organisation if licence is not None else None
        user = factories.make_agent(organisation)
    licence = licence or make_licence(user.memberships[0].organisation)
    req = make_decided(user, licence, **columns)
    document = operations.issue(kind, licence, req, now=now or utc_now(), language=language)
    db.session.commit()
    return document


def change_status(
    licence: Licence, status: str, step: LicenceStep, at: datetime, **columns: Any
) -> None:
    """Let a step happen to the licence, with its history."""
    for name, value in ({"suspended_by": None} | columns).items():
        setattr(licence, name, value)
    licence.status = status
    db.session.add(LicenceChange(licence_id=licence.id, at=at, kind=step))
    db.session.commit()


def publish_permit(**changes: Any) -> None:
    """Publish the service with statements, with `changes` at the top of its definition."""
    request_factories.publish(PERMIT, **changes)


def make_permitted(
    user: User,
    *,
    now: datetime | None = None,
    reviewer: User | None = None,
    until: str = Status.APPROVED,
    code: str = "port_permit",
    **values: Any,
) -> Request:
    """A request for a port permit, approved or only sent; publish the service first.

    values: replace what is made up.
    """
    now = now or utc_now()
    ends_on = kuwait_date(now) + timedelta(days=20)
    known = {"name_ar_1": "أحمد", "name_en_1": "Ahmad", "port": "shuwaikh", "ends_on": ends_on}
    req = drafts.start(code, actor_of(user), now, "private")
    drafts.save(req, known | values, actor_of(user), now)
    request_factories.step(req, Action.SEND, user, now=now)
    if until == Status.SUBMITTED:
        return req
    reviewer = reviewer or factories.make_staff()
    return request_factories.step(req, Action.APPROVE, reviewer, now=now)


def make_statement(user: User, **options: Any) -> IssuedDocument:
    """The permit that such a request got."""
    publish_permit()
    req = make_permitted(user, **options)
    return operations.of_request(req)[0]
