"""Names in both scripts."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from clearance.models import Broker, Organisation, Request
from clearance.models.names import NAME_COLUMNS, joined_name

NAMES = dict(zip(NAME_COLUMNS, ("سالم", "", "", "العنزي", "Salem", "", "A", ""), strict=True))


@pytest.mark.parametrize("row", [Broker(**NAMES), Request(**NAMES), SimpleNamespace(**NAMES)])
def test_empty_names_leave_no_gap(row: object) -> None:
    assert joined_name(row, "ar") == "سالم العنزي"
    assert joined_name(row, "en") == "Salem A"


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (Broker(name_ar_1="سالم", name_en_1="Salem"), ("سالم", "Salem")),
        (Request(name_en_1="Salem"), ("Salem", "Salem")),
        (Request(name_ar_1="سالم"), ("سالم", "سالم")),
        (Organisation(name_ar="مكتب", name_en=""), ("مكتب", "مكتب")),
    ],
)
def test_the_name_falls_back_to_the_other_script(
    row: Broker | Request | Organisation, shown: tuple[str, str]
) -> None:
    assert (row.name_in("ar"), row.name_in("en")) == shown


def test_a_draft_may_have_no_names_but_a_broker_has() -> None:
    for model, defaults in ((Request, 8), (Broker, 6)):
        columns = [sa.inspect(model).columns[name] for name in NAME_COLUMNS]
        assert all(not column.nullable for column in columns)
        assert sum(column.default is not None for column in columns) == defaults
