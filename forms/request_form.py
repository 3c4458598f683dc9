"""The form of a request, generated from its service's definition."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import StopValidation

from clearance.core import values
from clearance.core.clock import kuwait_today
from clearance.core.extensions import db
from clearance.core.name_folding import fold_name
from clearance.core.values import BadValue
from clearance.models import BrokerType, Remark
from clearance.requests.remarks import ANSWER_MAX_LENGTH, PREFIX
from clearance.services import answers
from clearance.services.conditions import Condition, Values
from clearance.services.field_specs import Choice, FieldSpec, SectionSpec, legend
from clearance.services.schema import Definition
from clearance.services.standard_fields import Kind, is_empty
from forms.base import BaseForm
from forms.fields import (
    ArabicNameField,
    CheckField,
    ChoiceField,
    ChoicesField,
    CivilNumberField,
    DayField,
    EmailAddressField,
    LatinNameField,
    MobileField,
    NationalityField,
    TextAreaField,
    TextField,
)
from forms.rows import RowsField
from forms.validators import FutureDate

DEFAULT_LENGTH = 250
DEFAULT_TEXT_LENGTH = 1000
WIDTHS = {
    Kind.CIVIL_NUMBER: "md",
    Kind.MOBILE: "md",
    Kind.EMAIL: "lg",
    Kind.NUMBER: "sm",
    Kind.AMOUNT: "sm",
    Kind.PASSPORT_NO: "md",
    Kind.COUNTRY: "md",
    Kind.LICENCE_NO: "md",
    Kind.TEXT: "lg",
    Kind.TEXTAREA: "lg",
    Kind.CHOICE: "lg",
}
CACHED_CLASSES = 256
_NAMES = {"name_ar": _l("Name in Arabic"), "name_en": _l("Name in English")}
_ASK = "ask_"
_classes: dict[tuple[str, tuple[str, ...], str], type[RequestForm]] = {}
_TOGETHER = re.compile(r"(_id)?(_no|_expiry|_[0-9])?$")


class RequiredToSend:
    """The field is required for sending, but not for saving a draft."""

    field_flags = {"required": True}

    def __call__(self, form: Any, field: Any) -> None:
        if field.errors:
            raise StopValidation
        if form.is_sending and is_empty(field.data):
            raise StopValidation(_l("Enter a value."))


class FitsDefinition:
    """The value keeps the limits that the definition sets; nothing given keeps them all."""

    def __init__(self, spec: FieldSpec) -> None:
        self.spec = spec

    def __call__(self, form: Any, field: Any) -> None:
        if field.errors or is_empty(field.data):
            return
        fault = answers.fault(self.spec, field.data, kuwait_today(), field.object_data)
        if fault is not None:
            raise StopValidation(fault)


class AmountField(TextField):
    """A sum in dinars with three decimals, in digits of either script. Empty: None."""

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, max_length=20, **kwargs)
        self.empty = None  # type: ignore[misc, assignment]  # nothing typed is no amount

    def normalise(self, typed: str) -> Decimal:  # type: ignore[override]  # a sum, not a text
        return values.amount(typed)


class PassportField(TextField):
    """A passport number in capital letters and digits. Empty: ""."""

    def normalise(self, typed: str) -> str:
        return values.passport_number(typed)


class _OfTheDefinition:
    """Mixin: the choices of a field that are offered, and those that the row has already."""

    choices: Any

    def __init__(self, *args: Any, spec: FieldSpec, lang: str, **kwargs: Any) -> None:
        options = _options(spec, lang)
        super().__init__(*args, choices=options, **kwargs)  # type: ignore[call-arg]  # a mixin
        self.spec, self.lang = spec, lang

    def process(self, *args: Any, **kwargs: Any) -> None:
        """Take the row's value and the posted one."""
        super().process(*args, **kwargs)  # type: ignore[misc]  # a mixin
        held = self.object_data  # type: ignore[attr-defined]  # a mixin
        if answers.offered(self.spec, held) != held:
            chosen = held if isinstance(held, tuple) else (held,)
            options = _options(self.spec, self.lang, chosen)
            self.choices = [SelectChoice(value, label) for value, label in options]


class OneChoiceField(_OfTheDefinition, ChoiceField):
    """One option of the definition."""


class SeveralChoicesField(_OfTheDefinition, ChoicesField):
    """Several options as a tuple, in the order of the definition; in a page the first names it."""

    data: Any

    def process_data(self, value: Any) -> None:
        self.data = tuple(value or ())

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = tuple(dict.fromkeys(valuelist))


class WholeNumberField(TextField):
    """A whole number in digits of either script, between two inclusive limits. Empty: None."""

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        minimum: int | None = None,
        maximum: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, validators, max_length=12, **kwargs)
        self.minimum = minimum
        self.maximum = maximum
        self.empty = None  # type: ignore[misc, assignment]  # nothing typed is no number

    def normalise(self, typed: str) -> int:  # type: ignore[override]  # a number, not a text
        text = values.ascii_digits(values.clean_text(typed, 12))
        if not re.fullmatch(r"-?[0-9]+", text):
            raise BadValue(_l("Enter a whole number, in digits only."))
        number = int(text)
        if self.minimum is not None and number < self.minimum:
            raise BadValue(_l("The minimum is %(number)s.", number=self.minimum))
        if self.maximum is not None and number > self.maximum:
            raise BadValue(_l("The maximum is %(number)s.", number=self.maximum))
        return number


class RequestForm(BaseForm):
    """The fields that a definition asks for. is_sending: required fields must be filled in.

    Fields are attributes named `ask_<name>`, to avoid clashes with attributes of the form; in the
    page they have their own names. definition: whose conditions decide what counts; None to show
    all fields. known: values of all fields, as saved, and of `conditions.ABOUT`.
    """

    ALSO_POSTED = frozenset({"submit", "kind", "label", "grid", "checked"})

    version = HiddenField()
    is_sending = False
    definition: Definition | None = None
    known: Values = MappingProxyType({})

    @property
    def answers(self) -> dict[int, Field]:
        """Id of a reviewer's remark → field for why nothing has to change."""
        return {
            int(key.removeprefix(PREFIX)): field
            for key, field in self._fields.items()
            if key.startswith(PREFIX)
        }

    @cached_property
    def asked(self) -> dict[str, Field]:
        """Name without the form's prefix → field, for the definition's fields in this form."""
        return {
            field.short_name: field for key, field in self._fields.items() if key.startswith(_ASK)
        }

    @property
    def shown(self) -> Values:
        """The values that count: those of the fields that the present values show, by name."""
        good = self.good_values()
        given = {name: good.get(name) for name in self.asked}
        if self.definition is None:
            return given
        return self.definition.visible({**self.known, **given})

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate; what a condition hides has no errors."""
        super().validate(extra_validators)
        shown = self.shown
        for name, field in self.asked.items():
            if name not in shown:
                field.errors = []
            elif isinstance(field, RowsField):
                field.follow(shown)
        return not self.errors

    def press(self, button: str) -> str:
        """Add or remove a row if `button` does so; return the name of its field, else ""."""
        fields = ((name, each) for name, each in self.asked.items() if isinstance(each, RowsField))
        return next((name for name, each in fields if each.press(button)), "")

    def good_values(self) -> dict[str, Any]:
        """Return name → value of the fields without errors, to be saved in the draft.

        Rows are saved without their faulty cells.
        """
        return {
            name: field.data
            for name, field in self.asked.items()
            if not field.process_errors and (isinstance(field, RowsField) or not field.errors)
        }

    def add_fault(self, name: str, message: str) -> bool:
        """Show an error of the domain at its field; False if the form has no such field."""
        field = self.asked.get(name) or self._fields.get(name)
        if field is None:
            return False
        if not field.errors:
            field.errors = [message]
        return True


@dataclass(frozen=True)
class Line:
    """A field on the page: an input, or a read-only value.

    when: its condition as JSON, "" for none. is_hidden: it is not true now.
    """

    name: str
    label: str
    field: Field | None
    value: str = ""
    hint: str = ""
    remark: str = ""
    answer: Field | None = None
    width: str | None = None
    when: str = ""
    is_hidden: bool = False


@dataclass(frozen=True)
class Section:
    """A fieldset: its legend and rows; the lines of a row are shown side by side."""

    legend: str
    rows: tuple[tuple[Line, ...], ...]
    help: str = ""
    when: str = ""
    is_hidden: bool = False

    @property
    def has_inputs(self) -> bool:
        """Whether the section has any input."""
        return any(line.field is not None for row in self.rows for line in row)

    @property
    def values(self) -> list[tuple[str, str]]:
        """(label, value) of the lines for read-only display, with the parts of a name joined."""
        read = []
        for row in self.rows:
            label = _NAMES.get(_TOGETHER.sub("", row[0].name)) if len(row) > 1 else None
            if label is None:
                read += [(line.label, line.value) for line in row]
            else:
                read.append((str(label), " ".join(line.value for line in row if line.value)))
        return read


def request_form(
    definition: Definition,
    open_fields: Collection[str],
    lang: str,
    saved: Mapping[str, Any],
    prefix: str = "",
    remark_answers: Mapping[str, tuple[str, str | None]] = MappingProxyType({}),
) -> RequestForm:
    """Return the form of `definition` with inputs for `open_fields` only, bound to a post.

    lang: of the labels. saved: values as of `field_values.known`; without any all fields are shown
    whatever their conditions. prefix: of the names in the page, if it contains several such forms.
    remark_answers: name of the field that answers a reviewer's remark → its label and value.
    """
    chosen = tuple(spec.name for spec in definition.asked if spec.name in open_fields)
    data = {f"{_ASK}{name}": value for name, value in saved.items()}
    made = _form_class(definition, chosen, lang)
    if remark_answers:
        fields = {name: _answer(label) for name, (label, _text) in remark_answers.items()}
        made = type("AnswerForm", (made,), fields)
    data |= {name: text for name, (_label, text) in remark_answers.items()}
    form = made(data=data, prefix=prefix)
    if saved:
        form.definition, form.known = definition, saved
    return form


def _answer(label: str) -> Any:
    return TextAreaField(label, max_length=ANSWER_MAX_LENGTH, render_kw={"rows": 2})


def broker_type_choices(codes: Collection[str], lang: str) -> list[tuple[str, str]]:
    """Return (code, name) of the active broker types, limited to `codes` unless empty."""
    statement = sa.select(BrokerType).where(BrokerType.is_active).order_by(BrokerType.position)
    return [
        (row.code, row.name_ar if lang == "ar" else row.name_en)
        for row in db.session.scalars(statement)
        if not codes or row.code in codes
    ]


def sections(
    definition: Definition,
    form: RequestForm | None,
    shown: dict[str, str],
    remarks: Mapping[str, Remark],
    lang: str,
) -> list[Section]:
    """Lay out the definition's fields by fieldset.

    form: None for read-only display. shown: name → value of fields without an input; other fields
    are left out. remarks: name → the reviewer's open remark.
    """
    laid = []
    visible = form.shown if form is not None else {}
    for fieldset, specs in definition.fieldsets:
        lines = [
            _line(spec, form, shown, remarks, lang, visible)
            for spec in specs
            if spec.name in shown or (form is not None and spec.name in form.asked)
        ]
        if lines:
            own = fieldset if isinstance(fieldset, SectionSpec) else None
            laid.append(
                Section(
                    legend(fieldset, lang),
                    tuple(_rows(lines)),
                    help=own.help.of(lang) if own is not None and own.help is not None else "",
                    when=_as_json(own.when) if own is not None and form is not None else "",
                    is_hidden=all(line.is_hidden for line in lines),
                )
            )
    return laid


def condition_data(form: RequestForm) -> str:
    """Return what static/js/conditions.js needs of a form with conditions as JSON, else "".

    kinds: field → how its input is read. columns: the same of rows. known: values of what has no
    input.
    """
    definition = form.definition
    if definition is None or not definition.has_conditions:
        return ""
    kinds = {spec.name: str(spec.kind) for spec in definition.asked if spec.name in form.asked}
    columns = {
        spec.name: {column.name: str(column.kind) for column in spec.columns}
        for spec in definition.asked
        if spec.columns
    }
    known = {name: answers.stored(value) for name, value in form.known.items() if name not in kinds}
    about = {"kinds": kinds, "columns": columns, "known": known, "prefix": form._prefix}
    return json.dumps(about)


def _as_json(when: Condition | None) -> str:
    return "" if when is None else when.as_json


def _line(
    spec: FieldSpec,
    form: RequestForm | None,
    shown: dict[str, str],
    remarks: Mapping[str, Remark],
    lang: str,
    visible: Values,
) -> Line:
    remark = remarks.get(spec.name)
    field = form.asked.get(spec.name) if form is not None else None
    if isinstance(field, RowsField):
        field.follow(visible)
    return Line(
        name=spec.name,
        label=spec.title(lang),
        field=field,
        value=shown.get(spec.name, ""),
        hint=spec.hint_in(lang),
        remark=remark.text if remark else "",
        answer=form.answers.get(remark.id) if remark and form is not None else None,
        width=WIDTHS.get(spec.kind),
        when=_as_json(spec.when) if form is not None else "",
        is_hidden=form is not None and spec.name not in visible,
    )


def _rows(lines: Iterable[Line]) -> list[tuple[Line, ...]]:
    """Group related fields into rows: the four names, a number and its expiry date."""
    rows: list[list[Line]] = []
    previous = None
    for line in lines:
        thing = _TOGETHER.sub("", line.name)
        if thing == previous:
            rows[-1].append(line)
        else:
            rows.append([line])
        previous = thing
    return [tuple(row) for row in rows]


def _form_class(definition: Definition, names: tuple[str, ...], lang: str) -> type[RequestForm]:
    key = (definition.fingerprint, names, lang)
    if key not in _classes:
        if len(_classes) >= CACHED_CLASSES:
            _classes.clear()
        specs = [spec for spec in definition.asked if spec.name in names]
        fields = {f"{_ASK}{spec.name}": input_of(spec, lang) for spec in specs}
        _classes[key] = type("ServiceForm", (RequestForm,), fields)
    return _classes[key]


def input_of(spec: FieldSpec, lang: str) -> Any:
    """Return the WTForms field of a definition's field, labelled in `lang`."""
    field_class, more = _FIELDS.get(spec.kind, _text)(spec, lang)
    checks: list[Any] = [RequiredToSend()] if spec.required else []
    if spec.kind is Kind.FUTURE_DATE:
        checks.append(FutureDate())
    if spec.kind is not Kind.ROWS:  # whose cells are checked one by one
        checks.append(FitsDefinition(spec))
    # The name is also the id that the error summary and reviewers' remarks link to.
    return field_class(spec.title(lang), checks, name=spec.name, **more)


_Made = tuple[Any, dict[str, Any]]


def _attributes(spec: FieldSpec) -> dict[str, Any]:
    return {"render_kw": {"autocomplete": spec.autocomplete}}


def _text(spec: FieldSpec, lang: str) -> _Made:
    return TextField, {"max_length": spec.longest or DEFAULT_LENGTH, **_attributes(spec)}


def _lines(spec: FieldSpec, lang: str) -> _Made:
    return TextAreaField, {"max_length": spec.longest or DEFAULT_TEXT_LENGTH, **_attributes(spec)}


def _number(spec: FieldSpec, lang: str) -> _Made:
    return WholeNumberField, {}


def _passport(spec: FieldSpec, lang: str) -> _Made:
    return PassportField, {"max_length": 40, **_attributes(spec)}


def _options(spec: FieldSpec, lang: str, held: Collection[Any] = ()) -> list[tuple[str, str]]:
    found = [each for each in spec.choices if not each.retired or each.value in held]
    if spec.alphabetical:  # "other" stays the last
        found.sort(key=lambda each: (each.text, fold_name(each.label.of(lang))))
    return [(each.value, _option(each, lang)) for each in found]


def _option(choice: Choice, lang: str) -> str:
    label = choice.label.of(lang)
    return str(_("%(choice)s (no longer offered)", choice=label)) if choice.retired else label


def _choice(spec: FieldSpec, lang: str) -> _Made:
    return OneChoiceField, {"spec": spec, "lang": lang}


def _choices(spec: FieldSpec, lang: str) -> _Made:
    return SeveralChoicesField, {"spec": spec, "lang": lang}


def _amount(spec: FieldSpec, lang: str) -> _Made:
    return AmountField, {"render_kw": {"inputmode": "decimal", "dir": "ltr"}}


def _country(spec: FieldSpec, lang: str) -> _Made:
    return NationalityField, {"lang": lang}


def _broker_type(spec: FieldSpec, lang: str) -> _Made:
    return ChoiceField, {"choices": lambda: broker_type_choices((), lang)}


def _box(spec: FieldSpec, lang: str) -> _Made:
    return CheckField, {}


def _rows_of_cells(spec: FieldSpec, lang: str) -> _Made:
    return RowsField, {"spec": spec, "lang": lang, "make": _cell}


def _cell(column: FieldSpec, lang: str) -> Any:
    made = input_of(column, lang)
    made.kwargs["description"] = column.hint_in(lang)
    return made


def _as(field_class: type[Field]) -> Callable[[FieldSpec, str], _Made]:
    return lambda spec, lang: (field_class, _attributes(spec))


_FIELDS: dict[Kind, Callable[[FieldSpec, str], _Made]] = {
    Kind.ARABIC_NAME: _as(ArabicNameField),
    Kind.LATIN_NAME: _as(LatinNameField),
    Kind.CIVIL_NUMBER: _as(CivilNumberField),
    Kind.MOBILE: _as(MobileField),
    Kind.EMAIL: _as(EmailAddressField),
    Kind.FUTURE_DATE: _as(DayField),
    Kind.DATE: _as(DayField),
    Kind.TEXTAREA: _lines,
    Kind.NUMBER: _number,
    Kind.AMOUNT: _amount,
    Kind.PASSPORT_NO: _passport,
    Kind.CHOICE: _choice,
    Kind.CHOICES: _choices,
    Kind.COUNTRY: _country,
    Kind.BROKER_TYPE: _broker_type,
    Kind.BOOL: _box,
    Kind.ROWS: _rows_of_cells,
}
