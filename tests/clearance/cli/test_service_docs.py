"""docs/services.md: current, and every guard there with its words in both languages."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from clearance.cli import service_docs
from clearance.core.settings import ROOT
from clearance.services import guards, registry
from clearance.services.statements import ISSUE

DEFINITIONS = (ROOT / "clearance").glob("*/definitions/*.yaml")


def test_page_of_services_is_current(context: Flask) -> None:
    """Made again by `flask services describe --output docs/services.md`."""
    written = (ROOT / "docs" / "services.md").read_text(encoding="utf-8")
    assert service_docs.services_page() == written


def test_command_writes_the_page(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["services", "describe"])
    assert result.exit_code == 0
    assert result.output.startswith("# The services\n")


def test_diagrams_are_ones_that_mermaid_can_read() -> None:
    """Names of states in ASCII and told once, labels quoted, and nothing in them that ends one."""
    page = (ROOT / "docs" / "services.md").read_text(encoding="utf-8")
    diagrams = re.findall(r"```mermaid\n(.*?)```", page, re.DOTALL)
    assert len(diagrams) == page.count("```mermaid") == page.count("### Flow ")
    state = re.compile(r'    state "([^"#;:{}<>\n]+)" as ([a-z][a-z_]*)')
    arrow = re.compile(r"    (\[\*\]|[a-z_]+) --> (\[\*\]|[a-z_]+)(?:: [A-Za-z][^#;:{}<>\n]*)?")
    for diagram in diagrams:
        kind, *lines = diagram.splitlines()
        assert kind == "stateDiagram-v2"
        names = [found[2] for line in lines if (found := state.fullmatch(line))]
        assert len(names) == len(set(names))
        assert not {"state", "note", "end", "class", "style", "direction", "as"} & set(names)
        rest = [line for line in lines if not state.fullmatch(line)]
        ends = [found.groups() for line in rest if (found := arrow.fullmatch(line))]
        assert len(ends) == len(rest), [line for line in rest if not arrow.fullmatch(line)]
        assert {name for pair in ends for name in pair} == {*names, "[*]"}


@pytest.mark.parametrize("code", sorted(path.stem for path in DEFINITIONS))
def test_every_guard_of_a_service_refuses_in_both_languages(context: Flask, code: str) -> None:
    (service,) = [service for service in service_docs.shipped() if service.code == code]
    named = [guard for _name, guard, _when in service_docs.guards_of(service)]
    is_exclusive = bool(service_docs.refusals_of(guards.claim_is_free, service))
    assert is_exclusive is (service.exclusive != "none")
    for guard in (*guards.UNIVERSAL, *named):
        said = service_docs.refusals_of(guard, service)
        assert said, guard.__name__
        for each in said:
            assert re.search("[\u0600-\u06ff]", each.ar), each
            assert not re.search("[\u0600-\u06ff]", each.en), each
            assert not re.search("[A-Za-z]{3}", each.ar), each


def test_every_guard_and_effect_is_some_services(context: Flask) -> None:
    services = service_docs.shipped()
    asked = {
        name for service in services for name, _guard, _when in service_docs.guards_of(service)
    }
    known = registry.current()
    assert set(known.guards) <= asked
    named = {name for service in services for name in service.on_approval}
    assert named == set(known.effects) - {ISSUE}  # follows from the statements of a definition
