"""The registered messages, one per event, with texts in both languages, and placeholder filling.

The office may replace any text in the panel (`MessageText`), so texts are plain data: named
placeholders such as {number} are replaced once, and nothing else is interpreted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from clearance.core.values import clean_lines, clean_text, isolate
from clearance.models.enums import Channel
from clearance.notifications.wording import accounts as account_wording
from clearance.notifications.wording import common as common_wording
from clearance.notifications.wording import licences as licence_wording
from clearance.notifications.wording import members as member_wording
from clearance.notifications.wording import subscriptions as subscription_wording
from clearance.notifications.wording import transfers as transfer_wording
from clearance.notifications.wording.common import Wording

LANGUAGES = ("ar", "en")
PORTAL = "portal"
CODE_PRIORITY = 0
USUAL_PRIORITY = 5
SUBJECT_MAX_LENGTH = 250

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
# Includes mistyped placeholders (capitals, Arabic), which would be sent unfilled.
_IN_BRACES = re.compile(r"\{([^{}\s]*)\}")
_ARABIC = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
# Values that readers copy or tap: isolation marks would break a code or a link.
_VERBATIM = frozenset({"code", "link", "lifetime"})
_EVERYWHERE = ("recipient", "link")

Audience = Literal["agent", "staff", "code"]
_BOTH = (Channel.EMAIL, Channel.SMS)
_MAIL = (Channel.EMAIL,)


@dataclass(frozen=True)
class MessageClass:
    """The message of one event: audience, channels, and whether it can be switched off.

    params: required placeholders; `optional` ones may be missing. is_secret: the body holds a
    code or token and is encrypted in the outbox. audience: whose preferences page lists it.
    """

    event: str
    params: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = _BOTH
    audience: Audience = "agent"
    is_mandatory: bool = False
    is_secret: bool = False
    priority: int = USUAL_PRIORITY
    wording: Mapping[str, Wording] = field(default_factory=dict)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Every placeholder that a text of this event may use."""
        return (*self.params, *self.optional, *_EVERYWHERE)

    def label(self, lang: str) -> str:
        """Return the event's name in lists and preferences."""
        return self.wording[lang].label

    def shipped(self, channel: str, lang: str) -> tuple[str, str]:
        """Return (subject, body) as shipped; channel: "portal", "email" or "sms"."""
        wording = self.wording[lang]
        return ("", wording.sms) if channel == Channel.SMS else (wording.title, wording.body)


_WORDING = (
    common_wording.WORDING
    | account_wording.WORDING
    | licence_wording.WORDING
    | member_wording.WORDING
    | subscription_wording.WORDING
    | transfer_wording.WORDING
)

_REQUEST = ("number", "service")
_SITTING = (*_REQUEST, "date", "time", "place")
_LICENCE = ("licence", "name")
_TRANSFER = ("number", "broker", "party")
_SUBSCRIPTION = ("service", "organisation")
_MOVE = ("licence", "releasing", "receiving")

_CLASSES = (
    MessageClass(
        "account:registration:known", optional=("at",), audience="code", is_mandatory=True
    ),
    MessageClass("account:contact:known", audience="code", is_mandatory=True),
    MessageClass("account:verified", channels=_MAIL),
    MessageClass("account:invited", ("organisation",), is_mandatory=True, channels=_MAIL),
    MessageClass(
        "account:added", ("organisation",), ("expires",), _MAIL, "code", is_mandatory=True
    ),
    MessageClass(
        "account:access:changed", ("organisation", "changes"), channels=_MAIL, is_mandatory=True
    ),
    MessageClass("account:member:disabled", ("organisation",), is_mandatory=True),
    MessageClass("account:member:joined", ("organisation", "name"), channels=_MAIL),
    MessageClass(
        "account:work:handed", ("organisation", "name", "count"), ("numbers",), channels=_MAIL
    ),
    MessageClass("account:password:changed", ("at",), is_mandatory=True),
    MessageClass("account:contact:changed", ("contact", "address", "at"), is_mandatory=True),
    MessageClass("account:data:ready", ("until",), channels=_MAIL, is_mandatory=True),
    MessageClass("account:device:new", ("at", "device"), ("ip",), _MAIL, is_mandatory=True),
    MessageClass("account:factor:changed", ("at",), is_mandatory=True),
    MessageClass("staff:invited", ("role",), ("expires",), _MAIL, "staff", True, is_secret=True),
    MessageClass(
        "staff:role:changed", ("role",), channels=_MAIL, audience="staff", is_mandatory=True
    ),
    MessageClass("request:sent", _REQUEST, is_mandatory=True),
    MessageClass("request:returned", (*_REQUEST, "reason"), is_mandatory=True),
    MessageClass("request:approved", _REQUEST, ("reason",), is_mandatory=True),
    MessageClass("request:rejected", (*_REQUEST, "reason"), is_mandatory=True),
    MessageClass("request:preapproved", _REQUEST, ("reason",)),
    MessageClass("request:withdrawn", _REQUEST, ("reason",), _MAIL),
    MessageClass("request:lapsed", _REQUEST, ("reason",)),
    MessageClass("request:message", _REQUEST, channels=_MAIL),
    MessageClass("exam:announced", (*_SITTING, "confirm_by"), is_mandatory=True),
    MessageClass("exam:changed", _SITTING, ("confirm_by",), is_mandatory=True),
    MessageClass("exam:reminder", (*_SITTING, "confirm_by"), is_mandatory=True),
    MessageClass("exam:confirmed", _SITTING),
    MessageClass("exam:released", (*_REQUEST, "date"), is_mandatory=True),
    MessageClass("exam:passed", (*_REQUEST, "date"), ("reason",), is_mandatory=True),
    MessageClass("exam:failed", (*_REQUEST, "date"), ("reason",), is_mandatory=True),
    MessageClass("exam:absent", (*_REQUEST, "date"), ("reason",), is_mandatory=True),
    MessageClass("licence:expiring", (*_LICENCE, "what", "date", "days")),
    MessageClass("licence:expired", (*_LICENCE, "date")),
    MessageClass("licence:suspended", (*_LICENCE, "reason"), is_mandatory=True),
    MessageClass("licence:reinstated", (*_LICENCE, "reason"), is_mandatory=True),
    MessageClass("licence:corrected", (*_LICENCE, "reason"), is_mandatory=True),
    MessageClass("licence:voided", (*_LICENCE, "document", "reason"), is_mandatory=True),
    MessageClass(
        "transfer:asked",
        ("number", "broker", "organisation", *_MOVE, "answer_by"),
        is_mandatory=True,
    ),
    MessageClass(
        "transfer:consent",
        (*_MOVE, "answer_by"),
        audience="code",
        is_mandatory=True,
        is_secret=True,
    ),
    MessageClass("transfer:accepted", (*_TRANSFER, "next"), is_mandatory=True),
    MessageClass("transfer:declined", _TRANSFER, ("reason",), is_mandatory=True),
    MessageClass("transfer:lapsed", _TRANSFER, is_mandatory=True),
    MessageClass("transfer:closed", ("number", "broker", "outcome"), is_mandatory=True),
    MessageClass("transfer:done", ("number", "broker", *_MOVE), is_mandatory=True),
    MessageClass("subscription:asked", _SUBSCRIPTION, channels=(), audience="staff"),
    MessageClass(
        "subscription:decided", (*_SUBSCRIPTION, "outcome"), ("reason",), is_mandatory=True
    ),
    MessageClass("subscription:left", (*_SUBSCRIPTION, "name"), channels=_MAIL),
    MessageClass("office:assigned", _REQUEST, channels=_MAIL, audience="staff"),
    MessageClass("office:late", _REQUEST, channels=_MAIL, audience="staff"),
    MessageClass("office:message", _REQUEST, channels=_MAIL, audience="staff"),
    *(
        MessageClass(
            f"code:{purpose}",
            ("code", "lifetime"),
            audience="code",
            is_mandatory=True,
            is_secret=True,
            priority=CODE_PRIORITY,
        )
        for purpose in ("verify", "reset", "factor", "contact", "consent")
    ),
)


def _with_wording(message: MessageClass) -> MessageClass:
    values = {name: getattr(message, name) for name in message.__dataclass_fields__}
    return MessageClass(**(values | {"wording": _WORDING[message.event]}))


EVENTS: dict[str, MessageClass] = {message.event: _with_wording(message) for message in _CLASSES}


def missing_params(event: str, params: Mapping[str, Any]) -> list[str]:
    """Return the required params of `event` missing in `params`."""
    return [name for name in EVENTS[event].params if name not in params]


def faults(event: str, subject: str, body: str) -> list[str]:
    """Return the placeholders of an own text that `event` does not have, in order."""
    used = [*_IN_BRACES.findall(subject), *_IN_BRACES.findall(body)]
    return sorted(set(used) - set(EVENTS[event].placeholders), key=used.index)


def fill_subject(template: str, values: Mapping[str, Any], lang: str) -> str:
    """Fill a title or subject: one line, no control characters, at most 250 characters.

    values: name → text, number, or {"ar": …, "en": …}. Unknown placeholders stay as written.
    """
    return " ".join(_fill(clean_text(template), values, lang).split())[:SUBJECT_MAX_LENGTH]


def fill_body(template: str, values: Mapping[str, Any], lang: str) -> str:
    """Fill a body; lines with a missing or empty value are left out.

    values: as for `fill_subject`. Values in the other direction are isolated and never expanded.
    """
    kept = []
    for line in template.strip().splitlines():
        names = _PLACEHOLDER.findall(line)
        if all(_in(values.get(name, ""), lang) for name in names):
            kept.append(_fill(line, values, lang))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _fill(template: str, values: Mapping[str, Any], lang: str) -> str:
    def put(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            return match[0]
        text = _in(values[name], lang)
        return text if name in _VERBATIM else _isolated(text, lang)

    return _PLACEHOLDER.sub(put, template)


def _in(value: Any, lang: str) -> str:
    if isinstance(value, Mapping):
        value = value.get(lang) or value.get("ar") or value.get("en") or ""
    return clean_lines(str(value))


def _isolated(text: str, lang: str) -> str:
    # An isolate ends with its paragraph, so isolate every line.
    return "\n".join(
        isolate(line) if _runs_other_way(line, lang) else line for line in text.split("\n")
    )


def _runs_other_way(line: str, lang: str) -> bool:
    arabic = bool(_ARABIC.search(line))
    if lang != "ar":
        return arabic
    # Numbers with signs (+965 …, 01/10/2026) would be reordered in an Arabic sentence.
    return bool(line.strip()) and (not arabic or bool(_LATIN.search(line)))
