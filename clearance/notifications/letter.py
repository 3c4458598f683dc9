"""The letter around the body of every e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clearance.models.enums import Gender
from clearance.notifications import events


@dataclass(frozen=True)
class Letter:
    """The text around the body of every e-mail in one language."""

    greeting: str
    greeting_by_gender: Mapping[str, str]
    greeting_unnamed: str
    closing: str


_LETTERS = {
    "ar": Letter(
        greeting="{recipient}، تحية طيبة وبعد،",
        greeting_by_gender={
            Gender.MALE: "السيد {recipient} المحترم،",
            Gender.FEMALE: "السيدة {recipient} المحترمة،",
        },
        greeting_unnamed="تحية طيبة وبعد،",
        closing=(
            "مكتب شؤون المخلصين\nهذه رسالة آلية من بوابة التخليص الجمركي، يرجى عدم الرد عليها."
        ),
    ),
    "en": Letter(
        greeting="Dear {recipient},",
        greeting_by_gender={},
        greeting_unnamed="Hello,",
        closing=(
            "Clearance Agents Affairs Office\n"
            "This is an automatic message from the Customs Clearance Portal. Please do not reply."
        ),
    ),
}


def around(body: str, values: Mapping[str, Any], lang: str, gender: str | None = None) -> str:
    """Return a filled body with greeting, link and closing.

    values: as for `events.fill_body`. gender: of the recipient; None greets without it.
    """
    letter = _LETTERS[lang]
    greeting = letter.greeting_by_gender.get(gender or "", letter.greeting)
    if not values.get("recipient"):
        greeting = letter.greeting_unnamed
    # Join the filled body, so that placeholders in its values are not filled.
    parts = (events.fill_body(greeting, values, lang), body, str(values.get("link", "")))
    return "\n\n".join([*(part for part in parts if part), letter.closing]) + "\n"
