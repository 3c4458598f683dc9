"""Personal fields shared by several forms.

They are functions so that every form can place them, since errors are listed in field order.
"""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.models.enums import Gender
from forms.fields import (
    CheckField,
    ChoiceField,
    CivilNumberField,
    LatinNameField,
    PasswordField,
    TextField,
)
from forms.validators import NeededUnlessLatin, Required, SameAs, StrongPassword

NAME_MAX_LENGTH = 80
TERMS_NEEDED = _l("You must agree to the terms and conditions to continue.")
LATIN_NAME = _l("Full name in English letters")
PASSWORD_HINT = _l("At least 8 characters, with upper and lower case letters, digits and symbols.")


def first_name() -> Any:
    """Return the field for the first name, in any script."""
    return TextField(_l("First name"), [Required()], max_length=NAME_MAX_LENGTH)


def last_name() -> Any:
    """Return the field for the last name, in any script."""
    return TextField(_l("Last name"), [Required()], max_length=NAME_MAX_LENGTH)


def latin_name() -> Any:
    """Return the field for the whole name in Latin letters, placed after first and last name."""
    return LatinNameField(
        LATIN_NAME,
        [NeededUnlessLatin("first_name", "last_name")],
        description=_l(
            "As in the passport. Leave it empty if the name above is in English letters."
        ),
    )


def gender() -> Any:
    """Return the field for the gender, without a default."""
    return ChoiceField(
        _l("Gender"),
        [Required()],
        choices=Gender.choices(),
        blank=_l("Choose a gender"),
    )


def civil_id() -> Any:
    """Return the field for the civil number."""
    return CivilNumberField(
        _l("Civil number"), [Required()], description=_l("The 12 digits on the civil ID card.")
    )


def password() -> Any:
    """Return the field for the password of a new account."""
    return _chosen(_l("Password"))


def new_password() -> Any:
    """Return the field for a password that replaces another."""
    return _chosen(_l("New password"))


def password_again(name: str = "password") -> Any:
    """Return the field that repeats the password. name: of the repeated field."""
    return PasswordField(_l("Repeat the password"), [Required(), SameAs(name)], new=True)


def terms(needed: Any = TERMS_NEEDED) -> Any:
    """Return the box by which the terms are accepted. needed: the message if it is not ticked."""
    return CheckField(_l("I agree to the terms and conditions"), [Required(needed)])


def _chosen(label: Any) -> Any:
    return PasswordField(label, [Required(), StrongPassword()], new=True, description=PASSWORD_HINT)
