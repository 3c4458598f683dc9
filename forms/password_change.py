"""The form by which a signed-in person changes their password."""

from flask_babel import lazy_gettext as _l

from forms.base import BaseForm
from forms.fields import PasswordField
from forms.validators import Required, SameAs, StrongPassword


class PasswordChangeForm(BaseForm):
    """The current password, and the new one twice. `known_words`: what the person is called."""

    current_password = PasswordField(_l("Current password"), [Required()])
    new_password = PasswordField(
        _l("New password"), [Required(), StrongPassword(inputs=())], new=True
    )
    new_password_confirm = PasswordField(
        _l("Repeat the new password"), [Required(), SameAs("new_password")], new=True
    )
