"""Native inputs instead of Flask-Admin's JavaScript widgets in scaffolded forms."""

from __future__ import annotations

from typing import Any

from flask_admin.form.widgets import (
    DatePickerWidget,
    DateTimePickerWidget,
    Select2TagsWidget,
    Select2Widget,
    TimePickerWidget,
)
from wtforms import Field, Form, widgets

LOCAL_FORMAT = "%Y-%m-%dT%H:%M"  # what browsers show in and send from datetime-local


def nativise(form: Form) -> Form:
    """Replace script widgets in `form` with native date inputs and selects; return the form."""
    for field in form:
        native = _native_widget(field)
        if native is not None:
            field.widget = native
        if isinstance(native, widgets.DateTimeLocalInput):
            _accept_local_format(field)
    return form


def _accept_local_format(field: Any) -> None:
    # The form was processed already with the old format, so process the input again.
    field.format = [LOCAL_FORMAT, *field.format]
    field.strptime_format = [LOCAL_FORMAT, *field.strptime_format]
    if field.raw_data:
        field.process_errors = []
        try:
            field.process_formdata(field.raw_data)
        except ValueError as error:
            field.process_errors.append(str(error))


def _native_widget(field: Field) -> Any:
    widget = field.widget
    if isinstance(widget, Select2Widget):
        return widgets.Select(multiple=widget.multiple)
    if isinstance(widget, DateTimePickerWidget):
        return widgets.DateTimeLocalInput()
    if isinstance(widget, DatePickerWidget):
        return widgets.DateInput()
    if isinstance(widget, TimePickerWidget):
        return widgets.TimeInput()
    return widgets.TextInput() if isinstance(widget, Select2TagsWidget) else None
