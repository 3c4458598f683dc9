"""Merging two changed copies of a definition: nothing that only one of them changed is lost."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearance.services import merging
from clearance.services.merging import ORDER, Merged, merge
from tests.support.permit import permit
from tests.support.properties import examples

BASE = permit(
    conditions=[{"ar": f"الشرط {letter}", "en": f"Condition {letter}"} for letter in "أبج"],
    guards={"start": ["a"], "send": ["b"]},
    on_approval=["c"],
)
LISTS = ("sections", "fields", "refuse", "documents", "conditions")
VALUES = ("", "x", 7, None, True, [], [3], {}, {"ar": "س"}, [{}], [{"name": 5}])
ANY = st.sampled_from(VALUES).map(copy.deepcopy)
NEW = {"name": "cargo_kind", "type": "text", "label": {"ar": "النوع", "en": "Kind"}}

Apply = Callable[[dict[str, Any]], object]


def changed(*changes: Apply) -> dict[str, Any]:
    document = copy.deepcopy(BASE)
    for apply in changes:
        apply(document)
    return document


def setting(**values: Any) -> Apply:
    return lambda document: document.update(values)


def of_field(name: str, **values: Any) -> Apply:
    return lambda document: field(document, name).update(values)


def label(name: str, **texts: str) -> Apply:
    return lambda document: field(document, name)["label"].update(texts)


def removed(name: str) -> Apply:
    return lambda document: document["fields"].remove(field(document, name))


def added(part: dict[str, Any], place: int = 99, key: str = "fields") -> Apply:
    return lambda document: document[key].insert(place, copy.deepcopy(part))


def first(name: str) -> Apply:
    """Move a field to the beginning of the form."""

    def apply(document: dict[str, Any]) -> None:
        part = field(document, name)
        document["fields"].remove(part)
        document["fields"].insert(0, part)

    return apply


def field(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in document["fields"] if each["name"] == name)


def names(document: dict[str, Any]) -> list[str]:
    return [each["name"] for each in document["fields"]]


@st.composite
def copies(draw: st.DrawFn) -> dict[str, Any]:
    """A copy of BASE with a few changes; some make it a definition that cannot be read."""
    document = copy.deepcopy(BASE)
    for _ in range(draw(st.integers(0, 6))):
        parts = draw(st.sampled_from([document, *(document.get(key) for key in LISTS)]))
        if isinstance(parts, list) and parts:
            sort = draw(st.sampled_from(["remove", "move", "add", "change"]))
            place = draw(st.integers(0, len(parts) - 1))
            if sort == "remove":
                parts.pop(place)
            elif sort == "move":
                parts.insert(draw(st.integers(0, len(parts))), parts.pop(place))
            elif sort == "add":
                parts.insert(place, draw(st.sampled_from([NEW, {**NEW, "name": "other"}, 3, {}])))
            elif isinstance(parts[place], dict):
                key = draw(st.sampled_from(["name", "type", "label", "when", "choices", "says"]))
                parts[place] = {**parts[place], key: draw(ANY)}
        elif isinstance(parts, dict):
            parts[draw(st.sampled_from([*LISTS, "title", "guards", "processing_days"]))] = draw(ANY)
    return document


@examples(max_examples=60)
@given(copies(), copies())
def test_a_copy_without_changes_adds_nothing_to_the_other(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert merge(one, one, other) == Merged(other, ())
    assert merge(one, other, one) == Merged(other, ())
    assert merge(one, other, other) == Merged(other, ())


@examples(max_examples=60)
@given(copies(), copies())
def test_either_side_can_count_everywhere(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    before = copy.deepcopy((ours, theirs))
    merged = merge(BASE, ours, theirs)
    other = merge(BASE, ours, theirs, merged.conflicts)
    assert len(set(merged.conflicts)) == len(merged.conflicts)
    assert other.conflicts == merged.conflicts and (ours, theirs) == before
    assert (merged.document == other.document) == (not merged.conflicts)


@examples(max_examples=60)
@given(st.data())
def test_changes_of_different_fields_are_all_in_the_result(data: st.DataObject) -> None:
    sides = copy.deepcopy(BASE), copy.deepcopy(BASE)
    expected = {each["name"]: each for each in BASE["fields"]}
    for name in [*expected, *(f"new_{number}" for number in range(4))]:
        side = sides[data.draw(st.integers(0, 1))]
        if name.startswith("new"):
            expected[name] = {**NEW, "name": name}
            added(expected[name], data.draw(st.integers(0, len(side["fields"]))))(side)
            continue
        sort = data.draw(st.sampled_from(["remove", "change", "leave"]))
        if sort == "remove":
            del expected[name]
            removed(name)(side)
        elif sort == "change":
            expected[name] = expected[name] | {"hint": {"ar": "س", "en": name}}
            field(side, name).update(expected[name])
    merged = merge(BASE, *sides)
    assert merged.conflicts == ()
    assert {each["name"]: each for each in merged.document["fields"]} == expected
    for side in sides:  # each side's own order is kept
        kept = [name for name in names(side) if name in expected]
        assert [name for name in names(merged.document) if name in kept] == kept


def test_what_only_one_side_changed_is_in_the_result() -> None:
    ours = changed(
        setting(processing_days=9),
        label("port", ar="المرفأ"),
        added(NEW, 3),
        removed("starts_on"),
        lambda document: document["guards"].update(start=["a", "x"]),
        lambda document: document["conditions"][0].update(ar="الشرط الأول"),
    )
    theirs = changed(
        setting(bulk=True),
        label("port", en="Harbour"),
        of_field("purpose", hint={"ar": "لماذا", "en": "Why"}),
        added({**NEW, "name": "berth"}),
        lambda document: document["guards"].update(send=[]),
        lambda document: document["conditions"].append({"ar": "د", "en": "D"}),
    )
    merged = merge(BASE, ours, theirs)
    assert merged.conflicts == ()
    document = merged.document
    assert (document["processing_days"], document["bulk"]) == (9, True)
    assert field(document, "port")["label"] == {"ar": "المرفأ", "en": "Harbour"}
    assert field(document, "purpose")["hint"]["en"] == "Why"
    expected = [*names(BASE)[:3], "cargo_kind", *names(BASE)[3:], "berth"]
    assert names(document) == [name for name in expected if name != "starts_on"]
    assert document["guards"] == {"start": ["a", "x"], "send": []}
    assert [each["ar"] for each in document["conditions"]] == [
        "الشرط الأول",
        "الشرط ب",
        "الشرط ج",
        "د",
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "conflict"),
    [
        (setting(processing_days=9), setting(processing_days=8), ("processing_days",)),
        (label("port", en="Quay"), label("port", en="Pier"), ("fields", "port", "label", "en")),
        (removed("port"), label("port", en="Pier"), ("fields", "port")),
        (label("port", en="Pier"), removed("port"), ("fields", "port")),
        (added(NEW), added({**NEW, "type": "date"}), ("fields", "cargo_kind")),
        (of_field("port", type="text"), label("port", en="Pier"), ("fields", "port")),
        (
            of_field("other_port", when={"field": "port", "is": ["shuwaikh"]}),
            of_field("other_port", when={"field": "purpose", "is": ["crew"]}),
            ("fields", "other_port", "when"),
        ),
        (
            lambda document: document["fields"].reverse(),
            first("port"),
            ("fields", ORDER),
        ),
        (
            lambda document: document["refuse"][0]["says"].update(en="No."),
            lambda document: document["refuse"][0]["says"].update(en="Never."),
            ("refuse", "0", "says", "en"),
        ),
    ],
)
def test_what_both_changed_differently_is_a_conflict_that_either_wins(
    ours: Apply, theirs: Apply, conflict: merging.Path
) -> None:
    copies = changed(ours), changed(theirs)
    merged = merge(BASE, *copies)
    assert merged.conflicts == (conflict,)
    assert merged.document == copies[0]
    assert merge(BASE, *copies, [conflict]).document == copies[1]


def test_a_list_whose_parts_cannot_be_told_apart_counts_as_a_whole() -> None:
    ours, theirs = changed(added(NEW), added(NEW)), changed(added({**NEW, "name": "berth"}))
    assert merge(BASE, ours, theirs).conflicts == (("fields",),)


def test_the_side_that_moved_parts_gives_the_order() -> None:
    moved, other = changed(first("port")), changed(added({**NEW, "name": "berth"}))
    for ours, theirs in ((moved, other), (other, moved)):
        merged = merge(BASE, ours, theirs)
        assert merged.conflicts == ()
        assert names(merged.document)[0] == "port"
        assert set(names(merged.document)) == {*names(BASE), "berth"}
