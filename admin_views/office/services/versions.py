"""Versions of a service: reading one, downloading it, comparing two."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor, id_or_404, require
from admin_views.base.form_post import post_once, posted_version
from admin_views.shared import request_lists
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.models import Request, Service, ServiceVersion, User
from clearance.services import comparison, drafting, packs, reading
from clearance.services import versions as service_versions


class VersionRoutes:
    """Mixin of the list of services."""

    get_one: Callable[[Any], Service]
    get_url: Callable[..., str]
    render: Callable[..., str]
    show: Callable[[Service, ServiceVersion], str]

    @expose("/<code>/versions/")
    def versions(self, code: str) -> str:
        """List a service's versions, newest first."""
        service = self.get_one(code)
        rows = service_versions.of_service(service.code)
        return self.render(
            "office/services/versions.html",
            service=service,
            title=request_lists.title_of(service.code),
            rows=rows,
            names=names_of(rows),
            used=_requests_of(service.code),
            draft_version=drafting.version_of(service.code),
        )

    @expose("/<code>/versions/<int:number>/")
    def version(self, code: str, number: int) -> str:
        """Show one version."""
        service = self.get_one(code)
        return self.show(service, service_versions.numbered(service.code, number))

    @expose("/<code>/versions/<int:number>/draft", methods=("POST",))
    def draft_of_version(self, code: str, number: int) -> Any:
        """Make the service's draft say what one of its versions says; undo takes it back."""
        require(current_actor().is_administrator)
        service = self.get_one(code)
        document = reading.lift(service_versions.numbered(service.code, number).definition)
        here = self.get_url(".versions", code=service.code)

        def refused(fault: DomainError) -> Any:
            flash(str(fault.message), "error")
            return redirect(here, code=303)

        return post_once(
            lambda: packs.put_in_draft(
                document, posted_version(), current_actor(), utc_now(), verb="changed"
            ),
            result=self.get_url(".draft_part", code=service.code, part="basics"),
            told=lambda is_changed: (
                _("The draft says what version %(number)s says. Undo takes it back.", number=number)
                if is_changed
                else _("The service already says all of this. Nothing was changed.")
            ),
            refused=refused,
        )

    @expose("/<code>/versions/compare")
    def choose_versions(self, code: str) -> Any:
        """Lead to the comparison of the two chosen versions."""
        service = self.get_one(code)
        number, other = (id_or_404(request.args.get(name)) for name in ("old", "new"))
        return redirect(self.get_url(".compare", code=service.code, number=number, other=other))

    @expose("/<code>/versions/<int:number>/compare/<int:other>/")
    def compare(self, code: str, number: int, other: int) -> str:
        """Show what differs from one version to another."""
        service = self.get_one(code)
        old, new = (service_versions.numbered(service.code, each) for each in (number, other))
        before, after = (service_versions.as_published(each) for each in (old, new))
        return self.render(
            "office/services/compare.html",
            service=service,
            title=request_lists.title_of(service.code),
            old=old,
            new=new,
            changes=comparison.differences(before, after),
            numbers=[row.number for row in service_versions.of_service(service.code)],
        )


def names_of(rows: Iterable[ServiceVersion]) -> dict[int, str]:
    """Return id of version → who published it, in the page's language."""
    by_row = {row.id: row.published_by_id for row in rows}
    users = db.session.scalars(sa.select(User).where(User.id.in_({*by_row.values()} - {None})))
    names = {user.id: user.name_in(i18n.language()) for user in users}
    return {key: names.get(user_id or 0, _("The portal")) for key, user_id in by_row.items()}


def _requests_of(code: str) -> dict[int, int]:
    """Return id of version → how many requests of the service use it."""
    counted = sa.select(Request.service_version_id, sa.func.count()).where(
        Request.service_code == code
    )
    rows = db.session.execute(counted.group_by(Request.service_version_id))
    return {version_id: count for version_id, count in rows}
