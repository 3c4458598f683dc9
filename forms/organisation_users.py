"""Forms to add and edit an organisation's users, its profile and further organisations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms.fields.choices import SelectChoice

from clearance.core import values
from clearance.core.values import BadValue
from clearance.organisations.members import NO_SERVICE
from forms import person_fields
from forms.base import BaseForm
from forms.fields import (
    CaptchaField,
    CheckField,
    ChoiceField,
    ChoicesField,
    EmailAddressField,
    MobileField,
    TextField,
)
from forms.public_account import PAGE_PARTS, AccountForm, RegistrationForm
from forms.validators import Required, Served

ADDRESS_MAX_LENGTH = 250
# Posted by the services table besides its checkboxes.
TABLE_PARTS = frozenset(
    {"services_search", "services_searched", "services_page", "_change", "_save"}
)
_PHONE = re.compile(r"\+?[0-9]{7,15}")


class PhoneField(TextField):
    """An office's telephone number, not necessarily a mobile: 7 to 15 digits. Empty: ""."""

    attributes: ClassVar[dict[str, object]] = {"dir": "ltr", "autocomplete": "tel"}

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, max_length=30, **kwargs)

    def normalise(self, typed: str) -> str:
        number = re.sub(r"[\s()-]", "", values.ascii_digits(values.clean_text(typed)))
        if not _PHONE.fullmatch(number):
            raise BadValue(
                _l("Enter 7 to 15 digits, with + first if you include the country code.")
            )
        return number


def _general_box() -> Any:
    return CheckField(_l("General user?"))


def _services() -> Any:
    return ChoicesField(
        _l("Available services"),
        choices=[],
        invalid_choice_message=_l(
            "You can only give access to services the organisation is subscribed to."
        ),
    )


class _AccessForm(BaseForm):
    """Whether the user is a general user, and the services granted otherwise.

    Subclasses create both fields in their own place, since errors are listed in field order.
    """

    is_general: Any
    services: Any

    def offer(self, services: Iterable[str]) -> None:
        """Set the services that may be chosen, by code."""
        self.services.choices = [SelectChoice(code, code) for code in services]

    @property
    def granted(self) -> frozenset[str]:
        """The chosen services; none for a general user, who may use all."""
        return frozenset() if self.is_general.data else frozenset(self.services.data or ())

    def needs_service(self) -> bool:
        """Return whether at least one service must be chosen."""
        return not self.is_general.data

    def validate(self, extra_validators: Any = None) -> bool:
        if self.is_general.data:
            self.services.data = []  # the services are hidden then
        is_valid = bool(super().validate(extra_validators))
        if self.needs_service() and not self.services.data and not self.services.errors:
            self.services.errors = [str(NO_SERVICE.text)]
            return False
        return is_valid


class AddUserForm(_AccessForm, AccountForm):
    """A new user of the organisation; fields in the order of the manual."""

    ALSO_POSTED: ClassVar[frozenset[str]] = AccountForm.ALSO_POSTED | TABLE_PARTS | {"organisation"}

    first_name = person_fields.first_name()
    last_name = person_fields.last_name()
    latin_name = person_fields.latin_name()
    gender = person_fields.gender()
    civil_id = person_fields.civil_id()
    is_general = _general_box()
    mobile = MobileField(
        _l("Mobile number"),
        [Required(), Served()],
        description=_l("We will send the user a code by SMS."),
        render_kw={"autocomplete": "off"},
    )
    email = EmailAddressField(
        _l("E-mail address"),
        [Required()],
        description=_l("The user signs in with it. We will send a code to it."),
        render_kw={"autocomplete": "off"},
    )
    services = _services()
    password = person_fields.password()
    password_confirm = person_fields.password_again()
    captcha = CaptchaField(_l("Enter the characters in the image"), [Required()])
    accept_terms = person_fields.terms()


class EditUserForm(_AccessForm):
    """What a general user may change of another user: not names, contact or password."""

    ALSO_POSTED: ClassVar[frozenset[str]] = TABLE_PARTS | {
        "version",
        "organisations_before",
        "confirm",
        "_language",
    }

    is_general = _general_box()
    services = _services()
    organisations = ChoicesField(_l("Available organisations"), choices=[])
    is_active = CheckField(_l("Active"))
    hand_over_to = ChoiceField(_l("Colleague who will take over the open requests"), choices=[])

    def place(
        self, organisations: Sequence[tuple[int, str]], colleagues: Sequence[tuple[int, str]]
    ) -> None:
        """Set the organisations and colleagues that may be chosen: (id, name)."""
        self.organisations.choices = [SelectChoice(str(key), name) for key, name in organisations]
        self.hand_over_to.choices = [SelectChoice(str(key), name) for key, name in colleagues]

    def needs_service(self) -> bool:
        return super().needs_service() and bool(self.is_active.data)


class OrganisationForm(BaseForm):
    """The part of the organisation's profile that it maintains itself."""

    ALSO_POSTED: ClassVar[frozenset[str]] = frozenset({"version", "organisation"})

    address = TextField(
        _l("Address"), max_length=ADDRESS_MAX_LENGTH, render_kw={"autocomplete": "address-line1"}
    )
    phone = PhoneField(_l("Telephone"), [Required()])
    email = EmailAddressField(_l("E-mail address"), [Required()])


class LicensedForm(AccountForm):
    """An office whose general broker is licensed in the customs system."""

    licence_no = RegistrationForm.licence_no
    customs_user = RegistrationForm.customs_user
    customs_password = RegistrationForm.customs_password


class NamedForm(AccountForm):
    """An organisation registered by name, such as a company."""

    ALSO_POSTED: ClassVar[frozenset[str]] = PAGE_PARTS | {"way"}

    legal_entity = RegistrationForm.legal_entity
    organisation_name = RegistrationForm.organisation_name

    def __init__(self, entities: Sequence[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        """entities: (code, label) of the legal entities that may be chosen."""
        kwargs.setdefault("legal_entity", entities[0][0] if entities else None)
        super().__init__(*args, **kwargs)
        self.legal_entity.choices = [SelectChoice(code, label) for code, label in entities]
