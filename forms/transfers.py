"""Forms of transfers: the numbers identifying the broker, and the broker's consent."""

from __future__ import annotations

from typing import ClassVar

from flask_babel import lazy_gettext as _l

from forms.base import BaseForm
from forms.fields import CivilNumberField, CodeField, TextField
from forms.validators import Required

LICENCE_MAX_LENGTH = 80


class ReceiveForm(BaseForm):
    """The numbers that identify the broker an organisation asks for."""

    licence_no = TextField(
        _l("Licence number of the broker"),
        [Required()],
        max_length=LICENCE_MAX_LENGTH,
        render_kw={"dir": "ltr", "autocomplete": "off"},
    )
    civil_id = CivilNumberField(
        _l("Civil number of the broker"), [Required()], render_kw={"autocomplete": "off"}
    )
    organisation_no = TextField(
        _l("Licence number of the broker's current office"),
        [Required()],
        description=_l(
            "An office without a licence number has a transfer code instead. Ask its "
            "general user for it."
        ),
        max_length=LICENCE_MAX_LENGTH,
        render_kw={"dir": "ltr", "autocomplete": "off"},
    )


class ConsentForm(BaseForm):
    """The SMS code that authenticates the broker's answer."""

    ALSO_POSTED: ClassVar[frozenset[str]] = frozenset({"answer"})

    code = CodeField(_l("Code from the SMS"), [Required()])
