"""Forms of opening a further organisation: under a licence that customs knows, or by its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms.fields.choices import SelectChoice

from forms.fields import ChoiceField, TextField
from forms.public_account import ORGANISATION_MAX_LENGTH, PAGE_PARTS, AccountForm, RegistrationForm
from forms.validators import Required


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
