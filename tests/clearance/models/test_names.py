"""Names in both scripts."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import aliased

from clearance.auth.sessions import actor_of
from clearance.core.extensions import db
from clearance.models import Broker, Organisation, Request, User
from clearance.models.names import NAME_COLUMNS, joined_name
from tests.support import factories

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


@pytest.mark.databases
@pytest.mark.parametrize(
    ("latin_name", "lang", "shown"),
    [
        ("Salem Alenezi", "en", "Salem Alenezi"),
        ("Salem Alenezi", "ar", "سالم العنزي"),
        ("", "en", "سالم العنزي"),
        ("", "ar", "سالم العنزي"),
    ],
)
def test_a_user_has_one_name_to_show_in_python_and_in_lists(
    context: Flask, latin_name: str, lang: str, shown: str
) -> None:
    names = {"first_name": "سالم", "last_name": "العنزي", "latin_name": latin_name}
    user = factories.make_user(**names)
    assert user.name_in(lang) == actor_of(user).name_in(lang) == shown
    for model in (User, aliased(User)):
        assert db.session.scalar(sa.select(model.selected_name(lang))) == shown
