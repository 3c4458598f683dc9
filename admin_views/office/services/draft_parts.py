"""The parts of a service's draft: which properties each has, and what their drop-downs offer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from textwrap import shorten
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import i18n, teams
from clearance.notifications import events
from clearance.notifications.schema import placeholders_of
from clearance.services import property_words, registry
from clearance.services.document_kinds import kind_names
from clearance.services.drafting import Document
from clearance.services.field_specs import NO_COLUMNS, NOT_OF_COLUMNS
from clearance.services.flows import Flow
from clearance.services.stages import STAGES as STAGED
from clearance.services.standard_fields import STANDARD_FIELDS, Kind
from clearance.services.statements import ALWAYS
from forms.service_parts import CHOICE_LINES, Item, Options, Property


@dataclass(frozen=True)
class PartList:
    """A list of parts within a part of the draft.

    key: of the list in the definition. names: the property that tells its parts apart, "" for none.
    title: of the list; one: what one of its parts is called. types: of the fields in it, if it has
    fields.
    """

    key: str
    names: str
    title: Any
    one: Any
    properties: tuple[Property, ...]
    types: Options = ()


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


def _p(
    name: str, kind: str, *types: str, within: str = "", hint: Any = "", words: Any = ""
) -> Property:
    return Property(name, kind, types, within, hint, words)


_TEXTS, _NUMBERS = ("text", "textarea", "licence_no"), ("number", "amount")
_CHOICES = ("choice", "choices")
_DEFAULTED = tuple(name for name in property_words.VALUES["type"] if name != "rows")
_NONE_IS_ALL = _l("Tick none for all.")
_LINE_EACH = _l("One a line, in the same order in both languages.")

_FIELD = (
    _p("label", "words"),
    _p("section", "one"),
    _p("mode", "shown", "", words=_l("Only shown, not filled in")),
    _p("required", "flag"),
    _p("list", "one", *_CHOICES, hint=_l("Leave it empty to write the choices here.")),
    _p("choices", "choices", *_CHOICES, hint=CHOICE_LINES),
    _p("alphabetical", "flag", *_CHOICES),
    _p("hint", "words"),
    _p("example", "words"),
    _p("unit", "words", "number"),
    _p("minimum", "limit", *_NUMBERS),
    _p("maximum", "limit", *_NUMBERS),
    _p("min_length", "number", *_TEXTS),
    _p("max_length", "number", *_TEXTS),
    _p("pattern", "one", "text", "textarea"),
    _p("least", "number", "choices", "rows"),
    _p("most", "number", "choices", "rows"),
    _p("row", "words", "rows"),
    _p("future", "flag", "date"),
    _p("past", "flag", "date"),
    _p("within_days", "number", "date"),
    _p("min_age", "number", "date"),
    _p("default", "answer", *_DEFAULTED),
    _p("declaration", "flag", "bool"),
    _p("when", "condition"),
)
TYPES = tuple(property_words.VALUES["type"].items())
_SHOWN_OF_STANDARD = frozenset({"section", "mode", "required", "hint", "when"})
FIELDS = PartList(
    "fields",
    "name",
    _l("Fields"),
    _l("Field"),
    (*_FIELD, _p("was", "one", hint=_l("Drafts and copies keep what was answered there."))),
    TYPES,
)
OFFICE_FIELDS = PartList(
    "fields",
    "name",
    _l("Fields that the office fills in"),
    _l("Field of the office"),
    _FIELD,
    tuple(each for each in TYPES if each[0] != "rows"),
)
COLUMNS = PartList(
    "columns",
    "name",
    _l("Columns of each row"),
    _l("Column"),
    tuple(each for each in _FIELD if each.name not in NOT_OF_COLUMNS),
    tuple(each for each in TYPES if each[0] not in NO_COLUMNS),
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
        _p("broker_types", "some", within="documents", hint=_NONE_IS_ALL),
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
        _p("team", "one", hint=_l("Leave it empty for the first team.")),
        _p("days", "number", hint=_l("Leave it empty to count the service's days from sending.")),
        _p("decisions", "some", hint=_NONE_IS_ALL),
        _p("another_person", "flag"),
        _p("clock", "one", hint=_l("Leave it empty if it runs as usual.")),
        _p("guards.approve", "some"),
        _p("when", "condition", within="stages"),
    ),
)
PARAGRAPHS = PartList(
    "paragraphs",
    "",
    _l("Paragraphs"),
    _l("Paragraph"),
    (
        _p("ar", "long_text", words=property_words.PROPERTIES["paragraphs.ar"]),
        _p("en", "long_text", words=property_words.PROPERTIES["paragraphs.en"]),
        _p("when", "condition", within="paragraphs"),
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
        _p("paragraphs", "paragraphs", hint=_l("An empty line ends a paragraph.")),
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
            _p("short_title", "words"),
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
            _p("subject", "one"),
            _p("start", "one"),
            _p("legal_entities", "some", hint=_NONE_IS_ALL),
            _p("broker_types", "some", hint=_NONE_IS_ALL),
            _p("subscription", "one"),
            _p("exclusive", "one"),
            _p("guards.start", "some"),
            _p("guards.send", "some"),
            _p("opens_on", "day"),
            _p("closes_on", "day"),
            _p("bulk", "flag"),
            _p("copyable", "on"),
        ),
    ),
    Part("form", _l("Form"), lists=(SECTIONS, FIELDS, RULES)),
    Part("documents", _l("Documents"), lists=(DOCUMENTS,)),
    Part(
        "review",
        _l("Review"),
        (
            _p("flow", "one", hint=_l("Leave it empty for stages of its own.")),
            _p("guards.approval", "some"),
            _p("on_approval", "some"),
        ),
        (STAGES,),
    ),
    Part("issued", _l("What is issued"), lists=(STATEMENTS,)),
    Part("messages", _l("Messages")),
)


def part(key: str) -> Part | None:
    """Return the part with that key, or None."""
    return next((each for each in PARTS if each.key == key), None)


def properties_of_part(
    page: Part, document: Document, *, is_new: bool = False
) -> tuple[Property, ...]:
    """Return the properties on the part's own page; of messages those of the steps that tell.

    is_new: whether the service has no version yet, so that its prefix may change.
    """
    if page.key == "basics" and is_new:
        return (*page.properties, _PREFIX)
    if page.key == "review":
        return (*page.properties, *_roles(document))
    if page.key != "messages":
        return page.properties
    told = [step for step in _flow_of(document).steps if step.tells]
    keys = {step.tells: (step.tells.rpartition(":")[2], step.action.event) for step in told}
    return tuple(
        Property(
            f"messages.{key}.{lang}.{name}",
            kind,
            hint=_usual_placeholders(tells) if name == "body" else "",
            words=property_words.label(name, "messages", lang),
            group=event,
        )
        for tells, (key, event) in keys.items()
        for name, kind in _WORDING
        for lang in i18n.LANGUAGES
    )


_PREFIX = Property("prefix", "text")


def _roles(document: Document) -> Iterator[Property]:
    for role in roles_of(document):
        words = _l("Field with the role “%(role)s”", role=role)
        yield Property(f"roles.{role}", "one", words=words)


def roles_of(document: Document) -> list[str]:
    """Return the roles that answers have, and those that the effects of approval need."""
    held, named = document.get("roles"), document.get("on_approval")
    effects = registry.current().effects
    needed = [
        role
        for name in (named if isinstance(named, list) else ())
        if isinstance(name, str) and name in effects
        for role in effects[name].needs.roles
    ]
    return list(dict.fromkeys([*(held if isinstance(held, dict) else ()), *needed]))


def _usual_placeholders(event: str) -> str:
    named = events.registered()[event].placeholders
    return str(_("It may name: %(names)s", names=" ".join(f"{{{name}}}" for name in named)))


def _flow_of(document: Document) -> Flow:
    flow = registry.current().flows.get(str(document.get("flow")))
    return STAGED if flow is None else flow


_WORDING = (("title", "text"), ("body", "long_text"), ("sms", "text"))


def title_of_list(key: str) -> str:
    """Return what a list of the definition is called."""
    return property_words.label(key)


def facts(item: Item, kind: PartList, lang: str) -> list[str]:
    """Return what a list tells of a part besides its name and condition."""
    found = []
    if kind.types:
        standard = STANDARD_FIELDS.get(str(item.get("name")))
        found.append(str(_l("Standard field")) if standard is not None else type_of(item))
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


def missing_languages(value: Any) -> list[str]:
    """Return the languages, "ar" or "en", that a text anywhere within `value` lacks."""
    lacking = set(_lacking(value))
    return [lang for lang in i18n.LANGUAGES if lang in lacking]


def _lacking(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _lacking(each)
    elif isinstance(value, dict):
        there = [lang for lang in i18n.LANGUAGES if value.get(lang)]
        if there:
            yield from set(i18n.LANGUAGES) - set(there)
        for each in value.values():
            yield from _lacking(each)


def properties_of(item: Item, kind: PartList) -> tuple[Property, ...]:
    """Return the properties of a part; a field has those of its sort and type.

    A paragraph has a text for each of its placeholders, which is printed where the value is empty.
    """
    if kind is PARAGRAPHS:
        return (*kind.properties, *_otherwise(item))
    if not kind.types:
        return kind.properties
    if str(item.get("name")) in STANDARD_FIELDS:
        return tuple(each for each in kind.properties if each.name in _SHOWN_OF_STANDARD)
    named = str(item.get("type") or "")
    return tuple(each for each in kind.properties if not each.types or named in each.types)


def _otherwise(item: Item) -> list[Property]:
    texts = [text for lang in i18n.LANGUAGES if isinstance(text := item.get(lang), str)]
    return [
        Property(f"or.{name}", "words", words=_l("If {%(name)s} is empty", name=name))
        for name in placeholders_of(*texts)
        if name not in ALWAYS
    ]


def is_own_field(item: Item, kind: PartList) -> bool:
    """Return whether a part of the list is a field of the service's own."""
    return bool(kind.types) and str(item.get("name")) not in STANDARD_FIELDS


def nested_in(item: Item, path: str) -> PartList | None:
    """Return the list that a part of the list at `path` has on its own page, or None."""
    if path == "fields" and (item.get("type") == "rows" or item.get("columns")):
        return COLUMNS
    return {"stages": OFFICE_FIELDS, "issued": PARAGRAPHS}.get(path)


def name_of(item: Item, lang: str) -> str:
    """Return what a field, section, document, stage or statement is called, by its draft.

    A paragraph is called by its first words.
    """
    standard = STANDARD_FIELDS.get(str(item.get("name")))
    for key in ("label", "title"):
        texts = item.get(key)
        if isinstance(texts, dict) and (
            found := texts.get(lang) or texts.get("en") or texts.get("ar")
        ):
            return str(found)
    if standard is not None:
        return str(standard.label)
    words = [text for key in (lang, "en", "ar") if isinstance(text := item.get(key), str) and text]
    if words:
        return shorten(words[0], 60, placeholder="…")
    if "kind" in item:
        return kind_names().get(str(item["kind"]), str(item["kind"]))
    return str(item.get("name") or "")


def lost_with(item: Item, kind: str = "") -> list[Property]:
    """Return the properties of an own field that go when its type becomes `kind`.

    Without `kind`: all that may go. An answer of one type is none of another.
    """
    return [
        each
        for each in (*_FIELD, _p("columns", "parts", "rows"))
        if each.types and (kind not in each.types or each.name == "default") and each.name in item
        if kind != item.get("type")
    ]


def type_of(item: Item) -> str:
    """Return what the type of an own field is called."""
    return str(property_words.meaning("type", str(item.get("type") or "")))


def words_of(item: Item) -> list[str]:
    """Return the words by which a part is found: its names in both languages, and in the draft."""
    texts = (item.get(key) for key in ("label", "title", "says"))
    both = [str(text) for each in texts if isinstance(each, dict) for text in each.values()]
    return [*both, str(item.get("name") or item.get("kind") or "")]


def after(called: str) -> str:
    """Return the place after a part in words."""
    return str(_("After “%(name)s”", name=called))


def at_beginning(title: str) -> str:
    """Return the place at the beginning of a section, or of the list, in words."""
    if not title:
        return str(_("At the beginning"))
    return str(_("At the beginning of “%(section)s”", section=title))


def kind_of(item: Item) -> Kind | None:
    """Return the kind of a field's values, None for one that is not known."""
    standard = STANDARD_FIELDS.get(str(item.get("name")))
    if standard is not None:
        return standard.kind
    try:
        return Kind(str(item.get("type")))
    except ValueError:
        return None
