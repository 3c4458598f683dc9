"""Forms of the office's reference data, announcements, staff invitations and roles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField
from wtforms.fields.choices import SelectChoice

from clearance.core.values import BadValue
from clearance.models.enums import STAFF_ROLES, ReasonFor, Role
from forms.base import BaseForm
from forms.fields import (
    CheckField,
    ChoiceField,
    ChoicesField,
    DayField,
    EmailAddressField,
    KuwaitTimeField,
    TextAreaField,
    TextField,
)
from forms.request_form import WholeNumberField
from forms.service_parts import CHOICE_LINES, ChoiceLinesField
from forms.validators import Required

NAME_LENGTH, LINE_LENGTH, REASON_LENGTH, BODY_LENGTH = 150, 250, 900, 5000
ROLES = [(str(role), role.label) for role in Role if role in STAFF_ROLES]


class ApartFromRow:
    """Mixin of a field whose value the view keeps itself."""

    def populate_obj(self, obj: Any, name: str) -> None:
        """Do not write to the row."""


class SeenField(ApartFromRow, HiddenField):
    """The fingerprint of the row as shown."""


class MembersField(ApartFromRow, ChoicesField):
    """The members of a team, by their ids."""


class ConfirmField(ApartFromRow, CheckField):
    """A box that confirms what was warned of."""


class CodeNameField(TextField):
    """The code of a row: lower-case Latin letters, digits and underscores, 2 to 40 characters."""

    attributes: ClassVar[dict[str, object]] = {"dir": "ltr"}

    def normalise(self, typed: str) -> str:
        code = str(super().normalise(typed))
        if not re.fullmatch(r"[a-z][a-z0-9_]{1,39}", code):
            raise BadValue(
                _l("Use lower case Latin letters, digits and _, starting with a letter.")
            )
        return code


class RowForm(BaseForm):
    """Base class of the forms of rows; carries the fingerprint of the row as shown."""

    seen = SeenField()


def _place() -> Any:
    return WholeNumberField(
        _l("Position in lists"), [Required()], minimum=0, maximum=9999, default=0
    )


class CodedForm(RowForm):
    """A row with a code, and names in both languages."""

    code = CodeNameField(
        _l("Code"), [Required()], max_length=40, description=_l("It cannot be changed later.")
    )
    name_ar = TextField(_l("Name in Arabic"), [Required()], max_length=NAME_LENGTH)
    name_en = TextField(_l("Name in English"), [Required()], max_length=NAME_LENGTH)
    position = _place()
    is_active = CheckField(_l("In use"), default=True)


class TeamForm(RowForm):
    """A team of reviewers; `confirmed` is asked where it would lose its last member."""

    code = CodeNameField(
        _l("Code"), [Required()], max_length=40, description=_l("It cannot be changed later.")
    )
    name_ar = TextField(_l("Name in Arabic"), [Required()], max_length=NAME_LENGTH)
    name_en = TextField(_l("Name in English"), [Required()], max_length=NAME_LENGTH)
    position = _place()
    members = MembersField(
        _l("Members"),
        coerce=int,
        choices=(),
        description=_l("Only members take and decide requests in the team's stages."),
    )
    confirmed = ConfirmField(_l("Leave the team without members"))


class ChoiceListForm(RowForm):
    """A list of choices that services name."""

    code = CodeNameField(
        _l("Code"), [Required()], max_length=40, description=_l("It cannot be changed later.")
    )
    name_ar = TextField(_l("Name in Arabic"), [Required()], max_length=NAME_LENGTH)
    name_en = TextField(_l("Name in English"), [Required()], max_length=NAME_LENGTH)
    items = ChoiceLinesField(
        _l("Choices"), [Required()], max_length=60000, description=CHOICE_LINES, is_complete=True
    )


class NationalityCodeField(TextField):
    """The code of a nationality: two Latin capitals, as ISO 3166 has them."""

    attributes: ClassVar[dict[str, object]] = {"dir": "ltr"}

    def normalise(self, typed: str) -> str:
        code = str(super().normalise(typed)).upper()
        if not re.fullmatch(r"[A-Z]{2}", code):
            raise BadValue(_l("Enter the code as two Latin letters."))
        return code


class NationalityForm(CodedForm):
    """A nationality; those in equal positions are listed by name."""

    code = NationalityCodeField(
        _l("Code"), [Required()], max_length=2, description=_l("It cannot be changed later.")
    )
    position = WholeNumberField(
        _l("Position in lists"),
        [Required()],
        minimum=0,
        maximum=9999,
        default=100,
        description=_l("Those with the same position are listed by name."),
    )


class LegalEntityForm(CodedForm):
    """A legal entity and its permissions."""

    may_hold_licences = CheckField(_l("Can hold licences and take the exam"))
    has_customs_account = CheckField(_l("Can register with a customs system account"))
    needs_organisation_name = CheckField(_l("Enters the organisation's name when registering"))


class ReasonForm(RowForm):
    """A ready reason in both languages."""

    action = ChoiceField(_l("For"), [Required()], choices=ReasonFor.choices())
    text_ar = TextAreaField(_l("Text in Arabic"), [Required()], max_length=REASON_LENGTH)
    text_en = TextAreaField(_l("Text in English"), [Required()], max_length=REASON_LENGTH)
    position = _place()
    is_active = CheckField(_l("In use"), default=True)


class HolidayForm(RowForm):
    """A day on which the office is closed."""

    day = DayField(_l("Day"), [Required()], description=_l("Existing due dates do not change."))
    name_ar = TextField(_l("Name in Arabic"), [Required()], max_length=NAME_LENGTH)
    name_en = TextField(_l("Name in English"), [Required()], max_length=NAME_LENGTH)


class AnnouncementForm(RowForm):
    """An announcement of the office to the users of organisations."""

    title_ar = TextField(_l("Title in Arabic"), [Required()], max_length=LINE_LENGTH)
    title_en = TextField(_l("Title in English"), [Required()], max_length=LINE_LENGTH)
    body_ar = TextAreaField(
        _l("Text in Arabic"),
        [Required()],
        max_length=BODY_LENGTH,
        description=_l("Users of organisations see it on their home page."),
    )
    body_en = TextAreaField(_l("Text in English"), [Required()], max_length=BODY_LENGTH)
    published_at = KuwaitTimeField(
        _l("Shown from"), [Required()], description=_l("Day and time in Kuwait")
    )
    ends_at = KuwaitTimeField(_l("Shown until"), description=_l("Leave empty for no end date"))

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate the fields, and that the end is after the start."""
        is_good = bool(super().validate(extra_validators))
        begin, end = self.published_at.data, self.ends_at.data
        if is_good and end is not None and end <= begin:
            self.ends_at.errors = [_l("The end must be after the start.")]
            return False
        return is_good


class InvitationForm(BaseForm):
    """E-mail address, role and teams of a person invited to the office's staff.

    teams: (code, name) where there are several; a reviewer is asked for theirs.
    """

    email = EmailAddressField(_l("E-mail address"), [Required()])
    role = ChoiceField(_l("Role"), [Required()], choices=ROLES)
    teams = ChoicesField(_l("Teams"), description=_l("For reviewers"))

    def __init__(self, teams: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.teams.choices = list(teams)

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate the fields, and that a reviewer is in a team where there are several."""
        is_good = bool(super().validate(extra_validators))
        if self.role.data == Role.REVIEWER and self.teams.choices and not self.teams.data:
            self.teams.errors = [_l("Choose at least one team.")]
            return False
        return is_good


class RoleForm(BaseForm):
    """A staff member's new role; the current one, `present`, cannot be chosen.

    confirmed: asked where a team would lose its last member.
    """

    role = ChoiceField(_l("New role"), [Required()], choices=[])
    confirmed = CheckField(_l("Leave the team without members"))

    def __init__(self, present: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.role.choices = [SelectChoice(key, label) for key, label in ROLES if key != present]
