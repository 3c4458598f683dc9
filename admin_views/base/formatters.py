"""Column formatters for lists; repeated badges are cached per language."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import current_app
from flask_babel import force_locale
from markupsafe import Markup

from clearance.core import i18n
from clearance.models.enums import Labelled
from clearance.services import registry

Formatter = Callable[[Any, Any, Any, str], Any]


def status_badge(status: str) -> Markup:
    """Return a request's status as label, icon and colour, in the page's language."""
    return _status_badge(status, i18n.language())


def status_label(status: str) -> str:
    """Return a request's status as a label, in the page's language."""
    return str(registry.current().status_label(status))


def status(view: Any, context: Any, row: Any, key: str) -> Markup:
    """Format a status column."""
    return status_badge(getattr(row, key))


def tone_badge(label: Any, tone: str) -> Markup:
    """Return a label with icon and colour of `tone` (success, info, warning, danger, neutral)."""
    return _tone_badge(str(label), tone, i18n.language())


def state_badge(state: Labelled) -> Markup:
    """Return the label of `state` with its icon and colour."""
    return tone_badge(state.label, state.tone)


def format_instant(view: Any, context: Any, row: Any, key: str) -> str:
    """Format a datetime column as date and time in Kuwait."""
    return i18n.format_instant(getattr(row, key)) or "—"


def format_date_of_instant(view: Any, context: Any, row: Any, key: str) -> Any:
    """Format a datetime column as a date in Kuwait."""
    return isolated(i18n.format_instant(getattr(row, key)).partition(" ")[0])


def day(view: Any, context: Any, row: Any, key: str) -> Any:
    """Format a date column."""
    return isolated(i18n.format_day(getattr(row, key)))


def isolated(value: Any) -> Any:
    """Return `value` with bidirectional isolation, or a dash if it is empty."""
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
