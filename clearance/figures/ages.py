"""Ages of requests, in Kuwait days since they were sent."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

# Days since sending: from (inclusive), up to (exclusive; None: no end).
AGES: dict[str, tuple[Any, int, int | None]] = {
    "0-2": (_l("Up to 2 days"), 0, 3),
    "3-5": (_l("3 to 5 days"), 3, 6),
    "6-10": (_l("6 to 10 days"), 6, 11),
    "11-30": (_l("11 to 30 days"), 11, 31),
    "31": (_l("More than 30 days"), 31, None),
}
