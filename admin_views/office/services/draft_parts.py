"""The parts of a service's draft: which properties each has, and what their drop-downs offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core import i18n, teams
from clearance.core.extensions import db
from clearance.models import BrokerType, LegalEntity
from clearance.services import checkup, condition_words, property_words, registry
from clearance.services.document_kinds import kind_names
from clearance.services.drafting import Document
from clearance.services.effects import Effect
from clearance.services.field_specs import Pattern
from clearance.services.flows import Flow
from clearance.services.guards import Guard
from clearance.services.stages import STAGES as STAGED
from clearance.services.standard_fields import DATE_KINDS, STANDARD_FIELDS, Group, Kind
from clearance.services.statements import ISSUE
from forms.service_parts import SELF, Item, Options, Property, Sources


@dataclass(frozen=True)
class PartList:
    """A list of parts within a part of the draft.

    key: of the list in the definition. names: the property that tells its parts apart, "" for none.
    title: of the list; one: what one of its parts is called.
    """

    key: str
    names: str
    title: Any
    one: Any
    properties: tuple[Property, ...]


@dataclass(frozen=True)
class Part:
    """A page of the builder. properties: of the definition itself. lists: on the same page."""

    key: str
    title: Any
    properties: tuple[Property, ...] = ()
    lists: tuple[PartList, ...] = field(default=())

    @property
    def keys(self) -> tuple[str, ...]:
        """The properties of the definition that the part changes."""
        own = (each.name.partition(".")[0] for each in self.properties)
        return tuple(dict.fromkeys((*own, *(each.key for each in self.lists))))


def _p(name: str, kind: str, *types: str, within: str = "", hint: Any = "") -> Property:
    return Property(name, kind, types, within, hint)


_TEXTS, _NUMBERS = ("text", "textarea", "licence_no"), ("number", "amount")
_CHOICES = ("choice", "choices")
_LINE_EACH = _l("One a line, in the same order in both languages.")
_CHOICE_LINES = _l(
    "One a line: Arabic | English | value. Paste them from a spreadsheet if you like."
)

_FIELD = (
    _p("label", "words"),
    _p("type", "one"),
    _p("section", "one"),
    _p("required", "flag"),
    _p("choices", "choices", *_CHOICES, hint=_CHOICE_LINES),
    _p("hint", "words"),
    _p("example", "words"),
    _p("unit", "words", "number"),
    _p("minimum", "limit", *_NUMBERS),
    _p("maximum", "limit", *_NUMBERS),
    _p("min_length", "number", *_TEXTS),
    _p("max_length", "number", *_TEXTS),
    _p("pattern", "one", "text", "textarea"),
    _p("least", "number", "choices"),
    _p("most", "number", "choices"),
    _p("future", "flag", "date"),
    _p("past", "flag", "date"),
    _p("within_days", "number", "date"),
    _p("min_age", "number", "date"),
    _p("default", "answer"),
    _p("declaration", "flag", "bool"),
    _p("when", "condition"),
)
TYPES = tuple(property_words.VALUES["type"].items())
_SHOWN_OF_STANDARD = frozenset({"section", "required", "hint", "when"})
FIELDS = PartList("fields", "name", _l("Fields"), _l("Field"), _FIELD)
OFFICE_FIELDS = PartList(
    "fields", "name", _l("Fields that the office fills in"), _l("Field of the office"), _FIELD
)
SECTIONS = PartList(
    "sections",
    "name",
    _l("Sections"),
    _l("Section"),
    (_p("title", "words"), _p("help", "words"), _p("when", "condition")),
)
RULES = PartList(
    "refuse",
    "",
    _l("Rules of the form"),
    _l("Rule"),
    (
        _p("when", "condition", within="refuse"),
        _p("at", "one"),
        _p("says", "words"),
    ),
)
DOCUMENTS = PartList(
    "documents",
    "kind",
    _l("Documents"),
    _l("Document"),
    (
        _p("required", "flag"),
        _p("broker_types", "some", within="documents"),
        _p("most", "number", within="documents"),
        _p("note", "words"),
        _p("when", "condition", within="documents"),
    ),
)
STAGES = PartList(
    "stages",
    "name",
    _l("Stages"),
    _l("Stage"),
    (
        _p("title", "words"),
        _p("team", "one"),
        _p("days", "number"),
        _p("decisions", "some"),
        _p("another_person", "flag"),
        _p("clock", "one"),
        _p("guards.approve", "some"),
        _p("when", "condition", within="stages"),
    ),
)
STATEMENTS = PartList(
    "issued",
    "name",
    _l("Documents that are issued"),
    _l("Document issued"),
    (
        _p("title", "words"),
        _p("prefix", "text"),
        _p("paragraphs", "paragraphs"),
        _p("show", "some"),
        _p("valid.days", "number"),
        _p("valid.until", "one"),
        _p("when", "condition", within="issued"),
    ),
)
PARTS: tuple[Part, ...] = (
    Part(
        "basics",
        _l("Basics"),
        (
            _p("title", "words"),
            _p("description", "long_words"),
            _p("conditions", "lines", hint=_LINE_EACH),
            _p("button", "words"),
            _p("sign", "one"),
            _p("processing_days", "number"),
        ),
    ),
    Part(
        "who",
        _l("Who and when"),
        (
            _p("start", "one"),
            _p("legal_entities", "some"),
            _p("broker_types", "some"),
            _p("subscription", "one"),
            _p("exclusive", "one"),
            _p("guards.start", "some"),
            _p("guards.send", "some"),
            _p("opens_on", "day"),
            _p("closes_on", "day"),
            _p("bulk", "flag"),
        ),
    ),
    Part("form", _l("Form"), lists=(SECTIONS, FIELDS, RULES)),
    Part("documents", _l("Documents"), lists=(DOCUMENTS,)),
    Part(
        "review",
        _l("Review"),
        (_p("guards.approval", "some"), _p("on_approval", "some")),
        (STAGES,),
    ),
    Part("issued", _l("What is issued"), lists=(STATEMENTS,)),
    Part("messages", _l("Messages")),
)


def part(key: str) -> Part | None:
    """Return the part with that key, or None."""
    return next((each for each in PARTS if each.key == key), None)


def properties_of_part(page: Part, document: Document) -> tuple[Property, ...]:
    """Return the properties on the part's own page; of messages those of the steps that tell."""
    if page.key != "messages":
        return page.properties
    told = [step for step in _flow_of(document).steps if step.tells]
    keys = dict.fromkeys((step.tells.rpartition(":")[2], step.action.event) for step in told)
    return tuple(
        Property(f"messages.{key}.{lang}.{name}", kind, words=f"{event} – {words} ({language})")
        for key, event in keys
        for lang, language in (("ar", _l("Arabic")), ("en", _l("English")))
        for name, kind, words in _WORDING
    )


def _flow_of(document: Document) -> Flow:
    flow = registry.current().flows.get(str(document.get("flow")))
    return STAGED if flow is None else flow


_WORDING = (
    ("title", "text", _l("title")),
    ("body", "long_text", _l("text")),
    ("sms", "text", _l("SMS")),
)


def title_of_list(key: str) -> str:
    """Return what a list of the definition is called."""
    return property_words.label(key)


def facts(item: Item, kind: PartList, lang: str) -> list[str]:
    """Return what a list tells of a part besides its name and condition."""
    found = []
    if kind.key == "fields":
        standard = STANDARD_FIELDS.get(str(item.get("name")))
        kind_words = property_words.meaning("type", str(item.get("type") or ""))
        found.append(str(_l("Standard field")) if standard is not None else str(kind_words))
    if item.get("mode") == "shown":
        found.append(str(property_words.meaning("mode", "shown")))
    if item.get("required") is True:
        found.append(property_words.label("required"))
    if kind.key == "stages":
        found.append(teams.name(str(item.get("team") or teams.FIRST), lang))
    says = item.get("says")
    if isinstance(says, dict) and says.get(lang):
        found.append(str(says[lang]))
    return [each for each in found if each]


def properties_of_field(item: Item) -> tuple[Property, ...]:
    """Return the properties that a field of this sort and type has."""
    if str(item.get("name")) in STANDARD_FIELDS:
        return tuple(each for each in _FIELD if each.name in _SHOWN_OF_STANDARD)
    kind = str(item.get("type") or "")
    return tuple(each for each in _FIELD if not each.types or kind in each.types)


def sources(document: Document, before: Sequence[Item], item: Item) -> Sources:
    """Return what the drop-downs offer. before: the fields that a condition may read."""
    lang = i18n.language()
    known = registry.current()
    guards = _fitting(known.guards, document)
    return Sources(
        options={
            "sign": [(sign, _SIGNS[sign]) for sign in sorted(checkup.SIGNS)],
            "start": [(name, start.words) for name, start in known.starts.items()],
            "legal_entities": _rows(LegalEntity, lang),
            "broker_types": _rows(BrokerType, lang),
            "team": teams.named(lang),
            "type": [(value, words) for value, words in property_words.VALUES["type"].items()],
            "section": _sections(document, lang),
            "at": [
                (str(each.get("name")), name_of(each, lang)) for each in _items(document, "fields")
            ],
            "show": [(str(each.get("name")), name_of(each, lang)) for each in _answered(document)],
            "valid.until": [
                (str(each.get("name")), name_of(each, lang))
                for each in _answered(document)
                if kind_of(each) in DATE_KINDS
            ],
            **{f"guards.{name}": guards for name in ("start", "send", "approval", "approve")},
            "on_approval": _fitting(known.effects, document),
            "pattern": [(str(each), property_words.meaning("pattern", each)) for each in Pattern],
            **{
                name: list(property_words.VALUES[name].items())
                for name in ("subscription", "exclusive", "decisions", "clock")
                if name in property_words.VALUES
            },
        },
        fields=[
            *((str(each.get("name")), name_of(each, lang)) for each in before),
            *condition_words.ABOUT_WORDS.items(),
        ],
        answers={
            **{str(each.get("name")): _answers(each) for each in before},
            SELF: _answers(item),
        },
    )


def name_of(item: Item, lang: str) -> str:
    """Return what a field, section, document, stage or statement is called, by its draft."""
    standard = STANDARD_FIELDS.get(str(item.get("name")))
    for key in ("label", "title"):
        texts = item.get(key)
        if isinstance(texts, dict) and (
            found := texts.get(lang) or texts.get("en") or texts.get("ar")
        ):
            return str(found)
    if standard is not None:
        return str(standard.label)
    if "kind" in item:
        return kind_names().get(str(item["kind"]), str(item["kind"]))
    return str(item.get("name") or "")


def kind_of(item: Item) -> Kind | None:
    """Return the kind of a field's values, None for one that is not known."""
    standard = STANDARD_FIELDS.get(str(item.get("name")))
    if standard is not None:
        return standard.kind
    try:
        return Kind(str(item.get("type")))
    except ValueError:
        return None


def _items(document: Document, key: str) -> list[Item]:
    found = document.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _answered(document: Document) -> list[Item]:
    own = [each for stage in _items(document, "stages") for each in _items(stage, "fields")]
    return [*_items(document, "fields"), *own]


def _answers(item: Item) -> dict[str, str]:
    """Return what people call the choices of a field → value."""
    found: dict[str, str] = {}
    for choice in _items(item, "choices"):
        value, label = str(choice.get("value")), choice.get("label")
        found[value.casefold()] = value
        for text in label.values() if isinstance(label, dict) else ():
            found.setdefault(str(text).casefold(), value)
    return found


def _sections(document: Document, lang: str) -> Options:
    own = [(str(each.get("name")), name_of(each, lang)) for each in _items(document, "sections")]
    return [*((str(group), group.label) for group in Group), *own]


def _rows(model: Any, lang: str) -> Options:
    rows = db.session.scalars(sa.select(model).order_by(model.position, model.code))
    return [(row.code, i18n.in_language(row, "name")) for row in rows]


def _fitting(named: Mapping[str, Guard | Effect], document: Document) -> Options:
    """Return the guards or effects that services of this subject may name."""
    subject = document.get("subject")
    return [
        (name, each.words)
        for name, each in named.items()
        if each.needs.subject in ("", subject) and name != ISSUE  # which follows from `issued`
    ]


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
