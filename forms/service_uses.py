"""Forms that ask what happens to the parts of a service's draft that use a field."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import RadioField

from forms.base import BaseForm
from forms.fields import ChoiceField

TAKE_OUT = "take_out"


class UsesForm(BaseForm):
    """Whether what uses a field that goes, or changes its type, is left or changed with it."""

    uses = RadioField(
        _l("What uses it"),
        choices=[
            ("leave", _l("Leave it as it is; the check-up shows what has to change")),
            (TAKE_OUT, _l("Take the field out of conditions, rules and tables")),
        ],
        default="leave",
        validate_choice=False,
    )

    @property
    def takes_out(self) -> bool:
        """Whether conditions, rules and tables are to lose the field."""
        return bool(self.uses.data == TAKE_OUT)


class TypeForm(UsesForm):
    """The new type of an own field."""

    type = ChoiceField(_l("Type of answer"), choices=[], blank=None)
