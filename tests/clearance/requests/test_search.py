"""Finding requests: what is typed, what it finds, and that an index leads there."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Request, User
from clearance.requests import drafts
from clearance.requests import search as request_search
from tests.support import factories, issued_factories, request_factories
from tests.support.plans import plan_of, scanned_tables

EASTERN = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
OTHER_NAMES = {
    "name_ar_1": "خالد",
    "name_ar_2": "",
    "name_ar_4": "الفيلكاوي",
    "name_en_1": "Khalid",
    "name_en_2": "",
    "name_en_4": "Alfailakawi",
}


@pytest.fixture
def wanted(agent: User) -> Request:
    request_factories.make_sent(agent, **OTHER_NAMES)
    return request_factories.make_sent(agent)


def found(typed: str) -> list[int]:
    condition = request_search.condition(typed)
    statement = sa.select(Request.id).order_by(Request.id)
    if condition is not None:
        statement = statement.where(condition)
    return list(db.session.scalars(statement))


@pytest.mark.databases
def test_a_request_is_found_by_what_people_have_of_it(wanted: Request) -> None:
    prefix, serial, year = wanted.number.split("/")
    for typed in (
        wanted.number,
        f" {prefix.lower()} / {serial} / {year} ",
        f"{prefix}/{serial}",
        f"{prefix}/{serial}/",
        f"{prefix}/{serial}/{year[0]}",
        serial,
        serial.translate(EASTERN),
        wanted.civil_id,
        wanted.civil_id.translate(EASTERN),
        wanted.civil_id[:11],
        wanted.mobile,
        wanted.mobile.removeprefix("+"),
        wanted.mobile.removeprefix("+965"),
        f"00{wanted.mobile.removeprefix('+')}",
    ):
        assert found(typed) == [wanted.id], typed


@pytest.mark.databases
def test_a_request_is_found_by_the_number_of_its_licence(wanted: Request, agent: User) -> None:
    wanted.licence_id = issued_factories.make_licence(number="KW-70001").id
    other = request_factories.make_sent(agent)
    other.licence_id = issued_factories.make_licence(number="70002").id
    db.session.commit()
    assert found("KW-70001") == found(" kw-70001 ") == [wanted.id]
    assert found("70002") == [other.id]
    assert found("KW-7") == found("KW-70009") == []


@pytest.mark.databases
@pytest.mark.parametrize("typed", ['"', "%", "_", "-", "...", "« »", "'"])
def test_signs_alone_find_nothing(wanted: Request, typed: str) -> None:
    assert found(typed) == []


@pytest.mark.databases
@pytest.mark.parametrize(
    ("typed", "is_found"),
    [
        ("أحمد", True),
        ("احمد عبدالله", True),
        ("العنزي أحمد", True),
        ("الله", True),
        ("ahmad alen", True),
        ("Ahmed Enezi", True),
        ("Ahmed Abdallah Al-Anazi", True),
        ("عنزي", True),
        ("Ahmed Mutairi", False),
        ("حمد", False),
        ("سالم", False),
        ("احمد سالم", False),
        ("100%", False),
        ("a'b", True),
        ('احمد" OR "', False),
        ("a:* | b", False),
    ],
)
def test_words_of_a_name_are_found_as_they_are_typed(
    wanted: Request, typed: str, is_found: bool
) -> None:
    assert found(typed) == ([wanted.id] if is_found else [])


@pytest.mark.databases
@pytest.mark.parametrize(
    "typed", ["%", "_", "\\", "CE/99/26", "' OR 1=1 --", "9" * 60, "12345", "ZZ/1"]
)
def test_what_fits_nothing_finds_nothing(wanted: Request, typed: str) -> None:
    assert found(typed) == []


def test_nothing_typed_narrows_nothing(context: Flask) -> None:
    assert request_search.condition("   ") is None


@pytest.mark.databases
def test_a_name_that_is_changed_or_discarded_is_found_no_longer(agent: User) -> None:
    draft = request_factories.make_draft(agent, name_ar_1="مشعل")
    assert found("مشعل") == [draft.id]
    drafts.save(draft, {"name_ar_1": "بدر"}, actor_of(agent), utc_now())
    db.session.commit()
    assert found("مشعل") == []
    assert found("بدر") == [draft.id]
    db.session.execute(sa.text("DELETE FROM document"))
    drafts.discard(draft, actor_of(agent), utc_now())
    db.session.commit()
    assert found("بدر") == []


@pytest.mark.databases
def test_frequent_names_are_found_like_rare_ones(
    wanted: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_search, "RARE", 0)
    assert found("احمد عبدالله") == found("Ahmed Abdulla") == [wanted.id]
    assert found("سالم") == found("Salem") == []


@pytest.mark.databases
def test_names_of_many_are_found_in_the_order_of_the_list_as_they_are_counted(
    wanted: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_search, "SORTED", 0)
    for typed, ids in (("احمد عبدالله", [wanted.id]), ("Ahmed Abdulla", [wanted.id]), ("سالم", [])):
        condition, counted, sample = request_search.find(typed)
        for each in (condition, condition if counted is None else counted):
            assert list(db.session.scalars(sa.select(Request.id).where(each))) == ids, typed
        assert sample is None


@pytest.mark.databases
def test_the_index_finds_the_names_of_one_organisation(wanted: Request, agent: User) -> None:
    def found_of(organisation_id: int) -> list[int]:
        condition = request_search.find("احمد", organisation_id).condition
        assert condition is not None
        return list(db.session.scalars(sa.select(Request.id).where(condition)))

    own, other = wanted.organisation_id, factories.make_organisation().id
    assert found_of(own) == [wanted.id]
    assert found_of(other) == []
    wanted.organisation_id = other
    db.session.commit()
    assert found_of(own) == []
    assert found_of(other) == [wanted.id]


@pytest.mark.parametrize(
    "typed", ["CE/1/26", "285", "29001", "290010112345", "55512345", "احمد", "Ahmed"]
)
def test_no_search_reads_every_request(wanted: Request, typed: str) -> None:
    statement = sa.select(Request.number).where(request_search.condition(typed))
    assert "request" not in scanned_tables(plan_of(statement))
