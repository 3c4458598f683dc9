"""The texts of the catalogues, each looked up once per language and process.

A page shows some 250 texts. Babel finds the catalogue anew for each, which took a sixth of a page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from babel.support import NullTranslations, Translations
from flask_babel import Domain, get_locale
from markupsafe import Markup

Catalogue = Translations | NullTranslations


class PageTexts:
    """The functions that templates call for texts, in one language.

    All templates are HTML: texts are markup, and the values put into them are escaped.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._patterns: dict[tuple[str, ...], Markup] = {}
        self._whole: dict[str, Markup] = {}

    def gettext(self, text: str, /, **values: Any) -> Markup:
        """Return the translation with the named values."""
        if values:
            return self._pattern("gettext", text) % values
        known = self._whole.get(text)
        if known is None:
            known = self._whole[text] = self._pattern("gettext", text) % {}
        return known

    def pgettext(self, context: str, text: str, /, **values: Any) -> Markup:
        """Return the translation that the text has in this context."""
        return self._pattern("pgettext", context, text) % values

    def ngettext(self, one: str, several: str, num: int, /, **values: Any) -> Markup:
        """Return the form for `num`, which is also a value."""
        form: str = self._catalogue.ungettext(one, several, num)
        return Markup(form) % ({"num": num} | values)  # noqa: S704 - a text of the catalogue

    def as_context(self) -> dict[str, Callable[..., Markup]]:
        """Return the functions under their names in templates."""
        return {
            "_": self.gettext,
            "gettext": self.gettext,
            "ngettext": self.ngettext,
            "pgettext": self.pgettext,
        }

    def _pattern(self, function: str, *texts: str) -> Markup:
        known = self._patterns.get(texts)
        if known is None:
            known = Markup(getattr(self._catalogue, f"u{function}")(*texts))  # noqa: S704 - as above
            self._patterns[texts] = known
        return known


class TextDomain(Domain):  # type: ignore[misc]  # flask_babel is untyped
    """An application's catalogues, found by language alone."""

    def __init__(self) -> None:
        super().__init__()
        self._catalogues: dict[str, Catalogue] = {}
        self._pages: dict[str, PageTexts] = {}

    def get_translations(self) -> Catalogue:
        """Return the catalogue of the current language."""
        locale = get_locale()
        if locale is None:
            return NullTranslations()
        found = self._catalogues.get(locale.language)
        if found is None:
            found = self._catalogues[locale.language] = super().get_translations()
        return found

    def of_page(self, language: str) -> PageTexts:
        """Return the texts for templates in the current language, which is `language`."""
        found = self._pages.get(language)
        if found is None:
            found = self._pages[language] = PageTexts(self.get_translations())
        return found
