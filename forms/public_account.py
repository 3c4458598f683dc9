"""Forms of the public pages: registration, verification, sign-in, password reset, invitations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from clearance.auth.passwords import MAX_LENGTH, is_too_long
from clearance.core import values
from clearance.core.values import BadValue
from forms import person_fields
from forms.base import BaseForm
from forms.fields import (
    CaptchaField,
    CheckField,
    ChoiceField,
    CodeField,
    EmailAddressField,
    MobileField,
    NeverShown,
    PasswordField,
    TextField,
)
from forms.validators import Required

# Posted by buttons and hidden inputs besides the fields.
PAGE_PARTS = frozenset({"captcha_ref", "_refresh", "_change", "next"})

ORGANISATION_MAX_LENGTH = 150
CUSTOMS_USER_MAX_LENGTH = 80
LICENCE_MAX_LENGTH = 80
_RESET_CODE = re.compile(r"[0-9A-Z]{8}")
_SPARE_CODE = re.compile(r"[0-9A-Z]{10}")


@dataclass(frozen=True)
class EntityChoice:
    """A legal entity that may register. label: in the page's language.

    has_customs_account: registration with a customs account is offered. needs_name: the
    organisation's name is asked for.
    """

    code: str
    label: str
    has_customs_account: bool
    needs_name: bool


class AccountForm(BaseForm):
    """Base class of the public pages' forms."""

    ALSO_POSTED: ClassVar[frozenset[str]] = PAGE_PARTS


class ResetCodeField(NeverShown, TextField):
    """A reset code (e-mail): eight letters and digits in any letter case; never shown again."""

    attributes: ClassVar[dict[str, object]] = {
        "dir": "ltr",
        "autocomplete": "off",
        "autocapitalize": "characters",
        "spellcheck": "false",
    }

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, max_length=20, **kwargs)

    def normalise(self, typed: str) -> str:
        text = values.ascii_digits(values.clean_text(typed)).upper()
        code = text.replace(" ", "").replace("-", "")
        if not _RESET_CODE.fullmatch(code):
            raise BadValue(_l("The code has 8 letters and digits. Copy it from the message."))
        return code


class FactorCodeField(CodeField):
    """A six-digit code from a message or app, or a spare code of ten letters and digits."""

    attributes: ClassVar[dict[str, object]] = {
        "dir": "ltr",
        "autocomplete": "one-time-code",
        "autocapitalize": "none",
        "spellcheck": "false",
    }

    def normalise(self, typed: str) -> str:
        text = values.ascii_digits(values.clean_text(typed)).upper()
        code = text.replace(" ", "").replace("-", "")
        return code if _SPARE_CODE.fullmatch(code) else super().normalise(typed)


class _NotTooLong:
    """An existing password must not exceed the limit, so that long input is never hashed."""

    def __call__(self, form: Any, field: Any) -> None:
        if is_too_long(field.data or ""):
            raise ValidationError(
                _l("Use %(max_length)d characters at most.", max_length=MAX_LENGTH)
            )


class RegistrationForm(AccountForm):
    """Both variants of registration; the choices decide which fields are used."""

    legal_entity = ChoiceField(_l("Organisation type"), [Required()], choices=[], blank=None)
    has_customs_account = CheckField(_l("I have an account on the automated customs system"))
    organisation_name = TextField(
        _l("Company name"), [Required()], max_length=ORGANISATION_MAX_LENGTH
    )
    first_name = person_fields.first_name()
    last_name = person_fields.last_name()
    latin_name = person_fields.latin_name()
    gender = person_fields.gender()
    civil_id = person_fields.civil_id()
    licence_no = TextField(
        _l("Licence number of the general broker"),
        [Required()],
        max_length=LICENCE_MAX_LENGTH,
        render_kw={"dir": "ltr", "autocomplete": "off"},
    )
    customs_user = TextField(
        _l("User ID on the automated customs system"),
        [Required()],
        max_length=CUSTOMS_USER_MAX_LENGTH,
        render_kw={"dir": "ltr", "autocomplete": "off", "autocapitalize": "none"},
    )
    customs_password = PasswordField(
        _l("Password on the automated customs system"),
        [Required(), _NotTooLong()],
        description=_l("Used once to check with the customs system. It is never kept."),
        render_kw={"autocomplete": "off"},
    )
    mobile = MobileField(
        _l("Mobile number"),
        [Required()],
        description=_l("We will send a code to this number by SMS."),
    )
    email = EmailAddressField(
        _l("E-mail address"),
        [Required()],
        description=_l("You will sign in with this address. We will send a code to it."),
    )
    password = person_fields.password()
    password_confirm = person_fields.password_again()
    captcha = CaptchaField(_l("Enter the characters in the image"), [Required()])
    accept_terms = person_fields.terms(
        _l("You must agree to the terms and conditions to register.")
    )

    FROM_CUSTOMS: ClassVar[frozenset[str]] = frozenset(
        {"licence_no", "customs_user", "customs_password"}
    )
    FROM_PERSON: ClassVar[frozenset[str]] = frozenset(
        {"first_name", "last_name", "latin_name", "civil_id"}
    )

    def __init__(self, entities: Sequence[EntityChoice], *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("legal_entity", entities[0].code if entities else None)
        self.entities = {entity.code: entity for entity in entities}
        super().__init__(*args, **kwargs)
        self.legal_entity.choices = [SelectChoice(choice.code, choice.label) for choice in entities]

    @property
    def entity(self) -> EntityChoice | None:
        """The chosen legal entity, None if it may not register."""
        return self.entities.get(self.legal_entity.data or "")

    @property
    def uses_customs(self) -> bool:
        """Whether to query the customs system: ticked, and offered to the legal entity."""
        entity = self.entity
        return bool(entity and entity.has_customs_account and self.has_customs_account.data)

    @property
    def needs_name(self) -> bool:
        """Whether the organisation's name is required."""
        return bool(self.entity and self.entity.needs_name and not self.uses_customs)

    def unused(self) -> frozenset[str]:
        """Return the names of the fields not used in the chosen variant."""
        names = self.FROM_PERSON if self.uses_customs else self.FROM_CUSTOMS
        return names if self.needs_name else names | {"organisation_name"}

    def validate(self, extra_validators: Any = None) -> bool:
        for name in self.unused():
            # The page shows what was typed there, but it is neither validated nor used.
            field = self[name]
            field.validators, field.process_errors, field.data = (), [], field.default or ""
        return bool(super().validate(extra_validators))


class SignInForm(AccountForm):
    """E-mail address and password."""

    email = EmailAddressField(
        _l("E-mail address"),
        [Required()],
        render_kw={"autocomplete": "username", "autofocus": True},
    )
    password = PasswordField(_l("Password"), [Required(), _NotTooLong()])


class FactorForm(AccountForm):
    """The second factor at sign-in."""

    code = FactorCodeField(_l("Verification code"), [Required()], render_kw={"autofocus": True})


class VerifyForm(AccountForm):
    """The e-mail and mobile verification codes; the view removes the one already verified."""

    email_code = CodeField(
        _l("E-mail verification code"), [Required()], render_kw={"autocomplete": "off"}
    )
    mobile_code = CodeField(_l("Mobile verification code"), [Required()])


class ResetForm(AccountForm):
    """The account whose password is to be reset."""

    email = EmailAddressField(_l("E-mail address"), [Required()])
    captcha = CaptchaField(_l("Enter the characters in the image"), [Required()])


class NewPasswordForm(AccountForm):
    """A new password twice."""

    new_password = person_fields.new_password()
    new_password_confirm = person_fields.password_again("new_password")


class ResetConfirmForm(AccountForm):
    """CAPTCHA answer, the e-mailed code, and the new password twice."""

    captcha = CaptchaField(_l("Enter the characters in the image"), [Required()])
    code = ResetCodeField(_l("E-mail verification code"), [Required()])
    new_password = person_fields.new_password()
    new_password_confirm = person_fields.password_again("new_password")


class InvitationForm(AccountForm):
    """Names, contact, password and consent of a person invited to the office's staff."""

    first_name = person_fields.first_name()
    last_name = person_fields.last_name()
    latin_name = person_fields.latin_name()
    mobile = MobileField(_l("Mobile number"))
    password = person_fields.password()
    password_confirm = person_fields.password_again()
    accept_terms = person_fields.terms()
