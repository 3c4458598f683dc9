"""Fields that several forms ask of a person alike.

Each form makes them in its own place, for errors are told in the order of the fields.
"""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.models.enums import GENDER_LABELS
from forms.fields import ChoiceField, CivilNumberField, PasswordField, TextField
from forms.validators import Required, SameAs, StrongPassword

NAME_MAX_LENGTH = 80
PASSWORD_HINT = _l("At least 8 characters, with capital and small letters, digits and symbols.")


def first_name() -> Any:
    """The first name, in any script."""
    return TextField(_l("First name"), [Required()], max_length=NAME_MAX_LENGTH)


def last_name() -> Any:
    """The last name, in any script."""
    return TextField(_l("Last name"), [Required()], max_length=NAME_MAX_LENGTH)


def gender() -> Any:
    """The gender, which nothing chooses unawares."""
    return ChoiceField(
        _l("Gender"),
        [Required()],
        choices=[("", _l("Please choose the gender")), *GENDER_LABELS.items()],
        blank=False,
    )


def civil_id() -> Any:
    """The civil number."""
    return CivilNumberField(
        _l("Civil number"), [Required()], description=_l("The 12 digits on the civil ID card.")
    )


def password() -> Any:
    """A password that is being chosen."""
    return _chosen(_l("Password"))


def new_password() -> Any:
    """A password that is being chosen in place of another."""
    return _chosen(_l("New password"))


def password_again(name: str = "password") -> Any:
    """The same once more. name: of the field that it repeats."""
    return PasswordField(_l("Repeat the password"), [Required(), SameAs(name)], new=True)


def _chosen(label: Any) -> Any:
    return PasswordField(label, [Required(), StrongPassword()], new=True, description=PASSWORD_HINT)
