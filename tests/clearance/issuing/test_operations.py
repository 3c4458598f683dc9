"""Issuing: once per decision, one living certificate and card, a snapshot of what is printed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from clearance.auth.sessions import actor_of
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.issuing import operations
from clearance.models import Event, IssuedDocument, User
from clearance.models.enums import IssuedKind, Status, VoidReason
from tests.support import factories, files, issued_factories
from tests.support.rows import count_of

NOW = datetime(2026, 3, 15, 7, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=400)


def test_a_certificate_keeps_what_is_printed_whatever_the_register_says_later(agent: User) -> None:
    licence = issued_factories.make_licence(agent.memberships[0].organisation)
    document = issued_factories.make_issued(IssuedKind.CERTIFICATE, licence, agent, now=NOW)
    licence.broker.name_ar_1, licence.guarantee_no = "سعد", "LG 1"
    db.session.commit()
    db.session.expire(document)
    assert re.fullmatch("[A-Z2-7]{20}", document.check_code)
    assert document.content["holder"] == {
        "ar": "أحمد عبد الله العنزي",
        "en": "Ahmad Abdullah Alenezi",
    }
    assert document.content["guarantee_no"] == "LG 2519770/011926"
    assert document.content["check_url"].endswith(f"/check/{document.check_code}")
    assert document.content["dated"] == "2026-03-15"
    assert document.valid_until == licence.expires
    assert "organisation" not in document.content  # a transfer leaves the certificate as it is


def test_the_gender_that_the_broker_gave_as_a_user_is_printed_and_unknown_otherwise(
    agent: User,
) -> None:
    licence = issued_factories.make_licence(agent.memberships[0].organisation)
    unknown = issued_factories.make_issued(IssuedKind.CERTIFICATE, licence, agent, now=NOW)
    factories.make_user(civil_id=licence.broker.civil_id, gender="female")
    known = issued_factories.make_issued(IssuedKind.CERTIFICATE, licence, agent, now=LATER)
    assert (unknown.content["gender"], known.content["gender"]) == ("", "female")


def test_asked_again_by_the_same_decision_nothing_new_is_issued(agent: User) -> None:
    first = issued_factories.make_issued(user=agent)
    assert first.request is not None and first.licence is not None
    again = operations.issue(IssuedKind.CERTIFICATE, first.licence, first.request, now=LATER)
    db.session.commit()
    assert again is first
    assert count_of(IssuedDocument) == 1


@pytest.mark.databases
def test_a_new_certificate_replaces_the_living_one_and_leaves_card_and_letters(
    agent: User,
) -> None:
    licence = issued_factories.make_licence(agent.memberships[0].organisation)
    kinds = (IssuedKind.CERTIFICATE, IssuedKind.CARD, IssuedKind.LETTER)
    old, card, letter = (
        issued_factories.make_issued(kind, licence, agent, now=NOW) for kind in kinds
    )
    new = issued_factories.make_issued(IssuedKind.CERTIFICATE, licence, agent, now=LATER)
    second = issued_factories.make_issued(IssuedKind.LETTER, licence, agent, now=LATER)
    assert (old.voided_at, old.void_reason) == (LATER, VoidReason.REPLACED)
    assert [each.voided_at for each in (card, letter, new, second)] == [None] * 4
    assert operations.of_licence(licence)[:2] == [second, new]


def test_voiding_counts_once_and_stands_in_the_trail(agent: User) -> None:
    document = issued_factories.make_issued(IssuedKind.CARD, user=agent, now=NOW)
    operations.void(document, VoidReason.LOST, LATER)
    operations.void(document, VoidReason.CANCELLED, LATER + timedelta(days=1))
    db.session.commit()
    assert (document.voided_at, document.void_reason) == (LATER, VoidReason.LOST)
    kinds = db.session.scalars(
        sa.select(Event.kind).where(Event.object_type == "issued_document").order_by(Event.id)
    ).all()
    assert kinds == ["issued:document:made", "issued:document:voided"]


def test_cancelling_makes_every_living_document_void(agent: User) -> None:
    licence = issued_factories.make_licence(agent.memberships[0].organisation)
    for kind in issued_factories.OF_LICENCES:
        issued_factories.make_issued(kind, licence, agent, now=NOW)
    assert operations.void_all(licence, VoidReason.CANCELLED, LATER) == 3
    assert operations.void_all(licence, VoidReason.CANCELLED, LATER) == 0
    assert {each.voided_at for each in operations.of_licence(licence)} == {LATER}


def test_a_letter_is_in_the_language_asked_for_and_says_what_was_chosen(agent: User) -> None:
    answers = {"language": "en", "purpose": "bank", "addressee": "بنك الكويت الوطني"}
    letter = issued_factories.make_issued(IssuedKind.LETTER, user=agent, answers=answers)
    assert letter.language == "en"
    assert letter.content["purpose"] == {"ar": "تقديمها إلى بنك", "en": "Submission to a bank"}
    assert letter.content["addressee"]["en"] == "بنك الكويت الوطني"
    assert letter.content["status"] == "active"
    assert letter.valid_until is None


def test_the_photo_is_the_newest_of_the_request_else_of_an_approved_one(agent: User) -> None:
    licence = issued_factories.make_licence(agent.memberships[0].organisation)
    rejected = issued_factories.make_decided(agent, licence, status=Status.REJECTED)
    issued_factories.make_photo(rejected, agent, files.jpeg())
    without = issued_factories.make_issued(IssuedKind.CARD, licence, agent)
    assert without.content["photo"] is None
    approved = issued_factories.make_decided(agent, licence)
    issued_factories.make_photo(approved, agent, files.jpeg())
    newest = issued_factories.make_photo(approved, agent, files.jpeg())
    issued_factories.make_photo(approved, agent, files.pdf(), "application/pdf")
    card = issued_factories.make_issued(IssuedKind.CARD, licence, agent)
    assert card.content["photo"] == {"storage_key": newest.storage_key, "sha256": newest.sha256}
    own = issued_factories.make_decided(agent, licence)
    photo = issued_factories.make_photo(own, agent, files.jpeg())
    issued_factories.make_photo(approved, agent, files.jpeg())
    latest = operations.issue(IssuedKind.CARD, licence, own, now=LATER)
    assert latest.content["photo"]["storage_key"] == photo.storage_key


def test_a_transfer_takes_the_documents_to_the_new_organisation(agent: User) -> None:
    receiver = factories.make_agent()
    document = issued_factories.make_issued(user=agent)
    req, licence = document.request, document.licence
    assert req is not None and licence is not None
    with pytest.raises(NotFound):
        operations.find(document.id, actor_of(receiver))
    licence.broker.organisation_id = receiver.memberships[0].organisation_id
    db.session.commit()
    assert operations.find(document.id, actor_of(receiver)) is document
    with pytest.raises(NotFound):
        operations.find(document.id, actor_of(agent))
    assert operations.of_request(req, actor_of(agent)) == []
    assert operations.of_request(req) == [document]


def test_an_additional_user_reads_what_their_services_issued(agent: User) -> None:
    document = issued_factories.make_issued(user=agent)
    organisation = agent.memberships[0].organisation
    granted = factories.make_agent(organisation, is_general=False, services=("greeting",))
    other = factories.make_agent(organisation, is_general=False)
    assert operations.find(document.id, actor_of(granted)) is document
    for reader in (other, factories.make_staff("administrator")):
        with pytest.raises(NotFound):
            operations.find(document.id, actor_of(reader))
    for role in ("reviewer", "manager"):
        assert operations.find(document.id, actor_of(factories.make_staff(role))) is document
