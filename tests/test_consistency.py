"""What no single module can promise: the direction of imports, words for every name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from flask import Flask

from clearance.core.settings import ROOT
from clearance.models import enums
from clearance.notifications import events
from clearance.services import schema, versions
from clearance.services.effects import APPROVAL_EFFECTS
from clearance.services.flows import FLOWS
from clearance.services.guards import GUARDS
from clearance.services.standard_fields import GROUP_LABELS, STANDARD_FIELDS, Group


def sources() -> Iterator[tuple[str, Path]]:
    """(module, file) of everything that is not a test."""
    yield "app", ROOT / "app.py"
    for folder in ("clearance", "forms", "admin_views"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__"), path


MODULES = dict(sources())


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_import_hides_in_a_function(module: str) -> None:
    """Except one of a heavy library's module, which says so in the line before."""
    lines = MODULES[module].read_text(encoding="utf-8").splitlines()
    hidden = {
        ast.unparse(node)
        for function in ast.walk(tree_of(MODULES[module]))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and not lines[node.lineno - 2].strip().startswith("# Loading ")
    }
    ours = [line for line in hidden if re.search(r"\b(clearance|forms|admin_views|app)\b", line)]
    assert not ours


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_module_says_what_belongs_in_it(module: str) -> None:
    said = ast.get_docstring(tree_of(MODULES[module]))
    assert said and said.splitlines()[0].endswith((".", ";", ":")), module


def test_no_rule_asks_for_a_services_code() -> None:
    """A service is data: outside its file and the invented world nothing speaks its code."""
    codes = set(versions.read_files())
    for module, path in MODULES.items():
        if module.startswith("clearance.demo"):
            continue
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Compare):
                named = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
                assert not named & codes, f"{module}:{node.lineno}"


def test_status_is_written_by_the_workflow_alone() -> None:
    """No module assigns the status of a request; one conditional UPDATE in workflow does."""
    for module, path in MODULES.items():
        for node in ast.walk(tree_of(path)):
            targets = node.targets if isinstance(node, ast.Assign) else []
            for target in targets:
                is_status = isinstance(target, ast.Attribute) and target.attr == "status"
                owner = ast.unparse(target.value) if isinstance(target, ast.Attribute) else ""
                assert not (is_status and owner in {"req", "step.req"}), f"{module}:{node.lineno}"


def test_one_place_decides_whether_a_request_posts() -> None:
    """A comparison with "GET" elsewhere would take HEAD for a post."""
    for module, path in MODULES.items():
        for node in ast.walk(tree_of(path)):
            is_method = isinstance(node, ast.Attribute) and ast.unparse(node) == "request.method"
            assert not is_method or module == "clearance.core.request_kind", (
                f"{module}:{node.lineno}"
            )


def test_every_word_of_the_vocabulary_is_labelled() -> None:
    assert set(enums.STATUS_LABELS) == set(enums.Status)
    assert set(enums.STATUS_TONES) == set(enums.Status)
    assert set(enums.ROLE_LABELS) == set(enums.Role)
    assert set(enums.LICENCE_STATUS_LABELS) == set(enums.LicenceStatus)
    assert set(enums.GENDER_LABELS) == set(enums.Gender)
    assert set(enums.ISSUED_KIND_LABELS) == set(enums.IssuedKind)
    assert set(enums.ISSUED_STATE_LABELS) == set(enums.IssuedState)
    assert set(enums.ISSUED_STATE_TONES) == set(enums.IssuedState)
    assert set(enums.VOID_REASON_LABELS) == set(enums.VoidReason)
    assert set(enums.SUBSCRIPTION_STATUS_LABELS) == set(enums.SubscriptionStatus)
    assert set(enums.SUBSCRIPTION_STATUS_TONES) == set(enums.SubscriptionStatus)
    assert set(GROUP_LABELS) == set(Group)


def test_every_step_tells_of_an_event_that_has_its_texts() -> None:
    for flow in FLOWS.values():
        for step in flow.steps:
            for event in filter(None, (step.tells, step.tells_reviewer)):
                assert event in events.EVENTS, f"{flow.name}: {event}"


def test_every_shipped_service_is_named_after_its_file_and_is_sound(context: Flask) -> None:
    for code, document in versions.read_files().items():
        assert versions.faults(document) == []
        service, found = schema.parse(document)
        assert service is not None and found == []
        assert service.code == code
        assert service.flow in FLOWS
        assert set(service.guards.start + service.guards.send) <= set(GUARDS)
        assert set(service.on_approval) <= set(APPROVAL_EFFECTS)


def test_shipped_services_differ_in_prefix_and_place() -> None:
    services = [schema.parse(document)[0] for document in versions.read_files().values()]
    prefixes = [service.prefix for service in services if service is not None]
    assert len(set(prefixes)) == len(prefixes) == len(services)


def test_every_sign_of_a_service_is_drawn() -> None:
    page = (ROOT / "templates" / "components" / "ui.html").read_text(encoding="utf-8")
    drawn = set(re.findall(r'^  "(\w+)": "M', page, re.MULTILINE))
    assert set(get_args(schema.Sign)) <= drawn


def test_every_label_has_its_arabic(context: Flask) -> None:
    """The test's context speaks Arabic: a label that stays English has no translation."""
    labels = [
        *enums.STATUS_LABELS.values(),
        *GROUP_LABELS.values(),
        *(field.label for field in STANDARD_FIELDS.values()),
    ]
    latin = [str(label) for label in labels if re.search("[A-Za-z]", str(label))]
    assert latin == []
