"""How lists show values; repeated badges are cached per language."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from flask import current_app, g, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from markupsafe import Markup, escape

from clearance.core import i18n
from clearance.models.enums import Labelled
from clearance.services import registry

# Joined, not formatted: lists make hundreds of these for a page.
_BDI, _END_OF_BDI = Markup("<bdi>"), Markup("</bdi>")
_LINK, _LINK_TEXT, _END_OF_LINK = Markup('<a href="'), Markup('">'), Markup("</a>")
_UNDER, _END_OF_UNDER = Markup('<small class="under">'), Markup("</small>")


def status_badge(status: str) -> Markup:
    """Return a request's status as label, icon and colour, in the page's language."""
    return _status_badge(status, i18n.language())


def status_label(status: str) -> str:
    """Return a request's status as a label, in the page's language."""
    return str(registry.current().status_label(status))


def tone_badge(label: Any, tone: str) -> Markup:
    """Return a label with icon and colour of `tone` (success, info, warning, danger, neutral)."""
    return _tone_badge(str(label), tone, i18n.language())


def state_badge(state: Labelled) -> Markup:
    """Return the label of `state` with its icon and colour."""
    return tone_badge(state.label, state.tone)


def badges(states: type[Labelled]) -> Callable[[str], Markup]:
    """Return the function from a code of `states` to its badge."""
    return lambda code: state_badge(states(code))


def yes_or_no(value: Any) -> Markup:
    """Return a truth value as a badge."""
    return tone_badge(_("Yes"), "success") if value else tone_badge(_("No"), "neutral")


def active_badge(is_active: Any) -> Markup:
    """Return whether an account or access is active as a badge."""
    label, tone = (_("Active"), "success") if is_active else (_("Disabled"), "danger")
    return tone_badge(label, tone)


def format_instant(instant: Any) -> str:
    """Return a datetime as date and time in Kuwait."""
    return i18n.format_instant(instant) or "—"


def date_of(instant: Any) -> Any:
    """Return the date in Kuwait of a datetime."""
    return isolated(i18n.format_instant(instant).partition(" ")[0])


def day(date: Any) -> Any:
    """Return a date in the page's format."""
    return isolated(i18n.format_day(date))


def link(row_id: int | str, text: Any, endpoint: str = "") -> Markup:
    """Return a link to the details of a row. endpoint: its view's; by default the page's own."""
    pages: dict[str, str] = g.setdefault("details_pages", {})
    if endpoint not in pages:
        pages[endpoint] = url_for(f"{endpoint}.details_view")
    return (
        _LINK
        + f"{pages[endpoint]}?id={quote(str(row_id))}"
        + _LINK_TEXT
        + escape(text)
        + _END_OF_LINK
    )


def bdi(text: Any) -> Markup:
    """Return `text` with bidirectional isolation, even if it is empty."""
    return _BDI + escape(text) + _END_OF_BDI


def under(text: Any) -> Markup:
    """Return `text` as the small second line of a cell."""
    return _UNDER + escape(text) + _END_OF_UNDER


def isolated(value: Any) -> Any:
    """Return `value` with bidirectional isolation, or a dash if it is empty."""
    return bdi(value) if value not in (None, "") else "—"


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
