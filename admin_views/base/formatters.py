"""Cells of lists: values as people read them, made once per language where they repeat."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import current_app
from flask_babel import force_locale
from markupsafe import Markup

from clearance.core import i18n
from clearance.models import enums

Formatter = Callable[[Any, Any, Any, str], Any]


def status_badge(status: str) -> Markup:
    """The state of a request as word, sign and colour, in the page's language."""
    return _status_badge(status, i18n.language())


def status_label(status: str) -> str:
    """The state of a request as a word, in the page's language."""
    return str(enums.STATUS_LABELS.get(status, status))


def status(view: Any, context: Any, row: Any, key: str) -> Markup:
    """Format a column of states."""
    return status_badge(getattr(row, key))


def tone_badge(label: Any, tone: str) -> Markup:
    """A word with the sign and colour of `tone` (success, info, warning, danger, neutral)."""
    return _tone_badge(str(label), tone, i18n.language())


def format_instant(view: Any, context: Any, row: Any, key: str) -> str:
    """Format a column of instants as Kuwait's date and time."""
    return i18n.format_instant(getattr(row, key)) or "—"


def format_date_of_instant(view: Any, context: Any, row: Any, key: str) -> Any:
    """Format a column of instants as Kuwait's date."""
    return isolated(i18n.format_instant(getattr(row, key)).partition(" ")[0])


def day(view: Any, context: Any, row: Any, key: str) -> Any:
    """Format a column of dates."""
    return isolated(i18n.format_day(getattr(row, key)))


def isolated(value: Any) -> Any:
    """`value` kept in one piece and in its own direction; a dash for nothing."""
    return Markup("<bdi>{}</bdi>").format(value) if value not in (None, "") else "—"


@lru_cache(maxsize=256)
def _status_badge(status: str, lang: str) -> Markup:
    return _badge(status, status_label(status), None, lang)


@lru_cache(maxsize=256)
def _tone_badge(label: str, tone: str, lang: str) -> Markup:
    return _badge("", label, tone, lang)


def _badge(status: str, label: str, tone: str | None, lang: str) -> Markup:
    with force_locale(lang):
        template = current_app.jinja_env.get_template("components/ui.html")
        return Markup(template.module.badge(status, label, tone))  # type: ignore[attr-defined]  # noqa: S704 - a macro's own markup
