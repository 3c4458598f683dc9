"""The audit trail speaks in words: no kind of event, and no outcome, is without its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flask import Flask

from admin_views.office.audit import labels as audit_labels
from clearance.core.settings import ROOT
from clearance.models.enums import Role, Status
from tests.support.office_people import Office


def _calls(name: str) -> Iterator[ast.Call]:
    """Every call of `audit.<name>` in the portal."""
    for room in ("clearance", "admin_views"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == f"audit.{name}":
                    yield node


def _said(node: ast.expr) -> list[str]:
    """The texts that an argument can be, as far as the code says so on the spot."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [*_said(node.body), *_said(node.orelse)]
    return []


def test_every_kind_that_the_code_names_has_its_words(context: Flask) -> None:
    for name, words in (("record", audit_labels.events()), ("access", audit_labels.accesses())):
        kinds = {kind for call in _calls(name) for kind in _said(call.args[0])}
        assert len(kinds) > 20
        assert kinds - set(words) == set()


def test_every_outcome_that_the_code_names_has_its_words() -> None:
    outcomes = {
        text
        for call in _calls("access")
        for keyword in call.keywords
        if keyword.arg == "result"
        for text in _said(keyword.value)
    }
    assert len(outcomes) > 5 and outcomes - set(audit_labels.RESULTS) == set()


def test_the_list_reads_in_arabic_and_is_filtered_by_event(office: Office) -> None:
    office.request(Status.UNDER_REVIEW)
    manager = office.staff(Role.MANAGER, "ar")
    page = manager.get("/office/audit/?flt0_kind=request:step:send")
    cells = [
        [td.get_text(" ", strip=True) for td in row.select("td")]
        for row in page.soup.select("tbody tr")
    ]
    assert [row[1] for row in cells] == ["تم إرسال الطلب"]
    assert cells[0][3].startswith("الطلب ")
    details = manager.get(page.soup.select_one("tbody a")["href"])
    assert "request:step:send" in details.text
