"""Validators with plain messages that say what to do."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms.validators import StopValidation, ValidationError

from clearance.auth import one_time_codes
from clearance.auth.passwords import normalised, password_faults
from clearance.core.clock import kuwait_today
from clearance.core.values import latin_name_fault


class Required:
    """The field must be filled in, chosen or ticked; its earlier errors take precedence."""

    field_flags = {"required": True}

    def __init__(self, message: Any = None) -> None:
        self.message = message or _l("Enter a value.")

    def __call__(self, form: Any, field: Any) -> None:
        if field.errors:
            raise StopValidation
        if isinstance(field.data, bool):
            is_given = field.data
        else:
            is_given = any(str(typed).strip() for typed in field.raw_data or ())
        if not is_given:
            raise StopValidation(self.message)


class NeededUnlessLatin:
    """The field must be filled in unless the fields `names` are in Latin letters themselves."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __call__(self, form: Any, field: Any) -> None:
        given = (form[name].data or "" for name in self.names)
        if field.data or field.errors or all(latin_name_fault(name) is None for name in given):
            return
        raise StopValidation(_l("Enter the full name in English letters too."))


class FutureDate:
    """The date is after today in Kuwait. Source: specification section 5, Values."""

    def __init__(self, message: Any = None, today: Callable[[], date] = kuwait_today) -> None:
        self.message = message or _l("This date has passed. Enter a date in the future.")
        self.today = today
        self.field_flags = {"min": self._earliest}

    def _earliest(self) -> str:
        return (self.today() + timedelta(days=1)).isoformat()

    def __call__(self, form: Any, field: Any) -> None:
        if field.data is not None and field.data <= self.today():
            raise ValidationError(self.message)


class SameAs:
    """The password equals that of another field after Unicode normalisation."""

    def __init__(self, other: str, message: Any = None) -> None:
        self.other = other
        self.message = message or _l("The two passwords do not match. Enter the same one twice.")

    def __call__(self, form: Any, field: Any) -> None:
        if normalised(field.data or "") != normalised(form[self.other].data or ""):
            raise ValidationError(self.message)


class StrongPassword:
    """The password is strong enough; reports all faults.

    inputs: names of sibling fields with words that must not make up the password, besides
    `form.known_words`; missing fields are skipped. Source: security requirements 1 and 2.
    """

    def __init__(
        self,
        inputs: Sequence[str] = (
            "first_name",
            "last_name",
            "latin_name",
            "organisation_name",
            "email",
            "mobile",
            "civil_id",
            "customs_user",
            "licence_no",
        ),
    ) -> None:
        self.inputs = inputs

    def __call__(self, form: Any, field: Any) -> None:
        if not (field.data and form.judges_passwords):
            return
        typed = [form[name].data for name in self.inputs if name in form]
        known = [word for word in (*typed, *form.known_words) if isinstance(word, str)]
        faults = password_faults(field.data, known)
        if faults:
            field.errors.extend(faults[:-1])
            raise ValidationError(faults[-1])


class Served:
    """SMS can be sent to the country of the mobile number."""

    def __call__(self, form: Any, field: Any) -> None:
        if field.data and not one_time_codes.is_served(field.data):
            raise ValidationError(_l("We cannot send SMS to mobile numbers in this country."))
