"""Page language, and what depends on it: direction, formats, switching."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from flask import Flask, g, has_request_context
from flask_babel import (
    Babel,
    LazyString,
    force_locale,
    format_date,
    format_time,
    get_locale,
    gettext,
)
from flask_login import current_user

from clearance.core import cookies
from clearance.core.clock import KUWAIT
from clearance.core.texts import TextDomain

LANGUAGES = ("ar", "en")
COOKIE = "lang"  # chosen in this browser
ACCOUNT_COOKIE = "account_lang"  # of the account last used in this browser


def chosen_language() -> str:
    """Return "ar" or "en": chosen in this request, in this browser or by the user, else Arabic.

    A browser in which nothing was chosen keeps its last user's language after the session.
    """
    if has_request_context():
        candidates = (
            g.get("language"),
            cookies.read(COOKIE),
            getattr(current_user, "language", None),
            cookies.read(ACCOUNT_COOKIE),
        )
        for candidate in candidates:
            if candidate in LANGUAGES:
                return str(candidate)
    return "ar"


def language() -> str:
    """Return the current language of texts (a message's, inside `force_locale`)."""
    locale = get_locale()
    return locale.language if locale is not None and locale.language in LANGUAGES else "ar"


def other_language() -> str:
    """Return the language that the switch leads to."""
    return "en" if language() == "ar" else "ar"


def in_language(row: Any, stem: str) -> str:
    """Return `row.<stem>_ar` or `row.<stem>_en` (or mapping keys "ar", "en" when stem is "")."""
    lang = language()
    if not stem:
        return str(row.get(lang) or row.get("ar") or row.get("en") or "")
    return str(getattr(row, f"{stem}_{lang}") or getattr(row, f"{stem}_ar"))


def bilingual(*, ar: str, en: str) -> LazyString:
    """Return a text in the page's language, for extensions without a catalogue of their own."""
    return LazyString(lambda: ar if language() == "ar" else en)


def in_both(text: Any) -> dict[str, str]:
    """Return a lazy text in every language, to store for later messages."""
    both = {}
    for lang in LANGUAGES:
        with force_locale(lang):
            both[lang] = str(text)
    return both


def format_day(value: date | None) -> str:
    """Format a Kuwait day as dd/mm/yyyy; "" for none."""
    return value.strftime("%d/%m/%Y") if value else ""


def day_in_words(value: date) -> str:
    """Return a Kuwait day with the month's name, in the page's language."""
    return str(format_date(value, "d MMMM y", rebase=False))


def time_in_words(value: time) -> str:
    """Return a Kuwait time in 12 hours, with am or pm in the page's language."""
    return str(format_time(value, "h:mm a", rebase=False)).lower()


def instant_in_words(value: datetime) -> str:
    """Return day and time in Kuwait, the day with the month's name, in the page's language."""
    local = value.astimezone(KUWAIT)
    return str(
        gettext("%(day)s, %(time)s", day=day_in_words(local), time=time_in_words(local.time()))
    )


def format_instant(value: datetime | None) -> str:
    """Format an instant as dd/mm/yyyy HH:MM in Kuwait's time; "" for none."""
    return value.astimezone(KUWAIT).strftime("%d/%m/%Y %H:%M") if value else ""


def format_size(count: int) -> str:
    """Format a number of bytes as kilobytes or megabytes, Latin digits."""
    if count < 1024 * 1024:
        return str(gettext("%(number)s KB", number=max(1, round(count / 1024))))
    return str(gettext("%(number)s MB", number=f"{count / 1024 / 1024:.1f}"))


def init_app(app: Flask) -> None:
    """Bind Babel and provide the language's variables and filters to templates."""
    # One for each application: it keeps the catalogues of the extensions that joined.
    babel = Babel(app, locale_selector=chosen_language, default_locale="ar")
    texts = babel.domain_instance = TextDomain()
    app.jinja_env.filters.update(
        date=format_day,
        datetime=format_instant,
        day_in_words=day_in_words,
        filesize=format_size,
    )

    @app.context_processor
    def _language() -> dict[str, Any]:
        lang = language()
        return {
            "lang": lang,
            "text_dir": "rtl" if lang == "ar" else "ltr",
            "other_lang": other_language(),
            "in_language": in_language,
            **texts.of_page(lang).as_context(),
        }
