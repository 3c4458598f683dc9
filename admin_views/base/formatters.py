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

# Written as f-strings of escaped parts: lists make hundreds of these for a page, and
# `Markup.format` takes several times as long.


def status_badge(status: str) -> Markup:
    """Return a request's status as label, icon and colour, in the page's language."""
    return _status_badge(status, i18n.language())


def tone_badge(label: Any, tone: str) -> Markup:
    """Return a label with icon and colour of `tone` (success, info, warning, danger, neutral)."""
    return _tone_badge(str(label), tone, i18n.language())


def state_badge(state: Labelled) -> Markup:
    """Return the label of `state` with its icon and colour."""
    return _state_badge(type(state), str(state), i18n.language())


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


def marked_day(date: Any, label: Any, tone: str) -> Markup:
    """Return a date with a sign of `tone`, whose `label` shows where there is room."""
    mark, shown = _mark(str(label), tone, i18n.language()), bdi(i18n.format_day(date))
    return Markup(f"<span>{mark} {shown}</span>")  # noqa: S704 - escaped parts


def link(row_id: int | str, text: Any, endpoint: str = "") -> Markup:
    """Return a link to the details of a row. endpoint: its view's; by default the page's own."""
    pages: dict[str, str] = g.setdefault("details_pages", {})
    if endpoint not in pages:
        pages[endpoint] = url_for(f"{endpoint}.details_view")
    return Markup(f'<a href="{pages[endpoint]}?id={quote(str(row_id))}">{escape(text)}</a>')  # noqa: S704 - escaped parts


def bdi(text: Any) -> Markup:
    """Return `text` with bidirectional isolation, even if it is empty."""
    return Markup(f"<bdi>{escape(text)}</bdi>")  # noqa: S704 - an escaped part


def under(text: Any) -> Markup:
    """Return `text` as the small second line of a cell; in lists it follows on the same line."""
    return Markup(f' <small class="under">{escape(text)}</small>')  # noqa: S704 - an escaped part


def under_whole(text: Any) -> Markup:
    """Return `under` for a number or date, which is shown as a whole or, where room lacks, not.

    A part of it would look like another one, and in Arabic its first digits would be cut off.
    """
    return Markup(f' <small class="under unbroken">{escape(text)}</small>')  # noqa: S704 - escaped


def brief(short: Any, whole: Any) -> Markup:
    """Return a text whose `short` form is shown where room is scarce; readers hear the `whole`."""
    if short == whole:
        return escape(whole)
    return Markup(  # noqa: S704 - escaped parts
        f'<span class="brief" aria-hidden="true">{escape(short)}</span>'
        f'<span class="whole">{escape(whole)}</span>'
    )


def isolated(value: Any) -> Any:
    """Return `value` with bidirectional isolation, or a dash if it is empty."""
    return bdi(value) if value not in (None, "") else "—"


@lru_cache(maxsize=256)
def _status_badge(status: str, lang: str) -> Markup:
    known = registry.current()
    with force_locale(lang):
        label = brief(str(known.status_short(status)), str(known.status_label(status)))
    return _badge(status, label, None, lang)


@lru_cache(maxsize=256)
def _state_badge(states: type[Labelled], code: str, lang: str) -> Markup:
    state = states(code)  # equal codes of two lists are equal keys
    with force_locale(lang):
        return _badge("", brief(str(state.short), str(state.label)), state.tone, lang)


@lru_cache(maxsize=256)
def _tone_badge(label: str, tone: str, lang: str) -> Markup:
    return _badge("", label, tone, lang)


@lru_cache(maxsize=64)
def _mark(label: str, tone: str, lang: str) -> Markup:
    with force_locale(lang):
        template = current_app.jinja_env.get_template("components/ui.html")
        return Markup(template.module.mark(label, tone))  # type: ignore[attr-defined]  # noqa: S704 - a macro's own markup


def _badge(status: str, label: str, tone: str | None, lang: str) -> Markup:
    with force_locale(lang):
        template = current_app.jinja_env.get_template("components/ui.html")
        return Markup(template.module.badge(status, label, tone))  # type: ignore[attr-defined]  # noqa: S704 - a macro's own markup
