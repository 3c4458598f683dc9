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
from clearance.notifications import schema
from clearance.notifications.schema import SUBJECT_MAX_LENGTH, MessageClass

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_ARABIC = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
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
