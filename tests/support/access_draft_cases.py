"""Lines of the access matrix about drafts of services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from clearance import exams
from clearance.core import yaml_files
from clearance.services import translation_sheets
from tests.support.permit import PERMIT

Try = tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]
EXAM = {"code": "exam", "part": "form", "path": "fields", "key": "notes"}
WORDS = {
    **dict.fromkeys(("draft", "draft_checkup", "draft_ways", "draft_preview"), 1),
    **dict.fromkeys(("draft_preview_form", "draft_workbook", "pack"), 1),
    **dict.fromkeys(("draft_publish", "draft_undo", "draft_redo", "draft_discard"), 1),
    "draft_update": 1,
    **dict.fromkeys(("draft_part", "draft_restore"), 2),
    "draft_add": 3,
    **dict.fromkeys(("draft_item", "draft_act", "draft_remove", "draft_type"), 4),
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


def _imported(_rows: Mapping[str, Any]) -> Iterator[Try]:
    """What the page carries of an uploaded file, which becomes a new service."""
    yield "", {}, {}, {"text": PERMIT, "version": 0, "code": "temporary_permit", "prefix": "TP"}


def _translated(_rows: Mapping[str, Any]) -> Iterator[Try]:
    """Another English title for the exam."""
    file = Path(exams.__file__).parent / "definitions" / "exam.yaml"
    title = translation_sheets.texts_of(yaml_files.read(file))["title"]
    sheet = f"path,ar,en,check\ntitle,,Sit the exam,{title.check}\n"
    posted = {"_files": {"texts": (sheet.encode(), "texts.csv")}}
    yield "own", {"code": "exam"}, {}, posted
    yield "missing", {"code": "nothing-of-that-name"}, {}, posted


def _sample(_rows: Mapping[str, Any]) -> Iterator[Try]:
    """A document that a draft would issue; the exam issues none."""
    yield "missing", {"code": "exam", "statement": "permit"}, {}, {}


def _earlier_version(_rows: Mapping[str, Any]) -> Iterator[Try]:
    """A draft of the exam's only version, which is in use and so changes nothing."""
    yield "own", {"code": "exam", "number": 1}, {}, {"version": 0}
    yield "missing", {"code": "exam", "number": 9}, {}, {"version": 0}


OF_DRAFTS = {f"office_services.{route}": _tries(count) for route, count in WORDS.items()}
OF_DRAFTS["office_services.pack_import"] = _imported
OF_DRAFTS["office_services.draft_texts"] = _translated
OF_DRAFTS["office_services.draft_sample"] = _sample
OF_DRAFTS["office_services.draft_of_version"] = _earlier_version
