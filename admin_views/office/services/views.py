"""The list of services and the page of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
import yaml
from flask import g, request
from flask_admin import expose
from flask_admin.model.template import TemplateLinkRowAction
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from admin_views.base import formatters
from admin_views.base.access import EveryRow, ForKeepers, LinkedRows, current_actor
from admin_views.base.columns import Column
from admin_views.base.model_view import GuardedModelView
from admin_views.base.search import Group, Hit, fits_title, group_of, url_in
from admin_views.office.services.drafts import DraftRoutes, drafted_by, new_services
from admin_views.office.services.offering import OfferingRoutes
from admin_views.office.services.packs import PackRoutes
from admin_views.office.services.texts import TextRoutes
from admin_views.office.services.versions import VersionRoutes, names_of
from admin_views.office.services.ways import WayRoutes
from admin_views.shared import request_lists
from clearance.core import teams
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.extensions import db
from clearance.core.i18n import format_day, language
from clearance.models import Service, ServiceVersion
from clearance.models.enums import SUBSCRIPTION_TERMS
from clearance.services import offering, opening, reading, registry, stops
from clearance.services import versions as service_versions
from clearance.services.document_kinds import kind_names

CHECKS = ("start", "send")
"""When guards of a service are made that its page names."""


class Told(NamedTuple):
    """What the list tells of a service besides its row.

    place: from 1. version: the newest. draft_by: who changed its draft last, "" without one.
    """

    place: int
    version: ServiceVersion
    publisher: str
    open: int
    draft_by: str

    @property
    def title(self) -> str:
        """The service's title in the page's language."""
        return request_lists.title_of(self.version.service_code)


def _told(row: Service) -> Told:
    """Return what the list tells of a service; read once for all of them."""
    if "told_services" not in g:
        ids = [version.id for version in service_versions.all_newest()]
        rows = db.session.scalars(sa.select(ServiceVersion).where(ServiceVersion.id.in_(ids)))
        newest = {row.service_code: row for row in rows}
        names, counts = names_of(newest.values()), offering.open_requests()
        drafted = drafted_by()
        g.told_services = {
            code: Told(
                place,
                newest[code],
                names[newest[code].id],
                counts.get(code, 0),
                drafted.get(code, ""),
            )
            for place, code in enumerate((each.code for each in offering.ordered()), 1)
        }
    found: Told = g.told_services[row.code]
    return found


def _words(known: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return the sentences of guards or effects; the name itself of an unknown one."""
    return " ".join(str(known[name].words if name in known else name) for name in names)


def _title(row: Service) -> Markup:
    link = formatters.link(row.code, request_lists.title_of(row.code))
    return link + formatters.under(f"{row.code} · {row.prefix}")


def _state(row: Service) -> Markup:
    today = kuwait_date(utc_now())
    badge = formatters.state_badge(offering.state_of(row, today))
    if row.is_active and row.code in service_versions.out_of_order():
        badge += " " + formatters.tone_badge(_l("Out of order"), "danger")
    told = [coming(row)]
    if draft_by := _told(row).draft_by:
        told.append(_("Draft by %(name)s", name=draft_by))
    under = " · ".join(filter(None, told))
    return badge + formatters.under(under) if under else badge


def coming(service: Service) -> str:
    """Return in words from when an active service is stopped or started again, or ""."""
    stop, today = stops.of(service), kuwait_date(utc_now())
    if stop is None or not service.is_active or stop.is_over(today):
        return ""
    told = []
    if stop.since > today:
        told.append(_("Stopped from %(day)s", day=format_day(stop.since)))
    if stop.hides_on(today):
        told.append(_("Pilot until %(day)s", day=format_day(stop.pilot_until)))
    if stop.until is not None:
        told.append(_("In use from %(day)s", day=format_day(stop.until)))
    return " · ".join(told)


def _published(row: Service) -> Markup:
    told = _told(row)
    day: Markup = formatters.date_of(told.version.published_at)
    return day + formatters.under(told.publisher)


class Services(
    DraftRoutes,
    PackRoutes,
    TextRoutes,
    WayRoutes,
    OfferingRoutes,
    VersionRoutes,
    ForKeepers,
    EveryRow,
    LinkedRows,
    GuardedModelView,
):
    """Services in the office's order; administrators change it and what is offered."""

    columns = (
        Column("title", _l("Service"), cell=_title),
        Column("state", _l("Status"), cell=_state),
        Column(
            "version",
            _l("Version"),
            cell=lambda row: formatters.isolated(_told(row).version.number),
            width="count",
        ),
        Column(
            "open",
            _l("Open requests"),
            cell=lambda row: formatters.isolated(_told(row).open),
            width="count",
        ),
        Column("published", _l("Last published"), cell=_published, width="until"),
    )
    column_default_sort = [("position", False), ("code", False)]
    list_template = "office/services/list.html"
    page_size = 500
    can_set_page_size = False
    empty_title = _l("No services yet")
    empty_text = _l("Services are loaded when the portal starts.")

    def search_hits(self, typed: str) -> Iterator[Group]:
        """Yield the services for the area's search."""
        found = [
            Hit(
                service.title_in(language()),
                url_in(self, "details_view", id=service.code),
                (service.code, service.prefix),
                keys=(service.code, service.prefix),
            )
            for service in (version.definition for version in service_versions.all_newest())
            if fits_title(typed, service.title.ar, service.title.en, service.code, service.prefix)
        ]
        return group_of(self.name, found, url_in(self, "index_view"))

    @expose("/")
    def index_view(self) -> Any:
        """List the services; the one just moved keeps the focus."""
        self._template_args.update(
            new_services=new_services(),
            told=_told,
            moved=request.args.get("moved"),
            way=request.args.get("way"),
        )
        return super().index_view()

    def get_list_row_actions(self) -> list[Any]:
        can_move = current_actor().is_administrator
        return [TemplateLinkRowAction("row_actions.move_row")] if can_move else []

    @expose("/details/")
    def details_view(self) -> Any:
        """Show a service's newest version, by section and as published."""
        service = self.get_one(request.args.get("id"))
        return self.show(service, service_versions.numbered(service.code))

    def show(self, service: Service, version: ServiceVersion) -> str:
        """Render one version of a service."""
        spec, known = service_versions.get(version.id), registry.current()
        today = kuwait_date(utc_now())
        state = offering.state_of(service, today)
        return self.render(
            "office/services/details.html",
            service=service,
            version=version,
            newest=service_versions.numbered(service.code),
            publisher=names_of([version])[version.id],
            state=state,
            coming=coming(service),
            stop=stops.of(service),
            pilots=offering.pilots(service.code) if state == offering.State.PILOT else [],
            steps=self.offered_steps(service) if current_actor().is_administrator else [],
            spec=spec,
            problems=reading.problems(spec),
            review=known.flows[spec.flow].words if spec.flow in known.flows else spec.flow,
            effects=_words(known.effects, spec.effects),
            checks={name: _words(known.guards, getattr(spec.guards, name)) for name in CHECKS},
            issues=_(", ").join(each.title.of(language()) for each in spec.issued) or None,
            opening=opening.sentence(spec, today) or None,
            terms=SUBSCRIPTION_TERMS[spec.subscription],
            kinds=kind_names(),
            teams=dict(teams.named(language())),
            source=yaml.safe_dump(version.definition, allow_unicode=True, sort_keys=False),
        )
