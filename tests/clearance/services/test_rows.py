"""Fields with rows: what a definition may say of them, and how their values are read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from pydantic import ValidationError

from clearance.services import answers, checkup, comparison
from clearance.services.field_specs import MOST_ROWS, FieldSpec
from clearance.services.schema import Definition
from tests.support.permit import with_items

TODAY = date(2026, 5, 1)
TEXT = {"type": "text", "label": {"ar": "أ", "en": "A"}}


def definition(**changes: Any) -> Definition:
    return Definition.model_validate(with_items(**changes))


def items(**changes: Any) -> FieldSpec:
    return definition(**changes).fields[-1]


def counted(stored: Any, **values: Any) -> Any:
    """Return the rows that count of stored ones."""
    found = definition()
    return found.visible(values | {"items": answers.typed(found.fields[-1], stored)})["items"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"columns": []}, "needs columns"),
        ({"default": "x"}, "has rows, and no default"),
        ({"most": 31}, "at most 30 rows"),
        ({"columns": [TEXT | {"name": f"c{number}"} for number in range(9)]}, "at most 8"),
        ({"columns": [{"name": "passport_no"}]}, "is a standard field"),
        (
            {"columns": [TEXT | {"name": "a", "type": "textarea"}]},
            "type “Long text”",
        ),
        (
            {"columns": [TEXT | {"name": "a", "type": "rows", "columns": [TEXT | {"name": "b"}]}]},
            "cannot have the type “Rows”",
        ),
        (
            {"columns": [TEXT | {"name": "a", "default": "x"}]},
            "has no “Default answer”",
        ),
        ({"columns": [TEXT | {"name": "a", "section": "trip"}]}, "column, which has no “Section”"),
        ({"type": "text"}, "is not of a type that has"),
    ],
)
def test_a_definition_is_refused(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        definition(**changes)


def test_all_rows_of_a_form_together_are_not_more_than_can_be_posted(context: Flask) -> None:
    def form(count: int) -> dict[str, Any]:
        rows = [
            {"name": f"rows_{each}", "type": "rows", "label": TEXT["label"]}
            | {"columns": [TEXT | {"name": f"c_{each}_{number}"} for number in range(8)]}
            for each in range(count)
        ]
        return {**with_items(), "fields": [*with_items()["fields"][:-1], *rows]}

    def found(count: int) -> list[str]:
        return [str(each) for each in checkup.structure(Definition.model_validate(form(count)))]

    assert found(8) == []
    assert found(9) == ["fields: All rows together can have at most 2000 cells."]


def test_only_the_form_has_rows() -> None:
    stage = {"name": "check", "title": TEXT["label"], "fields": [with_items()["fields"][-1]]}
    with pytest.raises(ValidationError, match="has rows, which only the form can have"):
        Definition.model_validate(
            {**with_items(), "fields": with_items()["fields"][:-1], "flow": "", "stages": [stage]}
        )


@pytest.mark.parametrize(
    ("columns", "path", "words"),
    [
        (
            [TEXT | {"name": "a", "when": {"field": "b", "filled": True}}, TEXT | {"name": "b"}],
            "fields[12].columns[0].when",
            "which is answered only later",
        ),
        (
            [TEXT | {"name": "a", "when": {"field": "port", "is": ["nowhere"]}}],
            "fields[12].columns[0].when",
            "can never be",
        ),
        (
            [TEXT | {"name": "a", "type": "number", "minimum": 3, "maximum": 2}],
            "fields[12].columns[0].minimum",
            "No answer",
        ),
        ([TEXT | {"name": "a"}] * 2, "fields[12].columns[1].name", "is there twice"),
        ([TEXT | {"name": "port"}], "fields[12].columns[0].name", "is there twice"),
    ],
)
def test_the_check_up_finds_what_is_wrong_in_columns(
    context: Flask, columns: list[Any], path: str, words: str
) -> None:
    with context.test_request_context(), force_locale("en"):
        found = checkup.of(definition(columns=columns))
        assert [each.path for each in found] == [path] and words in str(found[0].text)
        assert checkup.of(definition()) == []


def test_a_condition_on_rows_asks_only_whether_they_are_filled_in(context: Flask) -> None:
    def found(when: dict[str, Any]) -> list[str]:
        late = TEXT | {"name": "late", "section": "cargo", "when": when}
        service = with_items()
        service["fields"].append(late)
        return [str(each.text) for each in checkup.of(Definition.model_validate(service))]

    with context.test_request_context(), force_locale("en"):
        assert found({"field": "items", "filled": True}) == []
        for wrong in ({"is": ["x"]}, {"is_not": ["x"]}):
            assert "whether it is filled in" in found({"field": "items", **wrong})[0]
        assert "no number" in found({"field": "items", "at_least": 2})[0]


def test_empty_rows_and_hidden_cells_do_not_count() -> None:
    given = [
        {"goods_name": "Rice", "sort": "plain", "which": "left over", "driver": "288010100014"},
        {},
        {"fragile": False, "goods_name": ""},
    ]
    (row,) = counted(given, purpose="crew")
    assert row["goods_name"] == "Rice" and "which" not in row and "driver" not in row
    (row,) = counted(given, purpose="cargo")
    assert row["driver"] == "288010100014"
    assert counted([{"which": "x"}], purpose="crew") is None
    assert "items" not in definition().visible({}) or definition().visible({})["items"] is None


@pytest.mark.parametrize("stored", ["text", 7, {"a": 1}, [[]], ["x", None, 3], [{"gone": 1}], True])
def test_what_cannot_be_rows_is_none(stored: Any) -> None:
    assert answers.typed(items(), stored) is None


def test_a_cell_of_another_type_is_empty_and_one_of_no_column_is_dropped() -> None:
    stored = [
        {"goods_name": 5, "pieces": "many", "packed_on": "soon", "fragile": "yes", "sort": ["x"]},
        {"goods_name": "Rice", "price": "2.5", "packed_on": "2026-01-02", "gone": "x"},
    ]
    (row,) = answers.typed(items(), stored) or ()
    assert row == {
        "goods_name": "Rice", "pieces": None, "price": Decimal("2.500"),
        "packed_on": date(2026, 1, 2), "sort": None, "which": None, "driver": None, "fragile": None,
    }  # fmt: skip
    assert answers.stored((row,)) == [
        {"goods_name": "Rice", "price": "2.500", "packed_on": "2026-01-02"}
    ]


def test_faults_say_which_row_and_column(context: Flask) -> None:
    good = {"goods_name": "Rice", "sort": "plain"}
    cases: list[tuple[Any, str | None]] = [
        (None, "Fill in this field."),
        ([good], "The minimum number of rows is 2."),
        ([good] * 5, "The maximum number of rows is 4."),
        ([good, good], None),
        ([good, good | {"pieces": 0}], "Item 2, Pieces: The minimum is 1."),
        ([good, {"sort": "plain"}], "Item 2, Name: Fill in this field."),
        ([good | {"sort": "other_sort"}, good], "Item 1, Which sort: Fill in this field."),
        (
            [good, good | {"packed_on": "2030-01-01"}],
            "Item 2, Packed on: Enter a date in the past.",
        ),
    ]
    with context.test_request_context(), force_locale("en"):
        for given, wanted in cases:
            fault = answers.fault(items(), counted(given), TODAY)
            assert (None if fault is None else str(fault)) == wanted
        unlimited = items(least=None, most=None)
        many = tuple({"goods_name": "Rice"} for _number in range(MOST_ROWS + 1))
        assert str(answers.fault(unlimited, many, TODAY)) == "The maximum number of rows is 30."
        nothing = answers.fault(items(required=False), None, TODAY)
        assert nothing is None


def test_rows_are_read_in_words_and_as_a_table(context: Flask) -> None:
    stored = [
        {"goods_name": "Rice", "pieces": 3, "price": "2.5", "sort": "plain"},
        {"goods_name": "Tea", "packed_on": "2026-01-02", "fragile": True},
    ]
    with context.test_request_context():
        with force_locale("en"):
            shown = answers.written(items(), answers.typed(items(), stored), "en")
            assert shown.split("\n") == [
                "Item 1 – Name: Rice; Pieces: 3; Price: 2.500 KWD; Sort: Plain",
                "Item 2 – Name: Tea; Packed on: 02/01/2026; Fragile: Yes",
            ]
            assert shown.heads == ("Name", "Pieces", "Price", "Packed on", "Sort", "Fragile")
            assert shown.cells[1] == ("Tea", "", "", "02/01/2026", "", "Yes")
        with force_locale("ar"):
            shown = answers.written(items(row=None), answers.typed(items(), stored), "ar")
            assert shown.startswith("الصف 1 – الاسم: Rice")


def test_a_correction_is_read_by_the_rows_that_it_changed(context: Flask) -> None:
    def read(*names: str) -> Any:
        return answers.typed(items(), [{"goods_name": name} for name in names])

    with context.test_request_context(), force_locale("en"):
        for before, after, told in [
            (
                read("Rice", "Tea"),
                read("Rice", "Salt"),
                ("Item 2 – Name: Tea", "Item 2 – Name: Salt"),
            ),
            (read("Rice", "Tea"), read("Tea"), ("Item 1 – Name: Rice", "")),
            (None, read("Tea"), ("", "Item 1 – Name: Tea")),
            (read("Tea"), read("Rice", "Tea"), ("", "Item 1 – Name: Rice")),
        ]:
            assert answers.contrasted(items(), before, after, "en") == told


def test_two_versions_are_compared_column_by_column(context: Flask) -> None:
    columns = with_items()["fields"][-1]["columns"]
    changed = [columns[1] | {"minimum": 2}, *columns[2:], TEXT | {"name": "new"}]
    with context.test_request_context(), force_locale("en"):
        found = comparison.differences(definition(), definition(columns=changed, row=None))
        told = [(each.place, each.property, str(each.sort.label)) for each in found]
        assert ("Field “Items”, column “Pieces”", "Minimum", "Changed") in told
        assert ("Field “Items”, column “A”", "", "Added") in told
        assert ("Field “Items”, column “Name”", "", "Removed") in told
        assert ("Field “Items”", "What one row is called in English", "Changed") in told
        whole = comparison.differences(
            Definition.model_validate({**with_items(), "fields": with_items()["fields"][:-1]}),
            definition(),
        )
        assert "Columns: Name, Pieces" in whole[0].after
