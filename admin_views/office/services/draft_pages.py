"""What the pages of a service's draft share: showing one, saving its form, listing its parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, jsonify, redirect, request, url_for
from flask_babel import gettext as _
from markupsafe import escape
from pydantic import ValidationError

from admin_views.base.access import current_actor, require
from admin_views.base.form_post import fingerprint, post_once, posted_version, saved_label
from admin_views.office.services import (
    draft_lists,
    draft_order,
    draft_parts,
    draft_preview,
    draft_sources,
    draft_uses,
)
from admin_views.office.services.draft_parts import FIELDS, Part, PartList
from clearance.core import i18n, values
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.errors import DomainError, NotFound, StaleEdit
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted, is_sent, wants_json
from clearance.services import condition_words, drafting, registry
from clearance.services.conditions import Condition
from clearance.services.document_kinds import kind_names
from clearance.services.drafting import Document, Source, StaleDraft
from clearance.services.findings import Finding
from clearance.services.schema import Definition
from clearance.services.standard_fields import STANDARD_FIELDS
from forms.service_parts import Item, PartForm, part_form


class DraftPages:
    """Mixin of the routes of drafts."""

    render: Callable[..., str]
    get_url: Callable[..., str]
    _link: Callable[[Source, Finding], str]

    def _show(self, found: Source, template: str, **shown: Any) -> str:
        """Render a page of the draft with what stands on all of them."""
        found = drafting.source(found.code)  # after a refusal the draft may be gone
        part, form = shown.get("part"), shown.get("form")
        if isinstance(form, PartForm):
            shown |= {"seen": fingerprint(form.stored(dict(form.item)))}
        if part is not None and part.key == "form":
            shown |= {"preview": draft_preview.chosen(found)}
        if part is not None and part.key in ("issued", "messages"):
            shown |= {"placeholders": draft_sources.placeholders(found.document, part)}
        return self.render(template, **self._frame(found), **shown)

    def _frame(self, found: Source) -> dict[str, Any]:
        """Return what a page of the draft shows besides its own."""
        wrong = drafting.findings(found, kuwait_date(utc_now()))
        return {
            "found": found,
            "title": draft_parts.name_of(found.document, i18n.language()) or found.code,
            "parts": draft_parts.PARTS,
            "findings": [(each, self._link(found, each)) for each in wrong],
            "faults": sum(not each.is_remark for each in wrong),
            "can_write": current_actor().is_administrator,
            "steps_left": drafting.steps_left(found.draft),
        }

    def _save(
        self,
        found: Source,
        form: PartForm,
        find: Callable[[Document], Item],
        here: str,
        show: Callable[..., Any],
    ) -> Any:
        """Answer a post of a form of properties, by a page or by its script.

        find: the part of a document that the form changes. show: makes the page again.
        """
        if not is_posted():
            return show()
        require(current_actor().is_administrator)
        if wants_json():
            return self._autosave(found, form, find)
        if not is_sent():
            return show()
        if not form.validate():
            return show(400)

        def refused(fault: DomainError) -> Any:
            if not isinstance(fault, StaleEdit):
                return show(409, fault.message)
            form.item = find(drafting.source(found.code).document)
            return show(409, differences=[(of, *both) for of, both in fault.changed.items()])

        return post_once(
            lambda: self._write(found.code, form, find),
            result=here,
            told=_("The draft was saved."),
            refused=refused,
        )

    def _autosave(self, found: Source, form: PartForm, find: Callable[[Document], Item]) -> Any:
        """Save the valid values posted by script; return JSON as for requests.

        What changes the properties that the last save of this page changed is undone with it.
        """
        form.validate()
        names = ",".join(each.name for each in form.changed(find(found.document)))
        step, _colon, before = request.form.get("step", "").partition(":")
        goes_on = (values.whole_number(step) or 0) if before == names else 0
        try:
            self._write(found.code, form, find, goes_on)
            answer = self._saved(found.code, form, find, names)
            db.session.commit()  # last: what is read after it is loaded again
        except DomainError as fault:
            db.session.rollback()
            return jsonify(error=str(fault.message)), 409
        return jsonify(answer)

    def _saved(
        self, code: str, form: PartForm, find: Callable[[Document], Item], names: str
    ) -> dict[str, Any]:
        """Return what the page shows after a save of the properties `names`."""
        found, last = drafting.source(code), drafting.last_change(code)
        item = find(found.document)
        wrong = [each.called() for each in form.properties if form.has_faults(each)]
        told = saved_label(utc_now())
        if wrong:
            told = _("Not saved yet: %(properties)s", properties=_(", ").join(wrong))
        frame = self._frame(found) | {"part": draft_parts.part(request.form.get("part", ""))}
        parts = {
            f"draft-{name}": self.render(f"office/services/draft/{name}.html", **frame)
            for name in ("state", "actions", "tools")
        }
        return {
            "saved_at_label": told,
            "version": found.version,
            "versions": {
                "seen": fingerprint(form.stored(item)),
                "step": f"{last}:{names}" if names and last else request.form.get("step", ""),
            },
            "parts": parts | {"draft-sentence": escape(sentence(item, found))},
        }

    def _write(
        self, code: str, form: PartForm, find: Callable[[Document], Item], goes_on: int = 0
    ) -> Any:
        """Change the draft as the form says, if nobody changed the same properties meanwhile.

        Raises: StaleEdit with both values, StaleDraft if the draft that the page showed is gone.
        """
        version, seen = posted_version(), request.form.get("seen")

        def apply(document: Document) -> None:
            item, now = find(document), drafting.version_of(code)
            if version and not now:
                raise StaleDraft
            is_same = now == version or seen == fingerprint(form.stored(item))
            if not is_same and (both := _differences(form, item)):
                raise StaleEdit(both, now)
            form.apply(item)

        return drafting.change(code, apply, None, current_actor(), utc_now(), goes_on=goes_on)

    def _change(self, code: str, apply: Callable[[Document], None]) -> Any:
        return drafting.change(code, apply, posted_version(), current_actor(), utc_now())

    def _list(self, found: Source, part: Part, kind: PartList, path: str) -> dict[str, Any]:
        """Return what a page shows of a list, its parts by group."""
        items = draft_lists.items_of(found.document, path)
        groups = draft_order.groups_of(found.document, kind, items)
        return {
            "path": path,
            "kind": kind,
            "count": len(items),
            "groups": [
                {
                    "key": group.key,
                    "title": group.title,
                    "rows": [self._row(found, part, kind, path, item) for item in group.items],
                }
                for group in groups
            ],
            "add_url": self._url("draft_add", found.code, part=part.key, path=path),
            "choices": _addable(kind, items, found.readable),
            "types": kind.types,
            "sections": draft_sources.sections(found.document) if kind is FIELDS else [],
        }

    def _row(
        self, found: Source, part: Part, kind: PartList, path: str, item: Item
    ) -> dict[str, Any]:
        """Return what a list shows of one part."""
        lang, items = i18n.language(), draft_lists.items_of(found.document, path)
        key = draft_lists.key_of(items, kind, item)
        where = {"part": part.key, "path": path, "key": key}
        return {
            "key": key,
            "called": draft_parts.name_of(item, lang) or f"{kind.one} {key}",
            "words": " ".join(draft_parts.words_of(item)),
            "facts": draft_parts.facts(item, kind, lang),
            "when": sentence(item, found),
            "missing": draft_parts.missing_languages(item),
            "url": self._url("draft_item", found.code, **where),
            "act_url": self._url("draft_act", found.code, **where),
            "remove_url": self._url("draft_remove", found.code, **where),
            "can_double": draft_lists.can_double(kind, item),
        }

    def _ask_first(
        self, found: Source, template: str, item: Item, kind: PartList, **shown: Any
    ) -> str:
        """Render a page that asks before a part goes or changes, with what uses it."""
        return self._show(
            found,
            f"office/services/draft/{template}.html",
            called=draft_parts.name_of(item, i18n.language()) or kind.one,
            users=draft_uses.users_of(found.document, str(item.get("name", ""))),
            **shown,
        )

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


def sentence(item: Item, found: Source) -> str:
    """Return the condition of a part in words; "" without one, or for one that is not readable."""
    try:
        when = Condition.model_validate(item["when"])
    except (KeyError, ValidationError):
        return ""
    return condition_words.in_words(when, found.readable)


def _differences(form: PartForm, item: Item) -> dict[str, tuple[str, str]]:
    """Return the properties that the form would change: what they say now, and what was typed."""
    now = part_form(form.properties, item, form.sources, is_bound=False)
    return {each.called(): (now.words(each), form.words(each)) for each in form.changed(item)}


def _addable(kind: PartList, items: list[Item], definition: Definition) -> list[tuple[str, str]]:
    """Return what can be added by choosing it: standard fields, or kinds of documents.

    A standard field tells whether it is known when a request of the service begins.
    """
    there = {str(item.get(kind.names)) for item in items}
    if kind is draft_parts.FIELDS:
        start = registry.current().starts.get(definition.start)
        known = frozenset() if start is None else start.knows or frozenset(STANDARD_FIELDS)
        filled = " – " + _("filled in if known")
        named = [
            (name, f"{each.group.label}: {each.label}{filled if name in known else ''}")
            for name, each in STANDARD_FIELDS.items()
        ]
    elif kind is draft_parts.DOCUMENTS:
        named = list(kind_names().items())
    else:
        return []
    return [(value, words) for value, words in named if value not in there]
