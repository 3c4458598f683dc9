"""The forms of a legal hold, when it is placed and when it is lifted."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from clearance.core.legal_holds import REASON_MAX_LENGTH
from forms.base import BaseForm
from forms.fields import CivilNumberField, TextAreaField
from forms.validators import Required


class HoldForm(BaseForm):
    """Why a hold is placed or lifted."""

    reason = TextAreaField(_l("Reason"), [Required()], max_length=REASON_MAX_LENGTH)


class CivilNumberHoldForm(HoldForm):
    """Whom a hold is on who is known by civil number, and why."""

    civil_id = CivilNumberField(_l("Civil number"), [Required()])
