"""Routes of the parts in the lists of a service's draft: adding, changing, moving, removing."""

from __future__ import annotations

from typing import Any

from flask import flash, jsonify, request
from flask_admin import expose
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound as NoSuchPage

from admin_views.base.access import current_actor, not_found, require
from admin_views.base.form_post import post_once
from admin_views.office.services import (
    draft_lists,
    draft_order,
    draft_parts,
    draft_sources,
    draft_uses,
)
from admin_views.office.services.draft_pages import DraftPages, sentence
from clearance.core import i18n
from clearance.core.request_kind import is_sent, wants_json
from clearance.services import drafting
from clearance.services.drafting import Document
from forms.service_parts import Item, part_form
from forms.service_uses import TypeForm, UsesForm

WAYS = ("up", "down", "after", "double")


class DraftItemRoutes(DraftPages):
    """Routes of one part of a list, and of adding one."""

    @expose("/<code>/draft/<part>/<path>/add", methods=("POST",))
    def draft_add(self, code: str, part: str, path: str) -> Any:
        """Add a part to a list, and lead to its page."""
        require(current_actor().is_administrator)
        page = draft_parts.part(part) or not_found()
        kind = draft_lists.list_of(page, path)
        added: dict[str, str] = {}

        def apply(document: Document) -> None:
            items = draft_lists.items_of(document, path)
            taken = draft_lists.names_of(document) if kind.types else ()
            item = draft_lists.add(items, kind, request.form, taken)
            added["key"] = draft_lists.key_of(items, kind, item)

        back = self._url("draft_part", code, part=part)
        try:
            return post_once(
                lambda: self._change(code, apply),
                result=lambda _done: self._url(
                    "draft_item",
                    code,
                    part=part,
                    path=path,
                    key=added["key"],
                    _anchor="draft-part",
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

        def find(document: Document) -> Item:
            return draft_lists.find(draft_lists.items_of(document, path), kind, key)

        try:
            item = find(found.document)
        except NoSuchPage:
            if wants_json():
                return jsonify(error=_("Someone removed this part in the meantime.")), 409
            raise
        items = draft_lists.items_of(found.document, path)
        properties = draft_parts.properties_of(item, kind)
        before = draft_order.fields_before(found.document, path, item)
        form = part_form(properties, item, draft_sources.sources(found, properties, before, item))
        nested = draft_parts.nested_in(item, path)
        inner = f"{path}.{key}.{nested.key}" if nested is not None else ""
        is_own = draft_parts.is_own_field(item, kind)
        where = {"part": part, "path": path, "key": key}
        issued = found.readable.issued if path == "issued" else ()

        def show(status: int = 200, refusal: Any = "", differences: Any = ()) -> Any:
            siblings = self._list(found, page, kind, path)
            html = self._show(
                found,
                "office/services/draft/item.html",
                part=page,
                form=form,
                kind=kind,
                path=path,
                key=key,
                item=item,
                called=draft_parts.name_of(item, i18n.language()) or kind.one,
                number=draft_order.number_of(found.document, kind, items, item),
                type_words=draft_parts.type_of(item) if is_own else "",
                type_url=self._url("draft_type", code, **where),
                sentence=sentence(item, found),
                back_url=self._list_url(code, part, path),
                siblings=siblings,
                outline=siblings if path == "fields" else None,
                places=draft_order.places(found.document, kind, items, item),
                act_url=self._url("draft_act", code, **where),
                lists=[] if nested is None else [self._list(found, page, nested, inner)],
                samples=[each for each in issued if each.name == key],
                differences=differences,
                refusal=refusal,
            )
            return html, status

        return self._save(found, form, find, self._url("draft_item", code, **where), show)

    @expose("/<code>/draft/<part>/<path>/<key>/act", methods=("POST",))
    def draft_act(self, code: str, part: str, path: str, key: str) -> Any:
        """Move or double a part of a list."""
        require(current_actor().is_administrator)
        page = draft_parts.part(part) or not_found()
        kind, action = draft_lists.list_of(page, path), request.form.get("action", "")
        require(action in WAYS)
        reached: dict[str, Any] = {}

        def apply(document: Document) -> None:
            items = draft_lists.items_of(document, path)
            item = draft_lists.find(items, kind, key)
            if action == "double":
                require(draft_lists.can_double(kind, item))
                taken = draft_lists.names_of(document) if kind.types else ()
                item = draft_lists.double(items, item, kind, taken)
            else:
                place = request.form.get("place", "") if action == "after" else action
                draft_order.move(document, kind, items, item, place)
            reached.update(
                key=draft_lists.key_of(items, kind, item),
                name=draft_parts.name_of(item, i18n.language()) or kind.one,
                place=draft_order.number_of(document, kind, items, item),
            )

        back = self._list_url(code, part, path)
        return post_once(
            lambda: self._change(code, apply),
            result=lambda _done: f"{back}#{path}-{reached['key']}",
            told=lambda _done: _("“%(name)s” is number %(place)s now.", **reached),
            acts_first=True,
            refused=lambda fault: self._refused(fault, back),
        )

    @expose("/<code>/draft/<part>/<path>/<key>/remove", methods=("GET", "POST"))
    def draft_remove(self, code: str, part: str, path: str, key: str) -> Any:
        """Ask before a part is removed, with what uses it; remove it on POST."""
        require(current_actor().is_administrator)
        found, page = drafting.source(code), draft_parts.part(part) or not_found()
        kind, form = draft_lists.list_of(page, path), UsesForm()
        back = self._list_url(code, part, path)
        if not is_sent():
            item = draft_lists.find(draft_lists.items_of(found.document, path), kind, key)
            shown = {"part": page, "form": form, "back_url": back}
            return self._ask_first(found, "remove", item, kind, **shown)

        def apply(document: Document) -> None:
            items = draft_lists.items_of(document, path)
            item = draft_lists.find(items, kind, key)
            items.remove(item)
            if form.takes_out:
                draft_uses.take_out(document, str(item.get("name", "")))

        return post_once(
            lambda: self._change(code, apply),
            result=back,
            told=_("It was removed. Undo brings it back."),
            refused=lambda fault: self._refused(fault, back),
        )

    @expose("/<code>/draft/<part>/<path>/<key>/type", methods=("GET", "POST"))
    def draft_type(self, code: str, part: str, path: str, key: str) -> Any:
        """Ask before an own field changes its type, with what uses it; change it on POST."""
        require(current_actor().is_administrator)
        found, page = drafting.source(code), draft_parts.part(part) or not_found()
        kind = draft_lists.list_of(page, path)

        def find(document: Document) -> Item:
            item = draft_lists.find(draft_lists.items_of(document, path), kind, key)
            require(draft_parts.is_own_field(item, kind))
            return item

        item = find(found.document)
        form = TypeForm(type=item.get("type"))
        form.type.choices = list(kind.types)
        here = self._url("draft_item", code, part=part, path=path, key=key)

        def show(status: int = 200, refusal: Any = "") -> Any:
            html = self._ask_first(
                found,
                "type",
                item,
                kind,
                part=page,
                form=form,
                lost=[each.label() for each in draft_parts.lost_with(item)],
                back_url=here,
                refusal=refusal,
            )
            return html, status

        def apply(document: Document) -> None:
            field = find(document)
            for each in draft_parts.lost_with(field, str(form.type.data)):
                del field[each.name]
            field["type"] = form.type.data
            if form.takes_out:
                draft_uses.take_out(document, str(field["name"]))

        if not is_sent():
            return show()
        if not form.validate():
            return show(400)
        return post_once(
            lambda: self._change(code, apply),
            result=here,
            told=_("The type was changed. Undo brings the old one back."),
            refused=lambda fault: show(409, fault.message),
        )
