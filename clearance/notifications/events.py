"""The registered messages, one per event, and placeholder filling.

The office may replace any text in the panel (`MessageText`), so texts are plain data: named
placeholders such as {number} are replaced once, and nothing else is interpreted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from flask import Flask, current_app

from clearance.core import yaml_files
from clearance.core.settings import ROOT, BadSettings
from clearance.core.values import clean_lines, clean_text, isolate
from clearance.models.enums import Channel
from clearance.notifications import schema
from clearance.notifications.schema import SUBJECT_MAX_LENGTH, MessageClass

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_BRACKETED = re.compile(r" ?\([^()]*\)")
_ARABIC = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
# Without its extension table, whose characters count twice.
_GSM = re.compile(
    r"[A-Za-z0-9 \n@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]*"
)
# Values that readers copy or tap: isolation marks would break a code or a link.
_VERBATIM = frozenset({"code", "link", "lifetime"})


def init_app(app: Flask, folders: Iterable[Path]) -> None:
    """Register the messages of the files in `folders` with the application. Raises: BadSettings."""
    app.extensions["notices"] = MappingProxyType(load(folders))


def load(folders: Iterable[Path]) -> dict[str, MessageClass]:
    """Return the messages of all files in `folders`, by event, in list order.

    Raises: BadSettings naming the file, for an invalid one, or an event that is already there.
    """
    messages: dict[str, MessageClass] = {}
    for folder in folders:
        paths = sorted(folder.glob("*.yaml"))
        if not paths:
            raise BadSettings(f"{folder} holds no message texts.")
        for path in paths:
            message = _read(path)
            if message.event in messages:
                raise BadSettings(f"{_name(path)}: event: there is already a {message.event}.")
            messages[message.event] = message
    ordered = sorted(messages.values(), key=lambda message: (message.position, message.event))
    return {message.event: message for message in ordered}


def registered() -> Mapping[str, MessageClass]:
    """Return the application's messages by event, in list order."""
    messages: Mapping[str, MessageClass] = current_app.extensions["notices"]
    return messages


def _read(path: Path) -> MessageClass:
    try:
        message, found = schema.parse(yaml_files.read(path))
    except yaml_files.UnreadableFile as error:
        message, found = None, [" ".join(str(error).split())]  # YAML's own faults have many lines
    if message is None:
        raise BadSettings(f"{_name(path)}: {'; '.join(found)}.")
    return message


def _name(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def missing_params(event: str, params: Mapping[str, Any]) -> list[str]:
    """Return the required params of `event` missing in `params`."""
    return [name for name in registered()[event].params if name not in params]


def fill(
    channel: str, subject: str, body: str, values: Mapping[str, Any], lang: str
) -> tuple[str, str]:
    """Return (subject, body) filled as the channel needs them; values: as for `fill_subject`."""
    fill_text = fill_sms if channel == Channel.SMS else fill_body
    return fill_subject(subject, values, lang), fill_text(body, values, lang)


def fill_subject(template: str, values: Mapping[str, Any], lang: str) -> str:
    """Fill a title or subject: one line, no control characters, at most 250 characters.

    values: name → text, number, or {"ar": …, "en": …}. Unknown placeholders stay as written; a
    part in round brackets with an empty value is left out.
    """
    template = _without_empty_brackets(clean_text(template), values, lang)
    return " ".join(_fill(template, values, lang).split())[:SUBJECT_MAX_LENGTH]


def fill_body(template: str, values: Mapping[str, Any], lang: str) -> str:
    """Fill a body; lines with a missing or empty value are left out.

    values: as for `fill_subject`. Values in the other direction are isolated and never expanded.
    """
    return _without_gaps(_fill(_complete_lines(template, values, lang), values, lang))


def fill_sms(template: str, values: Mapping[str, Any], lang: str) -> str:
    """Fill an SMS as `fill_body` does, but without isolating anything.

    Phones show the invisible characters as boxes, and each takes room, so texts of SMS are worded
    to read well without them. A part in round brackets with a placeholder is left out if its value
    is empty or the text would need a second part.
    """

    def filled(text: str) -> str:
        return _without_gaps(_fill(_complete_lines(text, values, lang), values, lang, marks=False))

    whole = filled(_without_empty_brackets(template, values, lang))
    if fits_one_sms(whole):
        return whole
    return filled(_BRACKETED.sub(lambda part: "" if "{" in part[0] else part[0], template))


def fits_one_sms(text: str) -> bool:
    """Return whether `text` is sent as one part: 160 characters of the GSM alphabet, or 70."""
    return len(text) <= (160 if _GSM.fullmatch(text) else 70)


def _without_empty_brackets(template: str, values: Mapping[str, Any], lang: str) -> str:
    return _BRACKETED.sub(
        lambda part: "" if _lacks_a_value(part[0], values, lang) else part[0], template
    )


def _complete_lines(template: str, values: Mapping[str, Any], lang: str) -> str:
    lines = template.strip().splitlines()
    return "\n".join(line for line in lines if not _lacks_a_value(line, values, lang))


def _lacks_a_value(text: str, values: Mapping[str, Any], lang: str) -> bool:
    return not all(_in(values.get(name, ""), lang) for name in _PLACEHOLDER.findall(text))


def _without_gaps(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _fill(template: str, values: Mapping[str, Any], lang: str, *, marks: bool = True) -> str:
    def put(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            return match[0]
        text = _in(values[name], lang)
        return _isolated(text, lang) if marks and name not in _VERBATIM else text

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
