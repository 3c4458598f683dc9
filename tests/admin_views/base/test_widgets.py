"""Forms scaffolded by Flask-Admin get native inputs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask_admin.form import DateTimeField, Select2Field, widgets
from flask_admin.model.fields import AjaxSelectField
from werkzeug.datastructures import MultiDict
from wtforms import DateField, Form, StringField

from admin_views.base.widgets import CHOICE_LIMIT, nativise


class Rows:
    """A stand-in for Flask-Admin's loader: three rows, one of them hostile."""

    name = "organisation"
    rows = ((1, "مكتب النخلة"), (2, "<b>Sidra</b>"), (3, "Bahr"))

    def format(self, row: Any) -> Any:
        return (str(row[0]), row[1]) if row else None

    def get_list(self, query: str, offset: int = 0, limit: int = 10) -> Any:
        assert limit == CHOICE_LIMIT
        return [row for row in self.rows[:2] if query in row[1]]

    def get_one(self, pk: str) -> Any:
        return next((row for row in self.rows if str(row[0]) == pk), None)


class Sample(Form):
    kind = Select2Field("Kind", choices=[("a", "A"), ("b", "B")])
    day = DateField("Day", widget=widgets.DatePickerWidget())
    at = DateTimeField("At", widget=widgets.DateTimePickerWidget())
    organisation = AjaxSelectField(Rows(), "Organisation")
    name = StringField("Name")


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand for a request of a view: only the address of its look-up is asked."""
    monkeypatch.setattr(
        "admin_views.base.widgets.get_url", lambda endpoint, name: f"/lookup?name={name}"
    )
    with Flask(__name__).app_context():
        yield


@pytest.mark.usefixtures("page")
def test_no_field_keeps_a_script_widget() -> None:
    html = "".join(field() for field in nativise(Sample()))
    assert "select2" not in html
    assert "datepicker" not in html
    assert re.search(r'<input [^>]*type="date"', html)
    assert re.search(r'<input [^>]*type="datetime-local"', html)


def test_instant_as_browsers_send_it_is_understood() -> None:
    form = nativise(Sample(MultiDict({"at": "2026-10-12T09:30"})))
    assert form.at.data == datetime(2026, 10, 12, 9, 30)  # noqa: DTZ001 - a wall clock in a form
    assert form.at.process_errors == []
    assert 'value="2026-10-12T09:30"' in form.at()


def test_instant_that_is_none_stays_an_error() -> None:
    form = nativise(Sample(MultiDict({"at": "tomorrow"})))
    assert form.at.data is None
    assert form.at.process_errors != []


@pytest.mark.usefixtures("page")
def test_look_up_is_a_select_of_escaped_choices_with_its_address() -> None:
    html = nativise(Sample()).organisation()
    assert 'data-lookup="/lookup?name=organisation"' in html
    assert "&lt;b&gt;Sidra&lt;/b&gt;" in html
    assert "<b>" not in html


@pytest.mark.usefixtures("page")
def test_chosen_row_is_shown_though_it_is_not_among_the_first() -> None:
    html = nativise(Sample(data={"organisation": (3, "Bahr")})).organisation()
    assert '<option value="3" selected>Bahr</option>' in html
