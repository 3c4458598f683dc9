"""Comparing definitions: nothing differs from itself, and each change is told once, in words."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st

from clearance.services import property_words
from clearance.services.comparison import Change, Sort, differences, is_of_words_alone
from clearance.services.field_specs import (
    Choice,
    DocumentSpec,
    FieldSpec,
    Mode,
    Pattern,
    Rule,
    SectionSpec,
)
from clearance.services.messages import OwnWording
from clearance.services.schema import Definition, Guards, Subject
from clearance.services.stages import Stage, StageGuards
from clearance.services.statements import Paragraph, Statement, Validity
from tests.support import request_factories
from tests.support.permit import permit
from tests.support.properties import examples

PARTS = {
    "": Definition,
    "guards": Guards,
    "fields": FieldSpec,
    "sections": SectionSpec,
    "documents": DocumentSpec,
    "refuse": Rule,
    "choices": Choice,
    "stages": Stage,
    "stages.guards": StageGuards,
    "issued": Statement,
    "valid": Validity,
    "paragraphs": Paragraph,
    "messages": OwnWording,
}
FULL = permit(
    conditions=[{"ar": f"الشرط {letter}", "en": f"Condition {letter}"} for letter in "أبج"],
    button={"ar": "طلب تصريح", "en": "Request a permit"},
    manual_title="Temporary Permit Request",
    refuse=[
        *permit()["refuse"],
        {
            "when": {"field": "visitors", "at_least": 30},
            "at": "visitors",
            "says": {"ar": "العدد كبير.", "en": "There are too many."},
        },
    ],
)
SERVICE_VALUES = {
    "bulk": True,
    "copyable": False,
    "processing_days": 9,
    "position": 7,
    "sign": "card",
    "subscription": "by_approval",
    "flow": "two_approvals",
    "broker_types": ["general"],
    "legal_entities": ["clearing_agent"],
    "on_approval": ["issue_letter"],
    "roles": {"partner": "port"},
    "manual_title": "Permit",
}


def read(document: Any) -> Definition:
    return Definition.model_validate(document)


def compared(document: dict[str, Any], old: Any = FULL) -> list[Change]:
    return differences(read(old), read(document))


def told(changes: list[Change]) -> list[tuple[str, str, str, str]]:
    return [(each.place, each.property, each.before, each.after) for each in changes]


def texts_in(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Yield every text of a document that has both languages, with its path."""
    if isinstance(part, list):
        for number, each in enumerate(part):
            yield from texts_in(each, f"{path}[{number}]")
    elif isinstance(part, dict):
        if set(part) == {"ar", "en"}:
            yield path, part
        for key, each in part.items():
            yield from texts_in(each, f"{path}.{key}".lstrip("."))


def lists_in(document: dict[str, Any]) -> list[tuple[str, list[Any]]]:
    """Return the lists of parts with their paths."""
    names = ("sections", "fields", "refuse", "documents", "conditions")
    choices = [
        (f"fields[{number}].choices", spec["choices"])
        for number, spec in enumerate(document["fields"])
        if "choices" in spec
    ]
    return [*((name, document[name]) for name in names), *choices]


@pytest.fixture
def portal(context: Flask) -> Iterator[None]:
    request_factories.load_services()
    with force_locale("en"):
        yield


@pytest.mark.usefixtures("portal")
@examples(max_examples=60)
@given(data=st.data())
def test_a_changed_text_is_told_once_and_is_of_words_alone(data: st.DataObject) -> None:
    document = copy.deepcopy(FULL)
    path, text = data.draw(st.sampled_from(list(texts_in(document))))
    lang = data.draw(st.sampled_from(["ar", "en"]))
    before = text[lang]
    text[lang] = data.draw(st.text("abcdefghi", min_size=1, max_size=5))
    (change,) = compared(document)
    assert (change.path, change.before, change.after) == (f"{path}.{lang}", before, text[lang])
    assert change.is_words == (not path.endswith(".unit"))
    assert change.property.endswith("in Arabic" if lang == "ar" else "in English")


@pytest.mark.usefixtures("portal")
@examples(max_examples=60)
@given(data=st.data())
def test_a_moved_added_or_removed_part_is_told_once(data: st.DataObject) -> None:
    document = copy.deepcopy(FULL)
    path, parts = data.draw(st.sampled_from(lists_in(document)))
    number = data.draw(st.integers(0, len(parts) - 1))
    sort = data.draw(st.sampled_from([Sort.MOVED, Sort.ADDED, Sort.REMOVED]))
    part = copy.deepcopy(parts[number])
    if sort == Sort.ADDED:
        for key in {"name", "kind", "value"} & set(part):
            part[key] = "another"
        part.pop("text", None)  # one choice of a field has it
        if path in ("conditions", "refuse"):
            part |= {"says": {"ar": "غير", "en": "new"}} if "says" in part else {"en": "new"}
        if "type" not in part and path == "fields":
            part |= {"type": "text", "label": {"ar": "غير", "en": "new"}}
        parts.insert(number, part)
    else:
        del parts[number]
        if sort == Sort.MOVED:
            others = [place for place in range(len(parts) + 1) if place != number]
            parts.insert(data.draw(st.sampled_from(others)), part)
    (change,) = compared(document)
    assert change.sort == sort
    assert change.path.startswith(f"{path}[")
    assert change.is_words == (path == "conditions")


@pytest.mark.usefixtures("portal")
@examples(max_examples=60)
@given(data=st.data())
def test_a_changed_value_is_told_once(data: st.DataObject) -> None:
    document = copy.deepcopy(FULL)
    of_parts: dict[str, list[dict[str, Any]]] = {
        "documents": [{"required": True, "most": 3, "broker_types": ["general"]}],
        "fields": [{"required": True, "declaration": True, "section": "cargo", "mode": "shown"}],
    }
    path = data.draw(st.sampled_from(["", *of_parts]))
    part, values, place = document, SERVICE_VALUES, ""
    if path:
        number = data.draw(st.integers(1, len(document[path]) - 1))
        part, values = document[path][number], of_parts[path][0]
        place = f"{path}[{number}]."
    name = data.draw(st.sampled_from(sorted(values)))
    if part.get(name) == values[name] or (
        name == "mode" and ("type" in part or "required" in part)
    ):
        return
    part[name] = values[name]
    (change,) = compared(document)
    assert change.path == place + name
    assert change.property
    assert change.before != change.after
    assert change.is_words == (name == "manual_title")


@pytest.mark.usefixtures("portal")
def test_a_definition_differs_in_nothing_from_itself() -> None:
    assert compared(FULL) == []


@pytest.mark.usefixtures("portal")
def test_changes_are_told_in_words() -> None:
    document = copy.deepcopy(FULL)
    port, visitors = document["fields"][3], document["fields"][7]
    port["label"]["en"] = "Harbour"
    visitors |= {"required": False, "default": 2, "when": {"field": "port", "is": ["other"]}}
    visitors["hint"] = {"ar": "مع السائق", "en": "With the driver"}
    document["documents"].append({"kind": "passport_copy", "required": True, "most": 2})
    document["guards"] = {"send": ["licence_is_active"]}
    assert told(compared(document)) == [
        (
            "Service",
            "Checked when the request is sent",
            "",
            "The licence is active and has not expired.",
        ),
        ("Field “Harbour”", "Label in English", "Port", "Harbour"),
        ("Field “Number of visitors”", "Required", "Yes", "No"),
        ("Field “Number of visitors”", "Hint in Arabic", "", "مع السائق"),
        ("Field “Number of visitors”", "Hint in English", "", "With the driver"),
        ("Field “Number of visitors”", "Default answer", "1 people", "2 people"),
        ("Field “Number of visitors”", "Shown when", "", "“Harbour” is “Other”"),
        ("Document “Copy of passport”", "", "", "Required: Yes; Maximum number of files: 2"),
    ]


@pytest.mark.usefixtures("portal")
def test_what_is_gone_is_told_as_it_was() -> None:
    document = copy.deepcopy(FULL)
    del document["fields"][2]["choices"][0]
    del document["refuse"][1]
    assert told(compared(document)) == [
        ("Field “Purpose”, choice “Cargo”", "", "", ""),
        (
            "Rule 2",
            "",
            "Cannot be sent when: “Number of visitors” is at least 30 people; Field that the "
            "message appears at: Number of visitors; Message: There are too many.",
            "",
        ),
    ]


@pytest.mark.usefixtures("portal")
def test_changes_are_told_in_arabic() -> None:
    document = permit(processing_days=4)
    document["fields"][3]["label"]["ar"] = "المرفأ"
    with force_locale("ar"):
        assert told(compared(document, permit())) == [
            ("الحقل «المرفأ»", "التسمية بالعربية", "الميناء", "المرفأ"),
            ("الخدمة", "أيام العمل للرد", "3", "4"),
        ]


def test_every_property_has_its_words() -> None:
    named = {
        (key if (key := f"{within}.{name}") in property_words.PROPERTIES else name)
        for within, part in ((each.rpartition(".")[2], part) for each, part in PARTS.items())
        for name in part.model_fields
    }
    assert named == set(property_words.PROPERTIES)


def test_every_fixed_value_has_its_words() -> None:
    fields = Definition.model_fields
    types = next(iter(get_args(FieldSpec.model_fields["type"].annotation)))
    assert set(get_args(types)) == set(property_words.VALUES["type"])
    for name in ("subscription", "exclusive"):
        assert set(get_args(fields[name].annotation)) == set(property_words.VALUES[name])
    for name, listed in (("mode", Mode), ("pattern", Pattern), ("subject", Subject)):
        assert set(listed) == set(property_words.VALUES[name])


STAGED = {
    "flow": None,
    "stages": [
        {"name": "check", "title": {"ar": "التدقيق", "en": "Check"}},
        {"name": "sign", "title": {"ar": "التوقيع", "en": "Sign"}, "days": 2},
    ],
    "issued": [
        {
            "name": "permit",
            "title": {"ar": "تصريح", "en": "Permit"},
            "prefix": "TPX",
            "paragraphs": [{"ar": "يُسمح لـ {name}.", "en": "{name} may enter."}],
            "show": ["port"],
            "valid": {"days": 30},
        }
    ],
    "messages": {
        "approved": {
            "ar": {"title": "قُبل", "body": "قُبل الطلب.", "sms": "قُبل"},
            "en": {"title": "Approved", "body": "It is approved.", "sms": "Approved"},
        }
    },
}


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("stages", 1, "days"), 5, ("Stage “Sign”", "Working days in this stage", "2", "5")),
        (("stages", 0, "another_person"), True, ("Stage “Check”", "Only someone", "No", "Yes")),
        (("stages", 0, "clock"), "stopped", ("Stage “Check”", "Due date", "Runs", "Paused")),
        (("issued", 0, "valid"), {"days": 60}, ("Permit", "Valid for so many days", "30", "60")),
        (("issued", 0, "valid"), None, ("Permit", "Validity", "30", "")),
        (("issued", 0, "show"), ["port", "visitors"], ("Permit", "Answers", "Port", "visitors")),
        (
            ("issued", 0, "paragraphs", 0, "en"),
            "{name} may go in.",
            ("paragraph 1", "Text in English", "may enter", "may go in"),
        ),
        (
            ("messages", "approved", "en", "title"),
            "Granted",
            ("approved", "Title in English", "Approved", "Granted"),
        ),
        (("opens_on",), "2027-02-01", ("Service", "First day", "", "01/02/2027")),
    ],
)
def test_a_change_of_the_review_and_of_what_is_issued_is_told_once(
    context: Flask, path: tuple[Any, ...], value: Any, told: tuple[str, str, str, str]
) -> None:
    before = {key: each for key, each in (permit() | STAGED).items() if each is not None}
    after: Any = copy.deepcopy(before)
    place = after
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    if value is None:
        del place[path[-1]]
    with force_locale("en"):
        (change,) = differences(Definition.model_validate(before), Definition.model_validate(after))
    found = (change.place, change.property, change.before, change.after)
    assert all(words in text for words, text in zip(told, found, strict=True)), found


PORT, VISITORS, GOODS = ("fields", 3), ("fields", 7), ("fields", 9)
WORDS: dict[tuple[Any, ...], Any] = {
    ("description", "en"): "Another",
    ("manual_title",): "Another",
    (*PORT, "label", "en"): "Another",
    (*PORT, "hint"): {"ar": "غير", "en": "Another"},
    (*PORT, "choices", 0, "label", "en"): "Another",
    (*VISITORS, "example", "en"): "4",
    ("sections", 0, "title", "en"): "Another",
    ("sections", 0, "help", "en"): "Another",
    ("refuse", 0, "says", "en"): "Another",
    ("documents", 0, "note"): {"ar": "غير", "en": "Another"},
    ("stages", 0, "title", "en"): "Another",
    ("issued", 0, "title", "en"): "Another",
    ("messages", "approved", "en", "body"): "Another",
}
MORE_THAN_WORDS: dict[tuple[Any, ...], Any] = {
    (*VISITORS, "unit", "en"): "tonnes",
    **{(*VISITORS, name): value for name, value in {"minimum": 2, "maximum": 9}.items()},
    (*VISITORS, "default"): 2,
    (*VISITORS, "when"): {"field": "port", "is": ["other"]},
    (*VISITORS, "required"): False,
    (*VISITORS, "was"): "people",
    (*VISITORS, "type"): "amount",
    (*PORT, "section"): "cargo",
    (*PORT, "declaration"): True,
    (*PORT, "choices", 0, "retired"): True,
    (*GOODS, "most"): 3,
    (*GOODS, "least"): 1,
    ("fields", 4, "max_length"): 90,
    ("fields", 4, "min_length"): 4,
    ("fields", 4, "pattern"): "latin",
    ("fields", 5, "past"): True,
    ("fields", 5, "future"): False,
    ("fields", 5, "within_days"): 9,
    ("fields", 5, "min_age"): 9,
    ("refuse", 0, "at"): "starts_on",
    ("sections", 1, "when"): {"field": "purpose", "is": ["crew"]},
    ("documents", 0, "required"): False,
    ("issued", 0, "paragraphs", 0, "en"): "{name} may go in.",
    ("issued", 0, "paragraphs", 0, "when"): {"field": "port", "is": ["other"]},
    ("stages", 0, "team"): "inspection",
    ("processing_days",): 9,
    ("opens_on",): "2027-02-01",
    ("sign",): "card",
}


@pytest.mark.usefixtures("portal")
@pytest.mark.parametrize(
    ("path", "value", "is_words"),
    [
        *((path, value, True) for path, value in WORDS.items()),
        *((path, value, False) for path, value in MORE_THAN_WORDS.items()),
    ],
)
def test_only_what_people_read_is_a_change_of_words_alone(
    path: tuple[Any, ...], value: Any, is_words: bool
) -> None:
    before = {key: each for key, each in (FULL | STAGED).items() if each is not None}
    after: Any = copy.deepcopy(before)
    place = after
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    if path[-1] == "type":
        del place["unit"]
    changes = compared(after, before)
    assert changes and is_of_words_alone(changes) == is_words
