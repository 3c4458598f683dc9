"""Adding an organisation (إضافة شركة أخرى) by its customs licence or its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import ForAgents, current_actor
from admin_views.base.form_post import post_once
from admin_views.base.model_view import GuardedView
from clearance.auth import sessions
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, Refusal, Refused, ServiceUnavailable
from clearance.core.request_kind import is_posted, is_sent
from clearance.customs import client as customs_client
from clearance.models import Organisation
from clearance.organisations import further_organisations, opening
from clearance.public import form_helpers
from forms.organisation_users import LicensedForm, NamedForm


class MyFurtherOrganisations(ForAgents, GuardedView):
    """Open to every agent, with or without an organisation."""

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        """Show both forms for adding an organisation; `way` names the submitted one."""
        if not is_posted():
            return self._show()
        if request.form.get("way") == "named":
            return self._named(NamedForm(_named_entities()))
        return self._licensed(LicensedForm())

    def _licensed(self, form: LicensedForm) -> Any:
        def open_it() -> Organisation:
            answer = customs_client.verify(
                form.licence_no.data, form.customs_user.data, form.customs_password.data or ""
            )
            return further_organisations.open_of_licence(current_actor(), answer, utc_now())

        return self._open(form, open_it, licensed=form)

    def _named(self, form: NamedForm) -> Any:
        def open_it() -> Organisation:
            entity, name = form.legal_entity.data or "", form.organisation_name.data or ""
            return further_organisations.open_named(current_actor(), entity, name, utc_now())

        return self._open(form, open_it, named=form)

    def _open(self, form: Any, open_it: Callable[[], Organisation], **shown: Any) -> Any:
        """Open the organisation once per rendered form and switch to it."""
        form_helpers.note_leftovers(form)
        if not (is_sent() and form.validate()):
            return self._show(**shown)

        def refused(fault: DomainError) -> Any:
            if isinstance(fault, Refused):
                return self._show(refusal=fault.refusal, **shown), fault.status_code
            status = 200 if isinstance(fault, customs_client.Rejected) else fault.status_code
            return self._show(fault=str(fault), **shown), status

        return post_once(
            lambda: sessions.work_for(current_actor(), open_it().id),
            result=url_for("my_organisation.index"),
            told=_("The organisation is open and you are now working for it."),
            refused=refused,
            of=(Refused, customs_client.Rejected, ServiceUnavailable),
            acts_first=True,
        )

    def _show(
        self,
        licensed: LicensedForm | None = None,
        named: NamedForm | None = None,
        *,
        refusal: Refusal | None = None,
        fault: str | None = None,
    ) -> str:
        return self.render(
            "my/organisations/further.html",
            licensed=licensed or LicensedForm(formdata=None),
            named=named or NamedForm(_named_entities(), formdata=None),
            sent=licensed or named,
            refusal=refusal,
            fault=fault,
        )


def _named_entities() -> list[tuple[str, str]]:
    return [
        (row.code, i18n.in_language(row, "name"))
        for row in opening.legal_entities()
        if row.needs_organisation_name
    ]
