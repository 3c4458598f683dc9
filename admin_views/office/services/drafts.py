"""Pages on which an administrator makes and changes services; managers read them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Response, current_app, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from admin_views.base.access import current_actor, not_found, require
from admin_views.base.form_post import post_once, posted_version
from admin_views.office.services import draft_lists, draft_parts, draft_preview, draft_sources
from admin_views.office.services.draft_items import DraftItemRoutes
from admin_views.office.services.publishing import PublishRoutes
from admin_views.office.services.updating import UpdateRoutes
from admin_views.shared import request_lists
from clearance.core import i18n
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.extensions import db
from clearance.core.request_kind import is_sent
from clearance.core.settings import Settings
from clearance.issuing import sample_picture
from clearance.models import Service, ServiceDraft
from clearance.requests import statements
from clearance.services import drafting
from clearance.services.drafting import Source
from clearance.services.findings import Finding
from clearance.web.downloads import as_picture
from forms.new_service import NewServiceForm
from forms.service_parts import part_form

WIDTHS = ("390", "full")


class DraftRoutes(PublishRoutes, UpdateRoutes, DraftItemRoutes):
    """Routes of drafts under the list of services."""

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        """Begin a service, empty or as a copy of another."""
        require(current_actor().is_administrator)
        form = NewServiceForm()
        form.copy_of.choices = [
            (service.code, request_lists.title_of(service.code))
            for service in db.session.scalars(sa.select(Service).order_by(Service.position))
        ]
        if not is_sent() or not form.validate():
            return self.render("office/services/draft/new.html", form=form), (
                400 if is_sent() else 200
            )
        code = form.code.data
        return post_once(
            lambda: drafting.create(
                code,
                form.prefix.data,
                {"ar": form.title_ar.data, "en": form.title_en.data},
                form.copy_of.data,
                current_actor(),
                utc_now(),
            ),
            result=self._url("draft_part", code, part="basics"),
            told=_("The service was begun. Nobody sees it until it is published."),
            refused=lambda fault: (
                self.render("office/services/draft/new.html", form=form, refusal=fault.message),
                409,
            ),
        )

    @expose("/<code>/draft/")
    def draft(self, code: str) -> Any:
        """Show the first part."""
        return self.draft_part(code, "basics")

    @expose("/<code>/draft/<part>/", methods=("GET", "POST"))
    def draft_part(self, code: str, part: str) -> Any:
        """Show a part of the draft; on POST change its own properties."""
        found, page = drafting.source(code), draft_parts.part(part) or not_found()
        properties = draft_parts.properties_of_part(page, found.document, is_new=found.base is None)
        sources = draft_sources.sources(found, properties, (), {})
        form = part_form(properties, found.document, sources)

        def show(status: int = 200, refusal: Any = "", differences: Any = ()) -> Any:
            html = self._show(
                found,
                "office/services/draft/part.html",
                part=page,
                form=form if properties else None,
                lists=[self._list(found, page, each, each.key) for each in page.lists],
                differences=differences,
                refusal=refusal,
            )
            return html, status

        here = self._url("draft_part", code, part=part)
        return self._save(found, form, lambda document: document, here, show)

    @expose("/<code>/draft/checkup/")
    def draft_checkup(self, code: str) -> Any:
        """Show what is wrong in the draft, each finding with a link to where it is mended."""
        return self._show(drafting.source(code), "office/services/draft/checkup.html")

    @expose("/<code>/draft/preview/")
    def draft_preview(self, code: str) -> Any:
        """Show the form as an applicant will see it, in either language and width."""
        found = drafting.source(code)
        preview = draft_preview.chosen(found)
        shown = {"preview": preview, "samples": found.readable.issued}
        return self._show(found, "office/services/draft/preview.html", **shown)

    @expose("/<code>/draft/preview/form")
    def draft_preview_form(self, code: str) -> Any:
        """Return the form alone, for the script that shows each saved change."""
        lang = request.args.get("lang", i18n.language())
        require(lang in i18n.LANGUAGES)
        return draft_preview.form(drafting.source(code), lang)

    @expose("/<code>/draft/sample/<statement>")
    def draft_sample(self, code: str, statement: str) -> Response:
        """Draw a document that the draft issues: all filled in, or what must be (`?least=1`)."""
        definition, now = drafting.source(code).readable, utc_now()
        found = next((each for each in definition.issued if each.name == statement), None)
        composed = statements.sample(
            definition,
            found or not_found(),
            kuwait_date(now),
            is_filled="least" not in request.args,
        )
        settings: Settings = current_app.extensions["settings"]
        picture = sample_picture(composed, settings.base_url, now)
        return as_picture(Response(picture, mimetype="image/png"))

    @expose("/<code>/draft/undo", methods=("POST",))
    def draft_undo(self, code: str) -> Any:
        """Take the last change back."""
        return self._step(code, drafting.undo, _("The change was undone."))

    @expose("/<code>/draft/redo", methods=("POST",))
    def draft_redo(self, code: str) -> Any:
        """Make the change that was undone again."""
        return self._step(code, drafting.redo, _("The change was made again."))

    @expose("/<code>/draft/restore/<part>", methods=("POST",))
    def draft_restore(self, code: str, part: str) -> Any:
        """Put a part back as the version in use has it."""
        page = draft_parts.part(part) or not_found()
        return self._step(
            code,
            lambda *args: drafting.restore(args[0], page.keys, *args[1:]),
            _("This part is as in use again."),
        )

    @expose("/<code>/draft/discard", methods=("POST",))
    def draft_discard(self, code: str) -> Any:
        """Delete the draft."""
        require(current_actor().is_administrator)
        is_new = db.session.get(Service, code) is None
        back = url_for(".index_view") if is_new else url_for(".details_view", id=code)
        return post_once(
            lambda: drafting.discard(code, posted_version(), current_actor(), utc_now()),
            result=back,
            told=_("The draft was discarded."),
            refused=lambda fault: self._refused(fault, back),
        )

    def _step(self, code: str, act: Callable[..., Any], told: str) -> Any:
        require(current_actor().is_administrator)
        back = self._url("draft_part", code, part=_back_part())
        return post_once(
            lambda: act(code, posted_version(), current_actor(), utc_now()),
            result=back,
            told=told,
            refused=lambda fault: self._refused(fault, back),
        )

    def _link(self, found: Source, finding: Finding) -> str:
        """Return the page on which a finding is mended."""
        key = re.split(r"[.\[]", finding.path)[0]
        page = next((each for each in draft_parts.PARTS if key in each.keys), None)
        if page is None:
            return self._url("draft_part", found.code, part="basics")
        number = re.match(r"[a-z_]+\[(\d+)\]", finding.path)
        kind = next((each for each in page.lists if each.key == key), None)
        if number is None or kind is None:
            return self._url("draft_part", found.code, part=page.key)
        items = draft_lists.items_of(found.document, key)
        place = int(number[1])
        if place >= len(items):
            return self._url("draft_part", found.code, part=page.key)
        item_key = draft_lists.key_of(items, kind, items[place])
        if inner := re.search(r"\.(columns|fields|paragraphs)\[(\d+)\]", finding.path):
            key = f"{key}.{item_key}.{inner[1]}"
            kind, items = draft_lists.list_of(page, key), draft_lists.items_of(found.document, key)
            if int(inner[2]) < len(items):
                item_key = draft_lists.key_of(items, kind, items[int(inner[2])])
        return self._url("draft_item", found.code, part=page.key, path=key, key=item_key)


def new_services() -> list[tuple[str, str, str, Any]]:
    """Return code, name, who changed it and when, of drafts of services without a version."""
    lang = i18n.language()
    rows = db.session.scalars(
        sa.select(ServiceDraft)
        .where(ServiceDraft.base_version_id.is_(None))
        .options(joinedload(ServiceDraft.changed_by))
        .order_by(ServiceDraft.changed_at.desc())
    )
    return [
        (
            row.code,
            draft_parts.name_of(row.document, lang) or row.code,
            row.changed_by.name_in(lang),
            row.changed_at,
        )
        for row in rows
    ]


def drafted_by() -> dict[str, str]:
    """Return code → who changed its draft last, of services that have a draft."""
    rows = db.session.scalars(sa.select(ServiceDraft).options(joinedload(ServiceDraft.changed_by)))
    return {row.code: row.changed_by.name_in(i18n.language()) for row in rows}


def _back_part() -> str:
    """Return the part that was open when a button beside all parts was pressed."""
    part = draft_parts.part(request.form.get("part", ""))
    return part.key if part is not None else "basics"
