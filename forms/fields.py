"""Fields that normalise user input to domain values.

An invalid form shows the input as it was typed, except secrets.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape
from wtforms.fields import (
    BooleanField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields.choices import Choice, SelectChoice
from wtforms.widgets import (
    CheckboxInput,
    EmailInput,
    ListWidget,
    PasswordInput,
    Select,
    TelInput,
    TextArea,
    TextInput,
)

from clearance.core import nationalities, values
from clearance.core.i18n import (
    day_in_words,
    format_day,
    format_instant,
    instant_in_words,
    time_in_words,
)
from clearance.core.values import BadValue

Choices = Iterable[tuple[str, Any]]

_LONGEST_ANSWER = 12
_CHOOSE = _l("Choose…")


class _TypedField(StringField):
    """A text field; `normalise` returns the value or raises `BadValue`."""

    attributes: ClassVar[dict[str, object]] = {}
    empty: ClassVar[str | None] = None
    data: Any

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        render_kw: dict[str, object] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            label, validators, render_kw={**self.attributes, **(render_kw or {})}, **kwargs
        )

    def normalise(self, typed: str) -> Any:
        """Return the value of `typed`, which is not blank. Raises: BadValue."""
        raise NotImplementedError("parse the typed text")

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist:
            self.data = self.empty
            if values.clean_text(valuelist[0]):
                self.data = self.normalise(valuelist[0])

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else str(self.data)


class NeverShown(StringField):
    """Mixin of fields for secrets, which a page shown again leaves empty."""

    def _value(self) -> str:
        return ""


class TextField(_TypedField):
    """One line of text, cleaned. max_length: in characters. Empty: ""."""

    attributes: ClassVar[dict[str, object]] = {"dir": "auto"}
    empty = ""

    def __init__(
        self, label: Any = None, validators: Any = None, *, max_length: int, **kwargs: Any
    ) -> None:
        self.max_length = max_length
        super().__init__(label, validators, **kwargs)
        self.flags.maxlength = max_length

    def normalise(self, typed: str) -> str:
        return values.clean_text(typed, self.max_length)


class TextAreaField(TextField):
    """Several lines of text, cleaned. max_length: in characters. Empty: ""."""

    widget = TextArea()
    attributes: ClassVar[dict[str, object]] = {"dir": "auto", "rows": 4}

    def normalise(self, typed: str) -> str:
        return values.clean_lines(typed, self.max_length)


class ArabicNameField(_TypedField):
    """One name in Arabic letters. Empty: ""."""

    attributes: ClassVar[dict[str, object]] = {
        "dir": "rtl",
        "lang": "ar",
        "maxlength": values.NAME_MAX_LENGTH,
    }
    empty = ""

    def normalise(self, typed: str) -> str:
        return values.arabic_name(typed)


class LatinNameField(_TypedField):
    """One name in Latin letters. Empty: ""."""

    attributes: ClassVar[dict[str, object]] = {
        "dir": "ltr",
        "lang": "en",
        "maxlength": values.NAME_MAX_LENGTH,
    }
    empty = ""

    def normalise(self, typed: str) -> str:
        return values.latin_name(typed)


class CivilNumberField(_TypedField):
    """A civil number as 12 ASCII digits."""

    attributes: ClassVar[dict[str, object]] = {
        "dir": "ltr",
        "inputmode": "numeric",
        "autocomplete": "off",
    }

    def normalise(self, typed: str) -> str:
        return values.civil_number(typed)


class MobileField(_TypedField):
    """A mobile number in E.164; Kuwait's country code is the default."""

    widget = TelInput()
    attributes: ClassVar[dict[str, object]] = {"dir": "ltr", "autocomplete": "tel"}

    def normalise(self, typed: str) -> str:
        return values.mobile_e164(typed)


class EmailAddressField(_TypedField):
    """An e-mail address, lower-cased."""

    widget = EmailInput()
    attributes: ClassVar[dict[str, object]] = {
        "dir": "ltr",
        "autocomplete": "email",
        "maxlength": values.EMAIL_MAX_LENGTH,
    }

    def normalise(self, typed: str) -> str:
        return values.email_address(typed)


class _EchoInput(TextInput):
    """A text box; scripts offer the browser's calendar beside it, within the field's limits."""

    def __call__(self, field: Any, **kwargs: Any) -> Any:
        for limit in ("min", "max"):
            if limit in field.flags:
                kwargs[f"data-{limit}"] = getattr(field.flags, limit)()
        return super().__call__(field, **kwargs)


class _EchoedField(_TypedField):
    """A date, a time or both in a text box, with what was understood told in words beside it.

    echo: what scripts read in it, "day", "time" or "instant". order: of its parts as typed.
    """

    widget = _EchoInput()
    attributes: ClassVar[dict[str, object]] = {"dir": "ltr", "autocomplete": "off"}
    echo: ClassVar[str]
    order: ClassVar[Any] = None

    @property
    def in_words(self) -> str:
        """The value in words, "" for none."""
        return "" if self.data is None else self.words_of(self.data)

    def words_of(self, value: Any) -> str:
        """Return `value` in words, in the page's language."""
        raise NotImplementedError("describe a value in the page's language")

    def shown(self, value: Any) -> str:
        """Return `value` as it is typed."""
        raise NotImplementedError("say how a value is typed")

    def _value(self) -> str:
        return super()._value() if self.data is None else self.shown(self.data)


class DayField(_EchoedField):
    """A date, shown as dd/mm/yyyy and typed so, or as `values.day` takes it."""

    attributes: ClassVar[dict[str, object]] = {**_EchoedField.attributes, "inputmode": "numeric"}
    echo = "day"
    order = _l("Day / month / year")

    def normalise(self, typed: str) -> date:
        return values.day(typed)

    def words_of(self, value: date) -> str:
        return day_in_words(value)

    def shown(self, value: date) -> str:
        return format_day(value)


class ClockField(_EchoedField):
    """A time of day, shown as hh:mm and typed so, or as `values.time_of_day` takes it."""

    echo = "time"

    def normalise(self, typed: str) -> time:
        return values.time_of_day(typed)

    def words_of(self, value: time) -> str:
        return time_in_words(value)

    def shown(self, value: time) -> str:
        return value.strftime("%H:%M")


class KuwaitTimeField(_EchoedField):
    """A day and a time in Kuwait, as an aware datetime, shown as dd/mm/yyyy hh:mm.

    Typed so, or as `values.kuwait_instant` takes it.
    """

    echo = "instant"
    order = _l("Day / month / year, time")

    def normalise(self, typed: str) -> datetime:
        return values.kuwait_instant(typed)

    def words_of(self, value: datetime) -> str:
        return instant_in_words(value)

    def shown(self, value: datetime) -> str:
        return format_instant(value)


class PasswordField(StringField):
    """A password exactly as typed, never shown again. new: it is a new password."""

    widget = PasswordInput()

    def __init__(
        self, label: Any = None, validators: Any = None, *, new: bool = False, **kwargs: Any
    ) -> None:
        attributes = {
            "autocomplete": "new-password" if new else "current-password",
            "spellcheck": "false",
            "autocapitalize": "none",
        }
        kwargs["render_kw"] = {**attributes, **(kwargs.get("render_kw") or {})}
        super().__init__(label, validators, **kwargs)


CODE_DIGITS = 6


class CodeField(NeverShown, _TypedField):
    """A six-digit code from a message, with or without its words; never shown again."""

    attributes: ClassVar[dict[str, object]] = {
        "dir": "ltr",
        "inputmode": "numeric",
        "autocomplete": "one-time-code",
    }

    def normalise(self, typed: str) -> str:
        code = values.number_among_words(typed, CODE_DIGITS)
        if not code:
            raise BadValue(_l("The code has 6 digits. Copy it from the message you received."))
        return code


class CaptchaField(NeverShown, _TypedField):
    """The CAPTCHA answer, from image or audio; case-sensitive, never shown again."""

    attributes: ClassVar[dict[str, object]] = {
        "dir": "ltr",
        "autocomplete": "off",
        "autocapitalize": "none",
        "spellcheck": "false",
    }

    def normalise(self, typed: str) -> str:
        answer = values.ascii_digits(values.clean_text(typed)).replace(" ", "")
        if len(answer) > _LONGEST_ANSWER:
            raise BadValue(_l("Enter the 6 characters in the image, or the 6 digits you hear."))
        return answer


def _as_choices(choices: Choices | Callable[[], Choices] | None) -> Any:
    if callable(choices):
        make = choices
        return lambda: [SelectChoice(value, label) for value, label in make()]
    return None if choices is None else [SelectChoice(value, label) for value, label in choices]


class _OneChoice(SelectField):
    """One of several options; None if nothing is chosen."""

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        choices: Choices | Callable[[], Choices] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, validators, choices=_as_choices(choices), **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist:
            self.data = valuelist[0] or None

    def pre_validate(self, form: Any) -> None:
        if self.data is not None:
            super().pre_validate(form)


class _SelectInput(Select):
    """A select element; HTML takes `required` only where the list begins with an empty option."""

    def __call__(self, field: Any, **kwargs: Any) -> Any:
        if field.blank is None:
            kwargs["required"] = False
        return super().__call__(field, **kwargs)

    @classmethod
    def render_option(cls, choice: Choice, **kwargs: Any) -> Any:
        """Return an option; a long form has thousands, for which the general way is slow."""
        if kwargs or choice.render_kw or isinstance(choice.value, bool):
            return super().render_option(choice, **kwargs)
        mark = "selected " if choice.selected else ""
        label = escape(choice.label or choice.value)
        html = f'<option {mark}value="{escape(choice.value)}">{label}</option>'
        return Markup(html)  # noqa: S704 - of escaped parts


class ChoiceField(_OneChoice):
    """A select field. choices: (value, label) pairs, or a function called for every page.

    blank: the label of an empty option at the start of the list, so that nothing is chosen by
    accident; None for no such option.
    """

    widget = _SelectInput()

    def __init__(self, *args: Any, blank: Any = _CHOOSE, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.blank = blank

    def iter_choices(self) -> list[Choice]:
        choices: list[Choice] = super().iter_choices()
        if self.blank is not None:
            choices.insert(0, Choice("", self.blank, self.data is None, {}))
        return choices


class NationalityField(ChoiceField):
    """A nationality among those offered, or the one that the row has already.

    lang: of the names, "ar" or "en".
    """

    def __init__(self, *args: Any, lang: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lang = lang

    def process(self, *args: Any, **kwargs: Any) -> None:
        """Take the row's value and the posted one."""
        super().process(*args, **kwargs)
        self.choices = _as_choices(nationalities.choices(self.lang, kept=self.object_data))


class _FreeCheckbox(CheckboxInput):
    """A checkbox of a group; a required group does not make its boxes required."""

    validation_attrs: ClassVar[list[str]] = ["disabled"]


class ChoicesField(SelectMultipleField):
    """A group of checkboxes. choices: (value, label) pairs, or a function called for every page."""

    widget = ListWidget(prefix_label=False)
    option_widget = _FreeCheckbox()

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        choices: Choices | Callable[[], Choices] | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("invalid_choice_message", _l("Choose only from the options listed."))
        super().__init__(label, validators, choices=_as_choices(choices), **kwargs)
        self.label.field_id = False


class CheckField(BooleanField):
    """A checkbox; with `Required` it must be ticked."""
