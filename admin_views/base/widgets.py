"""Native inputs in the place of the script widgets that Flask-Admin puts into scaffolded forms."""

from __future__ import annotations

from typing import Any

from flask_admin.contrib.sqla.ajax import QueryAjaxModelLoader
from flask_admin.form.widgets import (
    DatePickerWidget,
    DateTimePickerWidget,
    Select2TagsWidget,
    Select2Widget,
    TimePickerWidget,
)
from flask_admin.helpers import get_url
from flask_admin.model.widgets import AjaxSelect2Widget
from markupsafe import Markup
from wtforms import Field, Form, widgets
from wtforms.widgets import html_params

CHOICE_LIMIT = 200
LOCAL_FORMAT = "%Y-%m-%dT%H:%M"  # what browsers show in and send from datetime-local


class LookupWidget:
    """A select of the first `CHOICE_LIMIT` rows the reader may choose.

    `static/js/lookup.js` makes it an input that suggests rows of the whole table as one types.
    """

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        """Render `field`, a Flask-Admin ajax select of one row."""
        loader: QueryAjaxModelLoader = field.loader
        chosen = loader.format(field.data) if field.data else None
        kwargs.setdefault("id", field.id)
        options = [loader.format(row) for row in loader.get_list("", limit=CHOICE_LIMIT)]
        if chosen and chosen not in options:
            options.insert(0, chosen)
        return Markup('<select {}><option value=""></option>{}</select>').format(
            Markup(  # noqa: S704 - html_params escapes every name and value itself
                html_params(
                    name=field.name,
                    **kwargs,
                    data_lookup=get_url(".ajax_lookup", name=loader.name),
                )
            ),
            Markup("").join(_option(option, chosen) for option in options if option),
        )


def nativise(form: Form) -> Form:
    """Give each field of `form` a native input, and return the same form.

    Its dates become date inputs, its selects plain ones, its ajax lookups suggestions.
    """
    for field in form:
        native = _native_widget(field)
        if native is not None:
            field.widget = native
        if isinstance(native, widgets.DateTimeLocalInput):
            _accept_local_format(field)
    return form


def _accept_local_format(field: Any) -> None:
    # The form has been read already, so that what the browser sent is read once more.
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
    if isinstance(widget, AjaxSelect2Widget):
        return None if widget.multiple else LookupWidget()
    if isinstance(widget, Select2Widget):
        return widgets.Select(multiple=widget.multiple)
    if isinstance(widget, DateTimePickerWidget):
        return widgets.DateTimeLocalInput()
    if isinstance(widget, DatePickerWidget):
        return widgets.DateInput()
    if isinstance(widget, TimePickerWidget):
        return widgets.TimeInput()
    return widgets.TextInput() if isinstance(widget, Select2TagsWidget) else None


def _option(option: tuple[Any, str], chosen: tuple[Any, str] | None) -> Markup:
    key, label = option
    selected = Markup(" selected") if chosen and str(chosen[0]) == str(key) else Markup("")
    return Markup('<option value="{}"{}>{}</option>').format(key, selected, label)
