"""Services at the office: current versions and their definitions, read-only."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import yaml
from flask import request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from admin_views.base import formatters
from admin_views.base.access import EveryRow, ForKeepers, LinkedRows
from admin_views.base.columns import Column
from admin_views.base.model_view import GuardedModelView
from admin_views.office.service_drafts import DraftRoutes, new_services
from admin_views.shared import request_lists
from clearance.core import i18n, teams
from clearance.core.clock import kuwait_today
from clearance.core.extensions import db
from clearance.models import Request, ServiceVersion
from clearance.models.enums import SUBSCRIPTION_TERMS
from clearance.services import opening, reading
from clearance.services import versions as service_versions
from clearance.services.document_kinds import kind_names


def _title(service: Any) -> Markup:
    link = formatters.link(service.code, request_lists.title_of(service.code))
    if not service.is_active:
        return link + " " + formatters.tone_badge(_l("Not in use"), "neutral")
    if service.code not in service_versions.out_of_order():
        return link
    return link + " " + formatters.tone_badge(_l("Out of order"), "danger")


def _version(row: Any) -> Any:
    newest = sa.select(sa.func.max(ServiceVersion.number)).where(
        ServiceVersion.service_code == row.code
    )
    return formatters.isolated(db.session.scalar(newest))


class Services(DraftRoutes, ForKeepers, EveryRow, LinkedRows, GuardedModelView):
    """Service definitions, readable by administrators and managers."""

    columns = (
        Column("title", _l("Service"), cell=_title),
        Column("code", _l("Code"), order=True),
        Column("prefix", _l("Number prefix"), order=True),
        Column("version", _l("Version"), cell=_version),
        Column("is_active", _l("In use"), formatters.yes_or_no),
    )
    column_default_sort = "position"
    list_template = "office/services/list.html"
    empty_title = _l("No services yet")
    empty_text = _l("Services are loaded when the portal starts.")

    def render(self, template: str, **kwargs: Any) -> str:
        if template == self.list_template:
            kwargs["new_services"] = new_services()
        return super().render(template, **kwargs)

    @expose("/details/")
    def details_view(self) -> Any:
        """Show a service's newest version, by section and as published."""
        service = self.get_one(request.args.get("id"))
        versions = db.session.scalars(
            sa.select(ServiceVersion)
            .where(ServiceVersion.service_code == service.code)
            .order_by(ServiceVersion.number.desc())
        ).all()
        spec = service_versions.get(versions[0].id)
        using = sa.select(Request.service_version_id, sa.func.count()).where(
            Request.service_code == service.code
        )
        counted = db.session.execute(using.group_by(Request.service_version_id))
        return self.render(
            "office/services/details.html",
            service=service,
            spec=spec,
            problems=reading.problems(spec),
            issues=_(", ").join(each.title.of(i18n.language()) for each in spec.issued) or None,
            opening=opening.sentence(spec, kuwait_today()) or None,
            terms=SUBSCRIPTION_TERMS[spec.subscription],
            versions=versions,
            used={version_id: count for version_id, count in counted},
            kinds=kind_names(),
            teams=dict(teams.named(i18n.language())),
            source=yaml.safe_dump(versions[0].definition, allow_unicode=True, sort_keys=False),
        )
