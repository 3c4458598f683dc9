"""Lines of the access matrix about drafts of services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Try = tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]
EXAM = {"code": "exam", "part": "form", "path": "fields", "key": "notes"}
WORDS = {
    **dict.fromkeys(("draft", "draft_checkup", "draft_ways", "draft_preview"), 1),
    **dict.fromkeys(("draft_publish", "draft_undo", "draft_redo", "draft_discard"), 1),
    **dict.fromkeys(("draft_part", "draft_restore"), 2),
    "draft_add": 3,
    **dict.fromkeys(("draft_item", "draft_act", "draft_remove"), 4),
}
"""Route → how many words of `EXAM` its address has."""


def _tries(count: int) -> Callable[[Mapping[str, Any]], Iterator[Try]]:
    """The draft of the exam, which its first change begins, and that of no service."""
    values = dict(list(EXAM.items())[:count])
    posted = {"version": 0, "action": "up", "standard": "passport_no"}

    def tries(rows: Mapping[str, Any]) -> Iterator[Try]:
        yield "own", values, {}, posted
        yield "missing", values | {"code": "nothing-of-that-name"}, {}, {"version": 0}

    return tries


OF_DRAFTS = {f"office_services.{route}": _tries(count) for route, count in WORDS.items()}
