"""Migrations: head equals the models, down and up keep rows, nothing is half done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance import demo
from clearance.core import name_search, schema
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.extensions import db
from clearance.models import (
    BrokerType,
    DocumentKind,
    Invitation,
    IssuedDocument,
    LegalEntity,
    Nationality,
    Organisation,
    Reason,
    Registration,
    Request,
    Service,
    ServicePilot,
    User,
)
from clearance.models.enums import IssuedKind, Status
from clearance.services import offering
from tests.support import factories, request_factories
from tests.support.issued_factories import make_issued, make_licence, make_statement
from tests.support.pages import PageClient

pytestmark = pytest.mark.databases
OF_REFERENCE_ROWS = "0002"  # brought what every request points at, so data keep it


def test_head_equals_the_models(context: Flask) -> None:
    connection = db.session.connection()
    assert schema.is_new_enough(connection)
    assert schema.differences(connection) == []


def test_the_command_goes_back_and_says_where_the_database_is(app: Flask) -> None:
    run = app.test_cli_runner().invoke
    newest = ", ".join(schema.newest())
    assert run(args=["db", "current"]).output == f"{newest}\n"
    assert run(args=["db", "downgrade", "0019"]).output == "The database schema is at 0019.\n"
    assert run(args=["db", "current"]).output == f"0019, newest {newest}\n"
    refused = run(args=["db", "downgrade", "nowhere"])
    assert refused.exit_code == 1 and "nowhere" in refused.output
    assert "up to date" in run(args=["db", "upgrade"]).output


def test_reference_rows_are_there_after_the_first_upgrade(context: Flask) -> None:
    entities = {row.code: row for row in db.session.scalars(sa.select(LegalEntity))}
    assert entities["clearing_agent"].name_ar == "وكيل تخليص"
    assert entities["clearing_agent"].may_hold_licences
    assert not entities["company"].may_hold_licences
    codes = db.session.scalars(sa.select(BrokerType.code).order_by(BrokerType.position)).all()
    assert codes == ["general", "private", "representative"]


def test_down_to_nothing_and_up_again(app: Flask, database: object) -> None:
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    schema.downgrade(url, "base")
    engine = sa.create_engine(url)
    assert sa.inspect(engine).get_table_names() == ["alembic_version"]
    schema.upgrade(url)
    with engine.connect() as connection:
        assert schema.differences(connection) == []
        assert connection.execute(sa.text("SELECT count(*) FROM broker_type")).scalar() == 3
    engine.dispose()


def test_every_revision_goes_down_and_up_with_a_world_of_data(app: Flask) -> None:
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    with app.app_context():
        request_factories.load_services()
        demo.build_world(utc_now())
        before = _requests()
        db.session.remove()
        db.engine.dispose()
    with_requests = schema.known()[: schema.known().index(OF_REFERENCE_ROWS) + 1]
    for revision, below in pairwise(with_requests):
        schema.downgrade(url, below)  # and through what came up a moment ago
        schema.upgrade(url, revision)
    schema.upgrade(url)
    with app.app_context():
        assert schema.differences(db.session.connection()) == []
        assert _requests() == before


def _requests() -> list[tuple[Any, ...]]:
    columns = sa.select(Request.id, Request.number, Request.status, Request.sent_at)
    return [tuple(row) for row in db.session.execute(columns.order_by(Request.id))]


def test_of_two_upgrades_at_once_one_waits_for_the_other(app: Flask, database: Any) -> None:
    url = database.empty()
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(schema.upgrade, url) for _ in range(2)]:
            done.result(timeout=60)
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        assert schema.differences(connection) == []
    engine.dispose()


def test_on_the_schema_of_the_release_before_pages_answer_and_the_process_is_not_ready(
    app: Flask,
) -> None:
    _newest, before = schema.known()[:2]
    browser = PageClient(app)
    with app.app_context():
        db.session.execute(sa.text("UPDATE alembic_version SET version_num = :it"), {"it": before})
        db.session.commit()
    assert browser.http.get("/readyz").status_code == 503
    assert [browser.http.get(path).status_code for path in ("/healthz", "/")] == [200, 200]


def test_changing_a_parent_table_keeps_its_children(app: Flask) -> None:
    """Batch mode copies the table; with foreign keys on it would delete what points at it."""
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    with app.app_context():
        db.session.execute(
            sa.text(
                "INSERT INTO organisation (id, legal_entity, name_ar, name_en, name_folded,"
                " address, phone, email, stored_bytes, created_at, version)"
                " VALUES (1, 'company', 'ا', 'a', ' a', '', '', '', 0, '2026-01-01', 1)"
            )
        )
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    with schema.migrating(url) as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("legal_entity", recreate="auto") as batch:
            batch.alter_column("name_ar", type_=sa.String(200), existing_type=sa.String(150))
    with app.app_context():
        assert db.session.execute(sa.text("SELECT count(*) FROM organisation")).scalar() == 1


def test_going_back_before_invited_sign_ups_keeps_the_others(context: Flask) -> None:
    """An invited sign-up would open an organisation of its own; one's own stays."""
    own = factories.make_registration().email
    organisation = factories.make_organisation()
    invitation = Invitation(
        email="invited@example.com",
        role="agent",
        organisation_id=organisation.id,
        services=["exam"],
        token_hash="0" * 64,
        created_at=utc_now(),
        expires_at=utc_now(),
    )
    db.session.add(invitation)
    db.session.flush()
    factories.make_registration(email=invitation.email, invitation_id=invitation.id)
    url = context.config["SQLALCHEMY_DATABASE_URI"]
    db.session.remove()
    db.engine.dispose()
    schema.downgrade(url, "0003")
    schema.upgrade(url)
    assert list(db.session.scalars(sa.select(Registration.email))) == [own]
    kept = db.session.scalars(sa.select(Invitation)).one()
    assert (kept.services, kept.user_id, kept.refused_at) == (["exam"], None, None)


def test_shipped_reference_words_change_unless_the_office_changed_them(context: Flask) -> None:
    """Migration 0007, there and back."""
    url = context.config["SQLALCHEMY_DATABASE_URI"]
    known = {"civil_id_copy": "Civil ID copy", "passport_copy": "Passport copy"}
    missing = "A required document is missing."
    duplicate = "The request repeats another one for the same purpose."

    def words() -> tuple[dict[str, str], set[str]]:
        db.session.remove()
        kinds = sa.select(DocumentKind.code, DocumentKind.name_en)
        found = dict(db.session.execute(kinds.where(DocumentKind.code.in_(known))).tuples().all())
        texts = set(db.session.scalars(sa.select(Reason.text_en)))
        db.session.remove()
        db.engine.dispose()
        return found, texts

    assert words()[0] == {
        "civil_id_copy": "Copy of civil ID card",
        "passport_copy": "Copy of passport",
    }
    schema.downgrade(url, "0006")
    kinds, texts = words()
    assert kinds == known and {missing, duplicate} <= texts
    edited = sa.update(DocumentKind).where(DocumentKind.code == "passport_copy")
    db.session.execute(edited.values(name_ar="نسخة من الجواز"))
    db.session.commit()
    schema.upgrade(url)
    kinds, texts = words()
    assert kinds == known | {"civil_id_copy": "Copy of civil ID card"}
    assert missing in texts and duplicate not in texts
    assert "There is already an open request for the same purpose." in texts


def test_nationalities_in_use_keep_their_names(context: Flask) -> None:
    """Migration 0009: of an uninhabited place, and one that only the customs system knows."""
    make_licence(nationality="AQ")
    make_licence(nationality="XK")
    url = context.config["SQLALCHEMY_DATABASE_URI"]
    db.session.remove()
    db.engine.dispose()
    schema.downgrade(url, "0008")
    schema.upgrade(url)
    rows = {row.code: (row.name_en, row.is_active) for row in db.session.scalars(_NATIONALITIES)}
    assert rows["AQ"] == ("Antarctica", False)
    assert rows["XK"] == ("XK", False)
    assert rows["XX"] == ("Unspecified nationality", True)
    assert "BV" not in rows


_NATIONALITIES = sa.select(Nationality)


def test_users_outlive_the_latin_names_both_ways(context: Flask) -> None:
    user = factories.make_user(latin_name="Salem Alotaibi")
    email = user.email
    url = context.config["SQLALCHEMY_DATABASE_URI"]
    db.session.remove()
    db.engine.dispose()
    schema.downgrade(url, "0007")
    schema.upgrade(url)
    assert db.session.execute(sa.select(User.email, User.latin_name)).all() == [(email, "")]


def test_requests_with_two_approvals_are_lifted_to_stages_and_back(context: Flask) -> None:
    request_factories.load_services()
    request_factories.store(code="double", prefix="DB", flow="two_approvals")
    agent, reviewer = factories.make_agent(), factories.make_staff()
    who = reviewer.id
    made = {
        place: request_factories.make_sent(agent, "double", words="سلام")
        for place in ("sent", "waiting", "taken", "returned")
    }
    seated = request_factories.make_request(agent, Status.PREAPPROVED, reviewer=reviewer)
    keys = {place: req.id for place, req in made.items()} | {"exam": seated.id}
    db.session.remove()
    url = context.config["SQLALCHEMY_DATABASE_URI"]
    db.engine.dispose()
    schema.downgrade(url, "0012")
    engine = sa.create_engine(url)
    changes = {
        "waiting": {"status": "preapproved", "first_approver_id": who},
        "taken": {"status": "preapproved", "first_approver_id": who, "reviewer_id": who},
        "returned": {"status": "returned", "due_on": None},
    }
    with engine.begin() as connection:
        for place, change in changes.items():
            table = Request.__table__
            connection.execute(sa.update(table).where(table.c.id == keys[place]).values(**change))
    schema.upgrade(url)

    def read(place: str) -> tuple[object, ...]:
        req = db.session.get_one(Request, keys[place])
        return req.status, req.stage, req.team_code, req.approvals, req.first_approver_id

    assert read("sent") == (Status.SUBMITTED, "first", "review", {}, None)
    approved = ({"first": who}, who)
    assert read("waiting") == (Status.SUBMITTED, "second", "review", *approved)
    assert read("taken") == (Status.UNDER_REVIEW, "second", "review", *approved)
    assert read("returned") == (Status.RETURNED, "first", None, {}, None)
    assert read("exam")[:3] == (Status.PREAPPROVED, None, None)
    db.session.remove()
    db.engine.dispose()
    schema.downgrade(url, "0012")
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT id, status FROM request")).all()
    engine.dispose()
    assert dict(map(tuple, found)) == {
        keys["sent"]: "submitted",
        keys["waiting"]: "preapproved",
        keys["taken"]: "preapproved",
        keys["returned"]: "returned",
        keys["exam"]: "preapproved",
    }
    schema.upgrade(url)


def test_going_back_before_statements_keeps_the_documents_of_licences(context: Flask) -> None:
    """Migration 0015: statements go with their columns, the others keep what they have."""
    agent = factories.make_agent()
    card = make_issued(IssuedKind.CARD, user=agent)
    make_statement(agent)
    kept = (card.kind, card.check_code, card.content, card.valid_until)
    url = context.config["SQLALCHEMY_DATABASE_URI"]
    db.session.remove()
    db.engine.dispose()
    schema.downgrade(url, "0014")
    schema.upgrade(url)
    row = db.session.scalars(sa.select(IssuedDocument)).one()
    assert (row.kind, row.check_code, row.content, row.valid_until) == kept
    assert (row.name, row.number, row.title) == ("", None, None)


def test_going_back_before_pilots_keeps_services_stopped_and_drafts(context: Flask) -> None:
    """Migrations 0018 and 0019: what a pilot and a move add goes, the rest stays."""
    agent = factories.make_agent()
    req, now = request_factories.make_draft(agent), utc_now()
    office = agent.memberships[0].organisation
    offering.stop("exam", None, now, why="")
    until = kuwait_date(now)
    offering.pilot("exam", None, now, why="", until=until, organisations=office.name_ar)
    req.moved = {"on": "01/04/2026", "new": []}
    kept = (req.id, req.service_version_id, req.answers)
    db.session.commit()
    url = context.config["SQLALCHEMY_DATABASE_URI"]
    db.session.remove()
    db.engine.dispose()
    schema.downgrade(url, "0017")
    schema.upgrade(url)
    row, service = db.session.scalars(sa.select(Request)).one(), db.session.get(Service, "exam")
    assert (row.id, row.service_version_id, row.answers, row.moved) == (*kept, None)
    assert service is not None and (service.stopped_on, service.pilot_until) == (until, None)
    assert db.session.scalars(sa.select(ServicePilot)).all() == []
    assert not row.service_version.is_text_revision


def test_names_are_filled_with_their_spellings_and_back(context: Flask) -> None:
    """Migration 0021, there and back."""
    url = context.config["SQLALCHEMY_DATABASE_URI"]
    request_factories.load_services()
    agent = factories.make_agent(first_name="سالم", last_name="العنزي", latin_name="")
    request_factories.make_draft(agent)
    before = {model: _indexed(model) for model in (User, Organisation, Request)}
    assert before[User] == [" سالم العنزي عنزي þsalm þalnz þanz "]
    db.session.remove()
    db.engine.dispose()
    schema.downgrade(url, "0020")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        text = sa.text('SELECT name_folded FROM "user"')
        assert connection.scalars(text).all() == [" سالم العنزي عنزي"]
        connection.execute(sa.text("UPDATE \"user\" SET name_folded = ' سالم العنزي'"))
    engine.dispose()
    schema.upgrade(url)
    assert {model: _indexed(model) for model in before} == before
    found = sa.select(User.id).where(name_search.condition(User, "Salim Alenezi"))
    assert db.session.scalars(found).all() == [agent.id]


def _indexed(model: type[User | Organisation | Request]) -> list[str]:
    return list(db.session.scalars(sa.select(model.name_folded).order_by(model.id)))
