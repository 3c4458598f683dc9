"""Forms of beginning a service and of publishing its draft."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField
from wtforms.validators import ValidationError

from clearance.core.clock import kuwait_today
from clearance.core.values import BadValue
from forms.base import BaseForm
from forms.fields import CheckField, ChoiceField, DayField, TextField
from forms.reference_data import CodeNameField
from forms.validators import Required

DRAFTS_STAY = timedelta(days=14)


class PrefixField(TextField):
    """The prefix of a service's numbers: two to six Latin capitals."""

    attributes: ClassVar[dict[str, object]] = {"dir": "ltr"}

    def normalise(self, typed: str) -> str:
        prefix = str(super().normalise(typed)).upper()
        if not re.fullmatch(r"[A-Z]{2,6}", prefix):
            raise BadValue(_l("Enter two to six Latin letters."))
        return prefix


class NewServiceForm(BaseForm):
    """What a new service needs before its draft can be begun."""

    title_ar = TextField(_l("Title in Arabic"), [Required()], max_length=150)
    title_en = TextField(_l("Title in English"), [Required()], max_length=150)
    code = CodeNameField(
        _l("Code"), [Required()], max_length=40, description=_l("It cannot be changed later.")
    )
    prefix = PrefixField(
        _l("Number prefix"),
        [Required()],
        max_length=6,
        description=_l("Request numbers begin with it. It cannot be changed later."),
    )
    copy_of: Any = ChoiceField(_l("Start from"), blank=_l("An empty service"))


class PublishForm(BaseForm):
    """Why a new version is published, and when drafts of requests move to it.

    compared: the fingerprint of what was shown. Without `moves` and `move_on` where there is
    nothing to choose. is_stopped: only for a new service.
    """

    compared = HiddenField()
    moves: Any = ChoiceField(
        _l("Drafts that were not sent yet"),
        choices=[
            ("later", _l("Stay as they are until a day, then move")),
            ("now", _l("Move to the new version now")),
        ],
        default="later",
        blank=None,
    )
    move_on = DayField(
        _l("First day with the new version"),
        description=_l("Day / month / year. Only for drafts that stay until a day."),
        default=lambda: kuwait_today() + DRAFTS_STAY,
    )
    is_stopped = CheckField(
        _l("Stopped at first"),
        description=_l("Start it later for everybody, or pilot it with chosen organisations."),
    )
    why = TextField(
        _l("Why this changes"),
        [Required()],
        max_length=250,
        description=_l("One line. It stays in the audit trail."),
    )

    def validate_move_on(self, field: DayField) -> None:
        """Refuse a day that is not to come, or none, where drafts stay until one."""
        if self.moves.data != "now" and (field.data is None or field.data <= kuwait_today()):
            raise ValidationError(_l("Enter a date in the future."))

    def day(self, today: date) -> date:
        """Return the Kuwait day from which drafts move; call it on a valid form only."""
        stay = "moves" in self and self.moves.data != "now"
        return self.move_on.data if stay else today
