"""Forms of one's own account: new contact details and their code, notices."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms.validators import ValidationError

from clearance.auth import one_time_codes
from clearance.notifications import preferences
from forms.base import BaseForm
from forms.fields import (
    ChoicesField,
    CodeField,
    EmailAddressField,
    MobileField,
    PasswordField,
)
from forms.validators import Required

_PARTS = frozenset({"csrf_token", "_language"})


class EmailChangeForm(BaseForm):
    """A new e-mail and the present password."""

    ALSO_POSTED: ClassVar[frozenset[str]] = _PARTS

    address = EmailAddressField(
        _l("New e-mail"), [Required()], description=_l("A code will be sent to it.")
    )
    current_password = PasswordField(_l("Current password"), [Required()])


class MobileChangeForm(BaseForm):
    """A new mobile number and the present password."""

    ALSO_POSTED: ClassVar[frozenset[str]] = _PARTS

    address = MobileField(
        _l("New mobile number"),
        [Required()],
        description=_l("A code will be sent to it by SMS."),
    )
    current_password = PasswordField(_l("Current password"), [Required()])

    def validate_address(self, field: Any) -> None:
        """SMS go to some countries only."""
        if field.data and not one_time_codes.is_served(field.data):
            raise ValidationError(_l("SMS cannot be sent to mobile numbers of this country."))


class ContactCodeForm(BaseForm):
    """The code that was sent to the new address."""

    ALSO_POSTED: ClassVar[frozenset[str]] = _PARTS

    code = CodeField(_l("Verification code"), [Required()])


class NoticesForm(BaseForm):
    """What is wanted by which channel, as keys of `notice_choices`."""

    ALSO_POSTED: ClassVar[frozenset[str]] = _PARTS

    wanted = ChoicesField(_l("Notices"))

    def __init__(self, role: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted.choices = [(key, key) for key in preferences.keys_for(role)]
