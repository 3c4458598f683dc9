"""The form of a list's view."""

from __future__ import annotations

from typing import ClassVar

from flask_babel import lazy_gettext as _l

from clearance.lists import NAME_MAX_LENGTH
from forms.base import BaseForm
from forms.fields import CheckField, TextField
from forms.validators import Required


class ViewForm(BaseForm):
    """Name of a view, and whether all who may open its list see it."""

    ALSO_POSTED: ClassVar[frozenset[str]] = frozenset({"query", "version"})

    name = TextField(_l("Name of the view"), [Required()], max_length=NAME_MAX_LENGTH)
    is_shared = CheckField(_l("Offer this view to everyone who uses this list"))
