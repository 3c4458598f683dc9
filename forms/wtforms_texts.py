"""Our own wording, in both languages, of WTForms' and Flask-Admin's built-in messages."""

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.i18n import translations as stock_texts

_CHOOSE = _l("Choose one of the options listed.")
_CHOOSE_AMONG = _l("Choose only from the options listed.")
_NUMBER = _l("Enter a whole number in digits.")
_TOO_SHORT = _l("This is too short. Use %(min)d characters or more.")
_TOO_LONG = _l("This is too long. Use %(max)d characters or fewer.")

# Keys are messages of WTForms 3.3 and Flask-Admin 2.2, which also fill in the placeholders.
_OURS = {
    "This field is required.": _l("Enter a value."),
    "This field requires at least one item.": _l("Add at least one."),
    "Not a valid choice.": _CHOOSE,
    "Not a valid choice": _CHOOSE,
    "Invalid Choice: could not coerce.": _CHOOSE,
    "Invalid Choice: could not coerce": _CHOOSE,
    "Invalid choice(s): one or more data inputs could not be coerced.": _CHOOSE_AMONG,
    "'%(value)s' is not a valid choice for this field.": _CHOOSE_AMONG,
    "Invalid value, must be one of: %(values)s.": _l("This must be one of: %(values)s."),
    "Invalid value, can't be any of: %(values)s.": _l("This must not be one of: %(values)s."),
    "Invalid input.": _l("This value is not valid. Please check it."),
    "Field must be equal to %(other_name)s.": _l("This must be the same as %(other_name)s."),
    "Field must be at least %(min)d character long.": _TOO_SHORT,
    "Field cannot be longer than %(max)d character.": _TOO_LONG,
    "Field must be exactly %(max)d character long.": _l("Enter exactly %(max)d characters."),
    "Field must be between %(min)d and %(max)d characters long.": _l(
        "Enter between %(min)d and %(max)d characters."
    ),
    "Number must be at least %(min)s.": _l("Enter a number no lower than %(min)s."),
    "Number must be at most %(max)s.": _l("Enter a number no higher than %(max)s."),
    "Number must be between %(min)s and %(max)s.": _l(
        "Enter a number between %(min)s and %(max)s."
    ),
    "Not a valid integer value.": _NUMBER,
    "Not a valid decimal value.": _l("Enter a number in digits."),
    "Not a valid float value.": _l("Enter a number in digits."),
    "Not a valid date value.": _l("Enter a date as day, month and year, for example 31/12/2030."),
    "Not a valid datetime value.": _l("Enter a valid date and time."),
    "Not a valid time value.": _l("Enter a time as hours and minutes, for example 09:30."),
    "Date must be at least %(min)s.": _l("Enter a date no earlier than %(min)s."),
    "Date must be at most %(max)s.": _l("Enter a date no later than %(max)s."),
    "Date must be between %(min)s and %(max)s.": _l("Enter a date between %(min)s and %(max)s."),
    "Invalid email address.": _l("Enter an e-mail address in full, for example name@example.com."),
    "Invalid URL.": _l("Enter a full web address, for example https://example.com."),
    "Already exists.": _l("This already exists. Enter another one."),
    "This field cannot be edited.": _l("This cannot be changed here."),
    "This field is disabled and cannot have a value.": _l("This cannot be changed here."),
    "CSRF token expired.": _l("This page was open too long. Send it again."),
    "CSRF token missing.": _l("This page was open too long. Send it again."),
    "Invalid CSRF Token.": _l("This page was open too long. Send it again."),
    "CSRF failed.": _l("This page was open too long. Send it again."),
}


class PlainTexts:
    """Our wording of a built-in message if there is one, else the stock translation."""

    def gettext(self, text: str) -> str:
        """Return `text` in the page's language, with placeholders."""
        ours = _OURS.get(text)
        return str(stock_texts.gettext(text) if ours is None else ours)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """Return the message for `count`; our wordings fit every number."""
        ours = _OURS.get(singular)
        return str(stock_texts.ngettext(singular, plural, count) if ours is None else ours)


_texts = PlainTexts()


class TextsMeta:
    """A base for `class Meta` of any WTForms form that applies `PlainTexts`."""

    def get_translations(self, form: Any) -> PlainTexts:
        return _texts
