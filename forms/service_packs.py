"""Forms of importing a service from a pack, and translated texts from a sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import HiddenField

from clearance.services.packs import MOST_BYTES, Missing
from forms.base import BaseForm
from forms.fields import CheckField, ChoiceField
from forms.new_service import PrefixField
from forms.reference_data import CodeNameField
from forms.validators import Required

DRAFT, NEW = "draft", "new"
MAKE = "+"
"""Chosen for missing reference data that is to be made."""
_LABELS = {
    "documents": _l("Document type “%(name)s”"),
    "lists": _l("List of choices “%(name)s”"),
    "teams": _l("Team “%(name)s”"),
}


class PackFileForm(BaseForm):
    """Upload of a pack."""

    pack = FileField(
        _l("Service file"),
        [Required()],
        description=_l("A YAML file of up to %(most)d KB", most=MOST_BYTES // 1024),
        render_kw={"accept": ".yaml,.yml"},
    )


class TextsFileForm(BaseForm):
    """Upload of a sheet that a translator filled in."""

    texts = FileField(
        _l("Translated workbook"),
        [Required()],
        description=_l("Excel workbook (.xlsx) or CSV file of up to 2 MB"),
        render_kw={"accept": ".xlsx,.xls,.ods,.csv,.txt,text/csv"},
    )


class PackForm(BaseForm):
    """What becomes of a pack. text: of the file. version: of the draft that the page showed."""

    text = HiddenField()
    version = HiddenField()
    into = ChoiceField(_l("Import as"), blank=None)
    replace = CheckField(_l("Replace the existing draft"), description=_l("Undo brings it back."))
    code = CodeNameField(
        _l("Code of the new service"), max_length=40, description=_l("It cannot be changed later.")
    )
    prefix = PrefixField(
        _l("Number prefix of the new service"),
        max_length=6,
        description=_l("Request numbers begin with it. It cannot be changed later."),
    )

    is_known = has_draft = False
    missing: Sequence[Missing] = ()

    @property
    def is_new(self) -> bool:
        """Whether it becomes a service of its own."""
        return not self.is_known or self.into.data == NEW

    @property
    def questions(self) -> list[Any]:
        """The fields about missing reference data."""
        return [self[_name(each)] for each in self.missing]

    def answers(self) -> dict[Missing, str]:
        """Return what was chosen for missing reference data: MAKE, or a code of the office's."""
        given = {each: self[_name(each)].data for each in self.missing}
        return {each: answer for each, answer in given.items() if answer}

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate the fields, and what a new service or a replaced draft needs."""
        is_good = bool(super().validate(extra_validators))
        asked = [self.code, self.prefix] if self.is_new else []
        if not self.is_new and self.has_draft and not self.replace.data:
            asked = [self.replace]
        for field in asked:
            if not field.data and not field.errors:
                field.errors = [_l("This is needed.")]
        return is_good and not any(field.errors for field in asked)


def pack_form(
    missing: Sequence[Missing],
    ours: Mapping[str, Sequence[tuple[str, str]]],
    lang: str,
    *,
    is_known: bool,
    has_draft: bool,
) -> PackForm:
    """Return the form of a pack. ours: part of `Needs` → code and name of what the office offers.

    is_known: whether there is a service with the pack's code; has_draft: whether it has a draft
    that says something else.
    """
    fields = {
        _name(each): ChoiceField(
            _label(each, lang),
            blank=_l("Leave it for the check-up"),
            choices=[*([(MAKE, _l("Add it"))] if each.names else []), *ours[each.sort]],
        )
        for each in missing
    }
    form: PackForm = type("PackForm", (PackForm,), fields)()
    form.is_known, form.has_draft, form.missing = is_known, has_draft, missing
    form.into.choices = [(DRAFT, _l("A draft of this service")), (NEW, _l("A new service"))]
    return form


def _name(missing: Missing) -> str:
    return f"{missing.sort}_{missing.code}"


def _label(missing: Missing, lang: str) -> Any:
    name = getattr(missing.names, lang, missing.code)
    return str(_LABELS[missing.sort]) % {"name": name}
