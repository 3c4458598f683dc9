"""The form of a service's draft as an applicant will see it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template, request
from flask_babel import force_locale
from markupsafe import Markup

from admin_views.base.access import require
from clearance.core import i18n
from clearance.services import choice_lists
from clearance.services.document_kinds import kind_names
from clearance.services.drafting import Source
from forms.request_form import condition_data, request_form, sections

WIDTHS = ("390", "full")
PREFIX = "preview"
"""Before the names of the inputs, which are never sent."""


@dataclass(frozen=True)
class Preview:
    """A preview in one language and width. page: the whole document of its frame."""

    lang: str
    width: str
    page: str


def chosen(found: Source) -> Preview:
    """Return the preview in the language and width that the address asks for. Aborts with 404."""
    lang = request.args.get("lang", i18n.language())
    width = request.args.get("width", WIDTHS[0])
    require(lang in i18n.LANGUAGES and width in WIDTHS)
    return of(found, lang, width)


def of(found: Source, lang: str, width: str = WIDTHS[0]) -> Preview:
    """Return the preview of a draft in `lang`, for a phone or a desktop."""
    with force_locale(lang):
        page = render_template(
            "office/services/draft/preview_frame.html", shown_lang=lang, form=form(found, lang)
        )
    return Preview(lang, width, page)


def form(found: Source, lang: str) -> Markup:
    """Return the form of the draft in `lang`, as far as the draft can be read."""
    definition = choice_lists.in_use(found.readable)
    known = {"legal_entity": "clearing_agent", "applicant_is": "own"}
    names = [spec.name for spec in definition.asked]
    with force_locale(lang):
        made = request_form(definition, names, lang, known, PREFIX)
        shown = {spec.name: "" for spec in definition.fields if not spec.is_asked}
        kinds = kind_names()
        return Markup(  # noqa: S704 - a template that escaped what it shows
            render_template(
                "office/services/draft/preview_form.html",
                form=made,
                conditions=condition_data(made),
                sections=sections(definition, made, shown, {}, lang),
                documents=[
                    (kinds.get(spec.kind, spec.kind), spec.required, spec.when)
                    for spec in definition.documents
                ],
                shown_lang=lang,
            )
        )
