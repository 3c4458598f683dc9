"""Compose the statements of a completed request, as its service's definition says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import force_locale

from clearance.core import i18n
from clearance.core.clock import kuwait_date
from clearance.models import Request
from clearance.notifications import events
from clearance.requests import notice_values, stages
from clearance.services import answers, versions
from clearance.services.field_specs import FieldSpec
from clearance.services.rows import Table
from clearance.services.schema import Definition
from clearance.services.statements import (
    ALWAYS_WORDS,
    VALID_UNTIL,
    Composed,
    Paragraph,
    Statement,
    Validity,
)

NOTHING = "–"
"""Read in the place of an empty value for which the paragraph has no text."""

Words = Mapping[str, Mapping[str, str]]
"""Placeholder → its value by language, "" if empty."""


def composed(req: Request, now: datetime) -> tuple[Composed, ...]:
    """Return the statements that `req` gets, completed now, in the definition's order."""
    service = versions.for_request(req)
    if not service.issued:
        return ()
    values = stages.visible(req)
    words = _words(req, service, now)
    return tuple(
        _composed(service, statement, values, words, kuwait_date(now))
        for statement in service.issued
        if statement.when is None or statement.when.holds(values)
    )


def sample(service: Definition, statement: Statement, today: date, *, is_filled: bool) -> Composed:
    """Return a statement of a draft, sound or not, with invented values.

    is_filled: everything is filled in and every paragraph printed; else only what must be.
    """
    specs = [
        spec
        for spec in service.answered
        if is_filled or not spec.is_asked or (spec.required and not service.condition_of(spec))
    ]
    values = {spec.name: answers.invented(spec, today) for spec in specs}
    empty = dict.fromkeys(i18n.LANGUAGES, "")
    words = {name: dict(empty) for name in service.answered_names}
    for lang in i18n.LANGUAGES:
        with force_locale(lang):
            for spec in specs:
                text = answers.written(spec, values[spec.name], lang)
                words[spec.name][lang] = spec.title(lang) if text == answers.ELLIPSIS else text
            for name, text in ALWAYS_WORDS.items():
                words.setdefault(name, {})[lang] = str(text)
    for name in (name for part in statement.paragraphs for name in part.placeholders):
        words.setdefault(name, dict.fromkeys(i18n.LANGUAGES, f"{{{name}}}"))
    words["today"] = dict.fromkeys(i18n.LANGUAGES, i18n.format_day(today))
    until = statement.valid.until if statement.valid is not None else None
    if until is not None and type(values.get(until)) is not date:
        statement = statement.model_copy(update={"valid": None})
    if is_filled:
        whole = [part.model_copy(update={"when": None}) for part in statement.paragraphs]
        statement = statement.model_copy(update={"paragraphs": tuple(whole)})
    return _composed(service, statement, values, words, today)


def _words(req: Request, service: Definition, now: datetime) -> Words:
    """Return the values of the fields and of what every paragraph may name."""
    each = i18n.LANGUAGES
    return notice_values.answers(req, service.answered_names) | {
        "number": dict.fromkeys(each, req.number or ""),
        "name": {lang: req.name_in(lang) for lang in each},
        "organisation": {lang: req.organisation.name_in(lang) for lang in each},
        "today": dict.fromkeys(each, i18n.format_day(kuwait_date(now))),
    }


def _composed(
    service: Definition,
    statement: Statement,
    values: Mapping[str, Any],
    words: Words,
    today: date,
) -> Composed:
    last = _last_day(statement.valid, values, today)
    known = {**words, VALID_UNTIL: dict.fromkeys(i18n.LANGUAGES, i18n.format_day(last))}
    title = statement.title.model_dump()
    names, organisation = words["name"], words["organisation"]
    content = {
        "title": title,
        "request_number": words["number"]["ar"],
        "holder": {lang: names[lang] or organisation[lang] for lang in i18n.LANGUAGES},
        "paragraphs": [
            {lang: _filled(paragraph, known, lang) for lang in i18n.LANGUAGES}
            for paragraph in statement.paragraphs
            if paragraph.when is None or paragraph.when.holds(values)
        ],
        "facts": _facts(service, statement, words),
        "dated": today.isoformat(),
    }
    if last is not None:
        content["valid_until"] = last.isoformat()
    return Composed(statement.name, statement.prefix, title, content, last)


def _last_day(valid: Validity | None, values: Mapping[str, Any], today: date) -> date | None:
    if valid is None:
        return None
    if valid.days is not None:
        return today + timedelta(days=valid.days)
    last: date | None = values.get(valid.until or "")
    return last


def _filled(paragraph: Paragraph, words: Words, lang: str) -> str:
    """Return the paragraph with its values, isolated as in messages; nothing else is read in it."""
    values = {
        name: words[name][lang] or _otherwise(paragraph, name, lang)
        for name in paragraph.placeholders
    }
    return events.fill_body(getattr(paragraph, lang), values, lang)


def _otherwise(paragraph: Paragraph, name: str, lang: str) -> str:
    return paragraph.or_[name].of(lang) if name in paragraph.or_ else NOTHING


def _facts(service: Definition, statement: Statement, words: Words) -> list[dict[str, Any]]:
    """Return label and value, by language, of the fields shown that have one."""
    known = {spec.name: spec for spec in service.answered}
    specs = [known[name] for name in statement.show if name in known]
    return [_fact(spec, words[spec.name]) for spec in specs if words[spec.name]["ar"]]


def _fact(spec: FieldSpec, value: Mapping[str, str]) -> dict[str, Any]:
    fact: dict[str, Any] = {"label": _label(spec), "value": dict(value)}
    arabic, english = value["ar"], value["en"]
    if isinstance(arabic, Table) and isinstance(english, Table):
        pairs = zip(arabic.cells, english.cells, strict=True)
        fact["heads"] = _paired(arabic.heads, english.heads)
        fact["rows"] = [{"cells": _paired(*each)} for each in pairs]
    return fact


def _paired(arabic: Sequence[str], english: Sequence[str]) -> list[dict[str, str]]:
    return [{"ar": ar, "en": en} for ar, en in zip(arabic, english, strict=True)]


def _label(spec: FieldSpec) -> dict[str, str]:
    label = {}
    for lang in i18n.LANGUAGES:
        with force_locale(lang):
            label[lang] = spec.title(lang)
    return label
