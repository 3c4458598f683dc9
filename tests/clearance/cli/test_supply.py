"""What the portal is made of: the bill of materials, licences, and a lock that stays as it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from clearance.cli import supply
from clearance.core.settings import ROOT


def test_each_pinned_package_has_a_licence_in_the_docs() -> None:
    pinned = list(supply.packages())
    assert len(pinned) > 50
    assert [package.name for package in pinned if not package.licence] == []
    assert (ROOT / "docs" / "licences.md").read_text(encoding="utf-8") == supply.licences()


def test_the_bill_of_materials_names_every_package_with_its_hashes() -> None:
    bill = supply.sbom()
    assert bill == supply.sbom()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
    lock = supply.LOCK.read_text(encoding="utf-8")
    components = {each["purl"]: each for each in bill["components"]}
    assert len(components) == len(re.findall(r"^\S+==", lock, flags=re.MULTILINE))
    hashes = [
        digest["content"]
        for each in components.values()
        for digest in each["externalReferences"][0]["hashes"]
    ]
    assert sorted(hashes) == sorted(re.findall(r"sha256:([0-9a-f]{64})", lock))
    json.dumps(bill)


def answering(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    def run(*args: object, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, stdout=said, stderr="")

    monkeypatch.setattr(supply.subprocess, "run", run)


def test_the_audit_tells_findings_and_skips_in_one_word_without_a_network(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
    judged = {"name": "shaky", "version": "1.0", "vulns": [finding]}
    unknown = {"name": "new", "skip_reason": "not found"}
    answering(monkeypatch, json.dumps({"dependencies": [judged, unknown]}))
    assert supply.audit() == 1
    assert "shaky 1.0: PYSEC-1, mended in 2.0" in capsys.readouterr().out
    for said in ("", json.dumps({"dependencies": [unknown]})):
        answering(monkeypatch, said)
        assert supply.audit() == 0
        assert capsys.readouterr().out == "pip-audit: skipped\n"


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_the_lock_is_what_its_sources_resolve_to(tmp_path: Path, name: str) -> None:
    uv = ROOT / ".venv/bin/uv"
    if not uv.exists():
        pytest.skip("uv is not installed in .venv")
    made = tmp_path / "lock.txt"
    shutil.copy(ROOT / f"{name}.txt", made)
    options = "pip compile --quiet --universal --generate-hashes --no-annotate --no-header"
    command = [str(uv), *options.split(), "--python-version", "3.11", f"{name}.in"]
    done = subprocess.run([*command, "-o", str(made)], cwd=ROOT, capture_output=True, check=False)
    if b"fetch" in done.stderr or b"connect" in done.stderr:
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr
    assert made.read_text() == (ROOT / f"{name}.txt").read_text()
