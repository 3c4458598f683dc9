"""Reference data: edited by administrators, read by managers, every change audited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import sqlalchemy as sa
from flask import flash, has_request_context
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import InvalidRequestError

from admin_views.base import formatters
from admin_views.base.access import EveryRow, ForKeepers, current_actor, not_found
from admin_views.base.columns import Column
from admin_views.base.form_post import fingerprint
from admin_views.base.model_view import GuardedModelView
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted
from clearance.models.enums import ReasonFor
from clearance.services import versions
from forms import reference_data
from forms.service_parts import ChoiceLinesField

_KNOWN = _l("There is already a row with this code.")


class ForAdministrators:
    """Descriptor for flags such as `can_edit`: True for administrators only."""

    def __get__(self, instance: Any, owner: type[Any]) -> bool:
        return not has_request_context() or current_actor().is_administrator


for_administrators = cast(bool, ForAdministrators())


def names(*, are_sortable: bool = False) -> tuple[Column, Column]:
    """Return the columns of the names in both languages."""
    order = True if are_sortable else None
    return (
        Column("name_ar", _l("Name in Arabic"), formatters.isolated, order=order),
        Column("name_en", _l("Name in English"), formatters.isolated, order=order),
    )


PLACE = Column("position", _l("Position in lists"), order=True, width="short")
_IN_USE = Column("is_active", _l("In use"), formatters.yes_or_no, width="count")


class ReferenceView(ForKeepers, EveryRow, GuardedModelView):
    """A small table; overwriting another user's change is refused, showing both values."""

    can_create = can_edit = for_administrators
    known_constraints: ClassVar[dict[str, Any]] = {".code": _KNOWN, "pk_": _KNOWN}

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        if "code" in form:
            del form.code  # other rows refer to it
        if not is_posted():
            form.seen.data = fingerprint(self.stored(obj))
        return form

    def stored(self, model: Any) -> dict[str, Any]:
        """Return what another user may have changed since the page was shown, by field."""
        columns = sa.inspect(type(model)).column_attrs
        return {column.key: getattr(model, column.key) for column in columns}

    def update_model(self, form: Any, model: Any) -> bool:
        _hold(model)
        if form.seen.data != fingerprint(self.stored(model)):
            self._show_both(form, model)
            return False
        return bool(super().update_model(form, model))

    def delete_model(self, model: Any) -> bool:
        _hold(model)
        return bool(super().delete_model(model))

    def _show_both(self, form: Any, model: Any) -> None:
        """Show the values saved meanwhile beside the typed ones; saving again overwrites them."""
        flash(
            _(
                "Someone else, or you in another tab, saved this row in the meantime. "
                "Compare and save again."
            ),
            "error",
        )
        stored = self.stored(model)
        for field in form:
            if field.name in stored and stored[field.name] != field.data:
                value = _written(stored[field.name], field)
                field.errors = [_("Now saved: %(value)s", value=value)]
        form.seen.data = fingerprint(stored)
        db.session.rollback()


class CodedView(ReferenceView):
    """Rows with a code, names and a position."""

    form = reference_data.CodedForm
    form_columns: Sequence[str] = ("code", "name_ar", "name_en", "position", "is_active")
    columns: Sequence[Column] = (
        *names(are_sortable=True),
        Column("code", _l("Code"), order=True, width="code"),
        PLACE,
        _IN_USE,
    )
    column_default_sort = "position"


class BrokerTypes(CodedView):
    """Broker types (نوع المخلص)."""

    audit_kind = "broker_type"


class Nationalities(CodedView):
    """Nationalities (الجنسية); people keep one that is no longer offered."""

    audit_kind = "nationality"
    form = reference_data.NationalityForm
    search_hint = _l("Name or code")
    column_searchable_list: Sequence[str] = ("code", "name_ar", "name_en")


class DocumentKinds(CodedView):
    """Document kinds (نوع الوثيقة); one that a service asks for stays in use."""

    audit_kind = "document_kind"

    def update_model(self, form: Any, model: Any) -> bool:
        asking = [] if form.is_active.data else versions.asking_for(model.code)
        if asking:
            titles = ", ".join(service.title_in(i18n.language()) for service in asking)
            form.is_active.errors = [
                _("Services that ask for this type: %(titles)s", titles=titles)
            ]
            return False
        return super().update_model(form, model)


class LegalEntities(CodedView):
    """Legal forms of organisations (الكيان القانوني)."""

    audit_kind = "legal_entity"
    form = reference_data.LegalEntityForm
    form_columns = (
        *CodedView.form_columns,
        "may_hold_licences",
        "has_customs_account",
        "needs_organisation_name",
    )
    columns = (
        *CodedView.columns,
        Column("may_hold_licences", _l("Can hold licences"), formatters.yes_or_no),
        Column("has_customs_account", _l("Customs account"), formatters.yes_or_no),
    )


class Reasons(ReferenceView):
    """Canned reasons for steps that need a reason."""

    audit_kind = "reason"
    form = reference_data.ReasonForm
    form_columns = ("action", "text_ar", "text_en", "position", "is_active")
    columns = (
        Column("action", _l("For"), ReasonFor.label_of, order=True),
        Column("text_ar", _l("Text in Arabic"), formatters.isolated),
        Column("text_en", _l("Text in English"), formatters.isolated),
        PLACE,
        _IN_USE,
    )
    column_default_sort: Any = [("action", True), ("position", False)]
    empty_title = _l("No standard reasons yet")
    empty_text = _l("Standard reasons reviewers can choose from.")


class Holidays(ReferenceView):
    """The office's holidays; due dates skip them."""

    can_delete = for_administrators
    audit_kind = "holiday"
    form = reference_data.HolidayForm
    form_columns = ("day", "name_ar", "name_en")
    columns = (Column("day", _l("Day"), formatters.day, order=True), *names())
    column_default_sort = ("day", True)
    known_constraints: ClassVar[dict[str, Any]] = {
        fragment: _l("This day is already a holiday.") for fragment in (".day", "pk_")
    }
    empty_title = _l("No holidays yet")
    empty_text = _l(
        "Due dates count working days, Sunday to Thursday, and skip the days listed here."
    )


def _is_shown(row: Any) -> Any:
    now = utc_now()
    if row.published_at > now:
        return formatters.tone_badge(_("Not published yet"), "info")
    if row.ends_at is not None and row.ends_at <= now:
        return formatters.tone_badge(_("Ended"), "neutral")
    return formatters.tone_badge(_("Published"), "success")


class Announcements(ReferenceView):
    """Announcements to organisations' users, shown on their home page."""

    can_delete = for_administrators
    audit_kind = "announcement"
    form = reference_data.AnnouncementForm
    form_columns = ("title_ar", "title_en", "body_ar", "body_en", "published_at", "ends_at")
    columns = (
        Column("title_ar", _l("Title in Arabic"), formatters.isolated),
        Column("title_en", _l("Title in English"), formatters.isolated),
        Column(
            "published_at", _l("Shown from"), formatters.format_instant, order=True, width="moment"
        ),
        Column("ends_at", _l("Shown until"), formatters.format_instant, width="moment"),
        Column("shown", _l("Status"), cell=_is_shown, width="state"),
    )
    column_default_sort = ("published_at", True)
    empty_title = _l("No announcements yet")
    empty_text = _l("What you write here appears on the home page of all organisations' users.")


def _hold(model: Any) -> None:
    """Lock and refresh the row; 404 if another user deleted it meanwhile."""
    try:
        db.session.refresh(model, with_for_update=True)
    except InvalidRequestError:
        not_found()


def _written(value: Any, field: Any) -> str:
    if isinstance(field, ChoiceLinesField):
        return field.written(value)
    if isinstance(value, list):
        labels = dict(field.choices)
        return _(", ").join(str(labels.get(each, each)) for each in value) or "—"
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if hasattr(value, "astimezone"):
        return i18n.format_instant(value)
    return i18n.format_day(value) if hasattr(value, "isoformat") else str(value or "—")
