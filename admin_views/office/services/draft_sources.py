"""What the drop-downs of a service's draft offer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin_views.office.services import draft_needs
from admin_views.office.services.draft_parts import Part, kind_of, name_of, roles_of
from clearance.core import i18n, teams
from clearance.core.extensions import db
from clearance.models import BrokerType, LegalEntity
from clearance.services import checkup, choice_lists, condition_words, property_words, registry
from clearance.services.drafting import Document, Source
from clearance.services.field_specs import Pattern
from clearance.services.standard_fields import DATE_KINDS, Group, Kind
from clearance.services.statements import ALWAYS_WORDS
from forms.service_parts import SELF, Item, Options, Property, Sources


def sources(
    found: Source, properties: Sequence[Property], before: Sequence[Item], item: Item
) -> Sources:
    """Return what the drop-downs of a part offer.

    properties: of the part. before: the fields that its conditions may read.
    """
    has_condition = any(each.kind == "condition" for each in properties)
    about = {
        name: condition_words.about_values(name)
        for name in (condition_words.ABOUT_WORDS if has_condition else ())
    }
    lang, known = i18n.language(), registry.current()
    checks = [each.name for each in properties if each.name.startswith("guards.")]
    guards, closed_guards = draft_needs.offered(known.guards, found) if checks else ((), ())
    effects, closed_effects = draft_needs.offered(known.effects, found) if checks else ((), ())
    offered = _offered(found) | {
        **dict.fromkeys(checks, lambda: guards),
        "on_approval": lambda: effects,
    }
    return Sources(
        options={each.name: offered[each.name]() for each in properties if each.name in offered},
        fields=[
            *((str(each.get("name")), name_of(each, lang)) for each in before),
            *condition_words.ABOUT_WORDS.items(),
        ],
        answers={
            **{name: _called(values) for name, values in about.items()},
            **{str(each.get("name")): _answers(each) for each in before},
            SELF: _answers(item),
        },
        suggested={
            **{name: [each[lang] for each in values.values()] for name, values in about.items()},
            **{str(each.get("name")): texts for each in before if (texts := _suggested(each))},
        },
        closed={**dict.fromkeys(checks, closed_guards), "on_approval": closed_effects},
    )


def _offered(found: Source) -> dict[str, Callable[[], Options]]:
    """Return property → what finds out what it offers, so that only what is shown is found out."""
    lang, document, known = i18n.language(), found.document, registry.current()

    def named(items: Iterable[Item]) -> Options:
        return [(str(each.get("name")), name_of(each, lang)) for each in items]

    return {
        "sign": lambda: [(sign, _SIGNS[sign]) for sign in sorted(checkup.SIGNS)],
        "start": lambda: [(name, start.words) for name, start in known.starts.items()],
        "flow": lambda: [(name, flow.words) for name, flow in known.flows.items()],
        **dict.fromkeys(
            (f"roles.{role}" for role in roles_of(document)),
            lambda: named(each for each in _items(document, "fields") if "type" in each),
        ),
        "legal_entities": lambda: _rows(LegalEntity, lang),
        "broker_types": lambda: _rows(BrokerType, lang),
        "team": lambda: teams.named(lang),
        "section": lambda: [*((str(group), group.label) for group in Group), *sections(document)],
        "at": lambda: named(_items(document, "fields")),
        "show": lambda: named(_answered(document)),
        "valid.until": lambda: named(
            each for each in _answered(document) if kind_of(each) in DATE_KINDS
        ),
        "list": lambda: choice_lists.named(lang),
        "was": lambda: _removed_fields(found),
        "pattern": lambda: [
            (str(each), property_words.meaning("pattern", each)) for each in Pattern
        ],
        **{
            name: partial(list, property_words.VALUES[name].items())
            for name in ("subject", "subscription", "exclusive", "decisions", "clock")
        },
    }


def _removed_fields(found: Source) -> Options:
    """Return the own fields of the version in use that the draft does not have."""
    before = found.base.definition if found.base is not None else {}
    kept = {str(each.get("name")) for each in _items(found.document, "fields")}
    return [
        (str(each.get("name")), name_of(each, i18n.language()))
        for each in _items(before, "fields")
        if "type" in each and str(each.get("name")) not in kept
    ]


def _items(document: Document, key: str) -> list[Item]:
    found = document.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _answered(document: Document) -> list[Item]:
    own = [each for stage in _items(document, "stages") for each in _items(stage, "fields")]
    return [*_items(document, "fields"), *own]


def placeholders(document: Document, page: Part) -> Options:
    """Return what texts of a part may name in braces, with its words."""
    lang, listed = i18n.language(), _answered(document)
    named = [(str(each.get("name")), name_of(each, lang)) for each in listed]
    return named if page.key == "messages" else [*ALWAYS_WORDS.items(), *named]


def _called(values: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return what people call values in any language → value. values: → name by language."""
    return {
        text.casefold(): value
        for value, names in values.items()
        for text in (value, *names.values())
    }


def _suggested(item: Item) -> list[str]:
    """Return the answers that a field offers, in the page's language."""
    if kind_of(item) is Kind.BOOL:
        return [_("yes"), _("no")]
    labels = (choice.get("label") for choice in _choices(item))
    texts = (label.get(i18n.language()) for label in labels if isinstance(label, dict))
    return [str(text) for text in texts if text]


def _choices(item: Item) -> list[Item]:
    listed = (each.model_dump() for each in choice_lists.items(str(item.get("list", ""))))
    return [*_items(item, "choices"), *listed]


def _answers(item: Item) -> dict[str, str]:
    """Return what people call the choices of a field → value."""
    found: dict[str, str] = {}
    for choice in _choices(item):
        value, label = str(choice.get("value")), choice.get("label")
        found[value.casefold()] = value
        for text in label.values() if isinstance(label, dict) else ():
            found.setdefault(str(text).casefold(), value)
    return found


def sections(document: Document) -> Options:
    """Return the service's own sections."""
    lang = i18n.language()
    return [(str(each.get("name")), name_of(each, lang)) for each in _items(document, "sections")]


def _rows(model: Any, lang: str) -> Options:
    rows = db.session.scalars(sa.select(model).order_by(model.position, model.code))
    return [(row.code, i18n.in_language(row, "name")) for row in rows]


_SIGNS = {
    "award": _l("Award"),
    "calendar": _l("Calendar"),
    "card": _l("Card"),
    "cross": _l("Cross"),
    "file": _l("File"),
    "lock": _l("Lock"),
    "mail": _l("Letter"),
    "print": _l("Printer"),
    "refresh": _l("Arrows"),
    "services": _l("Squares"),
    "users": _l("People"),
}
