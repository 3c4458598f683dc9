"""Forms of beginning a service and of publishing its draft."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField

from clearance.core.values import BadValue
from forms.base import BaseForm
from forms.fields import ChoiceField, TextField
from forms.reference_data import CodeNameField
from forms.validators import Required


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
    """Why a new version is published. version: of the draft that was compared."""

    version = HiddenField()
    why = TextField(
        _l("Why this changes"),
        [Required()],
        max_length=250,
        description=_l("One line. It stays in the audit trail."),
    )
