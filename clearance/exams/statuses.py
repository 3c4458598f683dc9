"""Statuses of exam requests besides the standard ones."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from clearance.models.enums import Labelled


class ExamStatus(Labelled):
    """From nomination to the result."""

    SEATED = "seated", _l("Exam seat offered"), "warning", lazy_pgettext("short", "Seat offered")
    CONFIRMED = "confirmed", _l("Attendance confirmed"), "info", lazy_pgettext("short", "Confirmed")
    PASSED = "passed", _l("Passed"), "success"
    FAILED = "failed", _l("Failed"), "danger"
    ABSENT = "absent", _l("Absent"), "danger"
