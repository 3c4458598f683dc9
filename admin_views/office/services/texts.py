"""Texts of a service's draft for a translator: the workbook, and its return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response
from flask_admin import expose

from admin_views.base.access import current_actor, require
from admin_views.office.services import draft_parts
from admin_views.office.services.packs import uploaded
from clearance.core import audit, i18n
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, NotFound
from clearance.core.extensions import db
from clearance.core.request_kind import is_sent
from clearance.services import drafting, translation_sheets
from clearance.services.translation_sheets import HEADINGS, LIMITS
from clearance.web.xlsx_export import workbook_response
from forms.service_packs import TextsFileForm


class TextRoutes:
    """Mixin of the list of services."""

    render: Callable[..., str]

    @expose("/<code>/draft/texts.xlsx")
    def draft_workbook(self, code: str) -> Response:
        """Download all texts of the draft, or of the version in use."""
        rows = translation_sheets.rows_of(drafting.source(code))
        return workbook_response(f"{code}-texts.xlsx", [*map(str, HEADINGS.values())], rows, {})

    @expose("/<code>/draft/texts/", methods=("GET", "POST"))
    def draft_texts(self, code: str) -> Any:
        """Offer the workbook; on POST write the texts of one into the draft and tell the rest."""
        require(current_actor().is_administrator)
        form = TextsFileForm(formdata=None)
        if not is_sent():
            return self._texts(code, form)
        account = f"user:{current_actor().id}"
        try:
            data = uploaded("texts", max(LIMITS.text_bytes, LIMITS.workbook_bytes))
            rows = translation_sheets.read(data, account)
            audit.access("service:texts:read", object_type="service", object_id=code, result="ok")
            outcome = translation_sheets.apply(code, rows, current_actor(), utc_now())
        except NotFound:
            raise
        except DomainError as fault:
            db.session.rollback()
            form.texts.errors = [str(fault)]
            return self._texts(code, form), fault.status_code
        db.session.commit()
        return self._texts(code, form, outcome)

    def _texts(
        self, code: str, form: TextsFileForm, outcome: translation_sheets.Outcome | None = None
    ) -> str:
        found = drafting.source(code)
        return self.render(
            "office/services/pack/texts.html",
            code=code,
            title=draft_parts.name_of(found.document, i18n.language()) or code,
            form=form,
            outcome=outcome,
        )
