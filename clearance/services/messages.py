"""A service's own words for the notices of its steps, used instead of the portal's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from flask_babel import lazy_gettext as _l
from pydantic import AfterValidator, Field

from clearance.core.values import clean_lines, clean_text
from clearance.core.yaml_files import Part
from clearance.models.enums import Channel
from clearance.notifications import events
from clearance.notifications.schema import (
    LANGUAGES,
    PORTAL,
    SUBJECT_MAX_LENGTH,
    MessageClass,
    Wording,
    placeholders_of,
    text_faults,
)
from clearance.notifications.text_overrides import SMS_MAX_LENGTH
from clearance.services.findings import Finding

if TYPE_CHECKING:
    from clearance.services.schema import Definition

REASON = "reason"
Title = Annotated[str, AfterValidator(clean_text), Field(min_length=1)]
Body = Annotated[str, AfterValidator(clean_lines), Field(min_length=1, max_length=2000)]


class OwnWording(Part):
    """The words in one language; sms: only for events that go by SMS, and then required."""

    title: Annotated[Title, Field(max_length=SUBJECT_MAX_LENGTH)]
    body: Body
    sms: Annotated[str, AfterValidator(clean_lines), Field(max_length=SMS_MAX_LENGTH)] = ""


class OwnMessage(Part):
    """The words of one event in both languages."""

    ar: OwnWording
    en: OwnWording


def told(definition: Definition, event: str) -> MessageClass | None:
    """Return the message of a step's event in the service's own words; None where it has none.

    It keeps the event's channels and may name the service's fields as well.
    """
    own = definition.messages.get(_key(event))
    return None if own is None else _message(definition, own, events.registered()[event])


def fields_named(definition: Definition, message: MessageClass) -> list[str]:
    """Return the fields of the service that its own message names."""
    usual = events.registered()[message.event].placeholders
    words = [message.wording(lang) for lang in LANGUAGES]
    named = placeholders_of(*(text for each in words for text in (each.title, each.body, each.sms)))
    return [name for name in named if name in definition.answered_names and name not in usual]


def faults(definition: Definition) -> Iterator[Finding]:
    """Yield what prevents publishing the service's own messages."""
    known = {_key(step.tells): step.tells for step in definition.steps.steps if step.tells}
    for key, own in definition.messages.items():
        if key not in known:
            text = _l("No step of this service sends the message “%(name)s”.", name=key)
            yield Finding(f"messages.{key}", text)
            continue
        usual = events.registered()[known[key]]
        message = _message(definition, own, usual)
        for lang in LANGUAGES:
            found = [*text_faults(message, message.wording(lang)), *_gaps(message, usual, lang)]
            yield from (Finding(f"messages.{key}.{lang}.{name}", text) for name, text in found)


def _message(definition: Definition, own: OwnMessage, usual: MessageClass) -> MessageClass:
    """Return `usual` in own words, which must name the reason if there is one, and nothing else."""
    needed = tuple(name for name in usual.placeholders if name == REASON)
    others = dict.fromkeys((*usual.params, *usual.optional, *sorted(definition.answered_names)))
    words: Mapping[str, Wording] = {
        lang: usual.wording(lang).model_copy(update=dict(getattr(own, lang))) for lang in LANGUAGES
    }
    optional = tuple(name for name in others if name not in needed)
    return usual.model_copy(update={"params": needed, "optional": optional, **words})


def _gaps(message: MessageClass, usual: MessageClass, lang: str) -> Iterator[tuple[str, Any]]:
    """Yield the texts of which nothing would be left, since lines with an empty value are not sent.

    usual: the event's message, whose params always have values.
    """
    known = dict.fromkeys(message.placeholders, "") | dict.fromkeys(usual.params, "0")
    title, body = events.fill(PORTAL, *message.shipped(PORTAL, lang), known, lang)
    sms = events.fill(Channel.SMS, *message.shipped(Channel.SMS, lang), known, lang)[1]
    filled = {"title": title, "body": body, "sms": sms}
    for name, text in filled.items():
        if not text and getattr(message.wording(lang), name):
            yield name, _l("Nothing is left of this text where optional values are empty.")


def _key(event: str) -> str:
    return event.rpartition(":")[2]
