"""Office forms for an exam: its sitting and the results file."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import HiddenField

from clearance.core.clock import KUWAIT
from clearance.exams import sittings
from clearance.models import Exam
from forms.base import BaseForm
from forms.fields import ClockField, DayField, TextField
from forms.request_form import WholeNumberField
from forms.validators import Required

PLACE_MAX_LENGTH = 250


class SittingForm(BaseForm):
    """The date, place and seats of a sitting. version: of the row that the page showed."""

    held_on = DayField(_l("Day of the exam"), [Required()])
    held_time = ClockField(
        _l("Time of the exam"),
        [Required()],
        description=_l("Kuwait time, for example 09:30 or 2:30 pm"),
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
