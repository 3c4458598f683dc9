"""Values of a request as readers of either language see them."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core import name_folding
from clearance.core.extensions import db
from clearance.models import Broker, Organisation, Request
from clearance.requests import completeness, drafts, field_values
from tests.support import factories
from tests.support import request_factories as requests

NOW = requests.utc_now()

FIELDS = [
    {"name": "number", "mode": "shown"},
    {"name": "general_broker", "mode": "shown"},
    {"name": "broker_type", "mode": "shown"},
    {"name": "nationality"},
    {"name": "civil_id_expiry"},
    {
        "name": "purpose",
        "type": "choice",
        "label": {"ar": "الغرض", "en": "Purpose"},
        "choices": [
            {"value": "bank", "label": {"ar": "بنك", "en": "Bank"}},
            {"value": "embassy", "label": {"ar": "سفارة", "en": "Embassy"}},
        ],
    },
    {"name": "agreed", "type": "bool", "label": {"ar": "أوافق", "en": "I agree"}},
]


@pytest.fixture
def req(context: Flask) -> Request:
    requests.publish(requests.TRIVIAL, fields=FIELDS)
    actor = actor_of(factories.make_agent(first_name="123", last_name="سالم"))
    made = drafts.start("greeting", actor, NOW, choice="representative")
    values = {
        "nationality": "JO",
        "civil_id_expiry": date(2031, 12, 1),
        "purpose": "embassy",
        "agreed": True,
    }
    drafts.save(made, values, actor, NOW)
    return made


def test_codes_are_shown_as_their_labels(req: Request) -> None:
    assert [field_values.shown_value(req, "nationality", lang) for lang in ("ar", "en")] == [
        "الأردن",
        "Jordan",
    ]
    assert [field_values.shown_value(req, "purpose", lang) for lang in ("ar", "en")] == [
        "سفارة",
        "Embassy",
    ]
    assert field_values.shown_value(req, "broker_type", "ar") == "مندوب مخلص"
    assert field_values.shown_value(req, "civil_id_expiry", "ar") == "01/12/2031"
    assert field_values.shown_value(req, "agreed", "ar") == "نعم"


def test_number_says_when_it_is_given(req: Request) -> None:
    assert field_values.shown_value(req, "number", "ar") == "يُعطى عند الإرسال"
    req.number, req.status = "GR/1/26", "submitted"
    assert field_values.shown_value(req, "number", "ar") == "GR/1/26"


def test_general_broker_is_named_or_else_the_organisation(req: Request) -> None:
    office = db.session.get_one(Organisation, req.organisation_id)
    assert field_values.shown_value(req, "general_broker", "en") == office.name_en
    broker = Broker(
        organisation_id=office.id,
        broker_type="general",
        name_ar_1="فهد",
        name_ar_4="المطيري",
        name_en_1="Fahad",
        name_en_4="Almutairi",
        name_folded=name_folding.name_index("فهد المطيري", "Fahad Almutairi"),
        nationality="KW",
        civil_id=factories.civil_id(),
        civil_id_expiry=date(2030, 1, 1),
        passport_no="P1",
        passport_expiry=date(2030, 1, 1),
        created_at=NOW,
    )
    db.session.add(broker)
    db.session.flush()
    office.general_broker_id = broker.id
    assert field_values.shown_value(req, "general_broker", "ar") == "فهد المطيري"
    assert field_values.shown_value(req, "general_broker", "en") == "Fahad Almutairi"


def test_answer_that_is_no_choice_any_more_is_missing(req: Request) -> None:
    req.answers = {**req.answers, "purpose": "holiday"}
    assert [item.field for item in completeness.missing(req, NOW)] == ["purpose"]
    req.nationality = "ZZ"
    assert {item.field for item in completeness.missing(req, NOW)} == {"purpose", "nationality"}
