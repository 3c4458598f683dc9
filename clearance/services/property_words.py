"""What the properties of definitions are called, and what their fixed values mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.models.enums import SUBSCRIPTION_TERMS

PROPERTIES: Mapping[str, Any] = {
    # Of a service.
    "schema_number": _l("Schema of the definition"),
    "code": _l("Code"),
    "prefix": _l("Number prefix"),
    "position": _l("Position in lists"),
    "sign": _l("Icon"),
    "title": _l("Title"),
    "short_title": _l("Short name, for lists"),
    "manual_title": _l("Name in the users' manual"),
    "description": _l("Description"),
    "conditions": _l("Conditions"),
    "button": _l("Button text"),
    "subject": _l("What requests are about"),
    "start": _l("How a request begins"),
    "broker_types": _l("Broker types"),
    "subscription": _l("Subscription"),
    "legal_entities": _l("Organisation types"),
    "exclusive": _l("One open request at a time"),
    "guards": _l("Checks"),
    "guards.start": _l("Checked when the request is started"),
    "guards.send": _l("Checked when the request is sent"),
    "guards.approval": _l("Checked before approval"),
    "sections": _l("Sections"),
    "fields": _l("Fields"),
    "refuse": _l("Rules of the form"),
    "documents": _l("Documents"),
    "flow": _l("Decision process"),
    "processing_days": _l("Working days to respond"),
    "on_approval": _l("Effects of approval"),
    "roles": _l("Roles of answers"),
    "bulk": _l("Bulk requests"),
    "copyable": _l("Earlier requests can be copied"),
    "opens_on": _l("First day for requests"),
    "closes_on": _l("Last day for requests"),
    "stages": _l("Stages"),
    "issued": _l("Documents that are issued"),
    "messages": _l("Messages in its own words"),
    "messages.title": _l("Title"),
    "messages.body": _l("Text"),
    "messages.sms": _l("SMS"),
    # Of stages.
    "team": _l("Team"),
    "days": _l("Working days in this stage"),
    "decisions": _l("Possible decisions"),
    "another_person": _l("Only someone who approved no earlier stage"),
    "clock": _l("Due date"),
    "guards.approve": _l("Checked before approval"),
    "stages.when": _l("Needed when"),
    # Of documents that are issued.
    "paragraphs": _l("Text"),
    "paragraphs.ar": _l("Text in Arabic"),
    "paragraphs.en": _l("Text in English"),
    "paragraphs.when": _l("Printed when"),
    "paragraphs.or_": _l("Text where a value is missing"),
    "show": _l("Answers in the table"),
    "valid": _l("Validity"),
    "valid.days": _l("Valid for so many days"),
    "valid.until": _l("Valid until the date in"),
    "issued.when": _l("Issued when"),
    # Of fields, and of sections, documents, rules and choices where they share one.
    "name": _l("Name in the definition"),
    "mode": _l("Shown or to fill in"),
    "required": _l("Required"),
    "type": _l("Type of answer"),
    "section": _l("Section"),
    "label": _l("Label"),
    "hint": _l("Hint"),
    "example": _l("Example"),
    "unit": _l("Unit"),
    "choices": _l("Choices"),
    "choices.text": _l("Asks for a text"),
    "list": _l("List of choices"),
    "alphabetical": _l("In the order of the reader's alphabet"),
    "max_length": _l("Maximum number of characters"),
    "min_length": _l("Minimum number of characters"),
    "pattern": _l("Allowed characters"),
    "future": _l("Only future dates"),
    "past": _l("Only past dates"),
    "within_days": _l("Maximum number of days from today"),
    "min_age": _l("Minimum age in years"),
    "minimum": _l("Minimum"),
    "maximum": _l("Maximum"),
    "least": _l("Minimum number of choices or rows"),
    "most": _l("Maximum number of choices or rows"),
    "row": _l("What one row is called"),
    "columns": _l("Columns"),
    "default": _l("Default answer"),
    "declaration": _l("Declaration by the applicant"),
    "was": _l("Takes over the answers of"),
    "when": _l("Shown when"),
    "help": _l("Help text"),
    "kind": _l("Document type"),
    "note": _l("Note"),
    "documents.broker_types": _l("Only for these broker types"),
    "documents.when": _l("Asked for when"),
    "documents.most": _l("Maximum number of files"),
    "refuse.when": _l("Cannot be sent when"),
    "at": _l("Field that the message appears at"),
    "says": _l("Message"),
    "value": _l("Value in the definition"),
    "retired": _l("No longer offered"),
}
"""Property, or `list.property` where it means something else there → what it is called."""

VALUES: Mapping[str, Mapping[str, Any]] = {
    "subject": {"person": _l("A person"), "licence": _l("A licence")},
    "subscription": SUBSCRIPTION_TERMS,
    "exclusive": {
        "person": _l("For each civil number"),
        "licence": _l("For each licence"),
        "none": _l("Not limited"),
    },
    "mode": {"shown": _l("Shown"), "asked": _l("To fill in")},
    "type": {
        "text": _l("Short text"),
        "textarea": _l("Long text"),
        "choice": _l("One choice"),
        "choices": _l("Several choices"),
        "date": _l("Date"),
        "number": _l("Whole number"),
        "amount": _l("Amount in KWD"),
        "bool": _l("Tick box"),
        "mobile": _l("Mobile number"),
        "email": _l("E-mail address"),
        "country": _l("Country"),
        "civil_number": _l("Civil number"),
        "passport_no": _l("Passport number"),
        "licence_no": _l("Licence number"),
        "rows": _l("Rows"),
    },
    "decisions": {
        "approve": _l("Approve"),
        "return": _l("Ask for corrections"),
        "reject": _l("Reject"),
    },
    "clock": {"running": _l("Runs"), "stopped": _l("Paused")},
    "pattern": {
        "digits": _l("Digits only"),
        "latin": _l("English letters"),
        "arabic": _l("Arabic letters"),
        "code": _l("Latin letters, digits, hyphens and slashes"),
    },
}
"""Property with a fixed list of values → value → what it means."""


def label(name: str, within: str = "", lang: str = "") -> str:
    """Return what a property is called, in the page's language.

    within: the list or group it belongs to, such as "documents". lang: "ar" or "en" for the text
    in that language of a property that has both. Raises: KeyError for no property.
    """
    words = PROPERTIES[key if (key := f"{within}.{name}") in PROPERTIES else name]
    return in_language(words, lang) if lang else str(words)


def in_language(words: Any, lang: str) -> str:
    """Return what the text of a property in `lang` is called. words: of the property."""
    if lang == "ar":
        return str(_("%(property)s in Arabic", property=words))
    return str(_("%(property)s in English", property=words))


def meaning(name: str, value: str) -> Any:
    """Return what a value of a property means; the value itself if it is not of a fixed list."""
    return VALUES.get(name, {}).get(value, value)
