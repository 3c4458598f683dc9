"""Forms scaffolded by Flask-Admin get native inputs."""

from __future__ import annotations

import re
from datetime import datetime

from flask_admin.form import DateTimeField, Select2Field, widgets
from werkzeug.datastructures import MultiDict
from wtforms import DateField, Form, StringField

from admin_views.base.widgets import nativise


class Sample(Form):
    kind = Select2Field("Kind", choices=[("a", "A"), ("b", "B")])
    day = DateField("Day", widget=widgets.DatePickerWidget())
    at = DateTimeField("At", widget=widgets.DateTimePickerWidget())
    name = StringField("Name")


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
