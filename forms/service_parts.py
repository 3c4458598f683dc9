"""Forms of the parts of a service's draft: each property by its kind, lenient as drafts are.

Names of fields are those of the definition's schema, with the language or the part of a condition
after them: `label_ar`, `required`, `when_field`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from types import MappingProxyType
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField

from clearance.core import values
from clearance.core.values import BadValue
from clearance.services.field_specs import Mode
from clearance.services.property_words import in_language
from clearance.services.property_words import label as label_of
from forms.base import BaseForm
from forms.fields import (
    CheckField,
    ChoiceField,
    ChoicesField,
    DayField,
    TextAreaField,
    TextField,
)
from forms.request_form import WholeNumberField

Item = dict[str, Any]
Options = Sequence[tuple[str, Any]]
Closed = Sequence[tuple[Any, str]]
"""What is not offered: what it is called, and why."""

TEXT_LENGTH = 2000
ROWS_OF_CONDITIONS = 4
SELF = ""
"""The name, in `Sources.answers`, of the field that is being edited."""

LANGUAGES = ("ar", "en")
COMPARISONS: Options = (
    ("is", _l("is")),
    ("is_not", _l("is not")),
    ("filled", _l("is filled in")),
    ("empty", _l("is empty")),
    ("at_least", _l("is at least")),
    ("at_most", _l("is at most")),
    ("before", _l("is before")),
    ("after", _l("is after")),
)
MOST_LISTED = 500
CHOICE_LINES = _l(
    "One a line: Arabic | English | value. Paste them from a spreadsheet if you like; a missing "
    "value is made from the English text. Add “retired” after the value of a choice that is no "
    "longer offered, and “text” after that of one that asks for a text."
)


@dataclass(frozen=True)
class Sources:
    """What the drop-downs of a part offer. options: property → (value, label).

    fields: (name, label) of the fields that conditions may read. answers: what people call the
    choices of these fields, in any language → value, by field. suggested: the choices of these
    fields in the page's language. closed: property → what is not offered.
    """

    options: Mapping[str, Options] = field(default_factory=dict)
    fields: Options = ()
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    suggested: Mapping[str, Sequence[str]] = field(default_factory=dict)
    closed: Mapping[str, Closed] = field(default_factory=dict)


@dataclass(frozen=True)
class Property:
    """A property of a part, and how it is edited.

    kind: one of `_KINDS`. types: the types of own fields that have it; empty for all. within: the
    list that its part belongs to. hint: beside the input. words: what it is called, if not as in
    `property_words`. group: what it is shown under, with the others of the same group.
    """

    name: str
    kind: str
    types: tuple[str, ...] = ()
    within: str = ""
    hint: Any = ""
    words: Any = ""
    group: Any = ""

    def label(self, lang: str = "") -> str:
        """Return what it is called, or its text in `lang`, in the page's language."""
        if not self.words:
            return label_of(self.name, self.within, lang)
        return str(in_language(self.words, lang) if lang else self.words)

    def called(self) -> str:
        """Return what it is called where its group is not shown."""
        return f"{self.group}: {self.label()}" if self.group else self.label()


class PartForm(BaseForm):
    """The properties of one part of a draft. version: of the draft that the page showed.

    keys: property → the names of its inputs.
    """

    version = HiddenField()
    keys: Mapping[str, Sequence[str]] = MappingProxyType({})
    properties: Sequence[Property] = ()
    sources: Sources = Sources()
    item: Mapping[str, Any] = MappingProxyType({})

    def apply(self, item: Item) -> None:
        """Write what was typed into the part of the document.

        What is empty is left out; what is not valid leaves its property as it is.
        """
        for each in self.properties:
            is_kept = each.kind == "condition" and self.keeps(each.name)
            if not is_kept and not self.has_faults(each):
                value = _KINDS[each.kind].read(self, each)
                _set(item, each.name, value, keeps_false=each.kind == "on")

    def has_faults(self, each: Property) -> bool:
        """Return whether what was typed for a property is not valid."""
        return any(field.errors for field in self.inputs_of(each))

    def stored(self, item: Item) -> dict[str, Any]:
        """Return what a part of the document says of the form's properties."""
        return {each.name: _get(item, each.name) for each in self.properties}

    def changed(self, item: Item) -> list[Property]:
        """Return the properties that `apply` would change in a part of the document."""
        after = copy.deepcopy(item)
        self.apply(after)
        return [each for each in self.properties if _get(item, each.name) != _get(after, each.name)]

    def words(self, each: Property) -> str:
        """Return the value of a property as people read it, "" for none."""
        if each.kind == "condition":
            rows = [row for row in self.rows_of(each.name) if row[0].data]
            return "; ".join(" ".join(filter(None, map(_written, row))) for row in rows)
        return " · ".join(filter(None, map(_written, self.inputs_of(each))))

    def keeps(self, name: str) -> bool:
        """Return whether a condition that has no rows here stays as it is."""
        return bool(self[f"{name}_kept"].data)

    def grouped(self) -> list[tuple[Any, list[Property]]]:
        """Return the properties by group, in their order; "" for those without."""
        runs = groupby(self.properties, key=lambda each: str(each.group))
        return [(group, list(run)) for group, run in runs]

    def is_filled(self, properties: Iterable[Property]) -> bool:
        """Return whether any of these says something or is wrong."""
        inputs = (field for each in properties for field in self.inputs_of(each))
        return any(field.data or field.errors for field in inputs)

    def inputs_of(self, each: Property) -> list[Any]:
        """Return the inputs of one property, in their order."""
        return [self[key] for key in self.keys[each.name]]

    def rows_of(self, name: str) -> list[list[Any]]:
        """Return the inputs of a condition by row: field, comparison, value."""
        return [
            [self[f"{name}_{part}{suffix}"] for part in ("field", "op", "value")]
            for suffix in _suffixes()
        ]


def part_form(
    properties: Sequence[Property], item: Item, sources: Sources, *, is_bound: bool = True
) -> PartForm:
    """Return the form of a part, by default bound to a post.

    item: as the draft has it, valid or not. A drop-down that would offer nothing is left out.
    """
    properties = tuple(
        each
        for each in properties
        if each.kind != "one" or sources.options.get(each.name) or _get(item, each.name)
    )
    inputs: dict[str, Any] = {"properties": properties, "sources": sources}
    data: dict[str, Any] = {}
    keys: dict[str, Sequence[str]] = {}
    for each in properties:
        kind, value = _KINDS[each.kind], _get(item, each.name)
        own = kind.inputs(each, _with_present(each, value, sources))
        inputs |= own
        keys[each.name] = tuple(own)
        data |= kind.shown(each, value)
    inputs |= {"item": item, "keys": keys}
    made: type[PartForm] = type("DraftPartForm", (PartForm,), inputs)
    return made(data=data) if is_bound else made(formdata=None, data=data)


def _written(input_: Any) -> str:
    """Return the value of one input in words."""
    if isinstance(input_, CheckField):
        return str(_l("Yes") if input_.data else _l("No"))
    if isinstance(input_, ChoiceField | ChoicesField):
        chosen = input_.data if isinstance(input_.data, list) else [input_.data]
        return ", ".join(str(words) for value, words in input_.choices if value in chosen)
    return str(input_._value())


def _with_present(each: Property, value: Any, sources: Sources) -> Sources:
    """Offer what the draft has too, though nothing else knows it: it is not dropped unseen."""
    offered = list(sources.options.get(each.name, ()))
    present = value if isinstance(value, list | tuple) else [value] if value else []
    unknown = [str(one) for one in present if str(one) not in dict(offered)]
    if each.kind not in ("one", "some") or not unknown:
        return sources
    options = {**sources.options, each.name: [*offered, *((text, text) for text in unknown)]}
    return replace(sources, options=options)


def _get(item: Any, name: str) -> Any:
    """Return a property; "guards.start" is one within another."""
    for key in name.split("."):
        item = item.get(key) if isinstance(item, dict) else None
    return item


def _set(item: Item, name: str, value: Any, *, keeps_false: bool = False) -> None:
    outer, _, inner = name.partition(".")
    if inner:
        there = item.get(outer)
        within = dict(there) if isinstance(there, dict) else {}
        _set(within, inner, value)
        value, name = within, outer
    if value in (None, "", [], {}) or (value is False and not keeps_false):
        item.pop(name, None)
    else:
        item[name] = value


@dataclass(frozen=True)
class _Kind:
    """inputs: name → WTForms field. shown: name → initial value. read: the value for the draft."""

    inputs: Callable[[Property, Sources], dict[str, Any]]
    shown: Callable[[Property, Any], dict[str, Any]]
    read: Callable[[PartForm, Property], Any]


def _key(each: Property) -> str:
    return each.name.replace(".", "_")


def _words(each: Property, sources: Sources, input_class: Any = TextField) -> dict[str, Any]:
    directions = {"ar": "rtl", "en": "ltr"}
    return {
        f"{_key(each)}_{lang}": input_class(
            each.label(lang),
            max_length=TEXT_LENGTH,
            render_kw={"dir": directions[lang], "lang": lang},
        )
        for lang in LANGUAGES
    }


def _shown_words(each: Property, value: Any) -> dict[str, Any]:
    texts = value if isinstance(value, dict) else {}
    return {f"{_key(each)}_{lang}": texts.get(lang) or "" for lang in LANGUAGES}


def _read_words(form: PartForm, each: Property) -> Any:
    return {lang: text for lang in LANGUAGES if (text := form[f"{_key(each)}_{lang}"].data)}


def _shown_lines(each: Property, value: Any) -> dict[str, Any]:
    texts = [text for text in value or () if isinstance(text, dict)]
    return {
        f"{_key(each)}_{lang}": "\n".join(str(text.get(lang) or "") for text in texts)
        for lang in LANGUAGES
    }


def _read_lines(form: PartForm, each: Property) -> Any:
    lines = [(form[f"{_key(each)}_{lang}"].data or "").split("\n") for lang in LANGUAGES]
    longest = max(len(texts) for texts in lines)
    padded = [[*texts, *[""] * (longest - len(texts))] for texts in lines]
    pairs = [dict(zip(LANGUAGES, pair, strict=True)) for pair in zip(*padded, strict=True)]
    given = [{lang: text for lang, text in pair.items() if text} for pair in pairs]
    return [texts for texts in given if texts]


def _shown_paragraphs(each: Property, value: Any) -> dict[str, Any]:
    texts = [text for text in value or () if isinstance(text, dict)]
    return {
        f"{_key(each)}_{lang}": "\n\n".join(str(text.get(lang) or "") for text in texts)
        for lang in LANGUAGES
    }


def _read_paragraphs(form: PartForm, each: Property) -> Any:
    """Return paragraphs, which an empty line ends.

    What a paragraph has besides its texts stays with them, or with its place if they changed.
    """
    texts = [re.split(r"\n\s*\n", form[f"{_key(each)}_{lang}"].data or "") for lang in LANGUAGES]
    longest = max(len(parts) for parts in texts)
    padded = [[*parts, *[""] * (longest - len(parts))] for parts in texts]
    pairs = [dict(zip(LANGUAGES, pair, strict=True)) for pair in zip(*padded, strict=True)]
    typed = [words for words in map(_texts_of, pairs) if words]
    listed = _get(dict(form.item), each.name) or []
    before = [(_texts_of(part), part) for part in listed if isinstance(part, dict)]
    found = []
    for place, words in enumerate(typed):
        kept = next((part for texts, part in before if texts == words), {})
        if not kept and place < len(before) and before[place][0] not in typed:
            kept = before[place][1]
        found.append(words | {key: kept[key] for key in kept if key not in LANGUAGES})
    return found


def _texts_of(part: Item) -> Item:
    return {lang: part[lang] for lang in LANGUAGES if part.get(lang)}


def _one_input(make: Callable[[Property, Sources], Any]) -> Callable[..., dict[str, Any]]:
    return lambda each, sources: {_key(each): make(each, sources)}


def _plain(each: Property, value: Any) -> dict[str, Any]:
    return {_key(each): value}


def _as_text(each: Property, value: Any) -> dict[str, Any]:
    return {_key(each): "" if value is None else str(value)}


def _data(form: PartForm, each: Property) -> Any:
    return form[_key(each)].data


def _several(each: Property, value: Any) -> dict[str, Any]:
    return {_key(each): list(value) if isinstance(value, list | tuple) else []}


def _choice(each: Property, sources: Sources) -> Any:
    return ChoiceField(
        each.label(), choices=list(sources.options.get(each.name, ())), description=each.hint
    )


def _boxes(each: Property, sources: Sources) -> Any:
    return ChoicesField(
        each.label(), choices=list(sources.options.get(each.name, ())), description=each.hint
    )


class ChoiceLinesField(TextAreaField):
    """Choices, one a line: Arabic, English, value and marks, parted by tabs, | or semicolons.

    is_complete: no text may be missing in either language.
    """

    attributes: ClassVar[dict[str, object]] = {"dir": "auto", "rows": 10}
    data: Any

    def __init__(self, *args: Any, is_complete: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_complete = is_complete

    def process_data(self, value: Any) -> None:
        self.data = value

    def normalise(self, typed: str) -> Any:
        lines = values.clean_lines(typed.replace("\t", " | ")).split("\n")
        read = {number: _parts(line) for number, line in enumerate(lines, 1) if _parts(line)}
        if faults := list(_faults_of_lines(read, self.is_complete)):
            raise BadValue(" ".join(str(fault) for fault in faults[:5]))
        taken = {parts[2] for parts in read.values() if len(parts) > 2}
        found: list[Item] = []
        for parts in read.values():
            arabic, english, code = [*parts, "", ""][:3]
            code = code or code_from(english, taken)
            taken.add(code)
            label = {lang: text for lang, text in (("ar", arabic), ("en", english)) if text}
            marks = {_MARKS[mark]: True for mark in parts[3:]}
            found.append({"value": code, "label": label, **marks})
        return found

    @staticmethod
    def written(choices: Any) -> str:
        """Return choices as they are typed, a line each."""
        return "\n".join(_choice_line(choice) for choice in choices or ())

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else self.written(self.data)


_MARKS = {"retired": "retired", "غير متاح": "retired", "text": "text", "نص": "text"}


def _parts(line: str) -> list[str]:
    """Return what a line says, without empty cells at its end."""
    parts = [part.strip() for part in re.split(r"\|" if "|" in line else "[;؛]", line)]
    while parts and not parts[-1]:
        parts.pop()
    return parts


def _faults_of_lines(read: Mapping[int, list[str]], is_complete: bool) -> Iterator[Any]:
    """Yield what is wrong, with the numbers of lines. read: number → what the line says."""
    if len(read) > MOST_LISTED:
        yield _l("These are more than %(number)s choices.", number=MOST_LISTED)
    seen: dict[tuple[int, str], int] = {}
    for number, parts in read.items():
        if any(mark not in _MARKS for mark in parts[3:]):
            yield _l("Line %(number)s: write Arabic | English | value.", number=number)
        if len(parts) > 2 and parts[2] and not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", parts[2]):
            yield _l(
                "Line %(number)s: the value has lower case Latin letters, digits and _, and begins "
                "with a letter.",
                number=number,
            )
        if is_complete and not all([*parts, ""][:2]):
            yield _l("Line %(number)s: write the choice in both languages.", number=number)
        told = [*enumerate(parts[:3]), *((3, mark) for mark in parts[3:] if _marks_text(mark))]
        for place, text in told:
            first = seen.setdefault((place, text.casefold()), number) if text else number
            if first != number:
                yield _l(
                    "Line %(number)s: “%(text)s” is on line %(first)s already.",
                    number=number,
                    text=text,
                    first=first,
                )


def _marks_text(mark: str) -> bool:
    return _MARKS.get(mark) == "text"


def _choice_line(choice: Any) -> str:
    if not isinstance(choice, dict):
        return str(choice)
    label = choice.get("label")
    texts = label if isinstance(label, dict) else {}
    marks = [mark for mark in ("retired", "text") if choice.get(mark)]
    texts_of = [str(texts.get(lang, "")) for lang in LANGUAGES]
    return " | ".join([*texts_of, str(choice.get("value", "")), *marks])


def code_from(english: str, taken: Any) -> str:
    """Return a free code for what is called `english`, such as `other_port`."""
    plain = re.sub(r"[^a-z0-9]+", "_", english.casefold()).strip("_")[:34]
    stem = plain if re.match("[a-z]", plain) else f"item_{plain}".rstrip("_")
    number, code = 1, stem
    while code in taken:
        number += 1
        code = f"{stem}_{number}"
    return code


def _condition_inputs(each: Property, sources: Sources) -> dict[str, Any]:
    joins = [("all", _l("All of these are true")), ("any", _l("Any of these is true"))]
    inputs: dict[str, Any] = {
        f"{each.name}_join": ChoiceField(_l("How they are joined"), choices=joins, blank=None),
        f"{each.name}_kept": CheckField(_l("Keep the present condition")),
    }
    for suffix in _suffixes():
        inputs |= {
            f"{each.name}_field{suffix}": ChoiceField(
                _l("Field"), choices=list(sources.fields), blank=_l("Always")
            ),
            f"{each.name}_op{suffix}": ChoiceField(
                _l("Comparison"), choices=list(COMPARISONS), blank=None
            ),
            f"{each.name}_value{suffix}": TextField(_l("Value"), max_length=250),
        }
    return inputs


def _suffixes() -> list[str]:
    return ["", *(f"_{number}" for number in range(2, ROWS_OF_CONDITIONS + 1))]


def _shown_condition(each: Property, value: Any) -> dict[str, Any]:
    joined = value if isinstance(value, dict) else {}
    join = next((key for key in ("all", "any") if joined.get(key)), "all")
    parts = joined.get(join) or ([joined] if joined else [])
    is_simple = len(parts) <= ROWS_OF_CONDITIONS and all(_row_of(part) for part in parts)
    shown: dict[str, Any] = {f"{each.name}_join": join, f"{each.name}_kept": not is_simple}
    for suffix, part in zip(_suffixes(), parts if is_simple else (), strict=False):
        for key, text in zip(("field", "op", "value"), _row_of(part) or (), strict=True):
            shown[f"{each.name}_{key}{suffix}"] = text
    return shown


def _row_of(part: Any) -> tuple[str, str, str] | None:
    """Return (field, comparison, value as typed) of one comparison; None for anything else."""
    if not isinstance(part, dict) or "field" not in part or len(part) != 2:
        return None
    name = next(key for key in part if key != "field")
    given = part[name]
    if name == "filled":
        return str(part["field"]), "filled" if given else "empty", ""
    texts = given if isinstance(given, list) else [given]
    written = [f"={text['field']}" if isinstance(text, dict) else _typed(text) for text in texts]
    return str(part["field"]), name, ", ".join(written)


def _typed(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _read_condition(form: PartForm, each: Property) -> Any:
    parts = []
    for suffix in _suffixes():
        name = form[f"{each.name}_field{suffix}"].data
        if name:
            comparison = form[f"{each.name}_op{suffix}"].data or "is"
            typed = form[f"{each.name}_value{suffix}"].data or ""
            parts.append(_comparison(form.sources, name, comparison, typed))
    if len(parts) < 2:
        return parts[0] if parts else None
    return {form[f"{each.name}_join"].data or "all": parts}


def _comparison(sources: Sources, name: str, comparison: str, typed: str) -> Item:
    if comparison in ("filled", "empty"):
        return {"field": name, "filled": comparison == "filled"}
    texts = [text.strip() for text in re.split("[,،]", typed) if text.strip()]
    operands = [_operand(sources, name, text) for text in texts]
    if comparison in ("is", "is_not"):
        return {"field": name, comparison: operands}
    return {"field": name, comparison: operands[0] if operands else ""}


def _operand(sources: Sources, name: str, text: str) -> Any:
    """Return what was typed as a definition has it: a choice by its label, a day as in ISO 8601."""
    if text.startswith("="):
        return {"field": text[1:].strip()}
    known = sources.answers.get(name, {})
    if text.casefold() in known:
        return known[text.casefold()]
    if text.casefold() in _TRUTHS:
        return _TRUTHS[text.casefold()]
    plain = values.ascii_digits(text)
    if re.fullmatch(r"-?[0-9]{1,12}", plain):
        return int(plain)
    try:
        return values.day(text).isoformat()
    except BadValue:
        return plain


def _day(value: Any) -> Any:
    try:
        return values.day(str(value)) if value else None
    except BadValue:
        return None


def _limit(typed: str) -> Any:
    plain = values.ascii_digits(typed or "")
    return int(plain) if re.fullmatch(r"-?[0-9]{1,12}", plain) else plain


def _typed_all(value: Any) -> str:
    listed = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return ", ".join(_typed(one) for one in listed)


def _answer(form: PartForm, each: Property) -> Any:
    """Return an answer of the field itself, as its default."""
    texts = [text.strip() for text in re.split("[,،]", form[_key(each)].data or "")]
    found = [_operand(form.sources, SELF, text) for text in texts if text]
    return found[0] if len(found) == 1 else found


_TRUTHS = {"yes": True, "no": False, "نعم": True, "لا": False}

_KINDS: dict[str, _Kind] = {
    "words": _Kind(_words, _shown_words, _read_words),
    "long_words": _Kind(
        lambda each, sources: _words(each, sources, TextAreaField), _shown_words, _read_words
    ),
    "lines": _Kind(
        lambda each, sources: _words(each, sources, TextAreaField), _shown_lines, _read_lines
    ),
    "paragraphs": _Kind(
        lambda each, sources: _words(each, sources, TextAreaField),
        _shown_paragraphs,
        _read_paragraphs,
    ),
    "long_text": _Kind(
        _one_input(
            lambda each, sources: TextAreaField(
                each.label(), max_length=TEXT_LENGTH, description=each.hint
            )
        ),
        _as_text,
        _data,
    ),
    "text": _Kind(
        _one_input(
            lambda each, sources: TextField(
                each.label(), max_length=TEXT_LENGTH, description=each.hint
            )
        ),
        _as_text,
        _data,
    ),
    "number": _Kind(
        _one_input(
            lambda each, sources: WholeNumberField(each.label(), minimum=0, description=each.hint)
        ),
        _plain,
        _data,
    ),
    "day": _Kind(
        _one_input(lambda each, sources: DayField(each.label(), description=each.hint)),
        lambda each, value: {_key(each): _day(value)},
        lambda form, each: form[_key(each)].data and form[_key(each)].data.isoformat(),
    ),
    "limit": _Kind(
        _one_input(
            lambda each, sources: TextField(each.label(), max_length=20, description=each.hint)
        ),
        _as_text,
        lambda form, each: _limit(form[_key(each)].data),
    ),
    "answer": _Kind(
        _one_input(
            lambda each, sources: TextField(each.label(), max_length=250, description=each.hint)
        ),
        lambda each, value: {_key(each): _typed_all(value)},
        lambda form, each: _answer(form, each),
    ),
    "flag": _Kind(
        _one_input(lambda each, sources: CheckField(each.label(), description=each.hint)),
        lambda each, value: {_key(each): value is True},
        _data,
    ),
    "on": _Kind(  # a flag that is set unless a definition says otherwise
        _one_input(lambda each, sources: CheckField(each.label(), description=each.hint)),
        lambda each, value: {_key(each): value is not False},
        lambda form, each: None if form[_key(each)].data else False,
    ),
    "shown": _Kind(
        _one_input(lambda each, sources: CheckField(each.label(), description=each.hint)),
        lambda each, value: {_key(each): value == Mode.SHOWN},
        lambda form, each: str(Mode.SHOWN) if form[_key(each)].data else None,
    ),
    "one": _Kind(_one_input(_choice), _plain, _data),
    "some": _Kind(_one_input(_boxes), _several, _data),
    "choices": _Kind(
        _one_input(
            lambda each, sources: ChoiceLinesField(
                each.label(), max_length=40000, description=each.hint
            )
        ),
        _plain,
        lambda form, each: None if "list" in form and form["list"].data else _data(form, each),
    ),
    "condition": _Kind(_condition_inputs, _shown_condition, _read_condition),
}
