"""Forms of the user's own account: contact details, notices, password and second factor."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.core.values import BadValue
from clearance.notifications import preferences
from forms import person_fields
from forms.base import BaseForm
from forms.fields import (
    CheckField,
    ChoicesField,
    CodeField,
    EmailAddressField,
    LatinNameField,
    MobileField,
    PasswordField,
    TextAreaField,
)
from forms.validators import Required, SameAs, Served, StrongPassword


class LatinNameForm(BaseForm):
    """The user's whole name in Latin letters."""

    latin_name = LatinNameField(
        person_fields.LATIN_NAME,
        [Required()],
        description=_l("As in your passport. Shown on English pages and in English messages."),
        render_kw={"autocomplete": "off"},
    )


class EmailChangeForm(BaseForm):
    """A new e-mail address and the current password."""

    address = EmailAddressField(
        _l("New e-mail address"), [Required()], description=_l("We will send a code to it.")
    )
    current_password = PasswordField(_l("Current password"), [Required()])


class MobileChangeForm(BaseForm):
    """A new mobile number and the current password."""

    address = MobileField(
        _l("New mobile number"),
        [Required(), Served()],
        description=_l("We will send a code to this number by SMS."),
    )
    current_password = PasswordField(_l("Current password"), [Required()])


class ContactCodeForm(BaseForm):
    """The code sent to the new address."""

    code = CodeField(_l("Verification code"), [Required()])


class NoticesForm(BaseForm):
    """Wanted notices per channel, as keys of `preferences.keys_for`."""

    wanted = ChoicesField(_l("Notifications"))

    def __init__(self, role: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted.choices = [(key, key) for key in preferences.keys_for(role)]


class KeysForm(BaseForm):
    """Whether the reader wants single keys in lists."""

    uses_keys = CheckField(_l("Use keyboard shortcuts in lists"))


class PasswordChangeForm(BaseForm):
    """The current password, and the new one twice. Views set `known_words` to the user's names."""

    current_password = PasswordField(_l("Current password"), [Required()])
    new_password = PasswordField(
        _l("New password"), [Required(), StrongPassword(inputs=())], new=True
    )
    new_password_confirm = PasswordField(
        _l("Repeat the new password"), [Required(), SameAs("new_password")], new=True
    )


REASON_MAX_LENGTH = 500


class AppCodeField(CodeField):
    """The current six-digit code of an authenticator app."""

    def normalise(self, typed: str) -> str:
        try:
            return super().normalise(typed)
        except BadValue:
            raise BadValue(_l("The code has 6 digits. Enter the one the app shows now.")) from None


class PasswordForm(BaseForm):
    """The current password, required for every change of the second factor."""

    current_password = PasswordField(_l("Current password"), [Required()])


class AppForm(BaseForm):
    """A code of the authenticator app being set up, and the current password."""

    code = AppCodeField(_l("Code from the app"), [Required()])
    current_password = PasswordField(_l("Current password"), [Required()])


class FactorResetForm(BaseForm):
    """An administrator's reason for resetting a user's authenticator app."""

    reason = TextAreaField(_l("Reason"), [Required()], max_length=REASON_MAX_LENGTH)
