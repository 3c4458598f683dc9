"""Rules of the whole code: where imports are, what is compared where, a label for every word."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from flask import Flask

from clearance.core.settings import ROOT
from clearance.models import enums
from clearance.notifications import events
from clearance.services import checkup, reading, registry, versions
from clearance.services.standard_fields import STANDARD_FIELDS
from tests.support.sources import MODULES

TONES = {"neutral", "info", "success", "warning", "danger"}  # tone_icons of components/ui.html


def labelled() -> Iterator[enums.Labelled]:
    for members in enums.Labelled.__subclasses__():
        yield from members


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_no_import_hides_in_a_function() -> None:
    """Except one of a heavy library's module, which says so in the line before."""
    ours = re.compile(r"\b(clearance|forms|admin_views|app)\b")
    hidden = []
    for module, path in MODULES.items():
        lines = path.read_text(encoding="utf-8").splitlines()
        hidden += [
            f"{module}:{node.lineno}: {ast.unparse(node)}"
            for function in ast.walk(tree_of(path))
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
            and not lines[node.lineno - 2].strip().startswith("# Loading ")
            and ours.search(ast.unparse(node))
        ]
    assert hidden == []


def test_every_module_says_what_belongs_in_it() -> None:
    docstrings = {module: ast.get_docstring(tree_of(path)) for module, path in MODULES.items()}
    silent = [
        module
        for module, docstring in docstrings.items()
        if not docstring or not docstring.splitlines()[0].endswith((".", ";", ":"))
    ]
    assert silent == []


def test_no_rule_asks_for_a_services_code(context: Flask) -> None:
    """A service is data: only its own file and the demonstration data name its code."""
    codes = set(versions.read_files())
    named = [
        f"{module}:{comparison.lineno}: {constant.value}"
        for module, path in MODULES.items()
        if not module.startswith("clearance.demo")
        for comparison in ast.walk(tree_of(path))
        if isinstance(comparison, ast.Compare)
        for constant in ast.walk(comparison)
        if isinstance(constant, ast.Constant) and constant.value in codes
    ]
    assert named == []


def test_one_place_decides_whether_a_request_posts() -> None:
    """A comparison with "GET" elsewhere would take HEAD for a post."""
    elsewhere = [
        f"{module}:{node.lineno}"
        for module, path in MODULES.items()
        if module != "clearance.core.request_kind"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "request.method"
    ]
    assert elsewhere == []


def test_every_word_of_the_vocabulary_is_labelled() -> None:
    for member in labelled():
        assert member.label and member.tone, repr(member)


def test_every_step_tells_of_an_event_that_has_its_texts(context: Flask) -> None:
    unknown = [
        f"{flow.name}: {event}"
        for flow in registry.current().flows.values()
        for step in flow.steps
        for event in (step.tells, step.tells_reviewer)
        if event and event not in events.registered()
    ]
    assert unknown == []


def test_every_shipped_service_is_named_after_its_file_and_is_sound(context: Flask) -> None:
    for code, document in versions.read_files().items():
        assert versions.faults(document) == []
        service, found = reading.parse(document)
        assert service is not None and found == []
        assert service.code == code


def test_shipped_services_differ_in_prefix_and_place(context: Flask) -> None:
    services = [reading.parse(document)[0] for document in versions.read_files().values()]
    prefixes = [service.prefix for service in services if service is not None]
    assert len(set(prefixes)) == len(prefixes) == len(services)


def test_every_sign_of_a_service_is_drawn() -> None:
    page = (ROOT / "templates" / "components" / "ui.html").read_text(encoding="utf-8")
    drawn = set(re.findall(r'^  "(\w+)": "M', page, re.MULTILINE))
    assert set(checkup.SIGNS) <= drawn


def test_every_label_has_its_arabic(context: Flask) -> None:
    """The test's context speaks Arabic: a label that stays English has no translation."""
    labels = [
        *(member.label for member in labelled()),
        *(name.label for name in registry.current().actions.values()),
        *(name.event for name in registry.current().actions.values()),
        *(guard.words for guard in registry.current().guards.values()),
        *(effect.words for effect in registry.current().effects.values()),
        *(field.label for field in STANDARD_FIELDS.values()),
    ]
    latin = [str(label) for label in labels if re.search("[A-Za-z]", str(label))]
    assert latin == []
