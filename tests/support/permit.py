"""A service with everything that a form can say: a temporary permit to enter a port."""

from __future__ import annotations

from typing import Any

import yaml

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Request, User
from clearance.requests import drafts
from tests.support import request_factories as requests

PERMIT = """
schema: 2
code: temporary_permit
prefix: TP
title: {ar: طلب تصريح مؤقت, en: Temporary permit}
description: {ar: تصريح مؤقت لدخول الميناء., en: A temporary permit to enter a port.}
subject: person
start: broker_type
subscription: automatic
exclusive: none
sections:
  - name: trip
    title: {ar: الزيارة, en: The visit}
    help: {ar: متى وإلى أين., en: When and where.}
  - name: cargo
    title: {ar: البضاعة, en: The cargo}
    when: {field: purpose, is: [cargo]}
fields:
  - {name: name_ar_1, required: true}
  - {name: name_en_1}
  - name: purpose
    section: trip
    type: choice
    required: true
    label: {ar: الغرض, en: Purpose}
    choices:
      - {value: cargo, label: {ar: بضاعة, en: Cargo}}
      - {value: crew, label: {ar: طاقم, en: Crew}}
      - {value: tour, label: {ar: جولة, en: Tour}, retired: true}
  - name: port
    section: trip
    type: choice
    required: true
    label: {ar: الميناء, en: Port}
    choices:
      - {value: shuwaikh, label: {ar: الشويخ, en: Shuwaikh}}
      - {value: other, label: {ar: أخرى, en: Other}}
  - name: other_port
    section: trip
    type: text
    required: true
    min_length: 3
    label: {ar: اسم الميناء, en: Name of the port}
    when: {field: port, is: [other]}
  - name: starts_on
    section: trip
    type: date
    future: true
    required: true
    label: {ar: من, en: From}
  - name: ends_on
    section: trip
    type: date
    required: true
    label: {ar: إلى, en: To}
  - name: visitors
    section: trip
    type: number
    minimum: 1
    maximum: 40
    default: 1
    required: true
    unit: {ar: أشخاص, en: people}
    example: {ar: "3", en: "3"}
    label: {ar: عدد الزوار, en: Number of visitors}
  - name: contact
    section: trip
    type: email
    label: {ar: بريد المسؤول, en: E-mail of the person in charge}
    when: {field: visitors, at_least: 10}
  - name: goods
    section: cargo
    type: choices
    required: true
    most: 2
    label: {ar: نوع البضاعة, en: Kinds of goods}
    choices:
      - {value: food, label: {ar: أغذية, en: Food}}
      - {value: cars, label: {ar: سيارات, en: Cars}}
      - {value: other_goods, label: {ar: غير ذلك, en: Other}, text: true}
  - name: value
    section: cargo
    type: amount
    minimum: "0.500"
    maximum: 100000
    required: true
    label: {ar: القيمة, en: Value}
  - name: driver_passport
    section: cargo
    type: passport_no
    label: {ar: جواز السائق, en: Driver's passport}
refuse:
  - when: {field: ends_on, before: {field: starts_on}}
    at: ends_on
    says: {ar: تنتهي الزيارة قبل أن تبدأ., en: The visit ends before it starts.}
documents:
  - {kind: civil_id_copy, required: true}
  - {kind: office_letter, required: true, when: {field: value, at_least: 1000}}
  - {kind: photo, most: 1, when: {field: port, is: [other]}}
flow: standard
processing_days: 3
"""
ITEMS = """
name: items
section: trip
type: rows
required: true
least: 2
most: 4
label: {ar: الأصناف, en: Items}
row: {ar: الصنف, en: Item}
columns:
  - name: goods_name
    type: text
    required: true
    label: {ar: الاسم, en: Name}
    hint: {ar: كما في الفاتورة., en: As on the invoice.}
  - {name: pieces, type: number, minimum: 1, label: {ar: العدد, en: Pieces}}
  - {name: price, type: amount, label: {ar: السعر, en: Price}}
  - {name: packed_on, type: date, past: true, label: {ar: تاريخ التعبئة, en: Packed on}}
  - name: sort
    type: choice
    required: true
    label: {ar: النوع, en: Sort}
    choices:
      - {value: plain, label: {ar: عادي, en: Plain}}
      - {value: other_sort, label: {ar: آخر, en: Other}}
  - name: which
    type: text
    required: true
    label: {ar: أي نوع, en: Which sort}
    when: {field: sort, is: [other_sort]}
  - name: driver
    type: civil_number
    label: {ar: السائق, en: Driver}
    when: {field: purpose, is: [cargo]}
  - {name: fragile, type: bool, label: {ar: قابل للكسر, en: Fragile}}
"""
"""Rows that every type of a column and both kinds of conditions are in."""

GOOD: dict[str, Any] = {
    "name_ar_1": "سالم",
    "purpose": "crew",
    "port": "shuwaikh",
    "starts_on": "03/04/2031",
    "ends_on": "05/04/2031",
}
"""What is posted for a visit without cargo."""

CARGO: dict[str, Any] = GOOD | {"purpose": "cargo", "goods": ["food", "cars"], "value": "1,250.5"}


def permit(**changes: Any) -> dict[str, Any]:
    """Return the definition, with `changes` at its top."""
    return dict(yaml.safe_load(PERMIT) | changes)


def with_items(**changes: Any) -> dict[str, Any]:
    """Return the definition with the field `items` as its last, changed so."""
    found = permit()
    found["fields"].append(yaml.safe_load(ITEMS) | changes)
    return found


def begin(user: User, definition: dict[str, Any] | None = None) -> Request:
    """Publish the service and begin a draft of it for `user`, with a copy of the civil ID card."""
    requests.load_services()
    requests.publish(yaml.safe_dump(definition) if definition else PERMIT)
    req = drafts.start("temporary_permit", actor_of(user), utc_now(), "private")
    db.session.commit()
    requests.make_document(req, "civil_id_copy", user)
    return req
