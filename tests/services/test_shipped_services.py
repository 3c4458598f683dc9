"""All shipped services beside one another: which there are, and how they keep out of each other."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.errors import Refused
from clearance.core.extensions import db
from clearance.licences import granted_expiry
from clearance.models import Request, User
from clearance.requests import available_actions, transitions
from clearance.services import versions
from clearance.services.flows import Action
from clearance.services.schema import Definition
from tests.support import request_factories as requests
from tests.support.races import race
from tests.support.service_life import SOON, ServiceLife

ABOUT_PERSONS = ("exam", "issuance")
ABOUT_LICENCES = (
    *("renewal", "suspension", "cancellation"),
    *("transfer", "letter", "lost_card", "reactivation"),
)


@pytest.fixture
def services(context: Flask) -> dict[str, Definition]:
    requests.load_services()
    return {version.definition.code: version.definition for version in versions.all_current()}


@pytest.fixture
def renewal(context: Flask) -> ServiceLife:
    return ServiceLife("renewal")


def test_there_are_nine_in_the_order_of_the_manual(services: dict[str, Definition]) -> None:
    assert list(services) == [*ABOUT_PERSONS, *ABOUT_LICENCES]
    for code, service in services.items():
        assert (service.subject == "licence") is (code in ABOUT_LICENCES)


def test_each_has_its_tests(services: dict[str, Definition]) -> None:
    modules = {path.stem for path in Path(__file__).parent.glob("test_*.py")}
    assert {f"test_{code}" for code in services} <= modules


def test_english_titles_are_plain_and_the_manuals_are_kept(services: dict[str, Definition]) -> None:
    assert {
        code: (service.title.en, service.manual_title) for code, service in services.items()
    } == {
        "exam": ("Take the clearing agents' exam", "Clearing Agent Exam Request"),
        "issuance": ("Get a broker licence", "Broker License Issuance Request"),
        "renewal": ("Renew a broker licence", "Request For Renewing Broker License"),
        "suspension": ("Suspend a broker licence", "Deactivate Broker License Request"),
        "cancellation": ("Cancel a broker licence", "Broker License Cancellation Request"),
        "transfer": ("Transfer a broker", "Broker Transfer Request"),
        "letter": ("‘To whom it may concern’ letter", "To Whom It Concern Letter Request"),
        "lost_card": ("Replace a lost broker ID card", "Print Lost Broker License Card Request"),
        "reactivation": ("Reactivate a broker licence", "Reactivate Broker License Request"),
    }


def test_buttons_name_what_is_requested(services: dict[str, Definition]) -> None:
    assert {code: service.button.ar for code, service in services.items() if service.button} == {
        "exam": "طلب امتحان",
        "issuance": "طلب إصدار",
        "renewal": "طلب تجديد",
        "suspension": "طلب إيقاف",
        "cancellation": "طلب إلغاء",
        "transfer": "طلب نقل",
        "letter": "طلب شهادة",
        "lost_card": "طلب بطاقة",
        "reactivation": "طلب إعادة تنشيط",
    }


def test_some_are_asked_for_many_at_once_and_some_grant_a_date(
    services: dict[str, Definition],
) -> None:
    bulk = {code for code, service in services.items() if service.bulk}
    granting = {code for code, service in services.items() if granted_expiry.is_granted_by(service)}
    assert bulk == {"renewal", "letter", "lost_card"}
    assert granting == {"issuance", "renewal"}


def test_each_takes_other_documents_and_has_no_field_of_that_name(
    services: dict[str, Definition],
) -> None:
    for service in services.values():
        assert "other" in {spec.kind for spec in service.documents}
        assert service.field("other") is None


# About one licence


def test_while_one_is_open_no_other_but_a_letter_begins(renewal: ServiceLife) -> None:
    licence = renewal.licence(expires=SOON)
    first = renewal.ask(licence)
    told = {
        code: ServiceLife(code, renewal.agent).refusal_to_begin(licence) for code in ABOUT_LICENCES
    }
    assert told.pop("letter") == ""
    assert set(told.values()) == {
        f"Request {first.number} is still open. "
        "You can apply again when it is decided or withdrawn."
    }
    shut = renewal.button(licence)
    assert shut is not None and shut.url.endswith(f"id={first.id}")


@pytest.mark.databases
def test_of_several_sent_at_once_one_is_taken_and_the_others_refused_kindly(
    app: Flask, renewal: ServiceLife
) -> None:
    licence = renewal.licence(expires=SOON)
    drafts = [
        requests.make_draft(renewal.agent, code, licence_id=licence.id).id
        for code in ("renewal", "suspension", "cancellation", "lost_card")
    ]
    agent_id = renewal.agent.id
    db.session.rollback()

    def send(number: int) -> str:
        req = db.session.get_one(Request, drafts[number])
        with force_locale("en"):
            transitions.perform(
                req,
                Action.SEND,
                actor=actor_of(db.session.get_one(User, agent_id)),
                now=utc_now(),
                version=req.version,
            )
        db.session.commit()
        return "sent"

    outcomes = race(app, 4, send)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert (outcomes.count("sent"), len(refused)) == (1, 3), outcomes
    assert all("still open" in str(error.refusal.text) for error in refused)


def test_number_of_queries_grows_with_neither_licences_nor_services(renewal: ServiceLife) -> None:
    licences = [renewal.licence() for _ in range(13)]
    ids = [licence.id for licence in licences]

    def queries(codes: tuple[str, ...], some: list[int]) -> int:
        db.session.commit()
        actor, seen = actor_of(renewal.agent), []

        def note(_connection, _cursor, statement, *_rest):
            seen.append(statement)

        sa.event.listen(db.engine, "before_cursor_execute", note)
        try:
            found = available_actions.startable_for(some, codes, actor, utc_now())
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", note)
        assert len(found) == len(codes) * len(some)
        return len(seen)

    queries(ABOUT_LICENCES, ids)  # the process keeps definitions from here on
    assert queries(ABOUT_LICENCES, ids) == queries(("renewal",), ids[:1]) > 0
