"""Pages on which an administrator makes and changes services; managers read them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask_admin import expose
from flask_babel import force_locale
from flask_babel import gettext as _
from markupsafe import Markup
from pydantic import ValidationError
from sqlalchemy.orm import joinedload

from admin_views.base.access import current_actor, not_found, require
from admin_views.base.form_post import post_once, posted_version, repeated
from admin_views.office.services import draft_lists, draft_parts
from admin_views.office.services.draft_parts import Part, PartList
from admin_views.shared import request_lists
from clearance.core import i18n
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted, is_sent
from clearance.models import Request, Service, ServiceDraft
from clearance.models.enums import Status
from clearance.services import comparison, condition_words, drafting, reading, registry
from clearance.services.conditions import Condition
from clearance.services.document_kinds import kind_names
from clearance.services.drafting import Document, Source
from clearance.services.findings import Finding
from clearance.services.standard_fields import STANDARD_FIELDS
from clearance.services.versions import BadDefinition
from forms.new_service import NewServiceForm, PublishForm
from forms.request_form import condition_data, request_form, sections
from forms.service_parts import Item, PartForm, part_form

WIDTHS = ("390", "full")


class DraftRoutes:
    """Routes of drafts under the list of services."""

    render: Callable[..., str]
    get_url: Callable[..., str]

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
        properties = draft_parts.properties_of_part(page, found.document)
        sources = draft_parts.sources(found.document, (), {})
        form = part_form(properties, found.document, sources)

        def show(status: int = 200, refusal: Any = "") -> Any:
            html = self._show(
                found,
                "office/services/draft/part.html",
                part=page,
                form=form if properties else None,
                lists=[self._list(found, page, each, each.key) for each in page.lists],
                refusal=refusal,
            )
            return html, status

        here = self._url("draft_part", code, part=part)
        return self._save(found, form, lambda document: form.apply(document), here, show)

    @expose("/<code>/draft/<part>/<path>/add", methods=("POST",))
    def draft_add(self, code: str, part: str, path: str) -> Any:
        """Add a part to a list, and lead to its page."""
        require(current_actor().is_administrator)
        page = draft_parts.part(part) or not_found()
        kind = draft_lists.list_of(page, path)
        added: dict[str, str] = {}

        def apply(document: Document) -> None:
            items = draft_lists.items_of(document, path)
            item = draft_lists.add(items, kind, request.form)
            added["key"] = draft_lists.key_of(items, kind, item)

        back = self._url("draft_part", code, part=part)
        try:
            return post_once(
                lambda: self._change(code, apply),
                result=lambda _done: self._url(
                    "draft_item", code, part=part, path=path, key=added["key"]
                ),
                acts_first=True,
                refused=lambda fault: self._refused(fault, back),
            )
        except ValueError:
            flash(_("Choose what to add, or give it a name."), "error")
            return self._back(back)

    @expose("/<code>/draft/<part>/<path>/<key>/", methods=("GET", "POST"))
    def draft_item(self, code: str, part: str, path: str, key: str) -> Any:
        """Show one part of a list with its properties; on POST change them."""
        found, page = drafting.source(code), draft_parts.part(part) or not_found()
        kind = draft_lists.list_of(page, path)
        items = draft_lists.items_of(found.document, path)
        item = draft_lists.find(items, kind, key)
        is_field = kind.key == "fields"
        properties = draft_parts.properties_of_field(item) if is_field else kind.properties
        before = _fields_before(found.document, path, item)
        form = part_form(properties, item, draft_parts.sources(found.document, before, item))
        lang = i18n.language()
        nested = [draft_parts.OFFICE_FIELDS] if path == "stages" else []

        def show(status: int = 200, refusal: Any = "") -> Any:
            html = self._show(
                found,
                "office/services/draft/item.html",
                part=page,
                form=form,
                kind=kind,
                path=path,
                key=key,
                item=item,
                called=draft_parts.name_of(item, lang) or kind.one,
                sentence=_sentence(item, found.document),
                back_url=self._list_url(code, part, path),
                lists=[self._list(found, page, each, f"stages.{key}.fields") for each in nested],
                refusal=refusal,
            )
            return html, status

        def apply(document: Document) -> None:
            listed = draft_lists.items_of(document, path)
            form.apply(draft_lists.find(listed, kind, key))

        here = self._url("draft_item", code, part=part, path=path, key=key)
        return self._save(found, form, apply, here, show)

    @expose("/<code>/draft/<part>/<path>/<key>/act", methods=("POST",))
    def draft_act(self, code: str, part: str, path: str, key: str) -> Any:
        """Move or double a part of a list."""
        require(current_actor().is_administrator)
        page = draft_parts.part(part) or not_found()
        kind, action = draft_lists.list_of(page, path), request.form.get("action", "")
        require(action in ("up", "down", "double"))
        reached: dict[str, Any] = {"key": key}

        def apply(document: Document) -> None:
            items = draft_lists.items_of(document, path)
            item = draft_lists.find(items, kind, key)
            require(action != "double" or draft_lists.can_double(kind, item))
            moved = draft_lists.act(items, item, kind, action)
            reached.update(key=draft_lists.key_of(items, kind, moved), place=items.index(moved) + 1)

        back = self._list_url(code, part, path)
        return post_once(
            lambda: self._change(code, apply),
            result=lambda _done: f"{back}#{path}-{reached['key']}",
            told=lambda _done: _("It is number %(place)s now.", place=reached["place"]),
            acts_first=True,
            refused=lambda fault: self._refused(fault, back),
        )

    @expose("/<code>/draft/<part>/<path>/<key>/remove", methods=("GET", "POST"))
    def draft_remove(self, code: str, part: str, path: str, key: str) -> Any:
        """Ask before a part is removed, with what uses it; remove it on POST."""
        require(current_actor().is_administrator)
        found, page = drafting.source(code), draft_parts.part(part) or not_found()
        kind = draft_lists.list_of(page, path)
        back = self._list_url(code, part, path)
        if not is_sent():
            item = draft_lists.find(draft_lists.items_of(found.document, path), kind, key)
            return self._show(
                found,
                "office/services/draft/remove.html",
                part=page,
                called=draft_parts.name_of(item, i18n.language()) or kind.one,
                users=draft_lists.users_of(found.document, str(item.get("name", ""))),
                back_url=back,
            )

        def apply(document: Document) -> None:
            items = draft_lists.items_of(document, path)
            draft_lists.act(items, draft_lists.find(items, kind, key), kind, "remove")

        return post_once(
            lambda: self._change(code, apply),
            result=back,
            told=_("It was removed. Undo brings it back."),
            refused=lambda fault: self._refused(fault, back),
        )

    @expose("/<code>/draft/checkup/")
    def draft_checkup(self, code: str) -> Any:
        """Show what is wrong in the draft, each finding with a link to where it is mended."""
        return self._show(drafting.source(code), "office/services/draft/checkup.html")

    @expose("/<code>/draft/preview/")
    def draft_preview(self, code: str) -> Any:
        """Show the form as an applicant will see it, in either language and width."""
        found = drafting.source(code)
        lang = request.args.get("lang", i18n.language())
        width = request.args.get("width", WIDTHS[0])
        require(lang in i18n.LANGUAGES and width in WIDTHS)
        return self._show(
            found,
            "office/services/draft/preview.html",
            shown_lang=lang,
            width=width,
            preview=_preview(found, lang),
        )

    @expose("/<code>/draft/publish/", methods=("GET", "POST"))
    def draft_publish(self, code: str) -> Any:
        """Show what publishing changes; on POST publish, if nothing is wrong."""
        require(current_actor().is_administrator)
        found, form = drafting.source(code), PublishForm()
        if found.draft is None:
            return repeated() or self._back(self._url("draft_part", code, part="basics"))

        def show(status: int = 200, refusal: Any = "") -> Any:
            html = self._show(
                found,
                "office/services/draft/publish.html",
                form=form,
                changes=_changes(found),
                counts=_counts(code),
                refusal=refusal,
            )
            return html, status

        if not is_sent():
            return show()
        if not form.validate():
            return show(400)
        try:
            return post_once(
                lambda: drafting.publish(
                    code, posted_version(), form.why.data, current_actor(), utc_now()
                ),
                result=url_for(".details_view", id=code),
                told=_("The new version is published. Open requests keep theirs."),
                refused=lambda fault: show(409, fault.message),
            )
        except BadDefinition:
            db.session.rollback()
            return show(400, _("The draft has faults. See the check-up."))

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

    def _show(self, found: Source, template: str, **shown: Any) -> str:
        """Render a page of the draft with what stands on all of them."""
        lang = i18n.language()
        found = drafting.source(found.code)  # after a refusal the draft may be gone
        wrong = drafting.findings(found, kuwait_date(utc_now()))
        return self.render(
            template,
            found=found,
            title=draft_parts.name_of(found.document, lang) or found.code,
            parts=draft_parts.PARTS,
            findings=[(each, self._link(found, each)) for each in wrong],
            faults=sum(not each.is_remark for each in wrong),
            can_write=current_actor().is_administrator,
            steps_left=drafting.steps_left(found.draft),
            **shown,
        )

    def _save(
        self,
        found: Source,
        form: PartForm,
        apply: Callable[[Document], None],
        here: str,
        show: Callable[..., Any],
    ) -> Any:
        if not is_posted():
            return show()
        require(current_actor().is_administrator)
        if not is_sent():
            return show()
        if not form.validate():
            return show(400)
        return post_once(
            lambda: self._change(found.code, apply),
            result=here,
            told=_("The draft was saved."),
            refused=lambda fault: show(409, fault.message),
        )

    def _change(self, code: str, apply: Callable[[Document], None]) -> Any:
        return drafting.change(code, apply, posted_version(), current_actor(), utc_now())

    def _step(self, code: str, act: Callable[..., Any], told: str) -> Any:
        require(current_actor().is_administrator)
        back = self._url("draft_part", code, part=_back_part())
        return post_once(
            lambda: act(code, posted_version(), current_actor(), utc_now()),
            result=back,
            told=told,
            refused=lambda fault: self._refused(fault, back),
        )

    def _list(self, found: Source, part: Part, kind: PartList, path: str) -> dict[str, Any]:
        """Return what a page shows of a list."""
        lang, items = i18n.language(), draft_lists.items_of(found.document, path)
        rows = []
        for item in items:
            key = draft_lists.key_of(items, kind, item)
            where = {"part": part.key, "path": path, "key": key}
            rows.append(
                {
                    "key": key,
                    "called": draft_parts.name_of(item, lang) or f"{kind.one} {key}",
                    "facts": draft_parts.facts(item, kind, lang),
                    "when": _sentence(item, found.document),
                    "url": self._url("draft_item", found.code, **where),
                    "act_url": self._url("draft_act", found.code, **where),
                    "remove_url": self._url("draft_remove", found.code, **where),
                    "can_double": draft_lists.can_double(kind, item),
                }
            )
        return {
            "path": path,
            "kind": kind,
            "rows": rows,
            "add_url": self._url("draft_add", found.code, part=part.key, path=path),
            "choices": _addable(kind, items),
            "types": draft_parts.TYPES if kind.key == "fields" else (),
        }

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
        return self._url("draft_item", found.code, part=page.key, path=key, key=item_key)

    def _url(self, route: str, code: str, **values: Any) -> str:
        return url_for(f".{route}", code=code, **values)

    def _list_url(self, code: str, part: str, path: str) -> str:
        """Return the page that shows the list: the part's, or that of the stage it is in."""
        if "." not in path:
            return self._url("draft_part", code, part=part)
        outer, key, _inner = path.split(".")
        return self._url("draft_item", code, part=part, path=outer, key=key)

    def _refused(self, fault: Any, back: str) -> Any:
        if isinstance(fault, NotFound):
            raise fault
        flash(str(fault.message), "error")
        return self._back(back)

    @staticmethod
    def _back(url: str) -> Any:
        return redirect(url, code=303)


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


def _fields_before(document: Document, path: str, item: Item) -> list[Item]:
    """Return the fields that a condition of `item` may read: those before it, or all."""
    fields = draft_lists.items_of(document, "fields")
    if path != "fields":
        return fields
    return fields[: fields.index(item)]


def _sentence(item: Item, document: Document) -> str:
    """Return the condition of a part in words; "" without one, or for one that is not readable."""
    try:
        when = Condition.model_validate(item["when"])
    except (KeyError, ValidationError):
        return ""
    definition = reading.read(document, str(document.get("code")))
    return condition_words.in_words(when, definition)


def _preview(found: Source, lang: str) -> Markup:
    """Return the form of the draft in `lang`, as far as the draft can be read."""
    definition = reading.read(found.document, found.code)
    known = {"legal_entity": "clearing_agent", "applicant_is": "own"}
    names = [spec.name for spec in definition.asked]
    with force_locale(lang):
        form = request_form(definition, names, lang, known)
        shown = {spec.name: "" for spec in definition.fields if not spec.is_asked}
        kinds = kind_names()
        return Markup(  # noqa: S704 - a template that escaped what it shows
            render_template(
                "office/services/draft/preview_form.html",
                form=form,
                conditions=condition_data(form),
                sections=sections(definition, form, shown, {}, lang),
                documents=[
                    (kinds.get(spec.kind, spec.kind), spec.required, spec.when)
                    for spec in definition.documents
                ],
                shown_lang=lang,
            )
        )


def _changes(found: Source) -> list[comparison.Change]:
    """Return what publishing changes; [] for a new service or a draft that cannot be read."""
    if found.base is None:
        return []
    old = reading.read(found.base.definition, found.code)
    return comparison.differences(old, reading.read(found.document, found.code))


def _counts(code: str) -> tuple[int, int]:
    """Return how many drafts and how many open requests the service has."""
    drafts = sa.func.count().filter(Request.status == Status.DRAFT)
    opened = sa.func.count().filter(registry.is_open())
    row = db.session.execute(sa.select(drafts, opened).where(Request.service_code == code)).one()
    return int(row[0]), int(row[1])


def _back_part() -> str:
    """Return the part that was open when a button beside all parts was pressed."""
    part = draft_parts.part(request.form.get("part", ""))
    return part.key if part is not None else "basics"


def _addable(kind: PartList, items: list[Item]) -> list[tuple[str, str]]:
    """Return what can be added by choosing it: standard fields, or kinds of documents."""
    there = {str(item.get(kind.names)) for item in items}
    if kind is draft_parts.FIELDS:
        standard = STANDARD_FIELDS.items()
        named = [(name, f"{each.group.label}: {each.label}") for name, each in standard]
    elif kind is draft_parts.DOCUMENTS:
        named = list(kind_names().items())
    else:
        return []
    return [(value, words) for value, words in named if value not in there]
