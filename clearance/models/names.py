"""Names in both scripts: the columns of people, and one choice of the name to show."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clearance.models import base

NAME_COLUMNS = tuple(f"name_{lang}_{place}" for lang in ("ar", "en") for place in range(1, 5))


def joined_name(row: Any, lang: str) -> str:
    """Return the names of `row` in `lang` ("ar" or "en") in one line, without the empty ones.

    row: an object or a query's row with the attributes NAME_COLUMNS.
    """
    return " ".join(_given(row, lang))


def short_name(row: Any, lang: str) -> str:
    """Return the first and the last name of `row` in `lang`; arguments as for `joined_name`."""
    names = _given(row, lang)
    return " ".join(names[:1] + names[1:][-1:])


def _given(row: Any, lang: str) -> list[str]:
    return [name for n in range(1, 5) if (name := getattr(row, f"name_{lang}_{n}"))]


class Named:
    """Mixin of rows with `name_ar` and `name_en`."""

    def name_in(self: Any, lang: str) -> str:
        """Return the name in `lang` ("ar" or "en"), falling back to the other."""
        return str(self.name_ar or self.name_en if lang == "ar" else self.name_en or self.name_ar)


class PersonName(Named):
    """Mixin of a person's names, up to four in each script; searches read `name_folded`."""

    name_ar_1: Mapped[base.short]
    name_ar_2: Mapped[base.short] = mapped_column(default="")
    name_ar_3: Mapped[base.short] = mapped_column(default="")
    name_ar_4: Mapped[base.short] = mapped_column(default="")
    name_en_1: Mapped[base.short]
    name_en_2: Mapped[base.short] = mapped_column(default="")
    name_en_3: Mapped[base.short] = mapped_column(default="")
    name_en_4: Mapped[base.short] = mapped_column(default="")
    name_folded: Mapped[str] = mapped_column(sa.String(700))

    @property
    def name_ar(self) -> str:
        """The four Arabic names in one line."""
        return joined_name(self, "ar")

    @property
    def name_en(self) -> str:
        """The four English names in one line."""
        return joined_name(self, "en")


def account_name(row: Any, lang: str) -> str:
    """Return the name of an account's holder to show in `lang`: in English in Latin letters.

    Without a Latin name it is the name as given, in whatever script.
    row: an object or a query's row with the columns of `AccountName`.
    """
    given = f"{row.first_name} {row.last_name}".strip()
    return str(row.latin_name or given) if lang == "en" else given


class AccountName:
    """Mixin of an account holder's names.

    First and last name are as on the civil ID card; `latin_name` is the whole name in Latin
    letters, "" if it is unknown or the others are in Latin letters already.
    """

    first_name: Mapped[base.short]
    last_name: Mapped[base.short]
    latin_name: Mapped[base.short] = mapped_column(default="")

    def name_in(self, lang: str) -> str:
        """Return the name to show in `lang` ("ar" or "en")."""
        return account_name(self, lang)

    @classmethod
    def selected_name(cls, lang: str) -> sa.ColumnElement[str]:
        """Return what selects `name_in(lang)`; also of an alias of the class."""
        given = cls.first_name + " " + cls.last_name
        return (
            sa.func.coalesce(sa.func.nullif(cls.latin_name, ""), given) if lang == "en" else given
        )
