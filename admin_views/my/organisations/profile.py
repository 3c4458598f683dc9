"""Organisation profile: readable by members, contacts editable by general users."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor, not_found
from admin_views.base.form_post import post_once, posted_organisation, posted_version
from admin_views.base.model_view import GuardedView
from clearance.auth import permissions
from clearance.core import i18n
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import StaleEdit
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted, is_sent
from clearance.models import LegalEntity, Organisation
from clearance.organisations import profile
from clearance.organisations.profile import Profile
from clearance.public import form_helpers
from forms.organisation_users import OrganisationForm


class MyOrganisation(GuardedView):
    """The organisation chosen in the header."""

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_agent and actor.standing is not None

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        """Show the profile; general users can change address, telephone and e-mail."""
        if not is_posted():
            organisation = db.session.get_one(Organisation, _chosen_id())
            return self._show(organisation, OrganisationForm(obj=organisation))
        organisation = db.session.get_one(Organisation, posted_organisation())
        form, version = OrganisationForm(obj=organisation), posted_version()
        form_helpers.note_leftovers(form)
        if not (is_sent() and form.validate()):
            return self._show(organisation, form, version=version)
        return self._save(organisation, form, version)

    def _save(self, organisation: Organisation, form: OrganisationForm, version: int) -> Any:
        given = Profile(form.address.data or "", form.phone.data or "", form.email.data or "")
        key, show = organisation.id, partial(self._show, organisation, form)
        return post_once(
            lambda: profile.change(key, given, current_actor(), utc_now(), version=version),
            result=url_for("my_organisation.index"),
            told=_("The profile was saved."),
            refused=lambda stale: (show(version=stale.version, stale=stale), 409),
            of=StaleEdit,
        )

    def _show(
        self,
        organisation: Organisation,
        form: OrganisationForm,
        *,
        version: int | None = None,
        stale: StaleEdit | None = None,
    ) -> str:
        entity = db.session.get_one(LegalEntity, organisation.legal_entity)
        changed = stale.changed if stale is not None else {}
        return self.render(
            "my/organisations/profile.html",
            organisation=organisation,
            legal_entity=i18n.in_language(entity, "name"),
            form=form,
            version=organisation.version if version is None else version,
            can_change=permissions.can_manage(current_actor(), organisation.id),
            is_stale=stale is not None,
            differences=[
                (str(form[name].label.text), current, typed)
                for name, (current, typed) in changed.items()
            ],
        )


def _chosen_id() -> int:
    standing = current_actor().standing
    return standing.organisation_id if standing is not None else not_found()
