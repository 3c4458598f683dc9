"""Generate docs/notices.md from the registered messages."""

from __future__ import annotations

from clearance.models.enums import Channel
from clearance.notifications import events
from clearance.notifications.schema import MessageClass

_INTRODUCTION = """\
# Notification texts

Made from the message files (`clearance/*/texts/*.yaml`, one per event, with all its texts) by
`flask messages document > docs/notices.md`; a test fails when this page is out of date.

Every event is shown in the portal to its user, except codes and invitations, which go to an
address. Candidates are notified at the e-mail address and mobile number in their request, unless a
notified user has the same one; a user who is also the candidate gets only the candidate's text.
Mandatory events cannot be switched off; one by choice goes only to those who switch it on. The
office may replace each text in the panel; a text may use the placeholders of its event,
`{recipient}` and `{link}`, and nothing else. A line whose placeholder is empty is left out, and so
is a part of a title or an SMS in round brackets. An SMS that would need a second part is sent
without its parts in brackets. How messages are sent, retried and given up is described in
`clearance/notifications/delivery.py`.
"""
_AUDIENCES = {
    "agent": "Agents",
    "person": "Candidates",
    "staff": "The office",
    "user": "Agents and the office",
    "code": "Codes and links by address",
}


def notices_page() -> str:
    """Return the whole page as Markdown: a table of events per audience."""
    parts, known = [_INTRODUCTION], events.registered()
    for audience, title in _AUDIENCES.items():
        rows = [_row(message) for message in known.values() if message.audience == audience]
        head = "| Event | English | العربية | E-mail | SMS | Mandatory | Placeholders |"
        parts.append("\n".join([f"## {title}", "", head, "|---" * 7 + "|", *rows]) + "\n")
    return "\n".join(parts)


def _row(message: MessageClass) -> str:
    names = [f"`{name}`" for name in message.params]
    names += [f"`{name}` (optional)" for name in message.optional]
    cells = (
        f"`{message.event}`",
        message.label("en"),
        message.label("ar"),
        _yes(Channel.EMAIL in message.channels),
        _yes(Channel.SMS in message.channels),
        "by choice" if message.is_by_choice else _yes(message.is_mandatory),
        ", ".join(names),
    )
    return f"| {' | '.join(cells)} |"


def _yes(value: bool) -> str:
    return "yes" if value else "–"
