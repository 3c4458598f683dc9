"""Forms about the second factor: setting an app up, confirming by password, an office's reset."""

from __future__ import annotations

from typing import ClassVar

from flask_babel import lazy_gettext as _l

from clearance.core.values import BadValue
from forms.base import BaseForm
from forms.fields import CodeField, PasswordField, TextAreaField
from forms.validators import Required

REASON_MAX_LENGTH = 500


class AppCodeField(CodeField):
    """The six digits that an authenticator app shows now."""

    def normalise(self, typed: str) -> str:
        try:
            return super().normalise(typed)
        except BadValue:
            raise BadValue(
                _l("The code has 6 digits. Type the one that the app shows now.")
            ) from None


class PasswordForm(BaseForm):
    """The present password, which every change of the factor asks for again."""

    ALSO_POSTED: ClassVar[frozenset[str]] = frozenset({"csrf_token", "form_key", "_language"})

    current_password = PasswordField(_l("Current password"), [Required()])


class AppForm(BaseForm):
    """A code of the app that is being set up, and the present password."""

    ALSO_POSTED: ClassVar[frozenset[str]] = frozenset({"csrf_token", "setup", "_language"})

    code = AppCodeField(_l("Code that the app shows"), [Required()])
    current_password = PasswordField(_l("Current password"), [Required()])


class FactorResetForm(BaseForm):
    """Why an administrator takes somebody's app away."""

    ALSO_POSTED: ClassVar[frozenset[str]] = frozenset({"csrf_token", "form_key", "_language"})

    reason = TextAreaField(_l("Reason"), [Required()], max_length=REASON_MAX_LENGTH)
