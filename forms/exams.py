"""Office forms for an exam: its sitting and the results file."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import HiddenField
from wtforms.widgets import TimeInput

from clearance.core import values
from clearance.core.clock import KUWAIT
from clearance.core.values import BadValue
from clearance.exams import sittings
from clearance.models import Exam
from forms.base import BaseForm
from forms.fields import DayField, NativeInput, TextField
from forms.request_form import WholeNumberField
from forms.validators import Required

PLACE_MAX_LENGTH = 250


class ClockField(NativeInput, TextField):
    """A time of day, from 00:00 to 23:59, in digits of either script."""

    widget = TimeInput()
    attributes: ClassVar[dict[str, object]] = {"dir": "ltr"}

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, max_length=8, **kwargs)
        self.empty = None  # type: ignore[misc, assignment]  # nothing typed is no time

    def normalise(self, typed: str) -> time:  # type: ignore[override]  # a time, not a text
        text = values.ascii_digits(values.clean_text(typed)).replace(" ", "")
        found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(:00)?", text)
        if found is None:
            raise BadValue(_l("Enter a time as hours and minutes, for example 09:30."))
        return time(int(found[1]), int(found[2]))

    def _value(self) -> str:
        if isinstance(self.data, time):
            return self.data.strftime("%H:%M")
        return str(super()._value())


class SittingForm(BaseForm):
    """The date, place and seats of a sitting. version: of the row that the page showed."""

    held_on = DayField(_l("Day of the exam"), [Required()])
    held_time = ClockField(
        _l("Time of the exam"),
        [Required()],
        description=_l("Kuwait time, 24-hour clock, for example 09:30"),
    )
    place_ar = TextField(_l("Venue in Arabic"), [Required()], max_length=PLACE_MAX_LENGTH)
    place_en = TextField(_l("Venue in English"), [Required()], max_length=PLACE_MAX_LENGTH)
    seats = WholeNumberField(_l("Number of seats"), [Required()])
    confirm_by = DayField(
        _l("Last day to confirm attendance"),
        [Required()],
        description=_l("Day / month / year. Must be before the exam."),
    )
    version = HiddenField()

    # Plan field → form field, where the names differ.
    _PLACES: ClassVar[dict[str, str]] = {"held_at": "held_on"}

    def show(self, exam: Exam) -> None:
        """Fill in the exam's stored values."""
        held_at = exam.held_at.astimezone(KUWAIT)
        self.held_on.data, self.held_time.data = held_at.date(), held_at.time()
        for name in ("place_ar", "place_en", "seats", "confirm_by", "version"):
            self[name].data = getattr(exam, name)

    def plan(self) -> sittings.Plan:
        """Return the entered values; call it on a valid form only."""
        held_at = datetime.combine(self.held_on.data, self.held_time.data, KUWAIT)
        return sittings.Plan(
            held_at=held_at,
            place_ar=self.place_ar.data,
            place_en=self.place_en.data,
            seats=self.seats.data,
            confirm_by=self.confirm_by.data,
        )

    def add_faults(self, faults: dict[str, Any]) -> None:
        """Show the domain's errors at their fields."""
        for name, message in faults.items():
            field = self[self._PLACES.get(name, name)]
            field.errors = [*field.errors, message]


class ResultsFileForm(BaseForm):
    """Upload of the results file."""

    results = FileField(
        _l("Results file"),
        [Required()],
        description=_l("Excel workbook (.xlsx, up to 2 MB) or CSV file (up to 256 KB)"),
        render_kw={"accept": ".xlsx,.xls,.ods,.csv,.txt,text/csv"},
    )
