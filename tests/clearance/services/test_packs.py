"""Packs: the file of a service, made of a version or a draft, and read into a draft."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
import yaml
from flask import Flask
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.models import ChoiceList, DocumentKind, Event, Service, ServiceDraft, ServiceVersion
from clearance.models.enums import Role
from clearance.services import drafting, packs, versions
from clearance.services.packs import BadPack, Missing, Names, Needs, Pack
from tests.services.test_shipped_services import ABOUT_LICENCES, ABOUT_PERSONS
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.permit import PERMIT, permit
from tests.support.properties import examples

NOW = utc_now()
CODE = "temporary_permit"
GHOST = {"kind": "ghost", "required": True}
NAMES = {"ar": "وثيقة", "en": "Ghost"}


@pytest.fixture
def keeper(context: Flask) -> Actor:
    requests.load_services()
    requests.publish(PERMIT)
    return actor_of(factories.make_staff(Role.ADMINISTRATOR))


@pytest.fixture
def english(context: Flask) -> Iterator[None]:
    with force_locale("en"):
        yield


def file_of(definition: Any = None, **parts: Any) -> bytes:
    """A pack's file. parts: further ones at its top."""
    document = {"definition": permit() if definition is None else definition} | parts
    return yaml.safe_dump(document, allow_unicode=True).encode()


def forget(code: str) -> None:
    """Delete a service with its versions, as another portal never had it."""
    db.session.execute(sa.delete(ServiceVersion).where(ServiceVersion.service_code == code))
    db.session.execute(sa.delete(Service).where(Service.code == code))
    db.session.commit()


@pytest.mark.parametrize("code", [*ABOUT_PERSONS, *ABOUT_LICENCES, CODE])
@pytest.mark.databases
def test_a_pack_becomes_a_draft_and_a_version_with_the_same_file(keeper: Actor, code: str) -> None:
    text = packs.written(packs.of_version(code))
    forget(code)
    pack = packs.read(text.encode())
    assert packs.missing(pack) == []
    drafting.begin(pack.definition, keeper, NOW, verb="imported")
    assert packs.written(packs.of_draft(code)) == text
    assert versions.faults(pack.definition) == []
    drafting.publish(code, drafting.source(code).fingerprint, "imported", keeper, NOW)
    assert packs.written(packs.of_version(code)) == text


def test_a_pack_names_what_it_needs_in_both_languages(keeper: Actor) -> None:
    stage = {"name": "check", "title": NAMES, "team": "review"}
    requests.publish(PERMIT.replace("flow: standard\n", ""), stages=[stage])
    needs = yaml.safe_load(packs.written(packs.of_version(CODE)))["needs"]
    photo = db.session.get_one(DocumentKind, "photo")
    assert set(needs["documents"]) == {"civil_id_copy", "office_letter", "photo"}
    assert needs["documents"]["photo"] == {"ar": photo.name_ar, "en": photo.name_en}
    assert "teams" not in needs  # the first team, which every office has


def test_a_pack_of_an_earlier_version_and_of_none(keeper: Actor) -> None:
    requests.publish(PERMIT, processing_days=9)
    assert packs.of_version(CODE, 1).definition["processing_days"] == 3
    assert packs.of_version(CODE).definition["processing_days"] == 9
    for code, number in ((CODE, 3), ("ghost", None)):
        with pytest.raises(NotFound):
            packs.of_version(code, number)
    with pytest.raises(NotFound):
        packs.of_draft(CODE)


def test_a_definition_alone_is_read_as_well_and_days_stay_days(keeper: Actor) -> None:
    text = f"{PERMIT}opens_on: 2031-01-01\n"
    assert packs.read(text.encode()).definition["opens_on"] == "2031-01-01"
    assert packs.read(PERMIT.encode()) == Pack(packs.of_version(CODE).definition)


def test_the_letter_case_of_a_code_makes_no_difference(keeper: Actor) -> None:
    pack = packs.read(file_of(permit(code=" Temporary_PERMIT ")))
    assert (pack.code, packs.exists(pack.code)) == (CODE, True)


def test_a_broken_definition_is_kept_as_it_is(keeper: Actor) -> None:
    broken = {"schema": 2, "code": "new", "fields": [{"name": "A"}], "stages": [{}], "ghost": [1]}
    pack = packs.read_for_draft(file_of(broken))
    assert pack.definition == broken
    assert packs.missing(pack) == []
    drafting.begin({**pack.definition, "prefix": "NW"}, keeper, NOW)
    text = packs.written(packs.of_draft("new"))
    assert packs.read_for_draft(text.encode()).definition["fields"] == [{"name": "A"}]


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("title", {"title": 3}),
        ("title.ar", {"title": {"ar": [], "en": "x"}}),
        ("fields", {"fields": {"a": 1}}),
        ("fields[0].name", {"fields": [{"name": {"a": 1}}]}),
        ("documents[1]", {"documents": [{"kind": "photo"}, 3]}),
        ("documents[0].kind", {"documents": [{"kind": 12}]}),
        ("refuse[0].when", {"refuse": [{"when": [1]}]}),
        ("guards", {"guards": []}),
        ("messages", {"messages": 3}),
        ("roles.a", {"roles": {"a": [1]}}),
    ],
)
def test_another_sort_of_value_is_refused_for_a_draft(
    english: None, path: str, changes: dict[str, Any]
) -> None:
    file = file_of(permit(**changes))
    assert packs.read(file).definition[next(iter(changes))] == next(iter(changes.values()))
    with pytest.raises(BadPack) as refused:
        packs.read_for_draft(file)
    assert str(refused.value) == f"“definition.{path}” is missing or not valid."


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "This file does not contain a service."),
        (b"[1]", "This file does not contain a service."),
        (b"definition: 3", "This file does not contain a service."),
        (b"title: x", "This file does not contain a service."),
        (file_of(scenario=[]), "A pack has no part “scenario”."),
        (file_of({"title": "x"}), "“code” is missing or not valid."),
        (file_of(permit(code="../x")), "“code” is missing or not valid."),
        (file_of(permit(code="x" * 41)), "“code” is missing or not valid."),
        (file_of(needs=[1]), "“needs” is missing or not valid."),
        (
            file_of(needs={"documents": {"a": {"ar": "x"}}}),
            "“needs.documents.a.en” is missing or not valid.",
        ),
        (
            file_of(needs={"teams": {"a": {"ar": "x", "en": "y" * 151}}}),
            "“needs.teams.a.en” is missing or not valid.",
        ),
        (
            file_of({"code": "a", "flow": "transfer", "fields": [3]}),
            "The definition was written for an earlier version of the portal and cannot be read.",
        ),
    ],
)
def test_what_is_no_pack_is_refused_in_a_sentence(english: None, data: bytes, words: str) -> None:
    with pytest.raises(BadPack) as refused:
        packs.read(data)
    assert str(refused.value) == words


def test_a_pack_becomes_the_draft_of_its_service_and_undo_takes_it_back(keeper: Actor) -> None:
    changes = {"processing_days": 5, "button": NAMES}
    drafting.change(CODE, lambda each: each.update(changes), 0, keeper, NOW)
    pack = packs.read(file_of(permit(processing_days=9, prefix="XX")))
    document = packs.for_service(pack, CODE)
    assert document["prefix"] == "TP"  # a service keeps it
    assert packs.put_in_draft(document, 1, keeper, NOW)
    assert drafting.source(CODE).document == document
    kinds = set(db.session.scalars(sa.select(Event.kind)))
    assert "office:service_draft:imported" in kinds
    drafting.undo(CODE, 2, keeper, NOW)
    assert drafting.source(CODE).document["processing_days"] == 5


def test_the_same_pack_twice_changes_nothing(keeper: Actor) -> None:
    same = packs.for_service(packs.read(PERMIT.encode()), CODE)
    assert not packs.put_in_draft(same, 0, keeper, NOW)
    other = packs.for_service(packs.read(file_of(permit(processing_days=9))), CODE)
    assert packs.put_in_draft(other, 0, keeper, NOW)
    assert not packs.put_in_draft(other, 1, keeper, NOW)
    assert drafting.source(CODE).version == 1


def test_a_pack_for_a_draft_that_changed_meanwhile_is_refused(keeper: Actor) -> None:
    document = packs.for_service(packs.read(file_of(permit(processing_days=9))), CODE)
    drafting.change(CODE, lambda each: each.update(processing_days=5), 0, keeper, NOW)
    with pytest.raises(drafting.StaleDraft):
        packs.put_in_draft(document, 0, keeper, NOW)


def test_missing_reference_data_is_named_and_can_be_replaced(keeper: Actor) -> None:
    photo = db.session.get_one(DocumentKind, "photo")
    photo.is_active = False
    stages = [{"name": "check", "title": NAMES, "team": "port"}, {"name": "b", "team": "Ü"}]
    definition = permit(stages=stages)
    definition["documents"] += [GHOST, {"kind": "phantom"}, 3]
    needs = {"documents": {"ghost": NAMES, "photo": NAMES}, "teams": {"port": NAMES}}
    pack = packs.read(file_of(definition, needs=needs))
    assert packs.missing(pack) == [
        Missing("documents", "photo", None),  # the office has it, but no longer asks for it
        Missing("documents", "ghost", Names(**NAMES)),
        Missing("documents", "phantom", None),
        Missing("teams", "port", Names(**NAMES)),
    ]
    chosen = {("documents", "ghost"): "other", ("teams", "port"): "review"}
    changed = packs.replaced(pack.definition, chosen)
    assert [each["kind"] for each in changed["documents"][2:5]] == ["photo", "other", "phantom"]
    assert changed["stages"][0]["team"] == "review"
    assert pack.definition["stages"][0]["team"] == "port"


PORTS = {"value": "doha", "label": {"ar": "الدوحة", "en": "Doha"}}
BY_LIST = {"type": "choice", "label": NAMES, "list": "ports"}


def with_lists() -> dict[str, Any]:
    """The permit with a field, a column and a field of the office that offer the list of ports."""
    rows = {"name": "stops", "type": "rows", "label": NAMES, "columns": [BY_LIST | {"name": "a"}]}
    stage = {"name": "check", "title": NAMES, "fields": [BY_LIST | {"name": "c"}]}
    more = [BY_LIST | {"name": "b"}, rows]
    definition = permit(stages=[stage]) | {"fields": [*permit()["fields"], *more]}
    definition.pop("flow")
    return definition


def test_a_list_of_choices_travels_with_what_it_offers(keeper: Actor) -> None:
    needs = {"lists": {"ports": NAMES | {"items": [PORTS]}}}
    pack = packs.read(file_of(with_lists(), needs=needs))
    (missing,) = packs.missing(pack)
    assert (missing.sort, missing.code) == ("lists", "ports")
    assert isinstance(missing.names, packs.NamedChoices)
    changed = packs.replaced(pack.definition, {("lists", "ports"): "harbours"})
    assert str(changed).count("'harbours'") == 3 and "'ports'" not in str(changed)
    db.session.add(ChoiceList(code="ports", name_ar="م", name_en="Ports", items=[PORTS]))
    db.session.flush()
    assert packs.missing(pack) == []
    drafting.begin(pack.definition | {"code": "by_list", "prefix": "BL"}, keeper, NOW)
    written = yaml.safe_load(packs.written(packs.of_draft("by_list")))
    assert written["needs"]["lists"] == {"ports": {"ar": "م", "en": "Ports", "items": [PORTS]}}


@pytest.mark.parametrize("items", [[], [PORTS, PORTS], [{"value": "x"}], "doha"])
def test_a_list_that_offers_nothing_sound_is_refused(english: None, items: Any) -> None:
    needs = {"lists": {"ports": NAMES | {"items": items}}}
    with pytest.raises(packs.BadPack, match=r"needs\.lists\.ports\.items"):
        packs.read(file_of(with_lists(), needs=needs))


_KEYS = st.sampled_from(["schema", "code", "fields", "documents", "stages", "flow", "sign", "x"])
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from(["a", "transfer", "two_approvals", "letter", "exam", "2031-01-01"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


@examples(max_examples=100)
@hypothesis.given(st.dictionaries(_KEYS, _VALUES), st.none() | _VALUES)
def test_whatever_a_definition_says_it_is_read_or_refused(
    context: Flask, definition: dict[str, Any], needs: Any
) -> None:
    try:
        pack = packs.read_for_draft(file_of({"code": "a", **definition}, needs=needs))
    except BadPack:
        return
    assert packs.missing(pack) is not None
    assert versions.faults(pack.definition)
    assert db.session.get(ServiceDraft, pack.code) is None


def test_needs_are_optional() -> None:
    assert Needs.model_validate({}) == Needs()
