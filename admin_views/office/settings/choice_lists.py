"""Lists of choices that fields of several services offer."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin_views.base.columns import Column
from admin_views.office.settings.reference_data import ReferenceView, names
from clearance.models import ChoiceList
from clearance.services import choice_lists
from forms import reference_data


def _offered(row: ChoiceList) -> str:
    return str(sum(not item.get("retired") for item in row.items))


class ChoiceLists(ReferenceView):
    """Lists of choices; versions name them and requests hold their items, so none is deleted."""

    audit_kind = "choice_list"
    form = reference_data.ChoiceListForm
    form_columns = ("code", "name_ar", "name_en", "items")
    columns = (
        *names(are_sortable=True),
        Column("code", _l("Code"), order=True, width="code"),
        Column("items", _l("Choices offered"), value=_offered),
    )
    column_default_sort = "name_ar"
    empty_title = _l("No lists yet")
    empty_text = _l("A field of a service can offer a list that is kept here for all of them.")

    def on_model_change(self, form: Any, model: ChoiceList, is_created: bool) -> None:
        """Keep the choices that were left out, no longer offered."""
        before = sa.inspect(model).attrs["items"].history.deleted
        given = len(model.items)
        model.items = choice_lists.changed(before[0] if before else (), model.items)
        if len(model.items) > given:
            flash(_("Choices that were left out are kept, and no longer offered."), "info")
