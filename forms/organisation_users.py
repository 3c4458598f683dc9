"""Forms of the users of an organisation: adding one, changing one, the organisation's profile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from clearance.auth import one_time_codes
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
from forms.public_account import ORGANISATION_MAX_LENGTH, PAGE_PARTS, AccountForm, RegistrationForm
from forms.validators import Required

ADDRESS_MAX_LENGTH = 250
# What the table of services posts besides its boxes.
TABLE_PARTS = frozenset(
    {"services_search", "services_searched", "services_page", "_change", "_save"}
)
_PHONE = re.compile(r"\+?[0-9]{7,15}")


class PhoneField(TextField):
    """A telephone number of an office, which need not be a mobile: 7 to 15 digits. Empty: ""."""

    attributes: ClassVar[dict[str, object]] = {"dir": "ltr", "autocomplete": "tel"}

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, max_length=30, **kwargs)

    def normalise(self, typed: str) -> str:
        number = re.sub(r"[\s()-]", "", values.ascii_digits(values.clean_text(typed)))
        if not _PHONE.fullmatch(number):
            raise BadValue(_l("Write 7 to 15 digits, with + first if you give the country code."))
        return number


class _Served:
    """SMS go to the country of this mobile."""

    def __call__(self, form: Any, field: Any) -> None:
        if field.data and not one_time_codes.is_served(field.data):
            raise ValidationError(_l("SMS cannot be sent to mobile numbers of this country."))


def _general_box() -> Any:
    return CheckField(_l("General user?"))


def _services() -> Any:
    return ChoicesField(
        _l("Available services"),
        choices=[],
        invalid_choice_message=_l("Grant only services that the organisation is subscribed to."),
    )


class _AccessForm(BaseForm):
    """Who is general, and which services an additional user has.

    Each form makes both fields in its own place, for errors are told in the order of the fields.
    """

    is_general: Any
    services: Any

    def offer(self, services: Iterable[str]) -> None:
        """Say which services may be chosen, by code."""
        self.services.choices = [SelectChoice(code, code) for code in services]

    @property
    def granted(self) -> frozenset[str]:
        """The chosen services; none for a general user, who has all."""
        return frozenset() if self.is_general.data else frozenset(self.services.data or ())

    def needs_service(self) -> bool:
        """Whether at least one service has to be chosen."""
        return not self.is_general.data

    def validate(self, extra_validators: Any = None) -> bool:
        if self.is_general.data:
            self.services.data = []  # hidden then, and nothing that counts
        is_valid = bool(super().validate(extra_validators))
        if self.needs_service() and not self.services.data and not self.services.errors:
            self.services.errors = [str(NO_SERVICE.text)]
            return False
        return is_valid


class AddUserForm(_AccessForm, AccountForm):
    """A new user of the organisation, in the order of the manual."""

    ALSO_POSTED: ClassVar[frozenset[str]] = AccountForm.ALSO_POSTED | TABLE_PARTS | {"organisation"}

    first_name = person_fields.first_name()
    last_name = person_fields.last_name()
    gender = person_fields.gender()
    civil_id = person_fields.civil_id()
    is_general = _general_box()
    mobile = MobileField(
        _l("Mobile number"),
        [Required(), _Served()],
        description=_l("A code will be sent to the user by SMS."),
        render_kw={"autocomplete": "off"},
    )
    email = EmailAddressField(
        _l("E-mail"),
        [Required()],
        description=_l("The user signs in with it; a code will be sent to it."),
        render_kw={"autocomplete": "off"},
    )
    services = _services()
    password = person_fields.password()
    password_confirm = person_fields.password_again()
    captcha = CaptchaField(_l("Type the text of the image"), [Required()])
    accept_terms = CheckField(
        _l("I agree to the terms and conditions"),
        [Required(_l("To go on you need to agree to the terms and conditions."))],
    )


class EditUserForm(_AccessForm):
    """What a general user may change of another: never names, contact or password."""

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
    hand_over_to = ChoiceField(_l("Colleague who takes over the open requests"), choices=[])

    def place(
        self, organisations: Sequence[tuple[int, str]], colleagues: Sequence[tuple[int, str]]
    ) -> None:
        """Give the organisations and the colleagues that may be chosen, by id."""
        self.organisations.choices = [SelectChoice(str(key), name) for key, name in organisations]
        self.hand_over_to.choices = [SelectChoice(str(key), name) for key, name in colleagues]

    def needs_service(self) -> bool:
        return super().needs_service() and bool(self.is_active.data)


class OrganisationForm(BaseForm):
    """What the organisation itself keeps of its profile."""

    ALSO_POSTED: ClassVar[frozenset[str]] = frozenset({"version", "organisation", "_language"})

    address = TextField(
        _l("Address"), max_length=ADDRESS_MAX_LENGTH, render_kw={"autocomplete": "street-address"}
    )
    phone = PhoneField(_l("Telephone"), [Required()])
    email = EmailAddressField(_l("E-mail"), [Required()])


class LicensedForm(AccountForm):
    """An office whose general broker's licence stands in the customs system."""

    licence_no = RegistrationForm.licence_no
    customs_user = RegistrationForm.customs_user
    customs_password = RegistrationForm.customs_password


class NamedForm(AccountForm):
    """An organisation that gives its name, such as a company."""

    ALSO_POSTED: ClassVar[frozenset[str]] = PAGE_PARTS | {"way"}

    legal_entity = ChoiceField(_l("Legal entity"), [Required()], choices=[], blank=False)
    organisation_name = TextField(
        _l("Company name"), [Required()], max_length=ORGANISATION_MAX_LENGTH
    )

    def __init__(self, entities: Sequence[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        """entities: code and label of what may be chosen."""
        kwargs.setdefault("legal_entity", entities[0][0] if entities else None)
        super().__init__(*args, **kwargs)
        self.legal_entity.choices = [SelectChoice(code, label) for code, label in entities]
