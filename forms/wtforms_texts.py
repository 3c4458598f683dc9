"""Our own wording, in both languages, of WTForms' and Flask-Admin's built-in messages."""

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.i18n import translations as stock_texts

_CHOOSE = _l("Choose one of the options listed.")
_CHOOSE_AMONG = _l("Choose only among the options listed.")
_NUMBER = _l("This is not a whole number. Write it in digits.")
_TOO_SHORT = _l("This is too short. The least number of characters is %(min)d.")
_TOO_LONG = _l("This is too long. The greatest number of characters is %(max)d.")

# Keys are messages of WTForms 3.3 and Flask-Admin 2.2, which also fill in the placeholders.
_OURS = {
    "This field is required.": _l("This is needed. Please fill it in."),
    "This field requires at least one item.": _l("This is needed. Add at least one."),
    "Not a valid choice.": _CHOOSE,
    "Not a valid choice": _CHOOSE,
    "Invalid Choice: could not coerce.": _CHOOSE,
    "Invalid Choice: could not coerce": _CHOOSE,
    "Invalid choice(s): one or more data inputs could not be coerced.": _CHOOSE_AMONG,
    "'%(value)s' is not a valid choice for this field.": _CHOOSE_AMONG,
    "Invalid value, must be one of: %(values)s.": _l("This must be one of: %(values)s."),
    "Invalid value, can't be any of: %(values)s.": _l("This cannot be one of: %(values)s."),
    "Invalid input.": _l("This cannot be used as it is. Please check it."),
    "Field must be equal to %(other_name)s.": _l("This must be the same as %(other_name)s."),
    "Field must be at least %(min)d character long.": _TOO_SHORT,
    "Field cannot be longer than %(max)d character.": _TOO_LONG,
    "Field must be exactly %(max)d character long.": _l(
        "The length is not right. The number of characters is %(max)d."
    ),
    "Field must be between %(min)d and %(max)d characters long.": _l(
        "The length is not right. The number of characters is between %(min)d and %(max)d."
    ),
    "Number must be at least %(min)s.": _l("Give a number not below %(min)s."),
    "Number must be at most %(max)s.": _l("Give a number not above %(max)s."),
    "Number must be between %(min)s and %(max)s.": _l("Give a number between %(min)s and %(max)s."),
    "Not a valid integer value.": _NUMBER,
    "Not a valid decimal value.": _l("This is not a number. Write it in digits."),
    "Not a valid float value.": _l("This is not a number. Write it in digits."),
    "Not a valid date value.": _l(
        "This is not a date. Write day, month and year, such as 31/12/2030."
    ),
    "Not a valid datetime value.": _l("This is not a date with its time. Please check it."),
    "Not a valid time value.": _l("This is not a time. Write hours and minutes, such as 09:30."),
    "Date must be at least %(min)s.": _l("Give a date not before %(min)s."),
    "Date must be at most %(max)s.": _l("Give a date not after %(max)s."),
    "Date must be between %(min)s and %(max)s.": _l("Give a date between %(min)s and %(max)s."),
    "Invalid email address.": _l(
        "This is not an e-mail address. Write it in full, such as name@example.com."
    ),
    "Invalid URL.": _l("This is not a web address. Write it in full, such as https://example.com."),
    "Already exists.": _l("This exists already. Give another one."),
    "This field cannot be edited.": _l("This cannot be changed here."),
    "This field is disabled and cannot have a value.": _l("This cannot be changed here."),
    "CSRF token expired.": _l("This page has been open too long. Send it once more."),
    "CSRF token missing.": _l("This page has been open too long. Send it once more."),
    "Invalid CSRF Token.": _l("This page has been open too long. Send it once more."),
    "CSRF failed.": _l("This page has been open too long. Send it once more."),
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
