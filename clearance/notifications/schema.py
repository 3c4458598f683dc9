"""Schema and validation of the message files: one event each, with its texts in both languages.

Every package ships those of the events that it sends, as `texts/<event>.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from pydantic import Field, ValidationError

from clearance.core import yaml_files
from clearance.core.yaml_files import Part
from clearance.models.enums import Channel, Role

LANGUAGES = ("ar", "en")
PORTAL = "portal"
USUAL_PRIORITY = 5
SUBJECT_MAX_LENGTH = 250

# Includes mistyped placeholders (capitals, Arabic), which would be sent unfilled.
_IN_BRACES = re.compile(r"\{([^{}\s]*)\}")
_EVERYWHERE = ("recipient", "link")

Text = Annotated[str, Field(min_length=1)]
Param = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Audience = Literal["agent", "staff", "user", "person", "code"]


class Wording(Part):
    """An event's texts in one language.

    label: its name in lists. title and body: for the portal, and subject and body of the e-mail.
    sms: the short form; "" for events that never go by SMS.
    """

    label: Text
    title: Annotated[Text, Field(max_length=SUBJECT_MAX_LENGTH)]
    body: Text
    sms: str = ""


class MessageClass(Part):
    """The message of one event: audience, channels, texts, and whether it can be switched off.

    position: its place in lists. audience: whose preferences page lists it, "user" for everybody's;
    "person": sent to whom a request is about, at the addresses in it; "code": sent to an address,
    without a notice in the portal. roles: those of the staff whom it is for, if not all.
    is_by_choice: only users who chose it get it, in the portal too. params: required
    placeholders; `optional` ones may be missing.
    is_secret: the body holds a code or token and is encrypted in the outbox. priority: lower ones
    are sent first.
    """

    event: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(:[a-z0-9_]+)+$", max_length=80)]
    position: int = 1000
    audience: Audience
    roles: tuple[Role, ...] = ()
    channels: tuple[Channel, ...]
    params: tuple[Param, ...] = ()
    optional: tuple[Param, ...] = ()
    is_mandatory: bool = Field(default=False, alias="mandatory")
    is_by_choice: bool = Field(default=False, alias="by_choice")
    is_secret: bool = Field(default=False, alias="secret")
    priority: Annotated[int, Field(ge=0, le=9)] = USUAL_PRIORITY
    ar: Wording
    en: Wording

    def is_for(self, role: str) -> bool:
        """Return whether the preferences page of that role lists it."""
        audience = "agent" if role == Role.AGENT else "staff"
        return self.audience in (audience, "user") and (not self.roles or role in self.roles)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Every placeholder that a text of this event may use."""
        return (*self.params, *self.optional, *_EVERYWHERE)

    def wording(self, lang: str) -> Wording:
        """Return the texts in `lang` ("ar" or "en")."""
        return self.ar if lang == "ar" else self.en

    def label(self, lang: str) -> str:
        """Return the event's name in lists and preferences."""
        return self.wording(lang).label

    def shipped(self, channel: str, lang: str) -> tuple[str, str]:
        """Return (subject, body) as shipped; channel: "portal", "email" or "sms"."""
        wording = self.wording(lang)
        return ("", wording.sms) if channel == Channel.SMS else (wording.title, wording.body)

    def unknown_placeholders(self, *texts: str) -> list[str]:
        """Return the placeholders in `texts` that this event does not have, in order."""
        return [name for name in placeholders_of(*texts) if name not in self.placeholders]


def placeholders_of(*texts: str) -> list[str]:
    """Return what stands in braces in `texts`, each once, in order; also mistyped names."""
    return list(dict.fromkeys(name for text in texts for name in _IN_BRACES.findall(text)))


def parse(document: Mapping[str, Any]) -> tuple[MessageClass | None, list[str]]:
    """Parse a message file. Returns it and [], or None and every fault with its path."""
    try:
        message = MessageClass.model_validate(dict(document))
    except ValidationError as error:
        return None, yaml_files.faults_of(error)
    found = list(_faults(message))
    return (None, found) if found else (message, [])


def _faults(message: MessageClass) -> Iterator[str]:
    if len(set(message.channels)) < len(message.channels):
        yield "channels: a channel is given more than once"
    if message.is_mandatory and message.is_by_choice:
        yield "by_choice: a mandatory message cannot be chosen"
    if "code" in message.params and not message.is_secret:
        yield "secret: a message that holds a code must be secret"
    for lang in LANGUAGES:
        wording = message.wording(lang)
        with force_locale("en"):
            for name, text in text_faults(message, wording):
                yield f"{lang}.{name}: {str(text).removesuffix('.')}"
        if message.is_secret:
            yield from (f"{lang}.{fault}" for fault in _secret_faults(message, wording))


def text_faults(message: MessageClass, wording: Wording) -> Iterator[tuple[str, Any]]:
    """Yield what is wrong with the texts of `message` in one language: the text's name, and why."""
    if _IN_BRACES.search(wording.label):
        yield "label", _l("It is shown as it is, without placeholders.")
    for name in ("title", "body", "sms"):
        for unknown in message.unknown_placeholders(getattr(wording, name)):
            yield name, unknown_placeholder(unknown)
    for param in message.params:
        if f"{{{param}}}" not in wording.title + wording.body:
            yield "body", _l("Neither title nor text has the placeholder {%(name)s}.", name=param)
    if wording.sms and Channel.SMS not in message.channels:
        yield "sms", _l("This message is not sent by SMS.")
    if not wording.sms and Channel.SMS in message.channels:
        yield "sms", _l("This message is sent by SMS and has no text for it.")


def unknown_placeholder(name: str) -> Any:
    """Return why a text cannot have that placeholder, as a lazy text."""
    return _l("There is no placeholder {%(name)s}.", name=name)


def _secret_faults(message: MessageClass, wording: Wording) -> Iterator[str]:
    """Yield where the code or link is missing, or is in the subject, which is not encrypted."""
    needed = "{code}" if "code" in message.params else "{link}"
    if needed in wording.title:
        yield f"title: is not encrypted, so it must not name {needed}"
    # Every e-mail ends with its link, so its body need not name it.
    if needed == "{code}" and needed not in wording.body:
        yield f"body: lacks {needed}"
    if wording.sms and needed not in wording.sms:
        yield f"sms: lacks {needed}"
